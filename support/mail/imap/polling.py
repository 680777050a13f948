"""Reads new mail: each is one message of a ticket, exactly once, whatever breaks off in between.

How far we are (`last_uid`) goes forward in the transaction that takes the mail in. What is marked on the server comes after the
commit, and is marked again by the next run where this one ended in between. Where the server numbers its mails anew (another
UIDVALIDITY) everything since the beginning is looked at again, and what was seen is known by its Message-ID.
"""

from __future__ import annotations

import datetime as dt
import time
from functools import partial

import structlog
from django.db import connection

from support.mail.reading import parse_bytes
from support.mail.taking import take_in_mail
from support.models import MailboxState, MailOutcome, MailWay, Trouble

from .session import MailboxSession, MailboxTrouble
from .target import ImapTarget

log = structlog.get_logger(__name__)

LOCK = "support.mail.imap"
#: Of one run; the next goes on where this one ended.
MOST_MAILS, LONGEST_S = 200, 45.0
#: The longest silence of the server.
TIMEOUT_S = 30.0
#: The server's clock and ours may differ.
CLOCKS_DIFFER = dt.timedelta(minutes=10)


def poll_mailbox(target: ImapTarget, *, now: dt.datetime, most_bytes: int, timeout_s: float = TIMEOUT_S) -> int:
    """Take in what is new; returns how many mails were dealt with. 0 at once while another worker is at it. Trouble is
    noted, not raised."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtext(%s))", [LOCK])
        if not cursor.fetchone()[0]:
            return 0
        try:
            return _poll(target, now=now, most_bytes=most_bytes, timeout_s=timeout_s)
        finally:
            cursor.execute("SELECT pg_advisory_unlock(hashtext(%s))", [LOCK])


def _poll(target: ImapTarget, *, now: dt.datetime, most_bytes: int, timeout_s: float) -> int:
    state, is_first = MailboxState.objects.get_or_create(mailbox=target.name, defaults={"started_at": now})
    try:
        with MailboxSession(target, timeout_s=timeout_s) as session:
            _follow_numbering(state, session, is_first=is_first or not state.uid_validity)
            dealt_with = _read_new(state, session, now=now, most_bytes=most_bytes)
    except MailboxTrouble as trouble:
        _note_trouble(state, trouble.trouble, now)
        return 0
    MailboxState.objects.filter(pk=state.pk).update(
        checked_at=now, succeeded_at=now, failing_since=None, trouble=Trouble.NONE
    )
    return dealt_with


def _follow_numbering(state: MailboxState, session: MailboxSession, *, is_first: bool) -> None:
    """The first time we begin behind what is there: old mail was answered elsewhere. Numbered anew, we begin at the front."""
    if state.uid_validity == session.uid_validity:
        return
    state.last_uid = max(session.uid_next - 1, 0) if is_first else 0
    state.unmarked_uid, state.uid_validity = 0, session.uid_validity
    state.save(update_fields=["last_uid", "unmarked_uid", "uid_validity"])
    log.info("mailbox_numbered", is_first=is_first)


def _read_new(state: MailboxState, session: MailboxSession, *, now: dt.datetime, most_bytes: int) -> int:
    since = state.started_at - CLOCKS_DIFFER
    begun, dealt_with = time.monotonic(), 0
    _mark(state, session)  # what an earlier run took in and could not mark any more
    for uid in session.list_uids(state.last_uid, (since - dt.timedelta(days=1)).date())[:MOST_MAILS]:
        size, received_at = session.look(uid)
        is_old = received_at is not None and received_at < since
        raw = None if is_old or not size else session.fetch(uid, most_bytes)
        if is_old:  # passed over for good, or so many of them would stand before all that is new
            state.last_uid = uid
            state.save(update_fields=["last_uid"])
        if raw is None:  # older than our beginning, or gone: the next mail's number will be above it
            continue
        take_in_mail(
            parse_bytes(raw),
            way=MailWay.IMAP,
            received_at=received_at or now,
            now=now,
            is_cut=size > most_bytes,
            place=f"{state.uid_validity}:{uid}",
            and_then=partial(_go_on, state, uid),
        )
        _mark(state, session)
        dealt_with += 1
        if time.monotonic() - begun > LONGEST_S:
            break
    return dealt_with


def _go_on(state: MailboxState, uid: int, outcome: MailOutcome | None) -> None:
    """What opened no conversation stays unread in the mailbox, for people to see."""
    unmarked = uid if outcome in (MailOutcome.TAKEN, None) else 0
    MailboxState.objects.filter(pk=state.pk).update(last_uid=uid, unmarked_uid=unmarked)
    state.last_uid, state.unmarked_uid = uid, unmarked


def _mark(state: MailboxState, session: MailboxSession) -> None:
    if state.unmarked_uid:
        session.mark([state.unmarked_uid])
        MailboxState.objects.filter(pk=state.pk).update(unmarked_uid=0)
        state.unmarked_uid = 0


def _note_trouble(state: MailboxState, trouble: Trouble, now: dt.datetime) -> None:
    MailboxState.objects.filter(pk=state.pk).update(checked_at=now, trouble=trouble)
    MailboxState.objects.filter(pk=state.pk, failing_since=None).update(failing_since=now)
    log.warning("mailbox_trouble", trouble=trouble.value)
