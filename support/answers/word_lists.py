"""Reads the lists that the rules go by (`word_lists.txt`)."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path


@lru_cache(maxsize=1)
def _sections() -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in (Path(__file__).parent / "word_lists.txt").read_text(encoding="utf-8").splitlines():
        if heading := re.match(r"\[([\w ]+)\]", line):
            lines = found.setdefault(heading[1], [])
        elif line and not line.startswith("#"):
            lines.append(line)
    return {name: tuple(entries) for name, entries in found.items()}


def read_list(name: str) -> tuple[str, ...]:
    """The entries of a section, in order. Raises KeyError for a section that is not there."""
    return _sections()[name]


def read_pattern(name: str) -> re.Pattern[str]:
    """A section as one expression that any of its entries fits, whatever the case."""
    return re.compile("|".join(f"(?:{entry})" for entry in read_list(name)), re.IGNORECASE)
