"""Files that are damaged in places: bytes that are no letters cost the line that has them, not the file.

Such bytes are read as MARK; cleaning leaves out the lines that have one in a column that is read. Whether a file needs it is
found out once, with its encoding: a file that is whole goes the short way, and none of this is done with it.
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

CHUNK: Final = 1 << 20
#: Unicode sets this one aside for use inside a program: no text holds it.
MARK: Final = "\ufdd0"
#: What people see in its place.
SHOWN: Final = "\ufffd"
#: The name under which codecs find `_put_mark`.
ERRORS: Final = "rekindle-mark"
#: How many letters beyond ASCII are whole for each that is not, in a file that is believed to be in the encoding; of those of two
#: or four bytes a letter all letters count. In an encoding that is not here nearly every byte is a letter, so nothing tells.
WHOLE_FOR_EACH: Final[Mapping[str, int]] = {
    "utf-8": 1, "utf-8-sig": 1, "gb18030": 10, "big5": 10, "shift_jis": 10, "utf-16": 10, "utf-16-le": 10, "utf-16-be": 10,
    "utf-32": 10, "utf-32-le": 10, "utf-32-be": 10,
}  # fmt: skip


@dataclass(frozen=True)
class Weight:
    """What speaks for an encoding of a file, and what against it: letters that are whole, bytes that are none, and its lines."""

    encoding: str
    whole: int
    broken: int
    lines: int

    @property
    def is_likely(self) -> bool:
        """Whether it is in this encoding, and damaged."""
        most = WHOLE_FOR_EACH.get(self.encoding)
        return most is not None and self.whole >= most * self.broken

    @property
    def is_possible(self) -> bool:
        """Whether at most one line in ten is damaged, so that little is lost where nothing better is known."""
        return self.encoding in WHOLE_FOR_EACH and self.broken <= max(1, self.lines // 10)


def weigh(path: Path, encoding: str) -> Weight:
    """Read all of a file in an encoding in which it is not whole. In bounded memory."""
    decoder = codecs.getincrementaldecoder(encoding)(ERRORS)
    is_wide = encoding.startswith(("utf-16", "utf-32"))
    letters = broken = lines = 0
    with path.open("rb") as file:
        is_over = False
        while not is_over:
            chunk = file.read(CHUNK)
            is_over = not chunk
            try:
                text = decoder.decode(chunk, is_over)
            except UnicodeError:  # UTF-16 and UTF-32 by their name alone need a mark
                return Weight(encoding, 0, path.stat().st_size, 0)
            broken += text.count(MARK)
            lines += text.count("\n")
            letters += len(text) if is_wide else len(text) - len(text.encode("ascii", "ignore"))
    return Weight(encoding, letters - broken, broken, lines)


def open_marked(path: Path, encoding: str) -> io.BufferedReader:
    """The bytes of the file in UTF-8, with MARK for what is no letter; a chunk at a time."""
    return io.BufferedReader(_MarkedFile(path, encoding), CHUNK)


def mark_text(value: bytes) -> str:
    """UTF-8 as text, with MARK for what is no letter."""
    return value.decode("utf-8", ERRORS)


def show_marks(text: str) -> str:
    """For people."""
    return text.replace(MARK, SHOWN)


class _MarkedFile(io.RawIOBase):
    def __init__(self, path: Path, encoding: str) -> None:
        self._file = path.open("rb")
        self._decoder = codecs.getincrementaldecoder(encoding)(ERRORS)
        self._ready = b""
        self._is_over = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready and not self._is_over:
            chunk = self._file.read(CHUNK)
            self._is_over = not chunk
            self._ready = self._decoder.decode(chunk, self._is_over).encode()
        count = min(len(buffer), len(self._ready))
        buffer[:count], self._ready = self._ready[:count], self._ready[count:]
        return count

    def close(self) -> None:
        self._file.close()
        super().close()


def _put_mark(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return MARK, error.end


codecs.register_error(ERRORS, _put_mark)
