"""The page 运行."""

from __future__ import annotations

WORDS = {
    "title": ("运行", "Operations"),
}
