"""A dump taken in mid-campaign is put back after more was sent: nothing leaves until a person confirms, then exactly the rest."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

from retention_site.embedded.postgres import clean_environment

from .stage import PATIENCE_S, Stage, nudge, start_a_campaign

#: Looks of the workers at the restored database, each of which would send, before a person confirms.
LOOKS = 4
#: In the same database, which is then behind what stands outside; and in another one of the same name.
IN_PLACE, ANEW = "in-place", "anew"


def measure_restore(stage: Stage, size: int, ways: int) -> dict[str, object]:
    """Once for each way of putting a dump back, one campaign each."""
    runs = [restore_once(stage, size, way) for way in (IN_PLACE, ANEW)[:ways]]
    counted = ("doubled", "lost", "unknown", "before_confirmation", "sent_since_dump", "rest", "again")
    return {
        "size": size * len(runs),
        "causes": [run["cause"] for run in runs],
        **{name: sum(int(str(run[name])) for run in runs) for name in counted},
        "is_right": all(run["is_right"] for run in runs),
    }


def restore_once(stage: Stage, size: int, way: str) -> dict[str, object]:
    """Dump after a third, the disaster after two thirds, a person after some looks of the workers."""
    sending = start_a_campaign(stage, f"restored-{way}-", size)
    stage.start_worker()
    nudge()
    sending.wait_for(size // 3)
    dump, in_dump = take_dump(stage), sending.count()
    sending.wait_for(min(in_dump + size // 3, size - 1))
    stage.stop_worker()
    put_back(stage, dump, way)
    before = len(sending.arrivals())
    stage.start_worker()
    cause = wait_for_the_fence()
    for _look in range(LOOKS):
        nudge()
        time.sleep(0.5)
    held_back = len(sending.arrivals()) - before
    confirm(sending.campaign_id)
    nudge()
    verdict = sending.judge(sending.wait_for_the_end())
    stage.stop_worker()
    names = [arrival.message_id for arrival in sending.arrivals()]
    again = set(names[:before]) & set(names[before:])
    # Everybody either has theirs, once, or stands as unknown: never both missing and silent.
    return {
        "cause": cause,
        "doubled": len(verdict.doubled),
        "lost": len(verdict.lost) + len(verdict.unsaid) + len(verdict.strangers),
        "unknown": len(verdict.unknown),
        "before_confirmation": held_back,
        "sent_since_dump": before - in_dump,
        "rest": len(names) - before - held_back,
        "again": len(again),
        "is_right": verdict.is_clean and not held_back and not again and len(names) > before > in_dump,
    }


def take_dump(stage: Stage) -> Path:
    """What a nightly backup does, while messages leave."""
    dump = stage.folder / f"dump-{time.monotonic_ns()}"
    run_program(stage, "pg_dump", "-Fc", "-f", os.fspath(dump), "-d", stage.engines.postgres.database)
    return dump


def put_back(stage: Stage, dump: Path, way: str) -> None:
    """Everything that was written since the dump is gone from the database; the sink knows better."""
    from django.db import connection

    connection.close()
    name = stage.engines.postgres.database
    if way == ANEW:
        run_program(stage, "dropdb", "--force", name)
        run_program(stage, "createdb", name)
    else:
        run_program(stage, "psql", "-q", "-d", name, "-c", "DROP SCHEMA public CASCADE", "-c", "CREATE SCHEMA public")
    run_program(stage, "pg_restore", "--exit-on-error", "-d", name, os.fspath(dump))


def run_program(stage: Stage, program: str, *arguments: str) -> None:
    """One of PostgreSQL's own, as the superuser of the stage's cluster."""
    postgres = stage.engines.postgres
    where = ("-h", os.fspath(postgres.sockets), "-U", "postgres")
    environment = clean_environment() | {"PGOPTIONS": "-c client_min_messages=warning"}
    done = subprocess.run(
        [os.fspath(postgres.programs / program), *where, *arguments],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"{program} failed: {done.stderr}")


def wait_for_the_fence() -> str:
    """Until a worker has looked at the restored database; why it holds back."""
    from campaigns.delivery.fence.gate import read_fence

    end = time.monotonic() + PATIENCE_S
    while (fence := read_fence()) is None:
        if time.monotonic() > end:
            raise SystemExit("nobody noticed the restored database")
        nudge()
        time.sleep(0.2)
    return str(fence.cause)


def confirm(campaign_id: int) -> None:
    """As the approver does on the page: what may have been sent stays unknown, the rest goes on."""
    from django.utils import timezone

    from campaigns.delivery.fence.confirming import UNKNOWN, confirm_sending
    from tests.campaigns import arrange

    note = "The backup of this night was put back after the disk had died."
    confirm_sending(arrange.make_cast().approver, note=note, choices={campaign_id: UNKNOWN}, now=timezone.now())
