"""Mail about our mail, read with the standard library: delivery reports (RFC 3464) and spam complaints (RFC 5965).

Whom it is about is told by a name that we signed: in the bounce address that it came to (VERP), else in the headers of our
message that it brings back. Without such a name it is about nothing of ours. Everything else in it may be made up.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import Message
from email.utils import parsedate_to_datetime

from campaigns.models import DeliveryKind

from .channels import Cause
from .channels.refusals import find_cause, is_lasting
from .channels.smtp import decode_answer
from .names import MessageKey, read_name
from .report import Report

PROVIDER = "mail"
#: Larger mail is no report; the reports that servers send bring back little of the message.
LONGEST_MAIL = 5_000_000
#: Where the name may stand in the envelope, as mail servers and delivery agents note it.
_ENVELOPE_HEADERS = ("Delivered-To", "X-Original-To", "Envelope-To", "To")
_ORIGINAL_HEADERS = ("Message-ID", "Return-Path", "X-Original-Message-ID")
_KIND_BY_ACTION = {
    "failed": DeliveryKind.BOUNCED,
    "delayed": DeliveryKind.DEFERRED,
    "delivered": DeliveryKind.DELIVERED,
    "relayed": DeliveryKind.ACCEPTED,
    "expanded": DeliveryKind.ACCEPTED,
}
#: Older than this the date of a report is a broken clock.
DATE_TRUSTED = dt.timedelta(days=7)


def read_report_mail(raw: bytes, *, now: dt.datetime, recipient: str = "") -> list[Report]:
    """The reports in one mail (RFC 5322); [] for any other mail and for what is about no message of ours.

    `recipient` is the address that it came to, where the caller knows it. Never raises for what a mail may hold.
    """
    if len(raw) > LONGEST_MAIL:
        return []
    try:
        mail = message_from_bytes(raw, policy=policy.compat32)
        key = _find_message(mail, recipient)
        return [] if key is None else list(_read(mail, key, now))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return []  # the email package raises these for some broken mail


def _read(mail: Message, key: MessageKey, now: dt.datetime) -> Iterator[Report]:
    happened = _read_date(mail, now)
    for part in mail.walk():
        if part.get_content_type() == "message/delivery-status":
            yield from _read_statuses(_fields_of(part), key, happened)
        elif part.get_content_type() == "message/feedback-report":
            for fields in _fields_of(part)[:1]:
                if str(fields.get("Feedback-Type", "")).strip().lower() in {"abuse", "fraud", "other"}:
                    yield _make_report(key, DeliveryKind.COMPLAINED, "complaint", "", happened)


def _read_statuses(blocks: list[Message], key: MessageKey, happened: dt.datetime) -> Iterator[Report]:
    """One block for the message, then one for each recipient (RFC 3464, 2.1); ours have one recipient each."""
    for fields in blocks:
        kind = _KIND_BY_ACTION.get(str(fields.get("Action", "")).strip().lower())
        if kind is None:
            continue
        status = str(fields.get("Status", "")).strip()
        answer = decode_answer(" ".join(str(fields.get("Diagnostic-Code", "")).split()))
        if kind == DeliveryKind.BOUNCED and is_lasting(status, answer) is False:
            kind = DeliveryKind.SOFT_BOUNCED
        address = _read_address(fields.get("Original-Recipient")) or _read_address(fields.get("Final-Recipient"))
        yield _make_report(key, kind, f"{status} {answer}".strip(), address, happened)


def _make_report(key: MessageKey, kind: DeliveryKind, detail: str, address: str, happened: dt.datetime) -> Report:
    """Its identity is what it says: a report that comes twice, or of two servers with the same words, is one."""
    said = "\0".join((str(key), kind, detail, address.casefold()))
    is_failure = kind in {DeliveryKind.BOUNCED, DeliveryKind.SOFT_BOUNCED}
    return Report(
        provider=PROVIDER,
        event_id=hashlib.sha256(said.encode()).hexdigest(),
        key=key,
        kind=kind,
        occurred_at=happened,
        address=address,
        trusts_address=False,
        detail=detail,
        cause=find_cause(0, detail) if is_failure else Cause.NONE,
    )


def _find_message(mail: Message, recipient: str) -> MessageKey | None:
    """By the bounce address first: it is in the envelope, which the reporting server answers to."""
    for text in (recipient, *(str(value) for name in _ENVELOPE_HEADERS for value in mail.get_all(name, []))):
        if key := read_name(text):
            return key
    if mail.get_content_type() != "multipart/report":
        return None
    for part in mail.walk():
        if part is not mail and part.get_content_type() in {"message/rfc822", "text/rfc822-headers"}:
            text = " ".join(_original_headers(part))
            if key := read_name(text):
                return key
    return None


def _original_headers(part: Message) -> Iterator[str]:
    payload = part.get_payload()
    if isinstance(payload, list):
        originals = [inner for inner in payload if isinstance(inner, Message)]
    else:
        originals = [message_from_bytes(_bytes_of(part), policy=policy.compat32)]
    for original in originals:
        for name in _ORIGINAL_HEADERS:
            yield from (str(value) for value in original.get_all(name, []))


def _fields_of(part: Message) -> list[Message]:
    """The blocks of header fields of a report: the email package reads each as a message without a body."""
    payload = part.get_payload()
    if isinstance(payload, list):
        return [block for block in payload if isinstance(block, Message)]
    blocks = re.split(rb"\r?\n\r?\n", _bytes_of(part))
    return [message_from_bytes(block, policy=policy.compat32) for block in blocks]


def _bytes_of(part: Message) -> bytes:
    raw = part.get_payload(decode=True)
    return raw if isinstance(raw, bytes) else b""


def _read_address(value: object) -> str:
    """The address of "rfc822; kim@shopper.test"; "" where it is of another kind."""
    kind, _semicolon, address = str(value or "").partition(";")
    address = address.strip().strip("<>")
    return address if kind.strip().lower() in {"rfc822", "utf-8"} and "@" in address else ""


def _read_date(mail: Message, now: dt.datetime) -> dt.datetime:
    try:
        date = parsedate_to_datetime(str(mail.get("Date", "")))
    except (ValueError, TypeError):
        return now
    date = date if date.tzinfo else date.replace(tzinfo=dt.UTC)
    return date if now - DATE_TRUSTED <= date <= now else now
