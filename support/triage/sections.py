"""Reads the files of words that the rules go by: `[section]`, then an entry a line; # begins a remark."""

from __future__ import annotations

import re
from pathlib import Path


def read_sections(path: Path) -> dict[str, tuple[str, ...]]:
    """The entries of each section, in order. A remark may stand on a line of its own or behind the name of a section."""
    found: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if heading := re.fullmatch(r"\[([\w ]+)\](?:\s+#.*)?", line):
            lines = found.setdefault(heading[1], [])
        elif line and not line.startswith("#"):
            lines.append(line)
    return {name: tuple(entries) for name, entries in found.items()}
