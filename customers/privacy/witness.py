"""Remembers erasures outside the database, so that a restored backup forgets the same people again.

A line per erasure (`customers.ingest.outside`): keyed hashes of the person's identities and addresses, never the values.
`repeating` looks whether the database knows all of them, and erases again whom it has back.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from customers.ingest.consent import hash_address
from customers.ingest.outside import read_lines
from customers.ingest.outside_queue import keep_outside
from customers.models import ErasedPerson, OutsideLine, Suppression


def note_erasure(identity_hashes: Sequence[str], addresses: Sequence[tuple[str, str]], *, now: dt.datetime) -> None:
    """Add one line once the caller's transaction has committed. `addresses` are (channel, address); their hashes are written."""
    hashed = [[channel, hash_address(address)] for channel, address in addresses]
    keep_outside(
        OutsideLine.File.ERASURES,
        {"erased_at": now.isoformat(), "identities": list(identity_hashes), "addresses": hashed},
    )


def list_unknown_erasures() -> list[dict[str, Any]]:
    """Erasures that stand in the file and not in the database: it was put back to a time before them."""
    lines = [{"addresses": [], **line} for line in read_lines("identities")]
    noted = {found for line in lines for found in line["identities"]}
    if not noted:
        return []
    known = set(ErasedPerson.objects.filter(identity_hash__in=noted).values_list("identity_hash", flat=True))
    return [line for line in lines if not set(line["identities"]) <= known]


def suppress_again(lines: Iterable[Mapping[str, Any]]) -> None:
    """Put the suppressions of erasures back, as far as they are missing."""
    told = {(str(channel), str(found)) for line in lines for channel, found in line["addresses"]}
    Suppression.objects.bulk_create(
        [
            Suppression(channel=channel, address_hash=found, reason=Suppression.Reason.ERASED, source="erasure")
            for channel, found in sorted(told)
        ],
        ignore_conflicts=True,
        batch_size=1000,
    )
