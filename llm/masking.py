"""Personal values do not leave the house: each is replaced by a typed placeholder and put back on return.

Known values (of the customer at hand) are found however they are written: case, spacing, punctuation, width,
accents and invisible characters do not matter. Unknown ones are found by `llm.detectors`. No Django here.
"""

import base64
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from llm.detectors import PersonalKind, Span, detect_spans, guess_kind

__all__ = ["Masked", "PersonalKind", "PersonalValue", "clean_untrusted", "clean_values", "mask_values", "unmask_values"]

PLACEHOLDER = re.compile(r"\[\s*(" + "|".join(PersonalKind) + r")_(\d{1,9})\s*\]", re.IGNORECASE)

# Up to so many letters a name may be an ordinary word: it then counts only where it has a capital. "An", "Jo" and "May"
# as they were given; "Will" and "Young" where they are only a word of a longer name.
LONGEST_DOUBTFUL_VALUE = 3
LONGEST_DOUBTFUL_WORD = 5
INVISIBLE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
# Fillers and joiners that Unicode files under letters or marks but that show nothing.
INVISIBLE_CHARACTERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")


@dataclass(frozen=True)
class PersonalValue:
    """A value of a known person that must not leave the house."""

    value: str
    kind: PersonalKind = PersonalKind.NAME


@dataclass(frozen=True)
class Masked:
    """Values of the same shape as were given, without personal ones, and what each placeholder stands for."""

    values: Any
    replacements: Mapping[str, str] = field(default_factory=dict)


def mask_values(values: Any, known: Iterable[str | PersonalValue] = ()) -> Masked:
    """Replace personal values in every text of nested dicts and lists (nested keys too).

    A known value gets one placeholder however it is written, and is put back as it is known; a detected one is put
    back exactly as it stood. Placeholders that already stand in the text are left alone and never reused.
    """
    mask = _Mask(_sort_known(known), first_number=_highest_number(values) + 1)
    return Masked(_map_texts(values, mask.replace, mask.replace_number), mask.replacements)


def unmask_values(values: Any, replacements: Mapping[str, str]) -> Any:
    """Put the personal values back; placeholders that were never given out stay as they are."""

    def put_back(text: str) -> str:
        return PLACEHOLDER.sub(lambda m: replacements.get(f"[{m[1].upper()}_{int(m[2])}]", m[0]), text)

    return _map_texts(values, put_back)


def clean_untrusted(text: str, max_chars: int) -> str:
    """Remove control, bidirectional and zero-width characters and cut at `max_chars`; line ends become newlines."""
    unified = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n")
    return "".join(c for c in unified if c in "\n\t" or not _is_invisible(c))[:max_chars]


def clean_values(values: Any, max_chars: int) -> Any:
    """`clean_untrusted` for every text of nested dicts and lists."""
    return _map_texts(values, lambda text: clean_untrusted(text, max_chars))


def fold(text: str) -> str:
    """The form in which known values are compared: letters and digits only, without case, accents or width."""
    return "".join(folded for folded, _ in _fold_with_positions(text))


@dataclass(frozen=True)
class _Known:
    """A known value in the form in which it is looked for."""

    key: str
    value: PersonalValue
    longest_doubtful: int = LONGEST_DOUBTFUL_VALUE


class _Mask:
    """Gives out placeholders for one call."""

    def __init__(self, known: list[_Known], *, first_number: int) -> None:
        self.replacements: dict[str, str] = {}
        self._known = known
        self._next_number = first_number
        self._placeholders: dict[tuple[PersonalKind, str], str] = {}

    def replace(self, text: str) -> str:
        reserved = [Span(m.start(), m.end(), PersonalKind.ID, m[0]) for m in PLACEHOLDER.finditer(text)]
        known = _find_known(text, self._known)
        detected = [span for span in detect_spans(text) if not _overlaps(span, known)]
        return self._rewrite(text, _drop_overlaps([*known, *detected], reserved))

    def replace_number(self, value: int | float | Decimal) -> Any:
        """A number is a fact unless it is exactly a known value (a customer number, a telephone number)."""
        text = str(value)
        spans = [span for span in _find_known(text, self._known) if span.end - span.start == len(text)]
        return self._rewrite(text, spans) if spans else value

    def _rewrite(self, text: str, spans: Iterable[Span]) -> str:
        parts, end = [], 0
        for span in spans:
            parts += [text[end : span.start], self._placeholder(span)]
            end = span.end
        return "".join([*parts, text[end:]])

    def _placeholder(self, span: Span) -> str:
        key = (span.kind, span.value)
        if key not in self._placeholders:
            placeholder = f"[{span.kind}_{self._next_number}]"
            self._next_number += 1
            self._placeholders[key] = placeholder
            self.replacements[placeholder] = span.value
        return self._placeholders[key]


