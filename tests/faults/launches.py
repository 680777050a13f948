"""Two beats, many launches at once and a double click on Schedule: one run, and one message for each person."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from .history import Verdict
from .sink import count_arrivals
from .stage import PATIENCE_S, Sending, Stage, approve_a_campaign, name_messages, nudge
from .workers import start_beat

START_TASK = "start-due-campaigns"
CLICKS = 2


def measure_launches(stage: Stage, size: int, launches: int) -> dict[str, object]:
    """One campaign clicked twice and launched `launches` times at once, one that only the two beats start."""
    stage.start_worker()
    with two_beats(stage) as logs:
        clicked = approve_a_campaign("clicked", size)
        first = count_arrivals(stage.log)
        clicks, by_hand = click_and_launch(clicked, launches)
        verdicts = [finish(stage, clicked, size, first)]
        first = count_arrivals(stage.log)
        waiting = start_by_beats(size, logs)
        verdicts.append(finish(stage, waiting, size, first))
    runs = [count_runs(clicked), count_runs(waiting)]
    return {
        "size": size,
        "launches": launches,
        "clicks": clicks,
        "beats": len(logs),
        "runs": runs[0],
        "runs_by_beats": runs[1],
        "launches_that_started_it": by_hand,
        "doubled": sum(len(verdict.doubled) for verdict in verdicts),
        "lost": sum(len(verdict.lost) + len(verdict.unsaid) + len(verdict.strangers) for verdict in verdicts),
        "unknown": sum(len(verdict.unknown) for verdict in verdicts),
        "is_right": all(verdict.is_clean and not verdict.unknown for verdict in verdicts) and runs == [1, 1],
    }


def finish(stage: Stage, campaign_id: int, size: int, first: int) -> Verdict:
    """Wait until a campaign that somebody started is through, and judge what came since arrival number `first`."""
    sending = Sending(stage, campaign_id, name_messages(campaign_id), first)
    assert len(sending.asked) == size, "a message for each person, no more and no less"
    nudge()
    return sending.judge(sending.wait_for_the_end())


def click_and_launch(campaign_id: int, launches: int) -> tuple[list[int], int]:
    """All at the same moment: two clicks of one person, and the launches. What each click was answered, and how many of the
    launches say that they started it (the workers and beats may have been quicker)."""
    from django.db import connection
    from django.db.models import Q
    from django.test import Client
    from django.utils import timezone

    from campaigns.delivery.scheduler import start_due_campaigns
    from campaigns.models import Campaign, CampaignStatus
    from tests.campaigns import arrange

    is_started = Q(pk=campaign_id, status__in=[CampaignStatus.SENDING, CampaignStatus.SENT])
    gate, marketer = threading.Barrier(launches + CLICKS), arrange.make_cast().marketer

    def click(_number: int) -> int:
        browser = Client(SERVER_NAME="localhost")
        browser.force_login(marketer)
        gate.wait()
        try:
            return browser.post(f"/campaigns/{campaign_id}/schedule/").status_code
        finally:
            connection.close()

    def launch(_number: int) -> int:
        connection.ensure_connection()
        gate.wait()
        started, end = 0, time.monotonic() + PATIENCE_S
        try:
            while time.monotonic() < end:
                started += start_due_campaigns(timezone.now()).started
                if Campaign.objects.filter(is_started).exists():
                    break
            return started
        finally:
            connection.close()

    with ThreadPoolExecutor(launches + CLICKS) as pool:
        clicks = [pool.submit(click, number) for number in range(CLICKS)]
        hands = [pool.submit(launch, number) for number in range(launches)]
        return sorted(one.result() for one in clicks), sum(one.result() for one in hands)


def start_by_beats(size: int, logs: list[Path]) -> int:
    """A due campaign that nobody launches; back when both beats have asked for it and it was started."""
    from django.utils import timezone

    from campaigns.approval import workflow
    from campaigns.models import Campaign
    from tests.campaigns import arrange

    campaign = Campaign.objects.get(pk=approve_a_campaign("waiting", size))
    workflow.schedule_campaign(arrange.make_cast().marketer, campaign, now=timezone.now())
    before, end = [count_ticks(log) for log in logs], time.monotonic() + PATIENCE_S
    while count_runs(campaign.pk) == 0 or any(count_ticks(log) <= was for log, was in zip(logs, before, strict=True)):
        if time.monotonic() > end:
            raise SystemExit("the beats started nothing")
        time.sleep(0.05)
    return campaign.pk


def count_ticks(log: Path) -> int:
    """How often this beat has asked for due campaigns to be started."""
    return log.read_text().count(START_TASK) if log.exists() else 0


def count_runs(campaign_id: int) -> int:
    from campaigns.models import CampaignTransition

    return CampaignTransition.objects.filter(campaign=campaign_id, to_status="sending").count()


@contextmanager
def two_beats(stage: Stage) -> Iterator[list[Path]]:
    """Two beats that know nothing of each other, started together and quicker than usual; their logs."""
    beats: list[subprocess.Popen[bytes]] = []
    logs = []
    try:
        for name in ("first", "second"):
            folder = stage.folder / f"beat-{name}"
            folder.mkdir()
            beats.append(start_beat(stage.environment, folder, module="tests.faults.quick_beat", level="INFO"))
            logs.append(folder / "beat.log")
        yield logs
    finally:
        for beat in beats:
            os.killpg(beat.pid, signal.SIGKILL)
            beat.wait()
