"""Where symbolic links lead: who may put a file into a folder may not thereby have others read for them.

What lies below a folder that was named is read, and what links lead to inside it; what lies elsewhere only where the
configuration names that place (`linked_folders`). A hard link can't be told from the file itself.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from audit.errors import BadCalls


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Folders, without links in their own paths, whose files may be read."""

    folders: tuple[Path, ...]

    @classmethod
    def of(cls, named: Path, linked: Iterable[Path] = ()) -> Reach:
        """What naming a folder, or a file in one, opens: that folder and those that the configuration adds."""
        folder = named if named.is_dir() else named.parent
        return cls(folders=(_real(folder), *map(_real, linked)))

    def leaves(self, path: Path) -> Path | None:
        """Where `path` really lies if it is a link that leads out; None for all that may be read."""
        if not os.path.islink(path):
            return None
        real = _real(path)
        return None if any(real.is_relative_to(folder) for folder in self.folders) else real


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))


def told(path: Path, real: Path) -> str:
    """The sentence for a link that is not followed."""
    return (
        f"{path}：是符号链接，指向所给文件夹之外的 {real}，没有读；"
        "请直接给出那里的路径，或在 callaudit.toml 的 linked_folders 里写上允许的文件夹"
    )


def refuse_link(call_list: Path, named: Path, *, linked: Iterable[Path]) -> None:
    """`BadCalls` for a call list that was found, not named, and leads out: what it says could be anybody's file."""
    real = Reach.of(named, linked).leaves(call_list)
    if real is not None:
        raise BadCalls(told(call_list, real))
