"""The default recogniser: faster-whisper (CTranslate2), int8 on CPU, float16 on CUDA. Only this module imports it.

Windows are encoded as long as they are, not padded to 30 s: on the samples half the time at the same error rate.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transcribe.engine import Speech, Utterance
from transcribe.guards import looped, refuse
from transcribe.model import EngineInfo
from transcribe.packing import HeardWord, Window, pack, unpack
from transcribe.weights import COLLECTION, Weights, find_weights

# Windows at once. On a processor one by one: 2 save 3% of the time and cost 100 MB a core, 8 cost 600 MB and are
# slower.
_BATCH, _CUDA_BATCH = 1, 8
# Whisper was trained on windows that end in silence; without a second or more of it, it loops (field of 12 runs).
_TAIL_FRAMES = 300
_FULL_FRAMES = 3000
# The convolutions keep about a megabyte for every length that they have met, up to a thousand lengths: an hour's call
# grew by 220 MB. So windows come in lengths of whole steps, and the tail gives or takes half a step.
_STEP_FRAMES = 200
_TOKENS_PER_SECOND = 14  # fast Mandarin is 8 characters, seldom more than 1.5 tokens each
_MS_PER_STEP = 20  # of the time axis of cross-attention
# On the samples a beam of 2 with hot words reads nearly as well as 5 (CER 0.159 and 0.147) at three quarters of the
# processor time; what fails even so is decoded again with 5 and no hot words.
_BEAM, _SECOND_BEAM = 2, 5
_LEAST_LOG_PROBABILITY = -1.0  # Whisper's own threshold for a failed window
_LEAST_CHARACTERS_PER_SECOND = 1.2
_LEAST_COVERAGE = 0.6
_NO_REPEAT = 6  # tokens: "好的好的" stays, a loop doesn't


def download(name: str) -> Path:
    """Fetch weights by hub name into the hub's own cache; raises whatever the hub's client raises."""
    from faster_whisper.utils import download_model

    return Path(download_model(name))


def cuda_devices() -> int:
    """How many CUDA devices CTranslate2 can use."""
    import ctranslate2

    return int(ctranslate2.get_cuda_device_count())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Guess:
    """What was decoded for a window."""

    words: list[HeardWord]
    log_probability: float

    def broken(self, window: Window) -> bool:
        """True where a window came out as a loop, as a guess, or with most of its speech missing."""
        text = "".join(word.text for word in self.words)
        few = len(text) * 1000 < _LEAST_CHARACTERS_PER_SECOND * window.voiced_ms
        return few or looped(text) or self.log_probability < _LEAST_LOG_PROBABILITY


@dataclass(frozen=True, slots=True, kw_only=True)
class _Heard:
    """What is believed of a window; `coverage` is the share of its voice that has text."""

    utterances: list[Utterance]
    coverage: float
    broken: bool

    @property
    def failed(self) -> bool:
        return self.broken or self.coverage < _LEAST_COVERAGE


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    """A batch of windows of some speech."""

    speech: Sequence[Speech]
    windows: Sequence[Window]
    hotwords: Sequence[str]

    def judge(self, guesses: Iterable[_Guess]) -> list[_Heard]:
        """Refuse what nobody said, window by window."""
        return [self._judge(window, guess) for window, guess in zip(self.windows, guesses, strict=True)]

    def _judge(self, window: Window, guess: _Guess) -> _Heard:
        utterances = unpack(window, guess.words, self.speech)
        kept = [u for u in utterances if not refuse(u, hotwords=self.hotwords)]
        covered = sum(u.end_ms - u.start_ms for u in kept)
        return _Heard(utterances=kept, coverage=covered / window.voiced_ms, broken=guess.broken(window))


class FasterWhisper:
    """Recognise with CTranslate2 weights: `weights` is a folder, an embedded or a hub name; the model loads at once.

    `threads` is how many windows of one request are decoded side by side, a core each; 0 means all cores of this
    process. Raises `WeightsMissing`.
    """

    def __init__(self, weights: str | Weights = COLLECTION, *, threads: int = 0) -> None:
        from faster_whisper import WhisperModel
        from faster_whisper.tokenizer import Tokenizer
        from faster_whisper.transcribe import get_suppressed_tokens

        found = weights if isinstance(weights, Weights) else find_weights(weights)
        device, compute = ("cuda", "float16") if cuda_devices() else ("cpu", "int8")
        # One core per batch: two cores on one small batch wait for each other at every step of the decoder.
        self._workers = 1 if device == "cuda" else threads or _cores()
        self._batch = _CUDA_BATCH if device == "cuda" else _BATCH
        self._whisper = WhisperModel(
            str(found.folder), device=device, compute_type=compute, cpu_threads=1, num_workers=self._workers
        )
        self._tokens = Tokenizer(self._whisper.hf_tokenizer, True, task="transcribe", language="zh")
        self._suppressed = list(get_suppressed_tokens(self._tokens, [-1]))
        self.info = EngineInfo(
            name="faster-whisper",
            version=version("faster-whisper"),
            model=found.name,
            model_sha256=found.sha256,
            options=(("beam", str(_BEAM)), ("compute", compute), ("device", device)),
        )

    def recognise(self, speech: Sequence[Speech], *, hotwords: Sequence[str] = ()) -> list[Utterance]:
        """See `Engine.recognise`."""
        windows = pack(speech)
        by_length = sorted(range(len(windows)), key=lambda i: len(windows[i].samples), reverse=True)
        batches = [by_length[at : at + self._batch] for at in range(0, len(windows), self._batch)]
        requests = [
            _Request(speech=speech, windows=[windows[i] for i in batch], hotwords=hotwords) for batch in batches
        ]
        heard: dict[int, _Heard] = {}
        with ThreadPoolExecutor(self._workers) as pool:
            for batch, done in zip(batches, pool.map(self._hear, requests), strict=True):
                heard |= zip(batch, done, strict=True)
        return [utterance for i in sorted(heard) for utterance in heard[i].utterances]

    def _hear(self, request: _Request) -> list[_Heard]:
        """Decode a batch; what failed once more without hot words, which is where most loops come from."""
        heard = request.judge(self._decode(request.windows, hotwords=" ".join(request.hotwords)))
        failed = [i for i, one in enumerate(heard) if one.failed]
        if failed:
            again = replace(request, windows=[request.windows[i] for i in failed], hotwords=())
            guesses = self._decode(again.windows, beam=_SECOND_BEAM, no_repeat=_NO_REPEAT)
            for i, second in zip(failed, again.judge(guesses), strict=True):
                heard[i] = max(heard[i], second, key=lambda one: (not one.broken, one.coverage))
        return heard

    def _decode(
        self, windows: Sequence[Window], *, beam: int = _BEAM, hotwords: str = "", no_repeat: int = 0
    ) -> Iterator[_Guess]:
        features = [self._whisper.feature_extractor(window.samples)[..., :-1] for window in windows]
        encoded = self._whisper.encode(_stacked(features))
        prompt = self._whisper.get_prompt(
            self._tokens, [], without_timestamps=True, hotwords=hotwords or None
        )
        results = self._whisper.model.generate(
            encoded,
            [prompt] * len(windows),
            beam_size=beam,
            max_length=min(self._whisper.max_length, len(prompt) + _most_tokens(windows)),
            no_repeat_ngram_size=no_repeat,
            suppress_tokens=self._suppressed,
            return_scores=True,
        )
        texts = [[t for t in r.sequences_ids[0] if t < self._tokens.eot] for r in results]
        frames = [f.shape[1] for f in features]
        aligned = self._whisper.model.align(encoded, self._tokens.sot_sequence, texts, frames)
        for result, text, alignment in zip(results, texts, aligned, strict=True):
            yield _Guess(words=self._timed(text, alignment), log_probability=result.scores[0])

    def _timed(self, text: list[int], alignment: Any) -> list[HeardWord]:
        """Words of a decoded window with the times that cross-attention gives them; a word is a character."""
        if not text:
            return []
        words, tokens = self._tokens.split_to_word_tokens(text)
        rows = np.array(alignment.alignments).reshape(-1, 2)
        steps = rows[np.flatnonzero(np.diff(rows[:, 0], prepend=-1)), 1] * _MS_PER_STEP
        ends = np.cumsum([len(own) for own in tokens])
        return [
            HeardWord(
                text=word,
                start_ms=int(steps[end - len(own)]),
                end_ms=int(steps[min(end, len(steps) - 1)]),
                confidence=round(float(np.mean(alignment.text_token_probs[end - len(own) : end])), 4),
            )
            for word, own, end in zip(words, tokens, ends, strict=True)
        ]


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _most_tokens(windows: Sequence[Window]) -> int:
    """How many tokens the longest window may hold: a loop stops there instead of at Whisper's 448."""
    return 20 + _TOKENS_PER_SECOND * max(window.voiced_ms for window in windows) // 1000


def _stacked(features: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Features (mels, frames) as one array (windows, mels, longest and tail in whole steps), silence at the end."""
    steps = round((max(f.shape[1] for f in features) + _TAIL_FRAMES) / _STEP_FRAMES)
    longest = min(_FULL_FRAMES, steps * _STEP_FRAMES)
    return np.stack([np.pad(f[:, :longest], ((0, 0), (0, max(0, longest - f.shape[1])))) for f in features])
