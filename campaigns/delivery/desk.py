"""Lets the connections of one sweep share their commits: who asks while another writes goes along with the next write."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import DatabaseError, InterfaceError, OperationalError

from .fence.gate import Leave
from .marking import Bid, Mark, Written, write_outcomes_and_marks
from .outbox import Settlement

#: Writes under way at once. With one, more messages gather for the next: a write costs far more than a row in it.
WRITES_AT_ONCE = 1


@dataclass(frozen=True)
class Receipt:
    """The new status of the settled row ("" when it was no longer its worker's), and the mark."""

    settled: str = ""
    mark: Mark = field(default_factory=Mark)


@dataclass(eq=False)
class _Ticket:
    """One courier's request. Its `wake` is let go when it was served, or when it is its turn to write."""

    outcome: Settlement | None
    bid: Bid
    wake: threading.Lock
    receipt: Receipt | None = None
    error: BaseException | None = None

    @property
    def is_served(self) -> bool:
        return self.receipt is not None or self.error is not None


class Desk:
    """Shared by the threads of one sweep. Whoever writes does so with the database connection of its own thread."""

    def __init__(self, leave: Leave) -> None:
        self._leave = leave
        self._lock = threading.Lock()
        self._waiting: list[_Ticket] = []
        self._writers = 0

    def exchange(self, outcome: Settlement | None, bid: Bid) -> Receipt:
        """Hand in what became of the last message and ask to send the next; returns when both are committed.

        Raises what the database raised. Of an error that the others' bids may have caused nobody else hears: then each
        is written alone.
        """
        ticket = _Ticket(outcome, bid, threading.Lock())
        ticket.wake.acquire()
        with self._lock:
            writes = self._writers < WRITES_AT_ONCE
            if writes:
                self._writers += 1
            else:
                self._waiting.append(ticket)
        if not writes:
            ticket.wake.acquire()
        if not ticket.is_served:
            self._write_for_all(ticket)
        if ticket.error is not None:
            raise ticket.error
        assert ticket.receipt is not None
        return ticket.receipt

    def _write_for_all(self, mine: _Ticket) -> None:
        with self._lock:
            group = self._take_group(mine)
        try:
            _serve(group, self._leave)
        finally:
            with self._lock:
                heir = self._waiting[0] if self._waiting else None
                if heir is None:
                    self._writers -= 1
                else:
                    self._waiting.remove(heir)
            for ticket in group:
                if ticket is not mine:
                    ticket.wake.release()
            if heir is not None:
                heir.wake.release()

    def _take_group(self, mine: _Ticket) -> list[_Ticket]:
        """Mine and those of the same campaign, one for each customer; the others are written next."""
        group = [mine]
        customers = {mine.bid.customer_id}
        for ticket in self._waiting:
            if ticket.bid.campaign_id == mine.bid.campaign_id and ticket.bid.customer_id not in customers:
                customers.add(ticket.bid.customer_id)
                group.append(ticket)
        self._waiting = [ticket for ticket in self._waiting if ticket not in group]
        return group


def _serve(group: Sequence[_Ticket], leave: Leave) -> None:
    """Write for all; where the database refuses that, for each alone. Leaves a receipt or an error in each ticket."""
    try:
        _hand_out(group, _write(group, leave))
    except (OperationalError, InterfaceError) as error:
        _refuse(group, error)
    except DatabaseError as error:
        if len(group) == 1:
            _refuse(group, error)
        else:
            for ticket in group:
                _serve([ticket], leave)
    except BaseException as error:
        _refuse(group, error)
        raise


def _write(group: Sequence[_Ticket], leave: Leave) -> Written:
    """What was marked is told outside the database before anything of it reaches the network."""
    outcomes = [ticket.outcome for ticket in group if ticket.outcome is not None]
    written = write_outcomes_and_marks(outcomes, [ticket.bid for ticket in group], leave)
    marked = [row for row, mark in written.marks.items() if mark.may_send]
    if marked:
        leave.note({group[0].bid.campaign_id: max(marked)})
    return written


def _hand_out(group: Sequence[_Ticket], written: Written) -> None:
    for ticket in group:
        settled = written.settled.get(ticket.outcome.id, "") if ticket.outcome else ""
        ticket.receipt = Receipt(settled, written.marks.get(ticket.bid.intent.message.id, Mark()))


def _refuse(group: Sequence[_Ticket], error: BaseException) -> None:
    for ticket in group:
        ticket.error = error
