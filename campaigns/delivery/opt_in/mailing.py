"""Sends the mails that ask for a confirmation: each marked before the network is touched, and one in doubt never again by itself.

They belong to no campaign: no cap, no hold-out, no quiet hours, because the person waits for it. The fence, the door and the
care for what may have left are those of every message.
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
from django.utils.html import escape
from django.utils.translation import gettext as _
from django.utils.translation import override

from campaigns.content.rendering import RenderedMessage
from campaigns.delivery.channels import Channel, ChannelUnavailable, Envelope, Letter, Outcome
from campaigns.delivery.channels.choice import open_channel as open_door
from campaigns.delivery.fence.gate import Leave, ask_leave
from campaigns.delivery.mime import BadAddress, Sender, build_content, normalise_address
from campaigns.delivery.outbox import MAX_ATTEMPTS, retry_wait_s, sending_lease_s
from campaigns.delivery.slots import sending_slot
from campaigns.delivery.unsubscribe import interface_language
from campaigns.models import OptInRequest
from customers.ingest.consent import address_hash_sql, suppressed_domain_sql

from .confirming import confirm_url

log = structlog.get_logger(__name__)

Mail = OptInRequest.Mail
_BLOCKED: Final = "suppressed"


@dataclass(frozen=True)
class _Marked:
    """One mail that may leave now."""

    id: int
    mails: int
    attempts: int
    address: str
    wording: str
    language: str
    marked_at: dt.datetime  # by the database's clock


def mail_waiting_requests(*, seconds: float, open_channel: Callable[[], Channel] = open_door) -> Counter[str]:
    """Mail what waits, for `seconds` at most; returns how many by what became of them.

    Any number of these may run at once. A kill leaves one mail `unknown` at most: the person may ask for another.
    """
    counts: Counter[str] = Counter()
    counts["given up"] = _give_up_stuck()
    if not OptInRequest.objects.filter(state=OptInRequest.State.WAITING, mail=Mail.QUEUED).exists():
        return +counts
    leave = ask_leave()
    if leave is None:  # a restored backup, until a person confirms
        return +counts
    try:
        with sending_slot(settings.SMTP_CONNECTIONS) as is_free:
            if is_free:
                counts += _work_off(open_channel(), leave, time.monotonic() + seconds)
    finally:
        leave.close()
    log.info("opt_in_mailed", **{name.replace(" ", "_"): count for name, count in counts.items()})
    return +counts


def _work_off(door: Channel, leave: Leave, deadline: float) -> Counter[str]:
    counts: Counter[str] = Counter()
    try:
        while time.monotonic() < deadline:
            try:
                door.ensure_open()
            except ChannelUnavailable as error:
                log.warning("opt_in_no_server", phase=error.phase)
                break
            marked = _mark_next(leave)
            if marked is None:
                break
            counts[_send(door, marked)] += 1
    finally:
        door.close()
    return counts


def _mark_next(leave: Leave) -> _Marked | None:
    """`queued -> sending` of the next one, committed before this returns; those that must not leave are failed on the way."""
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_MARK, {"epoch": leave.epoch, "moved": leave.moved})
            row = cursor.fetchone()
        if row is None:
            return None
        *values, may_leave = row
        if may_leave:
            return _Marked(*values)


def _send(door: Channel, marked: _Marked) -> str:
    try:
        envelope = _compose(marked)
    except BadAddress:
        return _settle(marked, Mail.FAILED, "bad address")
    reply = door.deliver(envelope)
    if reply.outcome is Outcome.ACCEPTED:
        return _settle(marked, Mail.SENT, reply.summary)
    if reply.outcome is Outcome.FAILED:
        return _settle(marked, Mail.FAILED, reply.summary)
    if reply.outcome is Outcome.RETRY:
        if marked.attempts >= MAX_ATTEMPTS:
            return _settle(marked, Mail.FAILED, reply.summary)
        return _settle(marked, Mail.QUEUED, reply.summary, max(retry_wait_s(marked.attempts), reply.wait_s))
    return _settle(marked, Mail.UNKNOWN, reply.summary)


def _settle(marked: _Marked, mail: str, response: str, wait_s: float | None = None) -> str:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE campaigns_optinrequest SET mail = %s, response = %s,"
            " not_before = clock_timestamp() + make_interval(secs => %s)"
            " WHERE id = %s AND mails = %s AND mail IN ('sending', 'unknown')",
            [mail, response[:300], wait_s, marked.id, marked.mails],
        )
    return "waits" if mail == Mail.QUEUED else str(mail)


def _compose(marked: _Marked) -> Envelope:
    sender = Sender(settings.SHOP_NAME, settings.SHOP_FROM_EMAIL)
    recipient = normalise_address(marked.address)
    with override(interface_language(marked.language)):
        copy = write_mail(confirm_url(marked.id), marked.wording)
    name = f"opt-in.{marked.id}.{marked.mails}"
    content = build_content(
        copy, sender=sender, recipient=recipient, message_id=f"<{name}@{sender.domain}>", unsubscribe_url="",
        sent_at=marked.marked_at,
    )  # fmt: skip
    letter = Letter(sender.name, sender.address, copy.subject, copy.text, copy.html)
    return Envelope(sender.address, recipient, content, name, letter)


def write_mail(url: str, wording: str) -> RenderedMessage:
    """The words, in the language that is active. No offer stands in it: it may only ask."""
    shop, days = settings.SHOP_NAME, settings.OPT_IN_LINK_DAYS
    subject = _("Please confirm: news from %(shop)s") % {"shop": shop}
    asked = _("Somebody, we hope you, asked for mail from %(shop)s at this address.") % {"shop": shop}
    button = _("Yes, write to me")
    ignore = _(
        "If it was not you, do nothing: without your yes we send you nothing. The link works for %(days)s days."
    ) % {"days": days}
    parts = [asked, f"“{wording}”" if wording else "", f"{button}:\n{url}", ignore, settings.SHOP_POSTAL_ADDRESS]
    html = (
        '<div style="max-width:34em;margin:0 auto;font:16px/1.5 system-ui,sans-serif;color:#222">'
        f"<p>{escape(asked)}</p>"
        + (
            f'<blockquote style="margin:0;padding-left:1em;border-left:3px solid #ccc">{escape(wording)}</blockquote>'
            if wording
            else ""
        )
        + f'<p style="margin:1.5em 0"><a href="{escape(url)}" style="background:#b4441b;color:#fff;padding:.75em 1.25em;'
        f'border-radius:.5em;text-decoration:none;display:inline-block">{escape(button)}</a></p>'
        f'<p style="color:#666;font-size:14px">{escape(ignore)}</p>'
        f'<p style="color:#666;font-size:14px">{escape(settings.SHOP_POSTAL_ADDRESS)}</p></div>'
    )
    return RenderedMessage(subject, "", html, "\n\n".join(part for part in parts if part))


def _give_up_stuck() -> int:
    """`sending -> unknown` where a worker died: it may have left."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE campaigns_optinrequest SET mail = 'unknown', response = 'the worker died'"
            " WHERE state = 'waiting' AND mail = 'sending'"
            " AND sending_at < clock_timestamp() - make_interval(secs => %s)",
            [sending_lease_s()],
        )
        return int(cursor.rowcount)


