"""Workers killed, the broker flushed, the database ended at once, in mid-send: nothing doubled, nothing lost."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from .history import arrival_rate, longest_silence, resume_time
from .stage import CONNECTIONS, Sending, Stage, nudge, start_a_campaign

#: What bar.md allows from the end of a fault to the next message.
BROKER_LIMIT_S, DATABASE_LIMIT_S = 60.0, 30.0


@dataclass
class Harm:
    """What is done to one send, and when each fault of the broker or the database was over."""

    sending: Sending
    broker_over_at: list[float] = field(default_factory=list)
    database_over_at: list[float] = field(default_factory=list)

    def kill_worker(self) -> None:
        """kill -9 of the whole group, and another one."""
        worker = self.sending.stage.worker
        assert worker is not None
        worker.kill()
        self.sending.stage.start_worker()
        nudge()

    def flush_broker(self) -> None:
        """All that the broker held is gone, and it starts anew; only beat can bring the work back."""
        from django.conf import settings
        from redis import Redis

        valkey = self.sending.stage.engines.valkey
        Redis.from_url(settings.REDIS_URL).flushall()
        valkey.stop()
        valkey.start()
        self.broker_over_at.append(time.monotonic())

    def restart_database(self) -> None:
        """An immediate shutdown, as a power cut would be: no session ends in order, the log is replayed."""
        from django.db import connection

        postgres = self.sending.stage.engines.postgres
        postgres.crash()
        postgres.start()
        connection.close()  # ours went with it
        self.database_over_at.append(time.monotonic())


def measure_kills(
    stage: Stage, size: int, kills: int, flushes: int, restarts: int, *, name: str = "kills"
) -> dict[str, object]:
    """Start a campaign, let the workers send it, do the harm, wait for the end, judge."""
    sending = start_a_campaign(stage, name, size)
    harm = Harm(sending)
    stage.start_worker()
    nudge()
    do_the_harm(harm, size, kills, flushes, restarts)
    verdict = sending.judge(sending.wait_for_the_end())
    moments = [arrival.at_s for arrival in sending.arrivals()]
    over_at = [*harm.broker_over_at, *harm.database_over_at]
    from_broker, from_database = (
        resume_time(moments, ends) for ends in (harm.broker_over_at, harm.database_over_at)
    )  # fmt: skip
    unknown_limit = 0 if stage.uses_provider else CONNECTIONS * (kills + restarts)
    is_fine = verdict.is_clean and len(verdict.unknown) <= unknown_limit
    is_quick = (from_broker or 0) <= BROKER_LIMIT_S and (from_database or 0) <= DATABASE_LIMIT_S
    return {
        "size": size,
        "provider": "resend" if stage.uses_provider else "",
        "doubled": len(verdict.doubled),
        "lost": len(verdict.lost) + len(verdict.unsaid) + len(verdict.strangers),
        "unknown": len(verdict.unknown),
        "unknown_limit": unknown_limit,
        "connections": CONNECTIONS,
        "kills": kills,
        "flushes": flushes,
        "restarts": restarts,
        "resumed_s": round_seconds(resume_time(moments, over_at)),
        "broker_resumed_s": round_seconds(from_broker),
        "database_resumed_s": round_seconds(from_database),
        "longest_silence_s": round_seconds(longest_silence(moments, over_at)),
        "per_second": arrival_rate(moments),
        "worker_restarts": stage.worker_restarts,
        "is_right": is_fine and is_quick,
    }


def do_the_harm(harm: Harm, size: int, kills: int, flushes: int, restarts: int) -> None:
    """All faults in a seeded order, spread evenly over the send."""
    dice = random.Random(harm.sending.stage.seed)
    faults: list[Callable[[], None]] = [
        *[harm.kill_worker] * kills,
        *[harm.flush_broker] * flushes,
        *[harm.restart_database] * restarts,
    ]
    dice.shuffle(faults)
    began = time.monotonic()
    for number, fault in enumerate(faults, start=1):
        harm.sending.wait_for(size * number // (len(faults) + 1))
        time.sleep(dice.uniform(0, 0.05))
        fault()
        name = getattr(fault, "__name__", "").replace("_", " ")
        print(f"  after {time.monotonic() - began:5.1f} s, {harm.sending.count()} messages: {name}", flush=True)


def round_seconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 2)
