"""Takes one mail in, by whichever way it came: once, into its conversation, tied to nobody without a proof.

One transaction: the mail is noted as seen, written down, sorted, and a complaint holds promotions from its commit on.
The same mail
again, by the same way or the other, changes nothing.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Callable
from email.message import Message

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction

from customers.models import Customer
from support.inbox.linking import find_writer
from support.inbox.opening import Incoming
from support.inbox.tying import tie_ticket
from support.models import MailOutcome, MailSource, MailWay, SeenMail, Ticket, TicketChannel, TicketMessage, TiedBy
from support.triage.deciding import receive

from .attaching import keep_files
from .automatic import Automatic
from .reading import ReadMail, read_mail
from .replies import Answered, find_answered

log = structlog.get_logger(__name__)

#: A person does not write more; two machines that do not say that they are any do.
MOST_PER_HOUR = 30
_PREFIXES = re.compile(r"^(?:(?:re|aw|sv|antw|fwd?|wg|回复|答复|转发)\s?[:：]\s*)+", re.IGNORECASE)


def take_in_mail(
    mail: Message,
    *,
    way: MailWay,
    received_at: dt.datetime,
    now: dt.datetime,
    is_cut: bool = False,
    place: str = "",
    and_then: Callable[[MailOutcome | None], None] = lambda _outcome: None,
) -> MailOutcome | None:
    """What became of it; None where it was seen before. `is_cut`: the mail was larger than we read. `and_then` is done with
    that in the same transaction. Raises only where the database is away: a mail that we fail at is noted, so that it
    holds up no other."""
    received_at = min(received_at, now)
    try:
        with transaction.atomic():
            outcome = _take_in(mail, way=way, received_at=received_at, now=now, is_cut=is_cut, place=place)
            and_then(outcome)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        log.error("mail_unreadable", way=way.value, place=place, error=type(error).__name__)
        with transaction.atomic():
            outcome = _note_unreadable(way=way, place=place, now=now)
            and_then(outcome)
    return outcome


def _take_in(
    mail: Message, *, way: MailWay, received_at: dt.datetime, now: dt.datetime, is_cut: bool, place: str
) -> MailOutcome | None:
    trusted, ours = settings.SUPPORT_AUTH_SERVER, list_our_addresses()
    read = read_mail(mail, received_at=received_at, trusted_server=trusted, our_addresses=ours)
    outcome = _judge(read, now)
    if not _note(read.key, way=way, outcome=outcome, place=place, now=now):
        return None
    if outcome == MailOutcome.TAKEN:
        _write_down(read, way=way, received_at=received_at, now=now, is_cut=is_cut)
    log.info("mail_in", way=way.value, outcome=outcome.value)
    return outcome


def list_our_addresses() -> set[str]:
    """The addresses that we send from: mail from one of them is our own."""
    ours = (settings.SUPPORT_ADDRESS, settings.SHOP_FROM_EMAIL, settings.EMAIL_BOUNCE_ADDRESS)
    return {address.strip().lower() for address in ours if address}


def _judge(read: ReadMail, now: dt.datetime) -> MailOutcome:
    if read.automatic is not Automatic.NO:
        return MailOutcome(read.automatic.value)
    if not read.sender.address:
        return MailOutcome.NOBODY
    lately = MailSource.objects.filter(
        from_address=read.sender.address, received_at__gt=now - dt.timedelta(hours=1), received_at__lte=now
    )
    return MailOutcome.FLOOD if lately.count() >= MOST_PER_HOUR else MailOutcome.TAKEN


def _note(key: str, *, way: MailWay, outcome: MailOutcome, place: str, now: dt.datetime) -> bool:
    """Whether it is new. Another process that takes the same mail in is waited for."""
    _row, is_new = SeenMail.objects.get_or_create(
        key=key, defaults={"way": way, "outcome": outcome, "place": place[:80], "seen_at": now}
    )
    return is_new


def _note_unreadable(*, way: MailWay, place: str, now: dt.datetime) -> MailOutcome | None:
    """A mail that cannot be taken apart is left where it is, and the page says where."""
    key = hashlib.sha256(f"unreadable\0{way}\0{place or now.isoformat()}".encode()).hexdigest()
    is_new = _note(key, way=way, outcome=MailOutcome.UNREADABLE, place=place, now=now)
    return MailOutcome.UNREADABLE if is_new else None


def _write_down(read: ReadMail, *, way: MailWay, received_at: dt.datetime, now: dt.datetime, is_cut: bool) -> None:
    answered = find_answered(read)
    taken = receive(_make_incoming(read, answered, now), now=now)
    _keep_source(read, taken.message, way=way, received_at=received_at)
    keep_files(taken.message, read.files, is_cut=is_cut)
    if answered.ticket is not None:
        _tie_later(read, taken.ticket, now)


def _make_incoming(read: ReadMail, answered: Answered, now: dt.datetime) -> Incoming:
    customer, tied_by = _find_customer(read, answered)
    thread = f"mail:{read.key}"
    if answered.sent is not None:  # a second answer to the same message of ours continues the first
        sender = hashlib.sha256(read.sender.address.encode()).hexdigest()[:16]
        thread = f"sent:{answered.sent.number}:{sender}"
    return Incoming(
        channel=TicketChannel.MAIL,
        thread=thread,
        external_id=read.key,
        text=read.said,
        written_at=read.written_at,
        subject=_PREFIXES.sub("", read.subject),
        email=read.sender.address,
        name=read.sender.name,
        customer=customer,
        tied_by=tied_by,
        ticket=answered.ticket.pk if answered.ticket else None,
        sent_number=answered.sent.number if answered.sent else None,
    )


def _find_customer(read: ReadMail, answered: Answered) -> tuple[Customer | None, TiedBy]:
    """Whose mail it is proved to be: who answers what was sent to them alone, or whom our mail server vouches for."""
    sent = answered.sent
    if sent is not None and sent.customer.email.strip().lower() == read.sender.address:
        return sent.customer, TiedBy.REPLY
    if read.verdict.is_proven:
        return find_writer(read.sender.address), TiedBy.SERVER
    return None, TiedBy.CHANNEL


def _tie_later(read: ReadMail, ticket: Ticket, now: dt.datetime) -> None:
    """A conversation of nobody's, whose writer proves now who they are."""
    is_the_writer = ticket.writer_email.lower() == read.sender.address
    if ticket.customer_id is not None or not is_the_writer or not read.verdict.is_proven:
        return
    if (customer := find_writer(read.sender.address)) is not None:
        tie_ticket(ticket, customer, by=TiedBy.SERVER, now=now)


def _keep_source(read: ReadMail, message: TicketMessage, *, way: MailWay, received_at: dt.datetime) -> None:
    MailSource.objects.create(
        message=message,
        key=read.key,
        way=way,
        internet_id=read.message_id[:400],
        from_address=read.sender.address,
        from_name=read.sender.name,
        to_addresses=[box.address for box in read.recipients if box.address],
        headers=read.headers,
        whole=read.whole,
        is_cut=read.is_cut,
        results=read.verdict.results,
        vouched_by=read.verdict.server[:255],
        is_proven=read.verdict.is_proven,
        received_at=received_at,
    )
