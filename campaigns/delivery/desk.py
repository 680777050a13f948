"""Lets the connections of one sweep share their commits: one clerk writes for all who have asked meanwhile.

A write costs far more than a row in it, so there is one at a time, and more messages gather for the next. It goes over one
connection to the database, which prepares its statements once.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.db import DatabaseError, InterfaceError, OperationalError, connection

from .fence.gate import Leave
from .marking import Bid, Mark, Written, write_outcomes_and_marks
from .outbox import Settlement
from .pace.pacer import Pacer

#: Settles the outcomes and marks the bids in one commit, while the leave holds.
Write = Callable[[Sequence[Settlement], Sequence[Bid], Leave], Written]


@dataclass(frozen=True)
class Receipt:
    """The new status of the settled row ("" when it was no longer its worker's), and the mark."""

    settled: str = ""
    mark: Mark = field(default_factory=Mark)


@dataclass(eq=False)
class _Ticket:
    """One courier's request. Its `wake` is let go when it was served."""

    outcome: Settlement | None
    bid: Bid
    wake: threading.Lock
    receipt: Receipt | None = None
    error: BaseException | None = None


class Desk:
    """Shared by the threads of one sweep. Who is alone writes without a clerk."""

    def __init__(self, leave: Leave, pacer: Pacer | None = None, *, write: Write = write_outcomes_and_marks) -> None:
        self._leave = leave
        self._pacer = pacer
        self._write = write
        self._tickets: queue.SimpleQueue[_Ticket | None] = queue.SimpleQueue()
        self._has_clerk = False

    @contextmanager
    def staffed(self) -> Iterator[None]:
        """With a clerk, for as long as there are several who write."""
        clerk = threading.Thread(target=self._serve_all, name="desk")
        clerk.start()
        self._has_clerk = True
        try:
            yield
        finally:
            self._has_clerk = False
            self._tickets.put(None)
            clerk.join()

    def exchange(self, outcome: Settlement | None, bid: Bid) -> Receipt:
        """Hand in what became of the last message and ask to send the next; returns when both are committed.

        Raises what the database raised. Of an error that the others' bids may have caused nobody else hears: then each
        is written alone.
        """
        ticket = _Ticket(outcome, bid, threading.Lock())
        if self._has_clerk:
            ticket.wake.acquire()
            self._tickets.put(ticket)
            ticket.wake.acquire()
        else:
            self._serve([ticket])
        if ticket.error is not None:
            raise ticket.error
        assert ticket.receipt is not None
        return ticket.receipt

    def _serve_all(self) -> None:
        """The clerk's work, until the sweep is over. Whoever has asked is answered, come what may."""
        waiting: list[_Ticket] = []
        try:
            while (ticket := self._tickets.get()) is not None:
                waiting.append(ticket)
                while waiting:
                    waiting += self._take_more()
                    group = _choose_group(waiting)
                    waiting = [ticket for ticket in waiting if ticket not in group]
                    self._serve(group)
                    if any(isinstance(ticket.error, OperationalError | InterfaceError) for ticket in group):
                        connection.close()  # the next write begins with a new one
                    for ticket in group:
                        ticket.wake.release()
        finally:
            connection.close()

    def _take_more(self) -> list[_Ticket]:
        found = []
        while not self._tickets.empty():
            ticket = self._tickets.get()
            if ticket is None:
                self._tickets.put(None)
                break
            found.append(ticket)
        return found

    def _serve(self, group: Sequence[_Ticket]) -> None:
        """Write for all; where the database refuses that, for each alone. Leaves a receipt or an error in each ticket."""
        try:
            _hand_out(group, self._write_group(group))
        except (OperationalError, InterfaceError) as error:
            _refuse(group, error)
        except DatabaseError as error:
            if len(group) == 1:
                _refuse(group, error)
            else:
                for ticket in group:
                    self._serve([ticket])
        except BaseException as error:
            _refuse(group, error)

    def _write_group(self, group: Sequence[_Ticket]) -> Written:
        """What was marked is told outside the database before anything of it reaches the network."""
        outcomes = [ticket.outcome for ticket in group if ticket.outcome is not None]
        bids, pacer = [ticket.bid for ticket in group], self._pacer
        admitted = bids if pacer is None else pacer.admit(bids)
        written = self._write(outcomes, admitted, self._leave) if outcomes or admitted else Written()
        marked = [row for row, mark in written.marks.items() if mark.may_send]
        if marked:
            self._leave.note({group[0].bid.campaign_id: max(marked)})
        if pacer is None:
            return written
        pacer.refund([bid for bid in admitted if bid.intent.message.id not in marked])
        held = {bid.intent.message.id: Mark(is_held=True) for bid in bids if bid not in admitted}
        return Written(written.settled, {**written.marks, **held})


def _choose_group(waiting: Sequence[_Ticket]) -> list[_Ticket]:
    """The first and those of the same campaign, one for each customer; the others are written next."""
    group: dict[int, _Ticket] = {}
    for ticket in waiting:
        if ticket.bid.campaign_id == waiting[0].bid.campaign_id:
            group.setdefault(ticket.bid.customer_id, ticket)
    return list(group.values())


def _hand_out(group: Sequence[_Ticket], written: Written) -> None:
    for ticket in group:
        settled = written.settled.get(ticket.outcome.id, "") if ticket.outcome else ""
        ticket.receipt = Receipt(settled, written.marks.get(ticket.bid.intent.message.id, Mark()))


def _refuse(group: Sequence[_Ticket], error: BaseException) -> None:
    for ticket in group:
        ticket.error = error
