"""Files of a JSON object a line, as commands read and print them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def read_lines(path: Path, longest_bytes: int) -> Iterator[bytes]:
    """Line by line, never more of one than the limit and a byte; - is standard input. Raises OSError."""
    with Path("/dev/stdin" if str(path) == "-" else path).open("rb") as file:
        while line := file.readline(longest_bytes + 1):
            is_whole = line.endswith(b"\n") or len(line) <= longest_bytes
            yield line
            while not is_whole:
                is_whole = not (rest := file.readline(longest_bytes)) or rest.endswith(b"\n")


def write_json(answer: dict[str, Any]) -> str:
    """One line that any terminal takes: half a surrogate pair, which JSON allows, becomes a question mark."""
    return json.dumps(answer, ensure_ascii=False).encode("utf-8", "replace").decode("utf-8")
