"""Personal values do not leave the house: each is replaced by a typed placeholder and put back on return.

Known values (of the customer at hand) are found however they are written: case, spacing, punctuation, width, accents,
letters of other alphabets that look the same, invisible characters, percent-encoding and base64 do not matter.
Unknown ones are found by `llm.detectors`.
"""

import base64
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from llm.detectors import PersonalKind, Span, decode_words, detect_spans, guess_kind
from llm.phone_numbers import write_in_other_ways
from llm.plain_form import PlainForm, is_invisible, read_plainly
from llm.regions import read_shop_regions

__all__ = ["Masked", "PersonalKind", "PersonalValue", "clean_untrusted", "clean_values", "mask_values", "unmask_values"]

PLACEHOLDER = re.compile(r"\[\s*(" + "|".join(PersonalKind) + r")_(\d{1,9})\s*\]", re.IGNORECASE)

# Up to so many letters a name may be an ordinary word: it then counts only where it has a capital. "An", "Jo" and "May"
# as they were given; "Will" and "Young" where they are only a word of a longer name.
LONGEST_DOUBTFUL_VALUE = 3
LONGEST_DOUBTFUL_WORD = 5
# Fewer digits than this are a number like any other, also where a customer's id happens to be the same.
FEWEST_ID_DIGITS = 4
# What is looked for inside a longer word or a decoded one must be long enough not to be there by chance.
SHORTEST_IN_A_WORD = 4
SHORTEST_PART_OF_ADDRESS = 6
# A smaller whole number among the facts is an amount or a count.
SMALLEST_PERSONAL_NUMBER = 10_000_000_000
# Letters of other alphabets by the Latin ones that they look like.
LOOKALIKES = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u0501\u04bb\u043a\u043c\u0442\u0432\u043d\u0261\u0131"
    "\u03b1\u03b2\u03b5\u03b7\u03b9\u03ba\u03bc\u03bd\u03bf\u03c1\u03c4\u03c5\u03c7\u03b6",
    "aeopcyxijsdhkmtbhgiabehikmvoptyxz",
)


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


def mask_values(
    values: Any, known: Iterable[str | PersonalValue] = (), *, regions: Sequence[str] | None = None
) -> Masked:
    """Replace personal values in every text of nested dicts and lists (nested keys too).

    A known value gets one placeholder however it is written, and is put back as it is known; a detected or encoded one
    is put back exactly as it stood. Placeholders that already stand in the text are left alone and never reused.
    `regions` (ISO 3166 codes) say whose telephones and ids are likely; without them it is the shop's country.
    """
    regions = read_shop_regions() if regions is None else regions
    mask = _Mask(_sort_known(known, regions), regions, first_number=_highest_number(values) + 1)
    return Masked(_map_texts(values, mask.replace, mask.replace_number), mask.replacements)


def unmask_values(values: Any, replacements: Mapping[str, str]) -> Any:
    """Put the personal values back; placeholders that were never given out stay as they are."""

    def put_back(text: str) -> str:
        return PLACEHOLDER.sub(lambda m: replacements.get(f"[{m[1].upper()}_{int(m[2])}]", m[0]), text)

    return _map_texts(values, put_back)


def clean_untrusted(text: str, max_chars: int) -> str:
    """Remove control, bidirectional and zero-width characters and cut at `max_chars`; line ends become newlines."""
    unified = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n")
    return "".join(c for c in unified if c in "\n\t" or not is_invisible(c))[:max_chars]


def clean_values(values: Any, max_chars: int) -> Any:
    """`clean_untrusted` for every text of nested dicts and lists."""
    return _map_texts(values, lambda text: clean_untrusted(text, max_chars))


def fold(text: str) -> str:
    """The form in which known values are compared: letters and digits only, without case, accents or width."""
    return "".join(folded for folded, _ in _fold_with_positions(read_plainly(text)))


@dataclass(frozen=True)
class _Known:
    """A known value in the form in which it is looked for."""

    key: str
    value: PersonalValue
    longest_doubtful: int = LONGEST_DOUBTFUL_VALUE


