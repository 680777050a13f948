"""The stage of a fault run: engines, a sink, beat and workers of its own, and the campaigns that are sent on it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from retention_site.embedded.throwaway import ThrowAwayEngines, throwaway_engines

from .history import Verdict, judge_history
from .sink import Arrival, count_arrivals, read_arrivals, running_sink
from .workers import ROOT, Nursery, WorkerGroup, start_beat

CONNECTIONS = 2
SMTP_SINK, HTTP_SINK = "tests.faults.sink", "tests.faults.http_sink"
#: Short, because the leases after which the reaper takes back what a killed worker held are multiples of it.
MAIL_TIMEOUT_S = 1.25
PATIENCE_S = 900.0


@dataclass
class Stage:
    """What all rows of the fault table share. `worker` is there from the first `start_worker` on."""

    seed: int
    engines: ThrowAwayEngines
    folder: Path
    environment: dict[str, str]
    nursery: Nursery
    uses_provider: bool = False
    worker: WorkerGroup | None = None
    worker_restarts: int = 0
    tended_at: float = 0.0

    @property
    def log(self) -> Path:
        return self.folder / "sink.log"

    def start_worker(self) -> WorkerGroup:
        self.worker = self.nursery.start_worker()
        return self.worker

    def stop_worker(self) -> None:
        """kill -9 of the worker, if there is one: the next row begins without."""
        if self.worker is not None:
            self.worker.kill()
            self.worker = None

    def tend(self) -> None:
        """Keep a worker, as a supervisor does, and ask the reaper twice a second instead of twice a minute: leases have to
        end either way."""
        from django.db import Error, connection

        from campaigns.delivery.reaper import reap_stuck_messages

        if self.worker is not None and not self.worker.is_running:
            self.worker_restarts += 1
            self.start_worker()
        if time.monotonic() < self.tended_at + 0.5:
            return
        self.tended_at = time.monotonic()
        try:
            reap_stuck_messages()
        except Error:  # the database is just coming back
            connection.close()


@dataclass
class Sending:
    """One campaign on its way: `asked` gives the row of each Message-ID; `first` is the place of its first arrival."""

    stage: Stage
    campaign_id: int
    asked: Mapping[str, int]
    first: int
    began: float = field(default_factory=time.monotonic)

    def arrivals(self) -> list[Arrival]:
        """What the sink took since this campaign was made, in order."""
        return read_arrivals(self.stage.log)[self.first :]

    def count(self) -> int:
        return count_arrivals(self.stage.log) - self.first

    def wait_for(self, count: int) -> None:
        """Until so many messages have arrived, or none is left to be sent."""
        end, look_at = time.monotonic() + PATIENCE_S, time.monotonic() + 5
        while self.count() < count:
            if time.monotonic() > look_at:
                look_at = time.monotonic() + 5
                if not self.is_open():
                    return
            if time.monotonic() > end:
                raise SystemExit(f"only {self.count()} messages arrived in {PATIENCE_S:.0f} s")
            self.stage.tend()
            time.sleep(0.005)

    def is_open(self) -> bool:
        """Whether anything of it is still to be sent."""
        from campaigns.delivery.outbox import open_message_ids

        return bool(open_message_ids(self.campaign_id))

    def wait_for_the_end(self) -> dict[str, str]:
        """Until no message is open; the state of each row by its Message-ID."""
        end = time.monotonic() + PATIENCE_S
        while self.is_open() and time.monotonic() < end:
            self.stage.tend()
            time.sleep(0.05)
        return self.states()

    def states(self) -> dict[str, str]:
        from campaigns.models import Message

        of_rows = dict(Message.objects.filter(campaign=self.campaign_id).values_list("pk", "status"))
        return {name: of_rows[pk] for name, pk in self.asked.items() if pk in of_rows}

    def judge(self, states: Mapping[str, str], *, but: Collection[str] = ()) -> Verdict:
        """The history of all messages but those named; prints what is wrong with it."""
        asked = {name: row for name, row in self.asked.items() if name not in but}
        seen = [arrival.message_id for arrival in self.arrivals() if arrival.message_id not in but]
        verdict = judge_history(asked, seen, states)
        for kind in ("doubled", "lost", "unsaid", "strangers"):
            for name in getattr(verdict, kind)[:20]:
                print(f"  {kind}: message {asked.get(name)} is {states.get(name)}")
        return verdict


@contextmanager
def open_stage(seed: int, *, uses_provider: bool = False) -> Iterator[Stage]:
    """Start everything but a worker, with an empty, migrated database; Django is set up in this process too."""
    with throwaway_engines(durable=True) as engines:
        folder = engines.folder / "faults"
        folder.mkdir()
        with running_sink(folder / "sink.log", HTTP_SINK if uses_provider else SMTP_SINK) as port:
            environment = make_environment(engines, port, uses_provider=uses_provider)
            nursery = Nursery(environment, folder / "workers.log")  # imports while we set up
            beat = start_beat(environment, folder)
            try:
                set_up_django(environment)
                yield Stage(seed, engines, folder, environment, nursery, uses_provider)
            finally:
                nursery.close()
                os.killpg(beat.pid, signal.SIGKILL)
                beat.wait()


def make_environment(engines: ThrowAwayEngines, port: int, *, uses_provider: bool) -> dict[str, str]:
    provider = f"resend://a-key?api_url=http://127.0.0.1:{port}/"
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("LLM_", "MAIL_CATCHER_", "MESSAGE_CATCHER_"))
    }
    return kept | engines.environment | {
        "SECRET_KEY": "for-faults-only",
        "EMAIL_URL": provider if uses_provider else f"smtp://127.0.0.1:{port}",
        "EMAIL_TIMEOUT": str(MAIL_TIMEOUT_S),
        "SMTP_CONNECTIONS": str(CONNECTIONS),
        "DJANGO_SETTINGS_MODULE": "retention_site.settings",
        "PYTHONPATH": os.fspath(ROOT),
        "LOG_LEVEL": "ERROR",
        "CELERY_SKIP_CHECKS": "1",  # which load every page of the site into each worker
    }  # fmt: skip


def set_up_django(environment: Mapping[str, str]) -> None:
    os.environ.update(environment)
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", interactive=False, verbosity=0)


def approve_a_campaign(name: str, size: int) -> int:
    """A campaign of `size` people that was approved and waits for somebody to schedule it; its id."""
    from django.contrib.auth.models import User
    from django.utils import timezone

    from tests.campaigns import arrange

    now = timezone.now()
    cast = arrange.make_cast()
    # News for colleagues leave by the same door, and the sink would take them for messages that nobody asked for.
    User.objects.update(email="")
    people = arrange.make_customers(size, prefix=name, now=now)
    draft = arrange.make_campaign(cast.marketer, people, name=name, send_at=now, now=now)
    return int(arrange.approve(draft, cast, now=now).pk)


def start_a_campaign(stage: Stage, name: str, size: int) -> Sending:
    """A campaign of `size` people that is sending."""
    from django.utils import timezone

    from campaigns.approval import workflow
    from campaigns.delivery.scheduler import start_campaign
    from campaigns.models import Campaign
    from tests.campaigns import arrange

    campaign = Campaign.objects.get(pk=approve_a_campaign(name, size))
    first, now = count_arrivals(stage.log), timezone.now()
    workflow.schedule_campaign(arrange.make_cast().marketer, campaign, now=now)
    start_campaign(campaign, now=now)
    return Sending(stage, campaign.pk, name_messages(campaign.pk), first)


def name_messages(campaign_id: int) -> dict[str, int]:
    """The row of each Message-ID that a campaign will have at the sink."""
    from django.conf import settings

    from campaigns.delivery.names import derive_message_id
    from campaigns.models import Message

    domain = settings.SHOP_FROM_EMAIL.rpartition("@")[2]
    rows = Message.objects.filter(campaign=campaign_id).values_list("pk", "step", "customer_id")
    return {derive_message_id(campaign_id, step, who, domain=domain): pk for pk, step, who in rows}


def nudge() -> None:
    """Beat would send the next sweep within ten seconds; this is only sooner."""
    from campaigns.tasks import send_sweep

    send_sweep.delay()
