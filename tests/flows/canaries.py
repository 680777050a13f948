"""Canaries: a word of its own in every column that tells of a person, made from the models, and the search for them.

A column that is added to one of these tables has a canary without a change here; a column of a kind that is not known
here fails the test that plants them, so that somebody says what a canary in it looks like.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import unicodedata
import uuid
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.db import models

from customers.models import Customer

#: Shorter than this, a value stands in any text by chance.
SHORTEST = 8
#: What a column must hold for the rest of the shop to work; it says nothing of the person that a model may not be told.
MEANT: dict[str, Any] = {
    "customers.Customer.language": "en",
    "customers.Score.interest": "Tents",
    "customers.Score.main_reason": "rhythm",
    "customers.ConsentRecord.status": "given",
    "customers.CustomerEvent.kind": "product_viewed",
    "customers.TextReading.status": "read",
    "customers.Order.currency": "EUR",
    "campaigns.Message.status": "accepted",
    "campaigns.Message.skip_reason": "",
    "campaigns.Entry.exclusion_reason": "",
    # What a person chose that keeps them out of an audience.
    "customers.Preference.most_per_month": None,
    "customers.Preference.paused_until": None,
    "customers.Preference.objects_to_profiling_at": None,
}
#: Written by the flow itself.
NOT_PLANTED = frozenset({"campaigns.AudienceMember"})


def list_personal_models() -> list[type[models.Model]]:
    """Customer and every table that refers to it, over however many others; parents first."""
    found: list[type[models.Model]] = [Customer]
    while True:
        more = [
            model
            for model in sorted(apps.get_models(), key=lambda model: model._meta.label)
            if model not in found
            and model._meta.managed
            and any(field.related_model in found for field in model._meta.concrete_fields)
        ]
        if not more:
            return [model for model in _parents_first(found) if model._meta.label not in NOT_PLANTED]
        found += more


def _parents_first(found: list[type[models.Model]]) -> list[type[models.Model]]:
    """Also among tables that were found at the same distance."""
    ordered: list[type[models.Model]] = []
    while len(ordered) < len(found):
        ordered += [
            model
            for model in found
            if model not in ordered
            and all(
                field.related_model not in found or field.related_model in (model, *ordered)
                for field in model._meta.concrete_fields
            )
        ]
    return ordered


class Planter:
    """Makes rows; `words` is what must never be found outside, by the column that it stands in."""

    def __init__(self, parents: Mapping[type[models.Model], models.Model], now: dt.datetime) -> None:
        self.words: dict[str, set[str]] = {}
        self._parents = dict(parents)
        self._now = now

    def plant_person(self, tag: str) -> Customer:
        """One row in each table, all of the same person. `tag` (a few letters) keeps people apart."""
        rows: dict[type[models.Model], models.Model] = {}
        for model in list_personal_models():
            rows[model] = model._default_manager.create(**dict(self._fill(model, rows, tag)))
        customer = rows[Customer]
        assert isinstance(customer, Customer)
        return customer

    def _fill(
        self, model: type[models.Model], rows: Mapping[type[models.Model], models.Model], tag: str
    ) -> Iterator[tuple[str, Any]]:
        for field in model._meta.concrete_fields:
            column = f"{model._meta.label}.{field.name}"
            if isinstance(field, models.AutoField):
                continue
            if column in MEANT:
                yield field.name, MEANT[column]
            elif field.related_model is not None:
                parent = rows.get(field.related_model) or self._parents.get(field.related_model)  # type: ignore[call-overload]
                if parent is not None or not field.null:
                    yield field.name, parent
            else:
                value, words = make_canary(field, column, tag, self._now)
                self.words.setdefault(column, set()).update(words)
                yield field.name, value


def make_canary(field: models.Field[Any, Any], column: str, tag: str, now: dt.datetime) -> tuple[Any, list[str]]:
    """A value for a column, and the words in it that must not be found (the same for every tag)."""
    word, number = _word(column), _number(column)
    if column == "customers.Customer.phone":  # E.164, and found however it is grouped
        return f"+4420{number % 10**8:08d}", [f"{number % 10**8:08d}"]
    if field.choices:
        return next(iter(field.flatchoices))[0], []
    if isinstance(field, models.EmailField):
        return f"{word}{tag}@{word[::-1]}.example", [word, word[::-1]]
    if isinstance(field, models.CharField | models.TextField):
        longest = field.max_length or 60
        return (f"{word}金丝{tag}", [word, f"{word}金丝"]) if longest >= len(word) + 2 + len(tag) else ("", [])
    if isinstance(field, models.JSONField):
        made = _make_json(word, number, tag)
        return [made] if field.get_default() == [] else made, [word, str(number)]
    if isinstance(field, ArrayField):
        value, words = make_canary(field.base_field, column, tag, now)
        return [value], words
    if isinstance(field, models.UUIDField):
        unique = uuid.UUID(hex=hashlib.sha256(f"{column}{tag}".encode()).hexdigest()[:32])
        return unique, [unique.hex, str(unique)]
    if isinstance(field, models.DecimalField):
        return Decimal(f"{number}.37"), [f"{number}.37", str(number)]
    if isinstance(field, models.FloatField):
        first = "5" if field.name.endswith("_low") else ""  # an interval's lower end lies below its upper one
        return float(f"0.{first}{number}"), [str(number).rstrip("0")]
    if isinstance(field, models.PositiveSmallIntegerField | models.SmallIntegerField):
        return 1, []
    if isinstance(field, models.IntegerField):
        return number, [str(number)]
    if isinstance(field, models.BooleanField):
        return False, []
    if isinstance(field, models.DateTimeField):
        moment = (now - dt.timedelta(days=3)).replace(hour=5, minute=26, second=53, microsecond=number % 1_000_000)
        return moment, ["05:26:53", f".{number % 1_000_000:06d}"]
    if isinstance(field, models.DateField):
        return dt.date(1987, 3, 14), ["1987-03-14", "14.03.1987", "14 March 1987"]
    raise AssertionError(f"{column}: say in make_canary what a canary in such a column looks like")


class Haystack:
    """Raw bytes to be searched for many words. None of them goes over a line's end, so that each line is kept once."""

    def __init__(self, raw: bytes) -> None:
        raw = b"\n".join(dict.fromkeys(raw.split(b"\n")))
        self._low = raw.lower()
        while b"\\\\" in self._low:  # JSON inside JSON
            self._low = self._low.replace(b"\\\\", b"\\")
        self._folded = _fold(raw.decode("utf-8", "replace"))

    def find(self, word: str) -> list[str]:
        """The ways of writing in which a word stands there; [] where it does not. Case never matters."""
        found = [name for name, form in _write_in_all_ways(word) if form.lower() in self._low]
        return found + (["folded"] if _fold(word) in self._folded else [])


