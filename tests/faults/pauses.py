"""Paused and resumed many times, and each worker asked to end in between: it goes on exactly where it stopped."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from dataclasses import dataclass, field

from .history import count_between
from .kills import round_seconds
from .stage import Sending, Stage, nudge, start_a_campaign
from .workers import WorkerGroup

#: How long a worker that is asked to end may take; whoever stops it waits so long before kill -9.
DRAIN_LIMIT_S = 25.0
#: What is on its way when a pause is committed may still arrive.
ON_ITS_WAY_S = 1.0


@dataclass
class Interruptions:
    """What was done so far: from when to when it was paused, and how long each worker took to end."""

    paused: list[tuple[float, float]] = field(default_factory=list)
    drained_s: list[float] = field(default_factory=list)


def measure_pauses(stage: Stage, size: int, pauses: int, stops: int) -> dict[str, object]:
    """`pauses` times paused and resumed, `stops` workers ended by SIGTERM, in mid-send: in one campaign after the other, until
    all of it was done."""
    dice = random.Random(stage.seed + 1)
    waiting = [*["pause"] * pauses, *["stop"] * stops]
    dice.shuffle(waiting)
    step = max(size // (len(waiting) + 1), 1)
    done, verdicts, arrivals_s = Interruptions(), [], []
    stage.start_worker()
    while waiting:
        sending = start_a_campaign(stage, f"pauses{len(verdicts)}-", size)
        nudge()
        while waiting and wait_for_more(sending, dice.randint(1, step)):
            interrupt(sending, waiting, done, dice)
            nudge()
        verdicts.append(sending.judge(sending.wait_for_the_end()))
        arrivals_s += [arrival.at_s for arrival in sending.arrivals()]
    in_pauses = count_between(arrivals_s, [(since + ON_ITS_WAY_S, until) for since, until in done.paused])
    unknown = sum(len(verdict.unknown) for verdict in verdicts)
    slowest_s = max(done.drained_s, default=0.0)
    return {
        "size": size * len(verdicts),
        "pauses": len(done.paused),
        "stops": len(done.drained_s),
        "doubled": sum(len(verdict.doubled) for verdict in verdicts),
        "lost": sum(len(verdict.lost) + len(verdict.unsaid) + len(verdict.strangers) for verdict in verdicts),
        "unknown": unknown,
        "sent_in_pauses": in_pauses,
        "drained_s": round_seconds(slowest_s),
        "is_right": all(verdict.is_clean for verdict in verdicts)
        and not unknown
        and not in_pauses
        and slowest_s <= DRAIN_LIMIT_S,
    }


def wait_for_more(sending: Sending, step: int) -> bool:
    """Until `step` more messages have arrived; False once the campaign is through."""
    wanted = sending.count() + step
    while sending.count() < wanted:
        if not sending.is_open():
            return False
        sending.stage.tend()
        time.sleep(0.005)
    return sending.is_open()


def interrupt(sending: Sending, waiting: list[str], done: Interruptions, dice: random.Random) -> None:
    """The next one of those that wait; it goes on waiting where the campaign was through before it could be paused."""
    from campaigns.models import TransitionConflict

    if waiting[-1] == "stop":
        done.drained_s.append(stop_worker(sending.stage, whole_group=len(done.drained_s) % 2 == 1))
        waiting.pop()
        return
    # Some last longer than what is on its way may take, so that a message in a pause would be seen.
    seconds = ON_ITS_WAY_S + 0.5 if len(done.paused) % 25 == 0 else dice.uniform(0, 0.1)
    with contextlib.suppress(TransitionConflict):
        done.paused.append(pause_and_resume(sending, seconds))
        waiting.pop()


def pause_and_resume(sending: Sending, seconds: float) -> tuple[float, float]:
    """As the two buttons on Live do; from when to when it was paused."""
    from django.utils import timezone

    from campaigns.delivery import control
    from campaigns.models import Campaign
    from tests.campaigns import arrange

    cast, campaign = arrange.make_cast(), Campaign.objects.get(pk=sending.campaign_id)
    control.pause_campaign(cast.marketer, campaign, reason="Wait", now=timezone.now())
    since = time.monotonic()
    time.sleep(seconds)
    until = time.monotonic()
    control.resume_campaign(cast.approver, campaign, now=timezone.now())
    return since, until


def stop_worker(stage: Stage, *, whole_group: bool) -> float:
    """SIGTERM to the worker, or to its children as well, as service managers do; seconds until all of it was gone."""
    worker = stage.worker
    assert worker is not None
    began = time.monotonic()
    (os.killpg if whole_group else os.kill)(worker.pid, signal.SIGTERM)
    wait_until_gone(worker, began + 2 * DRAIN_LIMIT_S)
    took = time.monotonic() - began
    worker.kill()  # whatever outlived its parent must not send on
    stage.start_worker()
    return took


def wait_until_gone(worker: WorkerGroup, end: float) -> None:
    while worker.is_running and time.monotonic() < end:
        time.sleep(0.01)
