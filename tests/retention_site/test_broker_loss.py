"""A real worker loses its broker in the middle of a task: it goes on, the task ends, and the next one is taken."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from celery import Celery
from redis import Redis

from retention_site.broker_loss import remember_broker_addresses
from retention_site.embedded.process import read_tail
from retention_site.embedded.shared_memory import choose_pool
from retention_site.embedded.state import ROOT
from retention_site.embedded.valkey import Valkey

TASK = "tests.retention_site.held_task.hold"
OPTIONS = ("-c", "3", *choose_pool(), "--without-gossip", "--without-mingle", "--without-heartbeat")


class LonelyWorker:
    """A Celery worker on a broker of its own; with a process to spare, so that it listens while it works."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.broker = Valkey(folder / "valkey", durable=True)
        self.broker.start()
        self.log = folder / "worker.log"
        with self.log.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "celery", "-A", "tests.retention_site.held_task", "worker", *OPTIONS],
                cwd=ROOT,
                env=os.environ | {"BROKER_URL": self.broker.broker_url, "REDIS_URL": self.broker.url},
                stdout=out,
                stderr=out,
            )

    def ask(self, name: str) -> Path:
        """Ask for one held task; its folder, where it leaves `began` and `ended` and looks for `go`."""
        place = self.folder / name
        place.mkdir()
        with Celery(broker=self.broker.broker_url, set_as_current=False) as sender:
            sender.send_task(TASK, args=[str(place)])
        return place

    def wait_for(self, is_so: Callable[[], bool], seconds: float = 90) -> None:
        end = time.monotonic() + seconds
        while not is_so():
            assert self.process.poll() is None, f"the worker ended:\n{read_tail(self.log)}"
            assert time.monotonic() < end, read_tail(self.log)
            time.sleep(0.02)

    def count_losses(self) -> int:
        return self.log.read_text().count("Connection to broker lost")

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self.broker.discard()


@pytest.fixture
def worker() -> Iterator[LonelyWorker]:
    folder = Path(tempfile.mkdtemp(prefix="rk-broker-"))
    made = LonelyWorker(folder)
    yield made
    made.close()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.slow
def test_a_cut_connection_in_mid_task_ends_neither_the_task_nor_the_worker(worker: LonelyWorker) -> None:
    held = worker.ask("held")
    worker.wait_for((held / "began").exists)

    broker = Redis.from_url(worker.broker.url)
    assert broker.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes") >= 1
    worker.wait_for(lambda: worker.count_losses() == 1)
    (held / "go").touch()

    worker.wait_for((held / "ended").exists)
    expect_next_task(worker)
    expect_nothing_held(worker)


@pytest.mark.slow
def test_a_broker_that_goes_away_and_comes_back_finds_the_worker_again(worker: LonelyWorker) -> None:
    """One task ends while it is away: its acknowledgement has nobody to go to. The other outlasts it."""
    short, long = worker.ask("short"), worker.ask("long")
    worker.wait_for(lambda: (short / "began").exists() and (long / "began").exists())

    worker.broker.stop()
    worker.wait_for(lambda: "Cannot connect to" in worker.log.read_text())
    (short / "go").touch()
    worker.wait_for((short / "ended").exists)
    worker.broker.start()
    expect_next_task(worker)

    (long / "go").touch()
    worker.wait_for((long / "ended").exists)
    expect_next_task(worker, "another")


def expect_next_task(worker: LonelyWorker, name: str = "second") -> None:
    following = worker.ask(name)
    (following / "go").touch()
    worker.wait_for((following / "ended").exists)
    assert "Unrecoverable" not in worker.log.read_text()


def expect_nothing_held(worker: LonelyWorker) -> None:
    """What was acknowledged is not given out again an hour later."""
    queues = Redis(unix_socket_path=str(worker.broker.socket), db=0)
    worker.wait_for(lambda: queues.hlen("unacked") == 0)


def test_every_redis_address_is_served_by_the_transport_that_remembers() -> None:
    remember_broker_addresses()
    for url in ("redis://h/0", "rediss://h/0", "redis+socket:///h?virtual_host=0"):
        connection = Celery(broker=url, set_as_current=False).connection_for_read()
        transport = connection.transport
        assert type(transport).__name__ == "RememberingTransport"
        transport.client = None
        assert transport.client is connection
