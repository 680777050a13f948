"""`./rekindle faults [--quick]`: kill workers, flush the broker and restart the database in mid-send, and count.

Everything is real and its own: PostgreSQL and Valkey with durable files, a Celery worker group and beat as processes, an
SMTP sink that notes every message it takes. The last line is one JSON object. With `--provider` the messages leave by a
provider's HTTP API whose sink honours idempotency keys: then nothing may stay unknown either.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from retention_site.embedded.throwaway import ThrowAwayEngines, throwaway_engines

from .history import judge_history, longest_silence, resume_time
from .sink import count_arrivals, read_arrivals, running_sink
from .workers import ROOT, Nursery, WorkerGroup, start_beat

CONNECTIONS = 2
SMTP_SINK, HTTP_SINK = "tests.faults.sink", "tests.faults.http_sink"
#: Short, because the leases after which the reaper takes back what a killed worker held are multiples of it.
MAIL_TIMEOUT_S = 1.25


@dataclass(frozen=True)
class Plan:
    """How much is sent, and what is done to it on the way."""

    size: int
    kills: int
    flushes: int
    restarts: int
    seed: int
    uses_provider: bool = False
    patience_s: float = 900


@dataclass
class Run:
    """The pieces of one run, and when each fault of broker or database was over."""

    plan: Plan
    engines: ThrowAwayEngines
    log: Path
    nursery: Nursery
    worker: WorkerGroup
    over_at: list[float] = field(default_factory=list)
    worker_restarts: int = 0
    tended_at: float = 0.0


def main(arguments: Sequence[str]) -> int:
    plan = read_plan(arguments)
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(143))  # so that all processes are ended
    print(f"seed {plan.seed}: {plan.size} messages, {plan.kills} kills of the worker group,"
          f" {plan.flushes} broker flushes, {plan.restarts} immediate restarts of PostgreSQL")  # fmt: skip
    with throwaway_engines(durable=True) as engines:
        folder = engines.folder / "faults"
        folder.mkdir()
        with running_sink(folder / "sink.log", HTTP_SINK if plan.uses_provider else SMTP_SINK) as port:
            environment = make_environment(engines, port, uses_provider=plan.uses_provider)
            figures = carry_out(plan, engines, environment, folder)
        if kept := os.environ.get("REKINDLE_FAULT_LOGS"):
            shutil.copytree(folder, kept, dirs_exist_ok=True)
    print_table(figures)
    print(json.dumps(figures))
    return 1 if figures["doubled"] or figures["lost"] or (plan.uses_provider and figures["unknown"]) else 0


def read_plan(arguments: Sequence[str]) -> Plan:
    parser = argparse.ArgumentParser(prog="./rekindle faults", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="2,000 messages, 5 kills, 1 flush, 1 restart")
    parser.add_argument("--messages", type=int)
    parser.add_argument("--kills", type=int)
    parser.add_argument("--flushes", type=int)
    parser.add_argument("--restarts", type=int)
    parser.add_argument("--seed", type=int, default=20261123)
    parser.add_argument("--provider", action="store_true", help="by a provider's HTTP API with idempotency keys")
    options = parser.parse_args(arguments)
    size, kills, flushes, restarts = (2_000, 5, 1, 1) if options.quick else (10_000, 20, 3, 5)
    return Plan(
        size=size if options.messages is None else options.messages,
        kills=kills if options.kills is None else options.kills,
        flushes=flushes if options.flushes is None else options.flushes,
        restarts=restarts if options.restarts is None else options.restarts,
        seed=options.seed,
        uses_provider=options.provider,
    )


def make_environment(engines: ThrowAwayEngines, port: int, *, uses_provider: bool) -> dict[str, str]:
    provider = f"resend://a-key?api_url=http://127.0.0.1:{port}/"
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("LLM_", "MAIL_CATCHER_"))}
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


def carry_out(plan: Plan, engines: ThrowAwayEngines, environment: dict[str, str], folder: Path) -> dict[str, object]:
    """Start a campaign, let the workers send it, do the harm, wait for the end, judge."""
    nursery = Nursery(environment, folder / "workers.log")  # imports while we set up
    beat = start_beat(environment, folder)
    try:
        campaign_id, asked = start_a_campaign(environment, plan.size)
        began = time.monotonic()
        run = Run(plan, engines, folder / "sink.log", nursery, nursery.start_worker())
        nudge()
        do_the_harm(run)
        states = wait_for_the_end(run, campaign_id, plan.patience_s)
    finally:
        nursery.close()
        os.killpg(beat.pid, signal.SIGKILL)
        beat.wait()
    arrivals = read_arrivals(run.log)
    moments = [arrival.at_s for arrival in arrivals]
    verdict = judge_history(asked, [arrival.message_id for arrival in arrivals], states)
    for kind in ("doubled", "lost", "unsaid", "strangers"):
        for name in getattr(verdict, kind)[:20]:
            print(f"  {kind}: message {asked.get(name)} is {states.get(name)}")
    return {
        "seed": plan.seed,
        "size": plan.size,
        "provider": "resend" if plan.uses_provider else "",
        "doubled": len(verdict.doubled),
        "lost": len(verdict.lost) + len(verdict.unsaid) + len(verdict.strangers),
        "unknown": len(verdict.unknown),
        "connections": CONNECTIONS,
        "kills": plan.kills,
        "flushes": plan.flushes,
        "restarts": plan.restarts,
        "resumed_s": round_seconds(resume_time(moments, run.over_at)),
        "longest_silence_s": round_seconds(longest_silence(moments, run.over_at)),
        "worker_restarts": run.worker_restarts,
        "seconds": round(time.monotonic() - began, 1),
    }


def start_a_campaign(environment: dict[str, str], size: int) -> tuple[int, dict[str, int]]:
    """A campaign of `size` people that is sending; its id, and the Message-ID that each row will have."""
    os.environ.update(environment)
    import django

    django.setup()
    from django.conf import settings
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.utils import timezone

    from campaigns.delivery.names import derive_message_id
    from campaigns.models import Message
    from tests.campaigns import arrange

    call_command("migrate", interactive=False, verbosity=0)
    now = timezone.now()
    cast = arrange.make_cast()
    # News for colleagues leave by the same door, and the sink would take them for messages that nobody asked for.
    User.objects.update(email="")
    people = arrange.make_customers(size, now=now)
    campaign = arrange.start(arrange.make_campaign(cast.marketer, people, send_at=now, now=now), cast, now=now)
    domain = settings.SHOP_FROM_EMAIL.rpartition("@")[2]
    rows = Message.objects.filter(campaign=campaign).values_list("pk", "step", "customer_id")
    return campaign.pk, {derive_message_id(campaign.pk, step, who, domain=domain): pk for pk, step, who in rows}


def do_the_harm(run: Run) -> None:
    """All faults in a seeded order, spread evenly over the send."""
    plan = run.plan
    dice = random.Random(plan.seed)
    faults: list[Callable[[], None]] = [
        *[lambda: kill_worker(run)] * plan.kills,
        *[lambda: flush_broker(run)] * plan.flushes,
        *[lambda: restart_database(run)] * plan.restarts,
    ]
    dice.shuffle(faults)
    began = time.monotonic()
    for number, fault in enumerate(faults, start=1):
        wait_for_arrivals(run, plan.size * number // (len(faults) + 1))
        time.sleep(dice.uniform(0, 0.05))
        fault()
        print(
            f"  after {time.monotonic() - began:5.1f} s, {count_arrivals(run.log)} messages: {fault_name(fault)}",
            flush=True,
        )


def kill_worker(run: Run) -> None:
    run.worker.kill()
    run.worker = run.nursery.start_worker()
    nudge()


def flush_broker(run: Run) -> None:
    """All that the broker held is gone, and it starts anew; only beat can bring the work back."""
    from django.conf import settings
    from redis import Redis

    Redis.from_url(settings.REDIS_URL).flushall()
    run.engines.valkey.stop()
    run.engines.valkey.start()
    run.over_at.append(time.monotonic())


def restart_database(run: Run) -> None:
    """An immediate shutdown, as a power cut would be: no session ends in order, the log is replayed."""
    from django.db import connection

    run.engines.postgres.crash()
    run.engines.postgres.start()
    connection.close()  # ours went with it
    run.over_at.append(time.monotonic())


def fault_name(fault: Callable[[], None]) -> str:
    names = fault.__code__.co_names
    return next(name.replace("_", " ") for name in names)


def nudge() -> None:
    """Beat would send the next sweep within ten seconds; this is only sooner."""
    from campaigns.tasks import send_sweep

    send_sweep.delay()


def wait_for_arrivals(run: Run, count: int) -> None:
    end = time.monotonic() + run.plan.patience_s
    while count_arrivals(run.log) < count:
        if time.monotonic() > end:
            raise SystemExit(f"only {count_arrivals(run.log)} messages arrived in {run.plan.patience_s:.0f} s")
        tend(run)
        time.sleep(0.005)


def tend(run: Run) -> None:
    """Keep a worker, and ask the reaper twice a second, as beat does twice a minute: leases have to end either way."""
    from django.db import Error, connection

    from campaigns.delivery.reaper import reap_stuck_messages

    keep_a_worker(run)
    if time.monotonic() < run.tended_at + 0.5:
        return
    run.tended_at = time.monotonic()
    try:
        reap_stuck_messages()
    except Error:  # the database is just coming back
        connection.close()


def keep_a_worker(run: Run) -> None:
    """What the supervisor does: a worker that ended is started again."""
    if not run.worker.is_running:
        run.worker_restarts += 1
        run.worker = run.nursery.start_worker()


def wait_for_the_end(run: Run, campaign_id: int, seconds: float) -> dict[str, str]:
    """Until no message is open; the state of each row by its Message-ID."""
    from django.conf import settings

    from campaigns.delivery.names import derive_message_id
    from campaigns.delivery.outbox import open_message_ids
    from campaigns.models import Message

    end = time.monotonic() + seconds
    while open_message_ids(campaign_id) and time.monotonic() < end:
        tend(run)
        time.sleep(0.1)
    domain = settings.SHOP_FROM_EMAIL.rpartition("@")[2]
    rows = Message.objects.filter(campaign=campaign_id).values_list("step", "customer_id", "status")
    return {derive_message_id(campaign_id, step, who, domain=domain): status for step, who, status in rows}


def round_seconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 2)


def print_table(figures: dict[str, object]) -> None:
    for name, value in figures.items():
        print(f"  {name:<18} {value}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
