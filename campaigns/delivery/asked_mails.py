"""Sends mails that a person asked for and waits for: each marked before the network is touched, and one in doubt never again
by itself.

They belong to no campaign: no cap, no hold-out, no quiet hours. The fence, the door and the care for what may have left are
those of every message. The rows (`AskedMail`) are the outbox.
"""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog
from django.conf import settings
from django.db import connection
from django.utils.translation import override

from campaigns.content.rendering import RenderedMessage
from campaigns.delivery.channels import Channel, ChannelUnavailable, Envelope, Letter, Outcome
from campaigns.delivery.channels.choice import open_channel as open_door
from campaigns.delivery.fence.gate import Leave, ask_leave
from campaigns.delivery.mime import BadAddress, Sender, build_content, normalise_address
from campaigns.delivery.outbox import MAX_ATTEMPTS, retry_wait_s, sending_lease_s
from campaigns.delivery.slots import sending_slot
from campaigns.delivery.unsubscribe import interface_language
from campaigns.models.asked_mail import AskedMail, MailState
from customers.ingest.consent import address_hash_sql, suppressed_domain_sql

log = structlog.get_logger(__name__)

_BLOCKED: Final = "suppressed"


@dataclass(frozen=True)
class Errand:
    """A kind of such mails: its name in logs and Message-IDs, its rows, the column (text) that its words need, and the words in
    the language that is active, of the row's number and that column."""

    name: str
    model: type[AskedMail]
    column: str
    write: Callable[[int, str], RenderedMessage]

    @property
    def table(self) -> str:
        return self.model._meta.db_table


@dataclass(frozen=True)
class _Marked:
    """One mail that may leave now."""

    id: int
    mails: int
    attempts: int
    address: str
    words: str
    language: str
    marked_at: dt.datetime  # by the database's clock


def send_asked_mails(
    errand: Errand, *, seconds: float, open_channel: Callable[[], Channel] = open_door
) -> Counter[str]:
    """Send what waits, for `seconds` at most; returns how many by what became of them.

    Any number of these may run at once. A kill leaves one mail `unknown` at most: the person may ask for another.
    """
    counts: Counter[str] = Counter()
    counts["given up"] = _give_up_stuck(errand)
    waits = f"SELECT EXISTS (SELECT 1 FROM {errand.table} WHERE state = '{AskedMail.WAITS}' AND mail = 'queued')"
    with connection.cursor() as cursor:
        cursor.execute(waits)
        if not cursor.fetchone()[0]:
            return +counts
    leave = ask_leave()
    if leave is None:  # a restored backup, until a person confirms
        return +counts
    try:
        with sending_slot(settings.SMTP_CONNECTIONS) as is_free:
            if is_free:
                counts += _work_off(errand, open_channel(), leave, time.monotonic() + seconds)
    finally:
        leave.close()
    log.info("asked_mails", errand=errand.name, **{name.replace(" ", "_"): count for name, count in counts.items()})
    return +counts


def _work_off(errand: Errand, door: Channel, leave: Leave, deadline: float) -> Counter[str]:
    counts: Counter[str] = Counter()
    try:
        while time.monotonic() < deadline:
            try:
                door.ensure_open()
            except ChannelUnavailable as error:
                log.warning("asked_mails_no_server", errand=errand.name, phase=error.phase)
                break
            marked = _mark_next(errand, leave)
            if marked is None:
                break
            counts[_send(errand, door, marked)] += 1
    finally:
        door.close()
    return counts


def _mark_next(errand: Errand, leave: Leave) -> _Marked | None:
    """`queued -> sending` of the next one, committed before this returns; those that must not leave are failed on the way."""
    statement = _MARK.format(table=errand.table, column=errand.column)
    while True:
        with connection.cursor() as cursor:
            cursor.execute(statement, {"epoch": leave.epoch, "moved": leave.moved})
            row = cursor.fetchone()
        if row is None:
            return None
        *values, may_leave = row
        if may_leave:
            return _Marked(*values)


