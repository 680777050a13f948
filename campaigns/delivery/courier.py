"""Claims a batch, marks one message, sends it, settles it with the next mark, over one kept connection.

Between the mark and the settling at most one message per connection is in doubt: that is all a kill -9 can leave
`unknown`. Nothing here holds a transaction open while it talks to a server.
"""

from __future__ import annotations

import os
import secrets
import socket
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import structlog
from django.db import DataError, IntegrityError, InterfaceError, OperationalError, connection
from django.utils.translation import gettext_noop

from campaigns.models import Campaign, MessageStatus, SkipReason, TransitionConflict

from .channels import ChannelUnavailable, Outcome, Phase, Reply
from .control import pause_campaign
from .copies import Batch, Copy, StaleApproval, Unsendable, make_copy, prepare_batch
from .marking import Bid, Mark, write_outcomes_and_marks
from .outbox import ClaimedMessage, Settlement, claim_batch, conclude, release_claims, skip_claimed
from .pace.claiming import FRONT, Place
from .quiet import put_off_quiet
from .sent_events import record_sent_events
from .sweep import Sweep, database_now
from .waiting import find_sending_campaigns

log = structlog.get_logger(__name__)

T = TypeVar("T")

#: Small enough that a dead worker's claims cost little, large enough to spare queries: a batch costs a dozen of them, or 6 ms
#: of processor time. Grows while a batch is through in BATCH_S.
BATCH_SIZE = 50
LARGEST_BATCH = 200
BATCH_S = 3.0
EVENTS_PER_WRITE = 500
DATABASE_PATIENCE_S = 30.0
#: After which a message goes again whose mark the database lost.
DATABASE_WAIT_S = 1.0


