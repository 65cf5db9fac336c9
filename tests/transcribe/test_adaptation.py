"""Changes to base's weights: made where they belong, the same on every machine, refused where they don't fit."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from transcribe.adaptation import Change, adapt, adapted_sha256, read_changes
from transcribe.weights import COLLECTION, file_sha256, find_weights


def model_file(path, weights):
    """A CTranslate2 model.bin (format 6) of half-precision weights."""
    def text(said):
        return struct.pack("<H", len(said) + 1) + said.encode() + b"\0"

    body = [struct.pack("<I", 6), text("WhisperSpec"), struct.pack("<II", 3, len(weights))]
    for name, weight in weights.items():
        shape = struct.pack(f"<B{weight.ndim}I", weight.ndim, *weight.shape)
        body += [text(name), shape, struct.pack("<BI", 4, weight.nbytes), weight.tobytes()]
    path.write_bytes(b"".join(body))


def change(first, left, right):
    left, right = np.array(left, np.int8), np.array(right, np.int8)
    return Change(rows=slice(first, first + len(left)), left=left, right=right, scale=np.float32(0.5))


def test_a_change_is_added_to_its_rows_alone(tmp_path):
    before = np.arange(12, dtype=np.float16).reshape(4, 3)
    weights = {"a": np.ones(5, np.float16), "b": before, "c": np.full((2, 2), 7, np.float16)}
    model_file(tmp_path / "model.bin", weights)
    adapt(tmp_path / "model.bin", {"b": [change(2, [[2], [-4]], [[1, 0, 3]])]})
    after = before.copy()
    after[2:] += np.array([[1, 0, 3], [-2, 0, -6]], np.float16)
    model_file(tmp_path / "wanted.bin", {**weights, "b": after})
    assert (tmp_path / "model.bin").read_bytes() == (tmp_path / "wanted.bin").read_bytes()


def test_changes_for_another_model_are_refused(tmp_path):
    model_file(tmp_path / "model.bin", {"a": np.ones((2, 2), np.float16)})
    with pytest.raises(KeyError):
        adapt(tmp_path / "model.bin", {"decoder/layer_0/ffn/linear_0/weight": [change(0, [[1]], [[1]])]})


@pytest.mark.sound
def test_the_shipped_changes_fit_base_and_leave_where_attention_looks():
    weights = find_weights(COLLECTION)
    assert file_sha256(weights.folder / "model.bin") == weights.sha256 == adapted_sha256()
    assert weights.sha256 != find_weights("base").sha256
    assert not [name for name in read_changes() if name.endswith("/attention/linear_0/weight")]