def _send(errand: Errand, door: Channel, marked: _Marked) -> str:
    try:
        envelope = _compose(errand, marked)
    except BadAddress:
        return _settle(errand, marked, MailState.FAILED, "bad address")
    reply = door.deliver(envelope)
    if reply.outcome is Outcome.ACCEPTED:
        return _settle(errand, marked, MailState.SENT, reply.summary)
    if reply.outcome is Outcome.FAILED:
        return _settle(errand, marked, MailState.FAILED, reply.summary)
    if reply.outcome is Outcome.RETRY:
        if marked.attempts >= MAX_ATTEMPTS:
            return _settle(errand, marked, MailState.FAILED, reply.summary)
        wait_s = max(retry_wait_s(marked.attempts), reply.wait_s)
        return _settle(errand, marked, MailState.QUEUED, reply.summary, wait_s)
    return _settle(errand, marked, MailState.UNKNOWN, reply.summary)


def _settle(errand: Errand, marked: _Marked, mail: str, response: str, wait_s: float | None = None) -> str:
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {errand.table} SET mail = %s, response = %s,"
            " not_before = clock_timestamp() + make_interval(secs => %s)"
            " WHERE id = %s AND mails = %s AND mail IN ('sending', 'unknown')",
            [mail, response[:300], wait_s, marked.id, marked.mails],
        )
    return "waits" if mail == MailState.QUEUED else str(mail)


def _compose(errand: Errand, marked: _Marked) -> Envelope:
    sender = Sender(settings.SHOP_NAME, settings.SHOP_FROM_EMAIL)
    recipient = normalise_address(marked.address)
    with override(interface_language(marked.language)):
        copy = errand.write(marked.id, marked.words)
    name = f"{errand.name}.{marked.id}.{marked.mails}"
    content = build_content(
        copy, sender=sender, recipient=recipient, message_id=f"<{name}@{sender.domain}>", unsubscribe_url="",
        sent_at=marked.marked_at,
    )  # fmt: skip
    letter = Letter(sender.name, sender.address, copy.subject, copy.text, copy.html)
    return Envelope(sender.address, recipient, content, name, letter)


def _give_up_stuck(errand: Errand) -> int:
    """`sending -> unknown` where a worker died: it may have left."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {errand.table} SET mail = 'unknown', response = 'the worker died'"
            f" WHERE state = '{AskedMail.WAITS}' AND mail = 'sending'"
            " AND sending_at < clock_timestamp() - make_interval(secs => %s)",
            [sending_lease_s()],
        )
        return int(cursor.rowcount)


# An unsubscription does not hold it back: the person asks for it. All else that is suppressed does.
_MARK: Final = f"""
UPDATE {{table}} r
SET mail = CASE WHEN found.may_leave THEN 'sending' ELSE 'failed' END,
    response = CASE WHEN found.may_leave THEN r.response ELSE '{_BLOCKED}' END,
    attempts = r.attempts + 1, sending_at = clock_timestamp()
FROM (
    SELECT q.id, c.email, q.expires_at > clock_timestamp() AND c.email <> ''
           AND q.address_hash = {address_hash_sql("c.email")}
           AND NOT {suppressed_domain_sql("c.email")}
           AND NOT EXISTS (SELECT 1 FROM customers_suppression s WHERE s.channel = 'email' AND s.reason <> 'unsubscribed'
                           AND s.address_hash = {address_hash_sql("c.email")}) AS may_leave
    FROM {{table}} q JOIN customers_customer c ON c.id = q.customer_id
    WHERE q.state = '{AskedMail.WAITS}' AND q.mail = 'queued'
      AND (q.not_before IS NULL OR q.not_before <= clock_timestamp())
      AND EXISTS (SELECT 1 FROM campaigns_sendingepoch e
                  WHERE e.epoch = %(epoch)s AND e.moved >= %(moved)s AND e.fenced_at IS NULL)
    ORDER BY q.id LIMIT 1 FOR UPDATE OF q SKIP LOCKED
) AS found
WHERE r.id = found.id
RETURNING r.id, r.mails, r.attempts, found.email, r.{{column}}, r.language, r.sending_at, found.may_leave
"""
