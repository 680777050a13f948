"""Notes again who is not to be written to, where a restored backup has forgotten it (`customers.ingest.wishes`).

The database remembers how far it has compared the file. That place goes back with a backup, and so what was said since is
exactly what lies behind it: an hour's worth on a usual day, and all of it after a restore.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import asdict, astuple, dataclass
from typing import Final

import structlog
from django.db import connection, transaction

from customers.ingest.consent import suppress_hashes
from customers.ingest.erased import identity_hash_sql
from customers.ingest.tracking import record_tracking_consent
from customers.ingest.wishes import TRACKING, hash_people
from customers.models import (
    Channel,
    Customer,
    ErasedPerson,
    SuppressedDomain,
    Suppression,
    TrackingConsent,
    WishMark,
)

from .chosen import choose_again
from .said import Choice, Said, read_behind

log = structlog.get_logger(__name__)

#: Where records and suppressions say that they came from.
SOURCE: Final = "restored backup"


@dataclass(frozen=True)
class LostWishes:
    """How many addresses and domains are suppressed again, how many withdrawals are noted again, and how many people have their
    own choices again."""

    addresses: int = 0
    withdrawals: int = 0
    domains: int = 0
    choices: int = 0

    @property
    def total(self) -> int:
        return sum(astuple(self))


@transaction.atomic
def repeat_wishes(now: dt.datetime, *, is_dry: bool = False) -> LostWishes:
    """Note again what the database does not know; with `is_dry` only count it. Safe to run twice, and at once.

    What the database knows later of a person counts. A word that was taken back in the file is not noted again, and no consent
    is given back: only the person gives one.
    """
    WishMark.objects.get_or_create(pk=1)
    mark = WishMark.objects.select_for_update().get(pk=1)
    said, end = read_behind(mark.position)
    lost = LostWishes(
        addresses=_suppress(said, is_dry=is_dry),
        withdrawals=_withdraw(said, now, is_dry=is_dry),
        domains=_suppress_domains(said, is_dry=is_dry),
        choices=choose_again(_find_choosers(said), source=SOURCE, now=now, is_dry=is_dry),
    )
    if not is_dry:
        WishMark.objects.filter(pk=1).update(position=end)
        if lost.total:
            log.warning("wishes_repeated", **asdict(lost))
    return lost


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


def _suppress_domains(said: Said, *, is_dry: bool) -> int:
    """The same of domains."""
    known = set(SuppressedDomain.objects.values_list("domain", "is_below"))
    missing = sorted(key for key, is_on in said.domains.items() if is_on and key not in known)
    if not is_dry:
        rows = [SuppressedDomain(domain=domain, is_below=is_below, note=SOURCE) for domain, is_below in missing]
        SuppressedDomain.objects.bulk_create(rows, ignore_conflicts=True, batch_size=1000)
        for domain, is_below in (key for key, is_on in said.domains.items() if not is_on):
            SuppressedDomain.objects.filter(domain=domain, is_below=is_below, note=SOURCE).delete()
    return len(missing)


def _find_choosers(said: Said) -> dict[int, dict[str, Choice]]:
    """What was chosen, by the customer of today; of somebody who is here under two ids that were merged the newer word."""
    people = _find_people({hashed: choice.number for (hashed, _name), choice in said.choices.items()})
    found: dict[int, dict[str, Choice]] = {}
    for (hashed, name), choice in said.choices.items():
        if hashed in people:
            kept = found.setdefault(people[hashed], {})
            if name not in kept or kept[name].moment <= choice.moment:
                kept[name] = choice
    return found


def _withdraw(said: Said, now: dt.datetime, *, is_dry: bool) -> int:
    left = {key: answer for key, answer in said.answers.items() if not answer.is_given}
    people = _find_people({hashed: answer.number for (hashed, _channel), answer in left.items()})
    told = {(people[key[0]], key[1]): answer.moment for key, answer in left.items() if key[0] in people}
    tracked = {number: moment for (number, channel), moment in told.items() if channel == TRACKING}
    asked = [(number, channel, moment) for (number, channel), moment in told.items() if channel in Channel.values]
    return _write_withdrawals(asked, is_dry=is_dry) + _write_tracking(tracked, now, is_dry=is_dry)


def _find_people(wanted: Mapping[str, int]) -> dict[str, int]:
    """The customers of hashes, by the number that they had; only whom that does not find is looked for among all."""
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
