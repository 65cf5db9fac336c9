"""The default recogniser: faster-whisper (CTranslate2), int8 on CPU, float16 on CUDA. Only this module imports it.

Whisper encodes 30 s whatever is in them, so the speech of all channels and calls is packed into few windows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from transcribe.engine import Speech, Utterance
from transcribe.guards import refuse
from transcribe.model import EngineInfo
from transcribe.packing import HeardWord, Window, pack, unpack
from transcribe.weights import Weights, find_weights

_BATCH = 8
_MS_PER_STEP = 20  # of Whisper's time axis


def download(name: str) -> Path:
    """Fetch weights by hub name into the hub's own cache; raises whatever the hub's client raises."""
    from faster_whisper.utils import download_model

    return Path(download_model(name))


def cuda_devices() -> int:
    """How many CUDA devices CTranslate2 can use."""
    import ctranslate2

    return int(ctranslate2.get_cuda_device_count())


class FasterWhisper:
    """Recognise with CTranslate2 weights: `weights` is a folder, `base` or a hub name; the model loads at once.

    `threads` is per process; 0 lets CTranslate2 choose. Raises `WeightsMissing`.
    """

    def __init__(self, weights: str | Weights = "base", *, threads: int = 0, beam: int = 1) -> None:
        from faster_whisper import WhisperModel
        from faster_whisper.tokenizer import Tokenizer
        from faster_whisper.transcribe import get_suppressed_tokens

        found = weights if isinstance(weights, Weights) else find_weights(weights)
        device, compute = ("cuda", "float16") if cuda_devices() else ("cpu", "int8")
        self._whisper = WhisperModel(
            str(found.folder), device=device, compute_type=compute, cpu_threads=threads
        )
        self._tokens = Tokenizer(
            self._whisper.hf_tokenizer, True, task="transcribe", language="zh"
        )
        self._suppressed = list(get_suppressed_tokens(self._tokens, [-1]))
        self._beam = beam
        self.info = EngineInfo(
            name="faster-whisper",
            version=version("faster-whisper"),
            model=found.name,
            model_sha256=found.sha256,
            options=(("beam", str(beam)), ("compute", compute), ("device", device)),
        )

    def recognise(self, speech: Sequence[Speech], *, hotwords: Sequence[str] = ()) -> list[Utterance]:
        """See `Engine.recognise`."""
        heard: dict[int, Utterance] = {}
        windows = pack(speech)
        for start in range(0, len(windows), _BATCH):
            batch = windows[start : start + _BATCH]
            for window, guess in zip(batch, self._decode(batch, hotwords), strict=True):
                heard |= unpack(window, guess.words, speech)
        return [heard[i] for i in sorted(heard) if not refuse(heard[i], hotwords=hotwords)]

    def _decode(self, windows: Sequence[Window], hotwords: Sequence[str]) -> Iterator[_Guess]:
        from faster_whisper.audio import pad_or_trim

        features = [self._whisper.feature_extractor(w.samples)[..., :-1] for w in windows]
        encoded = self._whisper.encode(np.stack([pad_or_trim(f) for f in features]))
        prompt = self._whisper.get_prompt(
            self._tokens, [], without_timestamps=True, hotwords=" ".join(hotwords) or None
        )
        results = self._whisper.model.generate(
            encoded,
            [prompt] * len(windows),
            beam_size=self._beam,
            max_length=self._whisper.max_length,
            suppress_blank=True,
            suppress_tokens=self._suppressed,
            return_scores=True,
            return_no_speech_prob=True,
        )
        texts = [[t for t in r.sequences_ids[0] if t < self._tokens.eot] for r in results]
        aligned = self._whisper.model.align(
            encoded, self._tokens.sot_sequence, texts, [f.shape[1] for f in features]
        )
        for result, text, alignment in zip(results, texts, aligned, strict=True):
            yield _Guess(
                words=self._timed(text, alignment),
                log_probability=result.scores[0],
                no_speech=result.no_speech_prob,
            )

    def _timed(self, text: list[int], alignment: Any) -> list[HeardWord]:
        """Words of a decoded window with the times that cross-attention gives them."""
        words, tokens = self._tokens.split_to_word_tokens(text)
        rows = np.array(alignment.alignments).reshape(-1, 2)
        first_steps = rows[np.flatnonzero(np.diff(rows[:, 0], prepend=-1)), 1] * _MS_PER_STEP
        ends = np.cumsum([len(t) for t in tokens])
        return [
            HeardWord(
                text=word,
                start_ms=int(first_steps[end - len(own)]),
                end_ms=int(first_steps[end]),
                confidence=round(float(np.mean(alignment.text_token_probs[end - len(own) : end])), 4),
            )
            for word, own, end in zip(words, tokens, ends, strict=True)
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Guess:
    words: list[HeardWord]
    log_probability: float
    no_speech: float
