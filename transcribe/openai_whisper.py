"""openai-whisper (extra `openai-whisper`): slower, for comparison and for weights of its own format. Only importer."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from transcribe.engine import Speech, Utterance
from transcribe.errors import EngineMissing, WeightsMissing
from transcribe.guards import refuse
from transcribe.model import EngineInfo
from transcribe.packing import HeardWord, Window, pack, unpack
from transcribe.weights import file_sha256

_SUFFIX = ".pt"


class OpenaiWhisper:
    """Recognise with openai-whisper: `weights` is a checkpoint (.pt) or a hub name that may be downloaded.

    Raises `EngineMissing` without the package, `WeightsMissing` without weights.
    """

    def __init__(self, weights: str | Path, *, beam: int = 5) -> None:
        if find_spec("whisper") is None:
            raise EngineMissing("没有安装 openai-whisper；请运行 pip install 'callaudit[openai-whisper]'，或换引擎")
        self._model = _load(str(weights))
        self._beam = beam
        path = Path(weights)
        self.info = EngineInfo(
            name="openai-whisper",
            version=version("openai-whisper"),
            model=path.stem if path.suffix == _SUFFIX else str(weights),
            model_sha256=file_sha256(path) if path.is_file() else None,
            options=(("beam", str(beam)),),
        )

    def recognise(self, speech: Sequence[Speech], *, hotwords: Sequence[str] = ()) -> list[Utterance]:
        """See `Engine.recognise`. openai-whisper has no hot words; they serve only to refuse recited ones."""
        heard = [u for window in pack(speech) for u in unpack(window, self._hear(window), speech)]
        return [utterance for utterance in heard if not refuse(utterance, hotwords=hotwords)]

    def _hear(self, window: Window) -> list[HeardWord]:
        result = self._model.transcribe(
            window.samples,
            language="zh",
            beam_size=self._beam,
            temperature=0.0,  # sampling would make the same call give another transcript
            fp16=self._model.device.type == "cuda",
            condition_on_previous_text=False,
            word_timestamps=True,
            verbose=None,
        )
        return [_word(word) for segment in result["segments"] for word in segment["words"]]


def _word(word: dict[str, Any]) -> HeardWord:
    return HeardWord(
        text=word["word"].strip(),
        start_ms=round(word["start"] * 1000),
        end_ms=round(word["end"] * 1000),
        confidence=round(word["probability"], 4),
    )


def _load(weights: str) -> Any:
    import whisper

    try:
        return whisper.load_model(weights)
    except Exception as error:  # a missing file, an unknown name, no internet: the ways out are the same
        raise WeightsMissing(
            f"拿不到 openai-whisper 的模型“{weights}”（{type(error).__name__}）：可以（1）给出 .pt 文件的路径；"
            "（2）改用 faster-whisper 引擎和内置的 base 模型；（3）在能上网的机器上用模型名 tiny … large-v3、turbo"
        ) from None