class Courier:
    """One kept connection and the claims that go over it. Its name is in the rows it holds."""

    def __init__(self, sweep: Sweep) -> None:
        self.sweep = sweep
        self.channel = sweep.open_channel()
        self.worker = f"{socket.gethostname()[:40]}:{os.getpid()}:{secrets.token_hex(6)}"
        self.counts: Counter[str] = Counter()
        self.accepted: list[int] = []
        self.batch_size = BATCH_SIZE
        self.places: dict[int, Place] = {}
        self.outcome: Settlement | None = None  # of the last message, until the next mark or `_settle` writes it

    def run(self) -> bool:
        """Until the outbox is empty (False) or the sweep is over (True)."""
        while not self.sweep.is_over:
            # A list: every campaign gets its batch in turn, none waits until another is through.
            campaigns = find_sending_campaigns(self.sweep.kind)
            took = [self._send_batch(campaign_id) for campaign_id in campaigns]
            if not any(took) and not self._wait_for_pace(campaigns):
                return False
        return True

    def _wait_for_pace(self, campaigns: list[int]) -> bool:
        """Nothing could be taken: wait where that is because of a limit which lets something out within this sweep."""
        pacer = self.sweep.pacer
        if pacer is None or self.sweep.is_over:
            return False
        places = [self.places[campaign_id] for campaign_id in campaigns if campaign_id in self.places]
        if any(place.after != FRONT for place in places):
            return True  # the rows behind have not been looked at yet
        if not any(place.holds for place in places) or pacer.is_spent(self.sweep.rest_s):
            return False
        self.sweep.stop.wait(min(pacer.wait_s(), self.sweep.rest_s))
        return True

    def _claim(self, campaign_id: int) -> list[ClaimedMessage]:
        size, route, pacer = self.batch_size, self.channel.route, self.sweep.pacer
        if pacer is None:
            return claim_batch(self.worker, campaign_id=campaign_id, size=size, route=route, channel=self.sweep.kind)
        place = self.places.setdefault(campaign_id, Place())
        return pacer.claim(self.worker, campaign_id=campaign_id, size=size, route=route, place=place)

    def end(self) -> None:
        self.channel.close()
        self._settle()
        persist(lambda: release_claims(self.worker))
        self._write_events(least=1)

    def _send_batch(self, campaign_id: int) -> bool:
        """One batch of one campaign; False when there was nothing to take, or no way to send it now."""
        if self.sweep.is_over:
            return False
        messages = self._claim(campaign_id)
        if not messages:
            return False
        began = time.monotonic()
        try:
            campaign = Campaign.objects.get(pk=campaign_id)
            texts, kind = self.sweep.read_texts(campaign, messages), self.sweep.kind
            batch = prepare_batch(campaign, messages, now=database_now(), texts=texts, channel=kind)
        except StaleApproval:
            self._pause(
                campaign_id,
                gettext_noop("The messages are no longer the approved ones. Change the campaign here, or cancel it."),
            )
            return False
        messages, put_off = put_off_quiet(
            self.worker, messages, batch.customers, batch.countries, now=batch.now, channel=kind
        )
        self.counts.update(+Counter({state: n for state, n in put_off.items() if state != MessageStatus.QUEUED}))
        is_going_on = all(self._send_one(batch, message) for message in messages)
        self._settle()
        if not is_going_on:
            release_claims(self.worker)
        is_quick = is_going_on and time.monotonic() - began < BATCH_S
        self.batch_size = min(2 * self.batch_size, LARGEST_BATCH) if is_quick else BATCH_SIZE
        self._write_events(least=EVENTS_PER_WRITE)
        return True

    def _send_one(self, batch: Batch, message: ClaimedMessage) -> bool:
        """False: leave the rest of the batch."""
        if self.sweep.is_over or not self._ensure_open(message.campaign_id):
            return False
        try:
            copy = make_copy(batch, message)
        except Unsendable as error:
            return self._park(message, error)
        try:
            mark = self._mark(batch, copy)
        except DataError as error:  # the database cannot keep it: left as it is, it would end every sweep
            return self._park(message, Unsendable(SkipReason.UNRENDERABLE, f"{type(error).__name__}: {error}"[:300]))
        self.sweep.breaker.note_copy()
        if mark.is_held:
            return True
        if mark.is_replaced:
            self.sweep.forget_texts(message.campaign_id)
            return False
        if not mark.may_send:
            if not mark.status:
                self.sweep.ask_again()
                return False
            self.counts.update([mark.status])
            return True
        return self._note(message, self.channel.deliver(copy.envelope))

    def _park(self, message: ClaimedMessage, error: Unsendable) -> bool:
        """A bad address is the row's own fault and is skipped; copies that cannot be made may be ours."""
        skip_claimed(self.worker, message.id, reason=error.reason, response=str(error))
        self.counts[MessageStatus.SKIPPED] += 1
        log.warning("message_unsendable", message=message.id, reason=error.reason)
        if error.reason != SkipReason.UNRENDERABLE:
            return True
        reason = self.sweep.breaker.note_copy(str(error))
        if reason:
            self._pause(message.campaign_id, reason)
        return not reason

    def _ensure_open(self, campaign_id: int) -> bool:
        """Connect before anything is marked, so that a server that is away costs no message a try."""
        try:
            self.channel.ensure_open()
        except ChannelUnavailable as error:
            self._settle()
            log.warning("server_unavailable", channel=self.sweep.kind, phase=error.phase, campaign=campaign_id)
            reason = "" if error.wait_s else self.sweep.breaker.note_unavailable(error)
            if reason:
                self._pause(campaign_id, reason)
            else:
                wait_s = error.wait_s or self.sweep.breaker.wait_s()
                self.sweep.stop.wait(min(wait_s, max(self.sweep.deadline - time.monotonic(), 0)))
            return False
        self.sweep.breaker.note_connected()
        return True

    def _mark(self, batch: Batch, copy: Copy) -> Mark:
        """Write the outcome of the last message and the mark of this one, in one commit."""
        message = copy.intent.message
        try:
            bid = Bid(self.worker, copy.intent, batch.checks, self.channel.route.name)
            receipt = self.sweep.desk.exchange(self.outcome, bid)
        except IntegrityError:  # the trigger of the database: not sending any more, or not approved by a second person
            self._pause(
                message.campaign_id, gettext_noop("It is not approved by a second person. Cancel it and start another.")
            )
            return Mark()
        except (OperationalError, InterfaceError):
            # The commit may have happened or not. If it did, we know that nothing was sent.
            self._settle()
            unsent = conclude(self.worker, message, Reply(Outcome.RETRY, Phase.CONNECT, 0, "the database went away"))
            # No server refused it: it need not wait as if one had.
            self.outcome = unsent if unsent.wait_s is None else replace(unsent, wait_s=DATABASE_WAIT_S)
            self._settle()
            raise
        self.outcome = None
        self.counts.update([receipt.settled] if receipt.settled else [])
        return receipt.mark

    def _note(self, message: ClaimedMessage, reply: Reply) -> bool:
        """Keep the outcome for the next write; False where the breaker says that going on would do harm."""
        self.outcome = conclude(self.worker, message, reply)
        if reply.outcome is Outcome.ACCEPTED:
            self.accepted.append(message.id)
        else:
            log.warning("message_not_accepted", message=message.id, outcome=reply.outcome, phase=reply.phase)
        reason = self.sweep.breaker.note_reply(reply)
        if reason:
            self._pause(message.campaign_id, reason)
        return not reason

    def _settle(self) -> None:
        """Write the outcome of the last message now: nothing else may come for a while."""
        outcome, self.outcome = self.outcome, None
        if outcome is None:
            return
        written = persist(lambda: write_outcomes_and_marks([outcome], []))
        self.counts.update(written.settled.values())

    def _write_events(self, *, least: int) -> None:
        if len(self.accepted) >= least:
            record_sent_events(self.accepted)
            self.accepted = []

    def _pause(self, campaign_id: int, reason: str) -> None:
        self._settle()
        release_claims(self.worker)
        try:
            pause_campaign(None, Campaign.objects.get(pk=campaign_id), reason=reason, now=database_now())
        except TransitionConflict:
            return  # paused or cancelled by somebody else
        log.warning("campaign_paused_by_breaker", campaign=campaign_id)


def persist(write: Callable[[], T]) -> T:
    """What is known must be written down: outlast a restart of the database before giving up."""
    end = time.monotonic() + DATABASE_PATIENCE_S
    while True:
        try:
            return write()
        except (OperationalError, InterfaceError):
            if connection.in_atomic_block or time.monotonic() >= end:
                raise
            connection.close()
            time.sleep(0.2)
