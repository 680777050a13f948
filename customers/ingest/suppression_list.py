"""The list of addresses and domains that are never written to, as staff keep it: add, take off, bring in, take out."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import connection, models, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.models import AuditAction, Channel, SuppressedDomain, Suppression, record_audit

from .consent import hash_address, suppress_hashes
from .phones import BadPhone, normalise_phone
from .wishes import note_domain_lifted, note_domains, note_lifted


#: What staff say when they take something off the list; a word of this list is what the audit log keeps.
class WhyLifted(models.TextChoices):
    MISTAKE = "mistake", gettext_lazy("it was put here by mistake")
    MAILBOX = "mailbox", gettext_lazy("the mailbox works again")
    ASKED = "asked", gettext_lazy("the person asked for it in writing")


#: The columns of the file that the list is taken out as, and that may be brought in again.
COLUMNS: Final = ("channel", "kind", "value", "reason", "note", "since")
MOST_LINES: Final = 1_000_000
_BATCH: Final = 5_000
_HASH: Final = re.compile(r"[0-9a-f]{64}")
_DOMAIN: Final = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")


@dataclass(frozen=True)
class Entry:
    """One line of a list: an address, as its hash, or a domain, with `is_below` all names below it.

    `is_plain` marks a SHA-256 of the bare address, which can only be compared with the customers that are here.
    """

    channel: str
    address_hash: str = ""
    domain: str = ""
    is_plain: bool = False
    is_below: bool = False


class NotAnEntry(ValueError):
    """Neither an address, a telephone number, a domain nor a hash."""


def read_entry(text: str, *, plain_hashes: bool = False) -> Entry:
    """What a person or a file wrote: name@shop.example, @shop.example or shop.example, *.shop.example, +44…, or a hash.

    Raises NotAnEntry.
    """
    text = text.strip().strip("<>\"'").strip()
    if _HASH.fullmatch(text.lower()):
        return Entry(Channel.EMAIL, text.lower(), is_plain=plain_hashes)
    local, at, domain = text.rpartition("@")
    if local:
        _fold_domain(domain)
        if len(text) > 254 or re.search(r"[\s,;@]", local):
            raise NotAnEntry(text)
        return Entry(Channel.EMAIL, hash_address(text))
    if at or not re.fullmatch(r"[+\d][\d\s()/.-]+", text):
        is_below = domain.startswith("*.")
        return Entry(Channel.EMAIL, domain=_fold_domain(domain.removeprefix("*.")), is_below=is_below)
    try:
        return Entry(Channel.SMS, hash_address(normalise_phone(text)))
    except BadPhone as error:
        raise NotAnEntry(text) from error


def read_list(lines: Iterable[str], *, plain_hashes: bool = False) -> Iterator[Entry | None]:
    """The entries of a file, line by line; None for a line that is none. The first column counts, or `value` where the file is
    one that the list was taken out as. A head and blank lines are passed over. Raises ValidationError beyond MOST_LINES."""
    place, channel_at, is_first = 0, None, True
    for number, row in enumerate(csv.reader(lines), start=1):
        if number > MOST_LINES:
            raise ValidationError(_("A list may have %(n)s lines.") % {"n": f"{MOST_LINES:,}"})
        if not any(cell.strip() for cell in row):
            continue
        if is_first:
            is_first = False
            head = [cell.strip().lower().lstrip("\ufeff") for cell in row]
            if "value" in head:
                place, channel_at = head.index("value"), head.index("channel") if "channel" in head else None
                continue
            if head[0] in {"email", "e-mail", "mail", "address", "domain", "phone", "hash", "邮箱", "电子邮件"}:
                continue
        try:
            entry = read_entry(row[place].lstrip("\ufeff'"), plain_hashes=plain_hashes)
        except (NotAnEntry, IndexError):
            yield None
            continue
        channel = row[channel_at].strip() if channel_at is not None and channel_at < len(row) else ""
        yield replace(entry, channel=channel) if channel in Channel.values else entry


@transaction.atomic
def add_entries(entries: Iterable[Entry | None], *, actor: User, note: str, source: str = "staff") -> Counter[str]:
    """Put entries on the list, each once; returns how many were `added`, stood there `before`,
    are of `nobody` here, are `unread`.

    One line in the audit log, with the counts and no address. Safe to run twice.
    """
    counts: Counter[str] = Counter()
    rows = iter(entries)
    while batch := list(islice(rows, _BATCH)):
        counts += _add_batch([entry for entry in batch if entry is not None], note.strip()[:200], source)
        counts["unread"] += sum(entry is None for entry in batch)
    record_audit(AuditAction.SUPPRESSED_BY_STAFF, actor=actor, about=("suppression", ""), **counts)
    return +counts


def _add_batch(entries: Sequence[Entry], note: str, source: str) -> Counter[str]:
    counts: Counter[str] = Counter()
    domains = {(entry.domain, entry.is_below) for entry in entries if entry.domain}
    hashes = {(entry.channel, entry.address_hash) for entry in entries if entry.address_hash and not entry.is_plain}
    if plain := {entry.address_hash for entry in entries if entry.is_plain}:
        known = _find_plain(plain)
        hashes |= {(Channel.EMAIL, hash_address(address)) for address in known.values()}
        counts["nobody"] = len(plain - known.keys())
    added = 0
    with connection.cursor() as cursor:
        if domains:
            names, below = zip(*sorted(domains), strict=True)
            cursor.execute(
                "INSERT INTO customers_suppresseddomain (domain, is_below, note) SELECT domain, is_below, %s"
                " FROM unnest(%s::text[], %s::boolean[]) AS given(domain, is_below) ON CONFLICT DO NOTHING"
                " RETURNING domain, is_below",
                [note, list(names), list(below)],
            )
            new = cursor.fetchall()
            added += len(new)
            note_domains(new)
    added += suppress_hashes(hashes, reason=Suppression.Reason.STAFF, source=source, note=note)
    counts["added"] = added
    counts["before"] = len(domains) + len(hashes) - added
    return counts


def _find_plain(hashes: set[str]) -> dict[str, str]:
    """The addresses of customers whose bare SHA-256, in small letters, is among `hashes`."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT hash, email FROM (
                 SELECT email, encode(sha256(convert_to(lower(btrim(email)), 'UTF8')), 'hex') AS hash
                 FROM customers_customer WHERE email <> '') AS known
               WHERE hash = ANY(%s)""",
            [sorted(hashes)],
        )
        return dict(cursor.fetchall())


@transaction.atomic
def lift_suppression(pk: int, *, actor: User, why: str) -> bool:
    """Take an address off the list. It gives nobody's consent back. Raises ValidationError where that address has to stay.

    Who was erased stays for good; who left or complained, unless the person asked for it in writing.
    """
    row = Suppression.objects.select_for_update().filter(pk=pk).first()
    if row is None:
        return False
    reason = WhyLifted(why)
    if row.reason == Suppression.Reason.ERASED:
        raise ValidationError(_("Whoever was erased stays on the list: so that no file brings them back."))
    own = (Suppression.Reason.UNSUBSCRIBED, Suppression.Reason.COMPLAINED)
    if row.reason in own and reason is not WhyLifted.ASKED:
        raise ValidationError(
            _("They said no themselves: only they can take that back, in writing or on their own page.")
        )
    row.delete()
    note_lifted(row.channel, row.address_hash)
    record_audit(
        AuditAction.SUPPRESSION_LIFTED, actor=actor, about=("suppression", pk), why=reason.value, was=row.reason
    )
    return True


@transaction.atomic
def lift_domain(pk: int, *, actor: User, why: str) -> bool:
    """The same for a domain. Addresses of it that are listed themselves stay."""
    reason = WhyLifted(why)
    row = SuppressedDomain.objects.select_for_update().filter(pk=pk).first()
    if row is None:
        return False
    row.delete()
    note_domain_lifted(row.domain, is_below=row.is_below)
    record_audit(AuditAction.SUPPRESSION_LIFTED, actor=actor, about=("suppressed domain", pk), why=reason.value)
    return True


def write_list() -> Iterator[str]:
    """The list as lines of CSV, domains first: what `read_list` takes in again where the site has the same key."""
    yield _line(COLUMNS)
    for row in SuppressedDomain.objects.order_by("domain", "is_below").iterator():
        yield _line(
            (Channel.EMAIL.value, "domain", str(row), Suppression.Reason.STAFF.value, row.note, _day(row.created_at))
        )
    for kept in Suppression.objects.order_by("pk").iterator(chunk_size=_BATCH):
        yield _line((kept.channel, "address", kept.address_hash, kept.reason, kept.note, _day(kept.created_at)))


def _line(cells: Iterable[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow([f"'{cell}" if cell[:1] in "=+-@\t\r" and cell else cell for cell in cells])
    return buffer.getvalue()


def _day(moment: dt.datetime) -> str:
    return moment.strftime("%Y-%m-%d")


def _fold_domain(text: str) -> str:
    try:
        folded = text.strip().lower().strip(".").encode("idna").decode("ascii")
    except UnicodeError as error:
        raise NotAnEntry(text) from error
    if not _DOMAIN.fullmatch(folded):
        raise NotAnEntry(text)
    return folded