# An unsubscription does not hold it back: the person asks to come back. All else that is suppressed does.
_MARK: Final = f"""
UPDATE campaigns_optinrequest r
SET mail = CASE WHEN found.may_leave THEN 'sending' ELSE 'failed' END,
    response = CASE WHEN found.may_leave THEN r.response ELSE '{_BLOCKED}' END,
    attempts = r.attempts + 1, sending_at = clock_timestamp()
FROM (
    SELECT q.id, c.email, q.expires_at > clock_timestamp() AND c.email <> ''
           AND q.address_hash = {address_hash_sql("c.email")}
           AND NOT {suppressed_domain_sql("c.email")}
           AND NOT EXISTS (SELECT 1 FROM customers_suppression s WHERE s.channel = 'email' AND s.reason <> 'unsubscribed'
                           AND s.address_hash = {address_hash_sql("c.email")}) AS may_leave
    FROM campaigns_optinrequest q JOIN customers_customer c ON c.id = q.customer_id
    WHERE q.state = 'waiting' AND q.mail = 'queued' AND (q.not_before IS NULL OR q.not_before <= clock_timestamp())
      AND EXISTS (SELECT 1 FROM campaigns_sendingepoch e
                  WHERE e.epoch = %(epoch)s AND e.moved >= %(moved)s AND e.fenced_at IS NULL)
    ORDER BY q.id LIMIT 1 FOR UPDATE OF q SKIP LOCKED
) AS found
WHERE r.id = found.id
RETURNING r.id, r.mails, r.attempts, found.email, r.wording, r.language, r.sending_at, found.may_leave
"""
