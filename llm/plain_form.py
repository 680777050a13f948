"""A text as its reader or a decoder would see it, with the way back to where each character stands. No Django here.

Full-width and other forms of letters, digits, spaces and dashes become the plain ones; invisible characters go;
percent-encoding, HTML entities and `\\u0040` are decoded, also twice over. What is searched for personal values is this
form; what is replaced is the place in the text as it was given.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import unescape
from typing import Any

ESCAPED = re.compile(r"(?:%[0-9A-Fa-f]{2})+|&(?:#\d{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z]{2,31});|\\u[0-9A-Fa-f]{4}")
MOST_DECODINGS = 3
INVISIBLE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
# Fillers and joiners that Unicode files under letters or marks but that show nothing.
INVISIBLE_CHARACTERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")


@dataclass(frozen=True)
class PlainForm:
    """`text[i]` stands at `starts[i]:ends[i]` of the text that was given."""

    text: str
    starts: Sequence[int]
    ends: Sequence[int]

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Where a non-empty part of the plain text stands in the given one."""
        return self.starts[start], self.ends[end - 1]


def read_plainly(text: str) -> PlainForm:
    """The plain form of a text; never raises."""
    plain = PlainForm(text, range(len(text)), range(1, len(text) + 1))
    for _round in range(MOST_DECODINGS):
        decoded = _decode(plain)
        if decoded is plain:
            break
        plain = decoded
    return plain if plain.text.isascii() else _unify(plain)


def is_invisible(character: str) -> bool:
    """Control, format, unassigned and blank characters."""
    return unicodedata.category(character) in INVISIBLE_CATEGORIES or character in INVISIBLE_CHARACTERS


def _decode(plain: PlainForm) -> PlainForm:
    """One round of decoding; the same object where nothing was encoded."""
    if not any(sign in plain.text for sign in ("%", "&", "\\u")):
        return plain
    parts: list[tuple[str, int, int]] = []
    end = 0
    for match in ESCAPED.finditer(plain.text):
        decoded = _read_escape(match[0], match.start())
        if decoded:
            parts += [*_untouched(plain.text, end, match.start()), *decoded]
            end = match.end()
    if not end:
        return plain
    parts += _untouched(plain.text, end, len(plain.text))
    return _assemble(plain, parts)


def _read_escape(escape: str, at: int) -> list[tuple[str, int, int]]:
    """Characters with their places; [] where it is none after all (`&nosuch;`, bytes that are no UTF-8)."""
    if escape.startswith("%"):
        try:
            decoded = bytes.fromhex(escape.replace("%", "")).decode()
        except UnicodeDecodeError:
            return []
        found = []
        for character in decoded:
            width = 3 * len(character.encode())
            found.append((character, at, at + width))
            at += width
        return found
    character = chr(int(escape[2:], 16)) if escape.startswith("\\u") else unescape(escape)
    if character == escape:
        return []
    return [(part, at, at + len(escape)) for part in character]


def _untouched(text: str, start: int, end: int) -> list[tuple[str, int, int]]:
    return [(text[i], i, i + 1) for i in range(start, end)]


def _unify(plain: PlainForm) -> PlainForm:
    parts = []
    for position, character in enumerate(plain.text):
        if character.isascii():
            parts.append((character, position, position + 1))
        elif not is_invisible(character):
            parts += [(part, position, position + 1) for part in _unify_character(character)]
    return _assemble(plain, parts)


def _unify_character(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Nd":
        return str(unicodedata.decimal(character))
    if category == "Pd" or character == "\u2212":
        return "-"
    if category == "Zs":
        return " "
    return unicodedata.normalize("NFKC", character)


def _assemble(plain: PlainForm, parts: list[tuple[str, int, int]]) -> PlainForm:
    """The parts with their places in `plain` turned into places in what `plain` was made of."""
    return PlainForm(
        "".join(part for part, _start, _end in parts),
        [plain.starts[start] for _part, start, _end in parts],
        [plain.ends[end - 1] for _part, _start, end in parts],
    )


def clean_untrusted(text: str, max_chars: int) -> str:
    """Remove control, bidirectional and zero-width characters and cut at `max_chars`; line ends become newlines."""
    unified = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n")
    return "".join(c for c in unified if c in "\n\t" or not is_invisible(c))[:max_chars]


def clean_values(values: Any, max_chars: int) -> Any:
    """`clean_untrusted` for every text of nested dicts and lists."""
    return map_texts(values, lambda text: clean_untrusted(text, max_chars))


def map_texts(values: Any, change: Callable[[str], str], change_number: Callable[[Any], Any] | None = None) -> Any:
    """Nested dicts and lists with every text, keys too, and every number changed."""
    if isinstance(values, str):
        return change(values)
    if isinstance(values, Mapping):
        return {change(str(key)): map_texts(value, change, change_number) for key, value in values.items()}
    if isinstance(values, list | tuple):
        return [map_texts(value, change, change_number) for value in values]
    if change_number is not None and isinstance(values, int | float | Decimal) and not isinstance(values, bool):
        return change_number(values)
    return values
