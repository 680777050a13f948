"""Works off the outbox over kept connections: opens the channels, and lets a courier work on each connection."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial

from django.conf import settings
from django.db import connection

from campaigns.audience.connected import sent_channels
from customers.models import Channel as Kind

from .breaker import Breaker
from .channels import Channel, choice
from .courier import Courier
from .fence.gate import ask_leave
from .outbox import skip_unconnected
from .pace.pacer import open_pacer
from .reaper import give_up_old_doubts, queue_due_retries
from .slots import sending_slot
from .sweep import SendRun, Sweep, database_now
from .waiting import find_waiting_channels


def send_waiting_messages(
    *,
    seconds: float,
    connections: int | None = None,
    stop: threading.Event | None = None,
    open_channel: Callable[[], Channel] | None = None,
    channel: str = Kind.EMAIL,
) -> SendRun:
    """Send what waits, over `connections` kept connections to each channel (settings.SMTP_CONNECTIONS,
    settings.CHANNEL_CONNECTIONS), for `seconds` at most.

    Any number of sweeps on any number of machines may run at once: rows are claimed, and all sweeps together hold at
    most `connections` connections. `stop` ends it after the message in hand; claims are then given back. With
    `open_channel` only what waits for `channel` is sent, over that.
    """
    deadline, stop = time.monotonic() + seconds, stop or threading.Event()
    give_up_old_doubts()
    queue_due_retries()
    waiting = find_waiting_channels()
    skip_unconnected(waiting - sent_channels())
    openers = (
        {channel: open_channel} if open_channel else {kind: partial(choice.open_channel, kind) for kind in waiting}
    )
    kinds = sorted(waiting & sent_channels() & set(openers))
    leave = ask_leave() if kinds else None
    if leave is None:  # nothing to do, or a restored backup, until a person confirms
        return SendRun()
    jobs: list[tuple[Sweep, int]] = []
    for kind in kinds:
        is_mail = kind == Kind.EMAIL
        places = connections or (settings.SMTP_CONNECTIONS if is_mail else settings.CHANNEL_CONNECTIONS)
        pacer = open_pacer(database_now()) if is_mail else None  # limits are about mailbox providers
        jobs += [(Sweep(deadline, stop, Breaker(kind), openers[kind], leave, pacer, kind), places)] * places
    try:
        runs = _work_all(jobs)
    finally:
        leave.close()
    return SendRun(sum((run.counts for run in runs), Counter()), any(run.has_more for run in runs))


def _work_all(jobs: Sequence[tuple[Sweep, int]]) -> list[SendRun]:
    """One connection for each job, all at once; one needs no thread."""
    if len(jobs) == 1:
        return [_work(sweep, places) for sweep, places in jobs]
    with ExitStack() as staff, ThreadPoolExecutor(len(jobs), thread_name_prefix="send") as pool:
        for sweep in {sweep for sweep, places in jobs if places > 1}:
            staff.enter_context(sweep.desk.staffed())
        futures = [pool.submit(_work_in_thread, sweep, places) for sweep, places in jobs]
    return [future.result() for future in futures]


def _work_in_thread(sweep: Sweep, slots: int) -> SendRun:
    try:
        return _work(sweep, slots)
    finally:
        connection.close()


def _work(sweep: Sweep, slots: int) -> SendRun:
    """One connection's part of a sweep; nothing where all the slots are taken."""
    with sending_slot(slots, sweep.kind) as is_mine:
        if not is_mine:
            return SendRun()
        courier = Courier(sweep)
        try:
            has_more = courier.run()
        finally:
            courier.end()
        return SendRun(courier.counts, has_more)
