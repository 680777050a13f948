"""Remembers erasures outside the database, so that a restored backup forgets the same people again.

A line of JSON per erasure in ERASURE_FILE: keyed hashes of the person's identities and addresses, never the values.
`repeating` looks whether the database knows all of them, and erases again whom it has back.
"""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings

from customers.ingest.consent import hash_address
from customers.models import ErasedPerson, Suppression

log = structlog.get_logger(__name__)


def note_erasure(identity_hashes: Sequence[str], addresses: Sequence[tuple[str, str]], *, now: dt.datetime) -> None:
    """Add one line, synced to disk. `addresses` are (channel, address); their hashes are written."""
    hashed = [[channel, hash_address(address)] for channel, address in addresses]
    line = {"erased_at": now.isoformat(), "identities": list(identity_hashes), "addresses": hashed}
    path = Path(settings.ERASURE_FILE)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(json.dumps(line) + "\n")
        file.flush()
        os.fsync(file.fileno())


def list_unknown_erasures() -> list[dict[str, Any]]:
    """Erasures that stand in the file and not in the database: it was put back to a time before them."""
    lines = list(_read_lines(Path(settings.ERASURE_FILE)))
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


def _read_lines(path: Path) -> Iterator[dict[str, Any]]:
    if not path.exists():
        return
    for text in path.read_text().splitlines():
        try:
            line = json.loads(text)
        except ValueError:
            log.warning("erasure_line_unreadable")
            continue
        if isinstance(line, dict) and isinstance(line.get("identities"), list):
            yield {"addresses": [], **line}
