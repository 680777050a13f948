"""Keeps the head of the audit log outside the database, so that a cut-off end or a log rewritten as a whole is noticed.

A line of JSON per witnessed head: {"number", "hash", "seen_at", "signature"}. The signature is an HMAC with a key derived from
SECRET_KEY: who has the database and the file, but not the key, cannot write a line. The file may be copied anywhere.
"""

from __future__ import annotations

import datetime as dt
import hmac
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from .audit_chain import Head, read_head

log = structlog.get_logger(__name__)


class BadWitness(Exception):
    """A line that is not ours or was altered; the text names it."""


def witness_audit(now: dt.datetime) -> bool:
    """Add the present head to the file and to the log lines; False where it stands there already. Safe to run twice."""
    head, path = read_head(), Path(settings.AUDIT_WITNESS_FILE)
    if not head.number or head.number in read_witnesses(path):
        return False
    line = {"number": head.number, "hash": head.hash, "seen_at": now.isoformat(), "signature": sign_head(head)}
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(json.dumps(line) + "\n")
        file.flush()
        os.fsync(file.fileno())
    log.info("audit_head", number=head.number, hash=head.hash)
    return True


def read_witnesses(path: Path) -> dict[int, str]:
    """The witnessed hashes by number; none where there is no file. Raises BadWitness."""
    return {head.number: head.hash for head in _read_lines(path)} if path.exists() else {}


def sign_head(head: Head) -> str:
    """HMAC-SHA256 (hex) over number and hash."""
    return salted_hmac("customers.insights.audit_witness", f"{head.number}:{head.hash}", algorithm="sha256").hexdigest()


def _read_lines(path: Path) -> Iterator[Head]:
    for place, line in enumerate(path.read_text().splitlines(), 1):
        try:
            told: dict[str, Any] = json.loads(line)
            head = Head(int(told["number"]), str(told["hash"]))
            is_ours = hmac.compare_digest(str(told["signature"]), sign_head(head))
        except (ValueError, KeyError, TypeError):
            is_ours = False
        if not is_ours:
            raise BadWitness(
                _("Line %(line)d of %(file)s was not written by this shop.") % {"line": place, "file": path}
            )
        yield head
