"""CTranslate2 Whisper weights → a checkpoint for openai-whisper, so that both engines are tested with the same base.

Run as a script: convert_weights.py MODEL_FOLDER OUT.pt. Reads format version 6 of model.bin.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from transcribe.adaptation import weights_in

_TYPES = {0: np.float32, 1: np.int8, 2: np.int16, 3: np.int32, 4: np.float16}
_HEADS = {384: 6, 512: 8, 768: 12, 1024: 16, 1280: 20}

Variables = dict[str, NDArray[np.generic]]


def read_variables(model: Path) -> Variables:
    """All named arrays of a CTranslate2 model.bin."""
    stored = model.read_bytes()
    return {
        name: np.frombuffer(stored, _TYPES[kind], math.prod(shape), at).reshape(shape)
        for name, shape, kind, at in weights_in(stored)
    }


def convert(folder: Path, out: Path) -> None:
    """Write the checkpoint that `whisper.load_model(out)` reads."""
    variables = read_variables(folder / "model.bin")
    state = dict(_state(variables))
    torch.save({"dims": _dimensions(variables), "model_state_dict": state}, out)


def _layers(variables: Variables, side: str) -> int:
    names = (name.split("/")[1] for name in variables if name.startswith(f"{side}/layer_"))
    return len({name for name in names if name != "layer_norm"})


def _dimensions(variables: Variables) -> dict[str, int]:
    vocabulary, width = variables["decoder/embeddings/weight"].shape
    return {
        "n_mels": variables["encoder/conv1/weight"].shape[1],
        "n_audio_ctx": 1500,
        "n_audio_state": width,
        "n_audio_head": _HEADS[width],
        "n_audio_layer": _layers(variables, "encoder"),
        "n_vocab": vocabulary,
        "n_text_ctx": 448,
        "n_text_state": width,
        "n_text_head": _HEADS[width],
        "n_text_layer": _layers(variables, "decoder"),
    }


def _state(variables: Variables) -> Iterator[tuple[str, torch.Tensor]]:
    def tensor(name: str) -> torch.Tensor:
        return torch.from_numpy(variables[name].astype(np.float32))

    for conv in ("conv1", "conv2"):
        for kind in ("weight", "bias"):
            yield f"encoder.{conv}.{kind}", tensor(f"encoder/{conv}/{kind}")
    yield "encoder.positional_embedding", tensor("encoder/position_encodings/encodings")
    yield "decoder.positional_embedding", tensor("decoder/position_encodings/encodings")
    yield "decoder.token_embedding.weight", tensor("decoder/embeddings/weight")
    for ours, theirs in (("encoder/layer_norm", "encoder.ln_post"), ("decoder/layer_norm", "decoder.ln")):
        yield from _norm(tensor(f"{ours}/gamma"), tensor(f"{ours}/beta"), theirs)
    for side in ("encoder", "decoder"):
        for layer in range(_layers(variables, side)):
            picked = {
                name.removeprefix(f"{side}/layer_{layer}/"): tensor(name)
                for name in variables
                if name.startswith(f"{side}/layer_{layer}/")
            }
            for name, value in _block(picked):
                yield f"{side}.blocks.{layer}.{name}", value


def _norm(gamma: torch.Tensor, beta: torch.Tensor, name: str) -> Iterator[tuple[str, torch.Tensor]]:
    yield f"{name}.weight", gamma
    yield f"{name}.bias", beta


def _block(part: dict[str, torch.Tensor]) -> Iterator[tuple[str, torch.Tensor]]:
    """One transformer layer: self-attention, cross-attention where there is one, feed-forward."""
    yield from _norm(part["self_attention/layer_norm/gamma"], part["self_attention/layer_norm/beta"], "attn_ln")
    fused = ("query", "key", "value")
    yield from _projections(part, "self_attention/linear_0", "attn", fused)
    yield from _projections(part, "self_attention/linear_1", "attn", ("out",))
    if "attention/linear_0/weight" in part:
        yield from _norm(part["attention/layer_norm/gamma"], part["attention/layer_norm/beta"], "cross_attn_ln")
        yield from _projections(part, "attention/linear_0", "cross_attn", ("query",))
        yield from _projections(part, "attention/linear_1", "cross_attn", ("key", "value"))
        yield from _projections(part, "attention/linear_2", "cross_attn", ("out",))
    yield from _norm(part["ffn/layer_norm/gamma"], part["ffn/layer_norm/beta"], "mlp_ln")
    for ours, theirs in (("ffn/linear_0", "mlp.0"), ("ffn/linear_1", "mlp.2")):
        yield from _norm(part[f"{ours}/weight"], part[f"{ours}/bias"], theirs)


def _projections(
    part: dict[str, torch.Tensor], ours: str, theirs: str, names: tuple[str, ...]
) -> Iterator[tuple[str, torch.Tensor]]:
    weights = part[f"{ours}/weight"].chunk(len(names))
    biases = part[f"{ours}/bias"].chunk(len(names))
    for name, weight, bias in zip(names, weights, biases, strict=True):
        yield f"{theirs}.{name}.weight", weight
        if name != "key":  # Whisper's keys have no bias; the conversion wrote zeros
            yield f"{theirs}.{name}.bias", bias


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    given = parser.parse_args()
    convert(given.folder, given.out)
