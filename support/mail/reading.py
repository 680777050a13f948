"""One mail as we understand it. Pure: no framework."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import Message

from .authentication import Verdict, read_results
from .automatic import Automatic, find_automatic
from .bodies import SentFile, read_body
from .headers import (
    Mailbox,
    decode_words,
    describe_fields,
    find_field,
    find_fields,
    list_fields,
    read_date,
    read_mailboxes,
    read_message_ids,
)
from .quoting import cut_quoted

LONGEST_HEADERS = 20_000
MOST_REFERENCES = 30


@dataclass(frozen=True)
class ReadMail:
    """`key` is the same for every copy of the mail. `references`: what it answers, the nearest first, without brackets.

    `said` is what is new in it, `whole` everything; `verdict` what our own mail server says of its sender.
    """

    key: str
    message_id: str
    references: tuple[str, ...]
    sender: Mailbox
    recipients: tuple[Mailbox, ...]
    subject: str
    written_at: dt.datetime
    said: str
    whole: str
    is_cut: bool
    headers: str
    automatic: Automatic
    verdict: Verdict
    files: tuple[SentFile, ...]


def parse_bytes(raw: bytes) -> Message:
    """The mail's structure; of one that is nested too deep to be taken apart, its header and its bytes as text."""
    try:
        return message_from_bytes(raw, policy=policy.compat32)
    except RecursionError:
        head, _empty, rest = raw.partition(b"\n\n" if b"\n\n" in raw else b"\r\n\r\n")
        mail = Message(policy.compat32)
        for name, value in message_from_bytes(head, policy=policy.compat32).raw_items():
            if str(name).lower() != "content-type":
                mail[name] = str(value)
        mail.set_payload(rest.decode("ascii", "surrogateescape"))
        return mail


def read_mail(
    mail: Message, *, received_at: dt.datetime, trusted_server: str = "", our_addresses: Collection[str] = ()
) -> ReadMail:
    """Everything that we go by, from one mail."""
    fields = list_fields(mail)
    sender, is_clear = _find_sender(fields)
    body = read_body(mail)
    parts = cut_quoted(body.text)
    message_id = next(iter(read_message_ids(find_field(fields, "message-id"))), "")
    subject = decode_words(find_field(fields, "subject"))
    verdict = read_results(fields, server=trusted_server, sender_domain=sender.domain if is_clear else "")
    return ReadMail(
        key=derive_key(message_id, sender.address, find_field(fields, "date"), subject, body.text),
        message_id=message_id,
        references=_find_references(fields),
        sender=sender,
        recipients=tuple(box for name in ("to", "cc") for box in read_mailboxes(find_field(fields, name)))[:20],
        subject=subject,
        written_at=read_date(find_field(fields, "date"), received_at=received_at),
        said=parts.said,
        whole=body.text,
        is_cut=parts.is_cut,
        headers=describe_fields(mail, longest=LONGEST_HEADERS).replace("\x00", ""),
        automatic=find_automatic(
            fields, content_type=mail.get_content_type(), sender=sender.address, our_addresses=our_addresses
        ),
        verdict=verdict,
        files=body.files,
    )


def derive_key(message_id: str, *content: str) -> str:
    """By the Message-ID, as RFC 5322 (3.6.4) means it; of a mail without one, by what it says."""
    named = f"id\0{message_id}" if message_id else "\0".join(("content", *content))
    return hashlib.sha256(named.encode("utf-8", "surrogatepass")).hexdigest()


def _find_sender(fields: list[tuple[str, str]]) -> tuple[Mailbox, bool]:
    """Who From names, and whether it names one person in one field: with two, servers and people may see different ones."""
    values = find_fields(fields, "from")
    boxes = [box for value in values for box in read_mailboxes(value) if box.address]
    return (boxes[0] if boxes else Mailbox()), len(values) == len(boxes) == 1


def _find_references(fields: list[tuple[str, str]]) -> tuple[str, ...]:
    answered = read_message_ids(find_field(fields, "in-reply-to"))
    earlier = read_message_ids(find_field(fields, "references"))
    return tuple(dict.fromkeys([*answered, *reversed(earlier)]))[:MOST_REFERENCES]
