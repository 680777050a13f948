"""Sentences of ours that stand in rows, in the language of whoever reads them.

They are kept in English, values and all: by that the catalogue is looked up, and an old row still says something after its
sentence was put into other words. Whoever reads in another language is told the sentence of the catalogue that it was made
from, with the same values. What a person typed is none of them, and stays as it was typed.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from typing import Any, Final

from django.utils.formats import date_format
from django.utils.translation import get_language, gettext, pgettext, trans_real

#: Values that are made of sentences or labels of ours; all others are names, numbers and what others said.
WORDS: Final = frozenset({"names", "parts", "problem", "reasons", "why"})
#: With fewer signs of its own, a sentence that begins with a value would be found in much that people type.
FEWEST_SIGNS: Final = 24
_SLOT: Final = re.compile(r"%\((\w+)\)[-+ #0-9.]*([a-z])")
_NUMBER: Final = r"[-+\d.,]+?"
_DAY: Final = re.compile(r"\d{1,2} [A-Z][a-z]{2} \d{4}( \d\d:\d\d)?")


def tell(kept: str, among: Sequence[str] | None = None) -> str:
    """A kept sentence in the active language; as it was kept where the catalogue has none like it. `among` are the only
    sentences with values that it may be; without them it may be any of the catalogue."""
    language = get_language() or "en"
    if not kept or language.partition("-")[0] == "en":
        return kept
    return _tell(kept, language, None if among is None else tuple(among))


@lru_cache(maxsize=4096)
def _tell(kept: str, language: str, among: tuple[str, ...] | None) -> str:
    if _is_sentence(kept) and (said := gettext(kept)) != kept:
        return said
    lines = kept.split("\n")
    told = [tell(line, among) for line in lines] if len(lines) > 1 else []
    if told and all(one != line for one, line in zip(told, lines, strict=True)):  # several sentences
        return "\n".join(told)
    for sentence in _read_catalogue(language) if among is None else _order(among):
        if (values := sentence.find_values(kept)) is not None:
            words = {name: _tell_value(name, value) for name, value in values.items()}
            return _SLOT.sub(r"%(\1)s", gettext(sentence.text)) % words
    return kept


def _is_sentence(kept: str) -> bool:
    """A word or two that somebody typed may stand in the catalogue for something else."""
    return kept.endswith(".") or kept.count(" ") > 1


def _tell_value(name: str, value: str) -> str:
    if name in WORDS and value:
        whole = tell(value)
        return whole if whole != value else ", ".join(_tell_label(part) for part in value.split(", "))
    return _tell_day(value) if _DAY.fullmatch(value) else value


def _tell_label(part: str) -> str:
    """With its count behind it, where it has one."""
    label, gap, count = part.partition(" (")
    return f"{gettext(label) if label else label}{gap}{count}"


def _tell_day(value: str) -> str:
    """A day, or a moment, as the English formats write it."""
    has_time = ":" in value
    try:
        day = dt.datetime.strptime(value, "%d %b %Y %H:%M" if has_time else "%d %b %Y")  # noqa: DTZ007
    except ValueError:
        return value
    as_written = pgettext("date format", "j M Y H:i") if has_time else pgettext("date format", "j M Y")
    return date_format(day, as_written)


@dataclass(frozen=True)
class _Sentence:
    """One with values to be put in."""

    text: str

    @cached_property
    def own(self) -> list[str]:
        """What stands before, between and after the values."""
        return [part.replace("%%", "%") for part in _SLOT.split(self.text)[::3]]

    @cached_property
    def signs(self) -> int:
        return sum(map(len, self.own))

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        seen: set[str] = set()
        made = re.escape(self.own[0])
        slots = list(_SLOT.finditer(self.text))
        for slot, after in zip(slots, self.own[1:], strict=True):
            name, kind = slot.groups()
            value = f"(?P={name})" if name in seen else f"(?P<{name}>{_NUMBER if kind == 'd' else '.*?'})"
            # What stands between two values is looked for once: tried again and again, a text made for it would take minutes.
            is_between = bool(after) and slot is not slots[-1]
            made += f"(?>{value}{re.escape(after)})" if is_between else value + re.escape(after)
            seen.add(name)
        return re.compile(made, re.DOTALL)

    def find_values(self, kept: str) -> dict[str, str] | None:
        """The values with which it is the kept sentence; None where it is another."""
        if not (kept.startswith(self.own[0]) and kept.endswith(self.own[-1])):
            return None
        found = self.pattern.fullmatch(kept)
        return found.groupdict() if found else None


@cache
def _read_catalogue(language: str) -> tuple[_Sentence, ...]:
    """Its sentences with values. Those with plurals or a context are not among them: what is kept has neither."""
    catalogue: Any = trans_real.translation(language)
    texts = {key for key, _said in catalogue._catalog.items() if isinstance(key, str) and "\x04" not in key}
    told = [text for text in sorted(texts) if re.search(r"[.)]$|: %\(\w+\)s$|%\(\w+\)d$", text)]
    return tuple(one for one in _order(tuple(told)) if one.own[0] or one.signs >= FEWEST_SIGNS)


@cache
def _order(texts: Iterable[str]) -> tuple[_Sentence, ...]:
    """Those that say most by themselves first: several may fit, and theirs is the closest fit."""
    return tuple(sorted((_Sentence(text) for text in texts if _SLOT.search(text)), key=lambda one: -one.signs))
