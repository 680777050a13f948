"""Reads the lists that the rules go by (`word_lists.txt`)."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

from support.triage.sections import read_sections


@lru_cache(maxsize=1)
def _sections() -> dict[str, tuple[str, ...]]:
    return read_sections(Path(__file__).parent / "word_lists.txt")


def read_list(name: str) -> tuple[str, ...]:
    """The entries of a section, in order. Raises KeyError for a section that is not there."""
    return _sections()[name]


def read_pattern(name: str) -> re.Pattern[str]:
    """A section as one expression that any of its entries fits, whatever the case."""
    return re.compile("|".join(f"(?:{entry})" for entry in read_list(name)), re.IGNORECASE)