class _Mask:
    """Gives out placeholders for one call."""

    def __init__(self, known: list[_Known], regions: Sequence[str], *, first_number: int) -> None:
        self.replacements: dict[str, str] = {}
        self._known = known
        self._regions = regions
        self._next_number = first_number
        self._placeholders: dict[tuple[PersonalKind, str], str] = {}

    def replace(self, text: str) -> str:
        reserved = [Span(m.start(), m.end(), PersonalKind.ID, m[0]) for m in PLACEHOLDER.finditer(text)]
        plain = read_plainly(text)
        known = [*_find_known(text, plain, self._known), *_find_encoded(text, self._known)]
        detected = [span for span in detect_spans(text, self._regions, plain=plain) if not _overlaps(span, known)]
        return self._rewrite(text, _drop_overlaps([*known, *detected], reserved))

    def replace_number(self, value: int | float | Decimal) -> Any:
        """A number is a fact unless all of it is a known value, or a whole one is a telephone, a card or an id."""
        text = str(value)
        spans = _find_known(text, read_plainly(text), self._known)
        if isinstance(value, int) and abs(value) >= SMALLEST_PERSONAL_NUMBER:
            spans += detect_spans(text, self._regions)
        whole = [span for span in spans if span.end - span.start == len(text)]
        return self._rewrite(text, whole[:1]) if whole else value

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


def _sort_known(known: Iterable[str | PersonalValue], regions: Sequence[str]) -> list[_Known]:
    """Known values with their folded form, longest first; the words of a name count as values of their own."""
    by_key: dict[str, _Known] = {}
    for given in known:
        value = given if isinstance(given, PersonalValue) else PersonalValue(given, guess_kind(given))
        for form in _write_in_all_forms(value, regions):
            by_key.setdefault(fold(form), _Known(fold(form), value))
    for entry in list(by_key.values()):
        for part in _split_value(entry.value) if entry.key == fold(entry.value.value) else ():
            by_key.setdefault(part.key, part)
    return sorted((entry for entry in by_key.values() if _is_telling(entry)), key=lambda entry: -len(entry.key))


def _write_in_all_forms(value: PersonalValue, regions: Sequence[str]) -> list[str]:
    """As it is, as logs carry it, and a telephone number as it is dialled from elsewhere."""
    raw = value.value.encode(errors="replace")
    encoded = [base64.b64encode(raw), base64.urlsafe_b64encode(raw)]
    forms = [value.value, *(form.decode().rstrip("=") for form in encoded)]
    return forms + (write_in_other_ways(value.value, regions) if value.kind is PersonalKind.PHONE else [])


def _split_value(value: PersonalValue) -> list[_Known]:
    """Parts that say as much as the whole: the words of a name, the lines of an address, what stands before the @."""
    if value.kind is PersonalKind.NAME:
        return [_Known(fold(word), PersonalValue(word), LONGEST_DOUBTFUL_WORD) for word in value.value.split()]
    parts: list[str] = []
    if value.kind is PersonalKind.ADDRESS:
        parts = [part for part in re.split(r"[,，;\n]", value.value) if any(c.isdigit() for c in part)]
    elif value.kind is PersonalKind.EMAIL:
        local = value.value.partition("@")[0]
        parts = [local] if re.search(r"[\d._-]", local) else []
    return [
        _Known(fold(part), PersonalValue(part.strip(), value.kind))
        for part in parts
        if len(fold(part)) >= SHORTEST_PART_OF_ADDRESS
    ]


def _is_telling(entry: _Known) -> bool:
    return len(entry.key) > 1 and not (entry.key.isdigit() and len(entry.key) < FEWEST_ID_DIGITS)


def _find_known(text: str, plain: PlainForm, known: list[_Known]) -> list[Span]:
    if not known:
        return []
    folded = _fold_with_positions(plain)
    haystack = "".join(character for character, _ in folded)
    found: list[Span] = []
    for entry in known:
        at = haystack.find(entry.key)
        while at >= 0:
            start, end = folded[at][1], folded[at + len(entry.key) - 1][1] + 1
            if _stands_alone(plain.text, start, end) and _reads_as_value(plain.text[start:end], entry):
                found.append(Span(*plain.place(start, end), entry.value.kind, entry.value.value))
            at = haystack.find(entry.key, at + 1)
    return _drop_overlaps(found, [])


def _find_encoded(text: str, known: list[_Known]) -> list[Span]:
    """Base64 words that hold a known value somewhere in them; they are put back as they stood."""
    keys = [entry for entry in known if len(entry.key) >= SHORTEST_IN_A_WORD or not entry.key.isascii()]
    found: dict[int, Span] = {}
    for start, end, decoded in decode_words(text) if keys else ():
        inner = fold(decoded) if start not in found else ""
        hit = next((entry for entry in keys if entry.key in inner), None) if inner else None
        if hit is not None:
            found[start] = Span(start, end, hit.value.kind, text[start:end])
    return list(found.values())


def _fold_with_positions(plain: PlainForm) -> list[tuple[str, int]]:
    folded = []
    for position, character in enumerate(plain.text):
        if character.isascii():
            if character.isalnum():
                folded.append((character.lower(), position))
            continue
        for part in unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", character).casefold()):
            if part.isalnum():
                folded.append((part.translate(LOOKALIKES), position))
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
