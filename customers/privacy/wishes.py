"""Notes again who is not to be written to, where a restored backup has forgotten it (`customers.ingest.wishes`).

The database remembers how far it has compared the file. That place goes back with a backup, and so what was said since is
exactly what lies behind it: an hour's worth on a usual day, and all of it after a restore.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import structlog
from django.conf import settings
from django.db import connection, transaction

from customers.ingest.consent import suppress_hashes
from customers.ingest.erased import identity_hash_sql
from customers.ingest.tracking import record_tracking_consent
from customers.ingest.wishes import TRACKING, hash_people
from customers.models import Channel, Customer, ErasedPerson, Suppression, TrackingConsent, WishMark

log = structlog.get_logger(__name__)

#: Where records and suppressions say that they came from.
SOURCE: Final = "restored backup"


@dataclass(frozen=True)
class Answer:
    """What a person said last on a channel. `number` is that of their row at the time."""

    number: int
    moment: dt.datetime
    is_given: bool


@dataclass
class Said:
    """What stands behind a place of the file: the last word on each address, with its reason ("" where it was lifted), and on
    each (hash of an identity, channel)."""

    addresses: dict[tuple[str, str], str] = field(default_factory=dict)
    answers: dict[tuple[str, str], Answer] = field(default_factory=dict)

    def add(self, line: Mapping[str, Any]) -> None:
        """Raises ValueError, TypeError or KeyError for a line that is none of ours."""
        for channel, hashed in line.get("suppressed", ()):
            self.addresses[str(channel), str(hashed)] = str(Suppression.Reason(line["reason"]))
        for channel, hashed in line.get("lifted", ()):
            self.addresses[str(channel), str(hashed)] = ""
        for number, hashed, channel, moment in line.get("answers", ()):
            answer = Answer(int(number), dt.datetime.fromisoformat(moment), bool(line["is_given"]))
            self.answers[str(hashed), str(channel)] = answer


@dataclass(frozen=True)
class LostWishes:
    """How many addresses are suppressed again, and how many withdrawals are noted again."""

    addresses: int
    withdrawals: int


@transaction.atomic
def repeat_wishes(now: dt.datetime, *, is_dry: bool = False) -> LostWishes:
    """Note again what the database does not know; with `is_dry` only count it. Safe to run twice, and at once.

    What the database knows later of a person counts. A word that was taken back in the file is not noted again, and nothing is
    given back: only the person gives a consent.
    """
    WishMark.objects.get_or_create(pk=1)
    mark = WishMark.objects.select_for_update().get(pk=1)
    said, end = _read_behind(mark.position)
    lost = LostWishes(_suppress(said, is_dry=is_dry), _withdraw(said, now, is_dry=is_dry))
    if not is_dry:
        WishMark.objects.filter(pk=1).update(position=end)
        if lost.addresses or lost.withdrawals:
            log.warning("wishes_repeated", addresses=lost.addresses, withdrawals=lost.withdrawals)
    return lost


def _read_behind(position: int) -> tuple[Said, int]:
    """What stands behind the place, and where the last whole line ends. All of a file that is shorter: it is another one."""
    said, path = Said(), Path(settings.WISHES_FILE)
    if not path.exists():
        return said, 0
    with path.open("rb") as file:
        is_other = path.stat().st_size < position
        file.seek(0 if is_other else position)
        end = file.tell()
        for raw in file:
            if not raw.endswith(b"\n"):  # being written, or cut off by a crash
                break
            end += len(raw)
            try:
                said.add(json.loads(raw))
            except (ValueError, TypeError, KeyError, AttributeError):
                log.warning("wish_line_unreadable")
    return said, end


def _suppress(said: Said, *, is_dry: bool) -> int:
    """Addresses that are missing on the list. What was put there by this and lifted meanwhile goes."""
    missing = _find_missing([key for key, reason in said.addresses.items() if reason])
    if is_dry:
        return len(missing)
    for reason in sorted({said.addresses[key] for key in missing}):
        suppress_hashes([key for key in missing if said.addresses[key] == reason], reason=reason, source=SOURCE)
    for channel, hashed in (key for key, reason in said.addresses.items() if not reason):
        Suppression.objects.filter(channel=channel, address_hash=hashed, source=SOURCE).delete()
    return len(missing)


def _find_missing(keys: list[tuple[str, str]]) -> list[tuple[str, str]]:
    if not keys:
        return []
    channels, hashes = zip(*keys, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT told.channel, told.hash FROM unnest(%s::text[], %s::text[]) AS told(channel, hash)"
            " LEFT JOIN customers_suppression s ON s.channel = told.channel AND s.address_hash = told.hash WHERE s.id IS NULL",
            [list(channels), list(hashes)],
        )
        return [(str(channel), str(hashed)) for channel, hashed in cursor.fetchall()]


def _withdraw(said: Said, now: dt.datetime, *, is_dry: bool) -> int:
    left = {key: answer for key, answer in said.answers.items() if not answer.is_given}
    people = _find_people(left)
    told = {(people[key[0]], key[1]): answer.moment for key, answer in left.items() if key[0] in people}
    tracked = {number: moment for (number, channel), moment in told.items() if channel == TRACKING}
    asked = [(number, channel, moment) for (number, channel), moment in told.items() if channel in Channel.values]
    return _write_withdrawals(asked, is_dry=is_dry) + _write_tracking(tracked, now, is_dry=is_dry)


def _find_people(answers: Mapping[tuple[str, str], Answer]) -> dict[str, int]:
    """The customers of hashes, by the number that they had; only whom that does not find is looked for among all."""
    wanted = {hashed: answer.number for (hashed, _channel), answer in answers.items()}
    now_theirs = hash_people(set(wanted.values())) if wanted else {}
    found = {hashed: number for hashed, number in wanted.items() if hashed in now_theirs.get(number, ())}
    strangers = wanted.keys() - found.keys()
    if strangers:
        strangers -= set(
            ErasedPerson.objects.filter(identity_hash__in=strangers).values_list("identity_hash", flat=True)
        )
    return found | (_find_among_all(strangers) if strangers else {})


def _find_among_all(hashes: Iterable[str]) -> dict[str, int]:
    """Reads all customers: somebody was merged within the hour, or the database was put back."""
    own, alias = identity_hash_sql("c.source", "c.external_id"), identity_hash_sql("a.source", "a.external_id")
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT hash, id FROM (SELECT {own} AS hash, c.id FROM customers_customer c UNION ALL"
            f" SELECT {alias}, a.customer_id FROM customers_customeralias a WHERE NOT a.is_visitor) known(hash, id)"
            " WHERE hash = ANY(%s)",
            [list(hashes)],
        )
        return {str(hashed): int(number) for hashed, number in cursor.fetchall()}


def _write_withdrawals(asked: list[tuple[int, str, dt.datetime]], *, is_dry: bool) -> int:
    if not asked:
        return 0
    numbers, channels, moments = map(list, zip(*asked, strict=True))
    with connection.cursor() as cursor:
        insert = "" if is_dry else _INSERT
        cursor.execute(insert + _FORGOTTEN, [SOURCE, numbers, channels, moments])
        return int(cursor.rowcount)


def _write_tracking(tracked: Mapping[int, dt.datetime], now: dt.datetime, *, is_dry: bool) -> int:
    """The same of the word on tracking; few people say one."""
    count = 0
    for customer in Customer.objects.filter(pk__in=tracked):
        newest = TrackingConsent.objects.filter(customer=customer).order_by("-recorded_at", "-pk").first()
        if newest is not None and newest.is_given and newest.recorded_at <= tracked[customer.pk]:
            count += 1
            if not is_dry:
                record_tracking_consent(customer, is_given=False, source=SOURCE, now=tracked[customer.pk])
    return count


_INSERT: Final = "INSERT INTO customers_consentrecord (customer_id, channel, status, legal_basis, source, recorded_at)"
#: Withdrawals above which the database knows nothing newer.
_FORGOTTEN: Final = """
SELECT told.customer, told.channel, 'withdrawn', coalesce(newest.legal_basis, 'consent'), %s, told.moment
FROM unnest(%s::bigint[], %s::text[], %s::timestamptz[]) AS told(customer, channel, moment)
JOIN customers_customer c ON c.id = told.customer
LEFT JOIN LATERAL (
    SELECT r.status, r.legal_basis, r.recorded_at FROM customers_consentrecord r
    WHERE r.customer_id = c.id AND r.channel = told.channel ORDER BY r.recorded_at DESC, r.id DESC LIMIT 1) newest ON true
WHERE newest.status IS NULL OR (newest.status <> 'withdrawn' AND newest.recorded_at <= told.moment)"""
