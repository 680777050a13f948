"""The connections of a sweep share their commits: everybody is answered, and errors reach those whom they concern."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import DatabaseError, IntegrityError, OperationalError

from campaigns.delivery.desk import Desk
from campaigns.delivery.fence.gate import Leave
from campaigns.delivery.marking import Bid, Intent, Mark, Written
from campaigns.delivery.outbox import ClaimedMessage, Settlement

PATIENCE_S = 60
Write = Callable[[Sequence[Settlement], Sequence[Bid]], Written]


def bid(number: int, *, campaign: int = 1, customer: int | None = None) -> Bid:
    message = ClaimedMessage(number, campaign, step=1, customer_id=customer or number, variant_id=1, attempts=0)
    intent = Intent(message, variant_id=1, address="", slots_json="{}", body_hash="", message_id="", approved_hash="")
    return Bid(f"w{number}", intent, {})


def accept(outcomes: Sequence[Settlement], bids: Sequence[Bid]) -> Written:
    marks = {bid.intent.message.id: Mark("sending") for bid in bids}
    return Written({outcome.id: outcome.status for outcome in outcomes}, marks)


class Database:
    """What stands behind the desk. Writes down the groups; the first write takes until all others have asked."""

    def __init__(self, write: Write = accept) -> None:
        self.groups: list[list[int]] = []
        self.write_all = write
        self.desk = Desk(Leave("epoch", 1), write=self.write)
        self.began, self.may_end = threading.Event(), threading.Event()

    def write(self, outcomes: Sequence[Settlement], bids: Sequence[Bid], _leave: Leave) -> Written:
        self.began.set()
        assert self.may_end.wait(PATIENCE_S)
        self.groups.append(sorted(bid.intent.message.id for bid in bids))
        return self.write_all(outcomes, bids)

    def ask_all(self, first: Bid, *others: Bid) -> dict[int, Any]:
        """What each of them is told, or the error, by message."""
        with self.desk.staffed(), ThreadPoolExecutor(1 + len(others)) as pool:
            asked = [pool.submit(self.ask, first)]
            assert self.began.wait(PATIENCE_S)
            asked += [pool.submit(self.ask, bid) for bid in others]
            end = time.monotonic() + PATIENCE_S
            while self.desk._tickets.qsize() < len(others) and time.monotonic() < end:
                time.sleep(0.001)
            self.may_end.set()
            return dict(future.result(PATIENCE_S) for future in asked)

    def ask(self, bid: Bid) -> tuple[int, Any]:
        number = bid.intent.message.id
        try:
            return number, self.desk.exchange(Settlement(number + 100, bid.worker, "accepted", ""), bid)
        except DatabaseError as error:
            return number, error


def test_who_asks_while_another_writes_goes_along_with_the_next_write() -> None:
    database = Database()
    told = database.ask_all(*map(bid, range(1, 9)))

    assert database.groups == [[1], [2, 3, 4, 5, 6, 7, 8]]
    assert sorted(told) == list(range(1, 9))
    assert all(receipt.settled == "accepted" and receipt.mark.may_send for receipt in told.values())


def test_campaigns_and_messages_to_one_person_are_written_apart() -> None:
    database = Database()
    database.ask_all(bid(1), bid(2, customer=7), bid(3, customer=7), bid(4, campaign=2))

    assert sorted(database.groups) == [[1], [2], [3], [4]]


def test_a_bid_that_the_database_refuses_stops_no_other() -> None:
    def refuse_two(outcomes: Sequence[Settlement], bids: Sequence[Bid]) -> Written:
        if any(bid.intent.message.id == 2 for bid in bids):
            raise IntegrityError("not approved")
        return accept(outcomes, bids)

    told = Database(refuse_two).ask_all(*map(bid, range(1, 5)))

    assert isinstance(told.pop(2), IntegrityError)
    assert all(receipt.mark.may_send for receipt in told.values())


def test_a_database_that_went_away_is_everybodys_concern_and_the_next_write_goes_on() -> None:
    failures = [OperationalError("gone")]

    def fail_once(outcomes: Sequence[Settlement], bids: Sequence[Bid]) -> Written:
        if failures:
            raise failures.pop()
        return accept(outcomes, bids)

    database = Database(fail_once)
    assert isinstance(database.ask_all(bid(1))[1], OperationalError)
    assert database.ask_all(bid(1))[1].mark.may_send
