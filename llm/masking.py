"""Personal values do not leave the house: each is replaced by a typed placeholder and put back on return.

Known values (of the customer at hand) are found however they are written: case, spacing, punctuation, width, accents,
letters of other alphabets that look the same, invisible characters, percent-encoding and base64 do not matter.
Unknown ones are found by `llm.detectors`.
"""

import base64
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count
from typing import Any

from llm.chinese_names import address_in_chinese, given_name_in_chinese
from llm.detectors import PersonalKind, Span, decode_words, detect_spans, guess_kind
from llm.folding import ACCENTS, SPELLED_OUT, fold, fold_with_positions
from llm.phone_numbers import write_in_other_ways
from llm.placeholders import PLACEHOLDER, cut_whole, numbers_in, unmask_values
from llm.plain_form import PlainForm, clean_untrusted, clean_values, map_texts, read_plainly
from llm.regions import read_shop_regions

__all__ = [
    "Masked", "PersonalKind", "PersonalValue", "clean_untrusted", "clean_values", "mask_untrusted", "mask_values",
    "unmask_values",
]  # fmt: skip

# Up to so many letters a name may be an ordinary word: it then counts only where it has a capital. "An", "Jo" and "May"
# as they were given; "Will" and "Young" where they are only a word of a longer name.
LONGEST_DOUBTFUL_VALUE = 3
LONGEST_DOUBTFUL_WORD = 5
# Fewer digits than this are a number like any other, also where a customer's id happens to be the same.
FEWEST_ID_DIGITS = 4
# What is looked for inside a longer word or a decoded one must be long enough not to be there by chance.
SHORTEST_IN_A_WORD = 4
SHORTEST_PART_OF_ADDRESS = 6
BRITISH_POSTCODE = re.compile(r"\b[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}\b", re.IGNORECASE)
# A smaller whole number among the facts is an amount or a count.
SMALLEST_PERSONAL_NUMBER = 10_000_000_000
# No personal value is longer; so much more than is sent is read, so that none is cut in half before it is found.
LONGEST_VALUE = 300


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
    mask = _Mask(_sort_known(known, regions), regions, taken=numbers_in(values))
    return Masked(map_texts(values, mask.replace, mask.replace_number), mask.replacements)


def mask_untrusted(values: Any, max_chars: int, known: Iterable[str | PersonalValue] = ()) -> Masked:
    """Clean, mask, and only then cut every text: a value that stands across the cut is masked whole, not halved."""
    masked = mask_values(clean_values(values, max_chars + LONGEST_VALUE), known)
    return Masked(map_texts(masked.values, lambda text: cut_whole(text, max_chars)), masked.replacements)


@dataclass(frozen=True)
class _Known:
    """A known value in the form in which it is looked for."""

    key: str
    value: PersonalValue
    longest_doubtful: int = LONGEST_DOUBTFUL_VALUE


class _Mask:
    """Gives out placeholders for one call."""

    def __init__(self, known: list[_Known], regions: Sequence[str], *, taken: set[int]) -> None:
        self.replacements: dict[str, str] = {}
        self._known = known
        self._regions = regions
        self._numbers = (number for number in count(1) if number not in taken)
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
            placeholder = f"[{span.kind}_{next(self._numbers)}]"
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
    if value.kind is PersonalKind.NAME:
        forms += [value.value.translate(SPELLED_OUT), *address_in_chinese(value.value)]
    return forms + (write_in_other_ways(value.value, regions) if value.kind is PersonalKind.PHONE else [])


def _split_value(value: PersonalValue) -> list[_Known]:
    """Parts that say as much as the whole: the words of a name, the lines of an address, what stands before the @."""
    if value.kind is PersonalKind.NAME:
        words = [*value.value.split(), *given_name_in_chinese(value.value)]
        return [
            _Known(fold(form), PersonalValue(word), LONGEST_DOUBTFUL_WORD)
            for word in words
            for form in (word, word.translate(SPELLED_OUT))
        ]
    parts: list[str] = []
    if value.kind is PersonalKind.ADDRESS:
        parts = [part for part in re.split(r"[,，;\n]", value.value) if any(c.isdigit() for c in part)]
        parts += BRITISH_POSTCODE.findall(value.value)
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
    folded = fold_with_positions(plain)
    haystack = "".join(character for character, _ in folded)
    found: list[Span] = []
    for entry in known:
        at = haystack.find(entry.key)
        while at >= 0:
            start, end = folded[at][1], folded[at + len(entry.key) - 1][1] + 1
            if _stands_alone(plain.text, start, end, entry) and _reads_as_value(plain.text[start:end], entry):
                place = plain.place(*_widen(plain.text, start, end, entry.value.kind))
                found.append(Span(*place, entry.value.kind, entry.value.value))
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


def _widen(text: str, start: int, end: int, kind: PersonalKind) -> tuple[int, int]:
    """With the accents of the last letter, and the plus of a telephone number."""
    accents = ACCENTS.match(text, end)
    end = accents.end() if accents else end
    return (start - 1 if kind is PersonalKind.PHONE and text[start - 1 : start] == "+" else start), end


def _stands_alone(text: str, start: int, end: int, entry: _Known) -> bool:
    """False inside a longer word. Scripts that put no spaces between words have no such borders, and a name that is
    no short one ends where digits begin (`katherine1987`)."""
    is_name = entry.key.isalpha() and len(entry.key) >= SHORTEST_IN_A_WORD
    neighbours = ((text[start - 1 : start], text[start]), (text[end - 1], text[end : end + 1]))
    return not any(_joins(left, right, is_name=is_name) for left, right in neighbours)


def _joins(left: str, right: str, *, is_name: bool) -> bool:
    if is_name and left.isdigit() != right.isdigit():
        return False
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
        if not _lies_in(span, reserved) and (not kept or span.start >= kept[-1].end):
            kept.append(span)
    return kept


def _lies_in(span: Span, others: Iterable[Span]) -> bool:
    return any(other.start <= span.start and span.end <= other.end for other in others)


def _overlaps(span: Span, others: Iterable[Span]) -> bool:
    return any(span.start < other.end and other.start < span.end for other in others)
