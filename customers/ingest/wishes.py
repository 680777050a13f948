"""Who is not to be written to, and what people chose, kept outside the database too: a line of JSON each in WISHES_FILE, with
hashes and never an address, a name or an id of the shop's.

A restored backup knows nothing of whoever left since it was taken. Lines are written once the database has committed what they
say (`outside_queue`); `customers.privacy.wishes` reads those that the database has not compared yet, and notes again what it does
not know.

Under `suppressed` and `lifted` stand (channel, hash of the address), under `domains` and `domains_lifted` (domain, whether all
names below it are meant), which is the shop's own rule; under `answers` (number of the customer, hash of their identity, channel,
moment), under `chose` (number, hash, field, value, moment). The number only finds them quickly; after a restore it may be
another's, and then the hash is not.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final

from django.db import connection

from customers.models import OutsideLine

from .erased import hash_identity
from .outside_queue import keep_outside

#: The channel under which a word on the tracking of opens stands among those on being written to.
TRACKING: Final = "tracking"
_A_LINE: Final = 5_000


def note_suppressed(entries: Iterable[tuple[str, str]], *, reason: str) -> None:
    """Addresses that are not to be written to, as (channel, hash), once this is committed."""
    for some in _cut(entries):
        _note({"suppressed": some, "reason": reason})


def note_lifted(channel: str, address_hash: str) -> None:
    """The address is off the list."""
    _note({"lifted": [(channel, address_hash)]})


def note_domains(domains: Iterable[tuple[str, bool]]) -> None:
    """Nobody is written to at these domains; with True all names below one are meant."""
    for some in _cut(domains):
        _note({"domains": some})


def note_domain_lifted(domain: str, *, is_below: bool) -> None:
    """The domain is off the list."""
    _note({"domains_lifted": [(domain, is_below)]})


def note_answers(answers: Sequence[tuple[int, str, dt.datetime]], *, is_given: bool) -> None:
    """What people said of being written to, as (number of the customer, channel, moment), under all of their identities."""
    if not answers:
        return
    hashes = hash_people({number for number, _channel, _moment in answers})
    told = (
        (number, known, channel, moment.isoformat())
        for number, channel, moment in answers
        for known in hashes.get(number, ())
    )
    for some in _cut(told):
        _note({"answers": some, "is_given": is_given})


def note_choices(customer_id: int, values: Mapping[str, Any], *, now: dt.datetime) -> None:
    """What a person chose in the preference centre, as JSON by field, under all of their identities."""
    hashes = hash_people([customer_id]).get(customer_id, ())
    told = [(customer_id, known, name, values[name], now.isoformat()) for known in hashes for name in sorted(values)]
    if told:
        _note({"chose": told})


def hash_people(numbers: Iterable[int]) -> dict[int, list[str]]:
    """The hashes of all identities of customers, by their number."""
    found: dict[int, list[str]] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, source, external_id FROM customers_customer WHERE id = ANY(%(people)s) UNION ALL"
            " SELECT customer_id, source, external_id FROM customers_customeralias"
            " WHERE NOT is_visitor AND customer_id = ANY(%(people)s)",
            {"people": list(numbers)},
        )
        for number, source, external_id in cursor.fetchall():
            found.setdefault(number, []).append(hash_identity(source, external_id))
    return found


def _cut(rows: Iterable[tuple[Any, ...]]) -> Iterator[list[tuple[Any, ...]]]:
    left = iter(rows)
    while some := list(islice(left, _A_LINE)):
        yield some


def _note(line: dict[str, Any]) -> None:
    keep_outside(OutsideLine.File.WISHES, line)