def _sort_known(known: Iterable[str | PersonalValue]) -> list[_Known]:
    """Known values with their folded form, longest first; the words of a name count as values of their own."""
    by_key: dict[str, _Known] = {}
    for given in known:
        value = given if isinstance(given, PersonalValue) else PersonalValue(given, guess_kind(given))
        for form in _write_in_all_forms(value.value):
            by_key.setdefault(fold(form), _Known(fold(form), value))
    for entry in list(by_key.values()):
        if entry.value.kind is PersonalKind.NAME and entry.key == fold(entry.value.value):
            for word in entry.value.value.split():
                part = _Known(fold(word), PersonalValue(word), LONGEST_DOUBTFUL_WORD)
                by_key.setdefault(part.key, part)
    return sorted((entry for key, entry in by_key.items() if len(key) > 1), key=lambda entry: -len(entry.key))


def _write_in_all_forms(value: str) -> list[str]:
    """As it is, and as links and logs carry it."""
    raw = value.encode(errors="replace")
    encoded = [base64.b64encode(raw), base64.urlsafe_b64encode(raw)]
    return [value, quote(value, errors="replace"), *(form.decode().rstrip("=") for form in encoded)]


def _find_known(text: str, known: list[_Known]) -> list[Span]:
    if not known:
        return []
    folded = _fold_with_positions(text)
    haystack = "".join(character for character, _ in folded)
    found: list[Span] = []
    for entry in known:
        at = haystack.find(entry.key)
        while at >= 0:
            start, end = folded[at][1], folded[at + len(entry.key) - 1][1] + 1
            if _stands_alone(text, start, end) and _reads_as_value(text[start:end], entry):
                found.append(Span(start, end, entry.value.kind, entry.value.value))
            at = haystack.find(entry.key, at + 1)
    return _drop_overlaps(found, [])


def _fold_with_positions(text: str) -> list[tuple[str, int]]:
    folded = []
    for position, character in enumerate(text):
        if character.isascii():
            if character.isalnum():
                folded.append((character.lower(), position))
            continue
        for part in unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", character).casefold()):
            if part.isalnum():
                folded.append((part, position))
    return folded


def _stands_alone(text: str, start: int, end: int) -> bool:
    """False inside a longer word. Scripts that put no spaces between words have no such borders."""
    before = text[start - 1 : start]
    return not (_joins(before, text[start]) or _joins(text[end - 1], text[end : end + 1]))


def _joins(left: str, right: str) -> bool:
    return bool(left and right) and all(c.isalnum() and not _is_unspaced(c) for c in (left, right))


def _is_unspaced(character: str) -> bool:
    """Han, kana, hangul and beyond (but not full-width Latin); Thai, Lao, Burmese, Khmer."""
    point = ord(character)
    if 0xFF00 <= point <= 0xFF65:
        return False
    return point >= 0x2E80 or 0x0E00 <= point <= 0x0EFF or 0x1000 <= point <= 0x17FF


def _reads_as_value(surface: str, entry: _Known) -> bool:
    """A short name that may be an ordinary word needs a capital in the text (scripts without case need none)."""
    if entry.value.kind is not PersonalKind.NAME or len(entry.key) > entry.longest_doubtful:
        return True
    return not entry.key.isalpha() or not surface[0].islower()


def _drop_overlaps(spans: Iterable[Span], reserved: list[Span]) -> list[Span]:
    """The leftmost and then the longest of overlapping spans, in order."""
    kept: list[Span] = []
    for span in sorted(spans, key=lambda s: (s.start, -s.end)):
        if not _overlaps(span, reserved) and (not kept or span.start >= kept[-1].end):
            kept.append(span)
    return kept


def _overlaps(span: Span, others: Iterable[Span]) -> bool:
    return any(span.start < other.end and other.start < span.end for other in others)


def _is_invisible(character: str) -> bool:
    return unicodedata.category(character) in INVISIBLE_CATEGORIES or character in INVISIBLE_CHARACTERS


def _highest_number(values: Any) -> int:
    highest = 0

    def look(text: str) -> str:
        nonlocal highest
        highest = max([highest, *(int(m[2]) for m in PLACEHOLDER.finditer(text))])
        return text

    _map_texts(values, look)
    return highest


def _map_texts(values: Any, change: Callable[[str], str], change_number: Callable[[Any], Any] | None = None) -> Any:
    if isinstance(values, str):
        return change(values)
    if isinstance(values, Mapping):
        return {change(str(key)): _map_texts(value, change, change_number) for key, value in values.items()}
    if isinstance(values, list | tuple):
        return [_map_texts(value, change, change_number) for value in values]
    if change_number is not None and isinstance(values, int | float | Decimal) and not isinstance(values, bool):
        return change_number(values)
    return values
