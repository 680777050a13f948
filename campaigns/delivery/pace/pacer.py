"""What one sweep knows of the limits: which messages it may claim, and which of those it may mark now."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Sequence
from typing import Final

from campaigns.delivery.channels import Route
from campaigns.delivery.marking import Bid
from campaigns.delivery.outbox import ClaimedMessage

from .claiming import Budget, Place, claim_paced_batch, put_back, read_budget
from .meters import PacePlan, read_plan
from .tokens import give_back, take_tokens

#: How long a look at the meters is good for a claim; the mark takes its tokens anyway.
BUDGET_KEPT_S: Final = 0.1
LEAST_WAIT_S: Final = 0.05
LONGEST_WAIT_S: Final = 1.0


class Pacer:
    """Shared by the threads of a sweep; there is none where no limit is set. Tokens are taken when a message is marked, so that
    a limit is about what leaves, not about what is claimed."""

    def __init__(self, plan: PacePlan) -> None:
        self.plan = plan
        self._lock = threading.Lock()
        self._budget: tuple[float, Budget] | None = None

    def read_budget(self) -> Budget:
        with self._lock:
            if self._budget is None or time.monotonic() > self._budget[0] + BUDGET_KEPT_S:
                self._budget = time.monotonic(), read_budget(self.plan)
            return self._budget[1]

    def claim(self, worker: str, *, campaign_id: int, size: int, route: Route, place: Place) -> list[ClaimedMessage]:
        budget = self.read_budget()
        return claim_paced_batch(
            worker, campaign_id=campaign_id, size=size, plan=self.plan, budget=budget, place=place, route=route
        )

    def wait_s(self) -> float:
        """How long to wait where nothing could be claimed, at most a second: other rows may become due."""
        return min(max(self.read_budget().wait_s, LEAST_WAIT_S), LONGEST_WAIT_S)

    def is_spent(self, seconds: float) -> bool:
        """Whether nothing may leave within so many seconds."""
        return self.read_budget().wait_s > seconds

    def admit(self, bids: Sequence[Bid]) -> list[Bid]:
        """Those that got their tokens; the others go back into the queue."""
        granted = take_tokens([self.plan.meters_for(bid.intent.address) for bid in bids])
        held = {bid.intent.message.id: bid.worker for bid, is_in in zip(bids, granted, strict=True) if not is_in}
        if held:
            put_back(held)
        return [bid for bid, is_in in zip(bids, granted, strict=True) if is_in]

    def refund(self, bids: Sequence[Bid]) -> None:
        """Of messages that were not sent after all: skipped, or no longer theirs."""
        give_back([self.plan.meters_for(bid.intent.address) for bid in bids])


def open_pacer(now: dt.datetime) -> Pacer | None:
    """None where no limit is set: then nothing costs anything."""
    plan = read_plan(now=now)
    return Pacer(plan) if plan is not None else None