def _write_in_all_ways(word: str) -> Iterator[tuple[str, bytes]]:
    for spelled in {word, word.upper(), word.casefold(), word.title()}:
        raw = spelled.encode()
        yield "plain", raw
        yield "url", quote(spelled, safe="").encode()
        yield "url of every sign", "".join(f"%{byte:02x}" for byte in raw).encode()
        yield "hex", raw.hex().encode()
        yield "escaped", json.dumps(spelled)[1:-1].encode()
        yield "escaped, every sign", "".join(f"\\u{ord(sign):04x}" for sign in spelled).encode()
        for shift in range(3):
            yield f"base64 at {shift}", _middle_of_base64(raw, shift)
            yield f"base64url at {shift}", _middle_of_base64(raw, shift).translate(bytes.maketrans(b"+/", b"-_"))


def _middle_of_base64(raw: bytes, shift: int) -> bytes:
    """The signs that depend on these bytes alone, where they stand `shift` bytes after a border."""
    whole = base64.b64encode(b"\0" * shift + raw)
    first, last = -(-shift * 4 // 3), (shift + len(raw)) * 4 // 3
    return whole[first:last]


def _fold(text: str) -> str:
    """Without case, accents and width."""
    return "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))


def _make_json(word: str, number: int, tag: str) -> dict[str, Any]:
    value = f"{word}{tag}"
    deep: dict[str, Any] = {
        "list": [value, number, {word: value}],
        "phone": f"+44 20 {number // 1000} {number % 1000:03d}",
    }
    return {"note": value, "city": value, "phone": value, f"{word}key": True, "number": number, "deep": deep}


def _word(column: str) -> str:
    """Twelve letters that no language has."""
    digest = hashlib.sha256(column.encode()).digest()
    return "zq" + "".join("bcdfghjkmnpqrstvwxz"[byte % 19] for byte in digest[:10])


def _number(column: str) -> int:
    return 7_000_000 + int.from_bytes(hashlib.sha256(column.encode()).digest()[:3]) % 999_983


def all_words(words: Mapping[str, Iterable[str]]) -> list[tuple[str, str]]:
    """(column, word) for every word that is long enough to mean something."""
    return [(column, word) for column, held in sorted(words.items()) for word in sorted(held) if len(word) >= 7]
