"""`./rekindle run` as a person meets it: ready, asked twice, killed, started again, stopped."""

from __future__ import annotations

import contextlib
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from retention_site.embedded.process import read_command_line, read_tail
from retention_site.embedded.state import ROOT
from retention_site.embedded.supervisor import is_healthy

FORGOTTEN = ("DATABASE_URL", "REDIS_URL", "BROKER_URL", "SITE_URL", "SECRET_KEY")


@pytest.fixture
def environment() -> Iterator[dict[str, str]]:
    """That of a person with nothing set, and a state folder of its own."""
    with new_state_folder() as environment:
        yield environment


@dataclass(frozen=True)
class FirstStart:
    """What three `./rekindle manage` said that were started at once where nothing was yet; the tables stand since."""

    environment: dict[str, str]
    said: list[tuple[int | None, str, str]]


@pytest.fixture(scope="module")
def first_start() -> Iterator[FirstStart]:
    """One for all tests of the module that need tables: to make them takes some five seconds of processor time."""
    with new_state_folder() as environment:
        at_once = [
            subprocess.Popen(
                command("manage", "showmigrations", "sessions"),
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for _ in range(3)
        ]
        answers = [process.communicate(timeout=900) for process in at_once]
        codes = [process.returncode for process in at_once]
        yield FirstStart(environment, [(code, *answer) for code, answer in zip(codes, answers, strict=True)])


@contextlib.contextmanager
def new_state_folder() -> Iterator[dict[str, str]]:
    folder = Path(tempfile.mkdtemp(prefix="rk-run-"))
    folder.chmod(0o755)
    kept = {key: value for key, value in os.environ.items() if key not in FORGOTTEN}
    yield kept | {"REKINDLE_VAR": str(folder / "var"), "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    shutil.rmtree(folder, ignore_errors=True)


class Session:
    """A `./rekindle run` in the background, with what it printed so far."""

    def __init__(self, environment: dict[str, str], port: int) -> None:
        self.port = port
        self.output = Path(environment["REKINDLE_VAR"] + f"-{port}-{time.monotonic_ns()}.log")
        with self.output.open("w") as out:
            self.process = subprocess.Popen(
                command("run", "--port", str(port), "--no-demo"),
                env=environment,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    @property
    def text(self) -> str:
        return self.output.read_text()

    def wait_for(self, words: str, seconds: float = 900) -> None:
        end = time.monotonic() + seconds
        while words not in self.text:
            assert self.process.poll() is None, self.text
            assert time.monotonic() < end, self.text
            time.sleep(0.1)

    def children(self) -> dict[str, int]:
        """Name -> process id of everything below the supervisor."""
        below = list_children(self.process.pid)
        return {name_of(read_command_line(pid)): pid for pid in below}

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(120)


def command(name: str, *arguments: str) -> list[str]:
    return [sys.executable, "-P", "-m", f"retention_site.embedded.commands.{name}", *arguments]


def list_children(parent: int) -> list[int]:
    """The direct children; a bare Debian has no `ps`, and macOS no /proc."""
    if Path("/proc/self").exists():
        stats = [text for path in Path("/proc").glob("[0-9]*/stat") if (text := read_tail(path))]
        return [int(stat.split()[0]) for stat in stats if int(stat.rpartition(")")[2].split()[1]) == parent]
    rows = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout.splitlines()
    return [int(pid) for pid, above in map(str.split, rows) if int(above) == parent]


def name_of(command_line: str) -> str:
    for name in ("gunicorn", "celery worker", "celery beat", "mail_catcher", "valkey", "postgres"):
        if name in command_line:
            return name.removeprefix("celery ")
    return command_line


def wait_until_gone(pids: list[int], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while still := [line for pid in pids if (line := read_command_line(pid))]:
        assert time.monotonic() < end, f"still running: {still}"
        time.sleep(0.1)


def choose_port() -> int:
    """One that stays ours between two starts: below the range from which systems hand out ports (port 0) to others."""
    while True:
        port = random.SystemRandom().randrange(20_000, 32_000)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


@pytest.mark.slow
def test_run_is_ready_refuses_a_second_survives_a_kill_and_stops(environment: dict[str, str]) -> None:
    port = choose_port()
    session = Session(environment, port)
    session.wait_for("ready after")
    assert is_healthy(port)
    children = session.children()
    assert set(children) == {"gunicorn", "worker", "beat", "mail_catcher", "valkey", "postgres"}

    second = subprocess.run(
        command("run", "--port", str(choose_port())), env=environment, capture_output=True, text=True, timeout=60
    )
    assert (second.returncode, second.stdout) == (1, "")
    assert re.fullmatch(r"rekindle: Rekindle already runs in this checkout \(process \d+\): .*\n", second.stderr)

    guest = subprocess.run(
        command("manage", "showmigrations", "sessions"), env=environment, capture_output=True, text=True, timeout=120
    )
    assert "[X] 0001_initial" in guest.stdout, guest.stderr

    os.kill(children["beat"], signal.SIGKILL)
    session.wait_for("beat ended with code -9; starting it again")
    os.kill(children["mail_catcher"], signal.SIGKILL)
    session.wait_for("Mail catcher had ended and was started again")

    everything = list(session.children().values())
    session.process.kill()
    session.process.wait()
    wait_until_gone(everything)
    again = Session(environment, port)
    again.wait_for("ready after")
    assert "bringing the tables up to date" not in again.text
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=10) as answer:
        assert answer.status == 200

    everything = list(again.children().values())
    again.end()
    assert again.process.returncode == 0
    order = re.findall(r"rekindle +\| ([A-Za-z ]+) has stopped", again.text)
    assert order == ["web", "beat", "worker", "Mail catcher", "Valkey", "PostgreSQL", "everything"]
    wait_until_gone(everything, seconds=1)


def test_port_in_use_gets_one_sentence(environment: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            command("run", "--port", str(port)), env=environment, capture_output=True, text=True, timeout=60
        )
    assert done.returncode == 1
    assert done.stderr.startswith(f"rekindle: Port {port} cannot be used")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("port", ["0x50", "99999", "-1"])
def test_a_port_that_is_none_gets_one_sentence(environment: dict[str, str], port: str) -> None:
    done = subprocess.run(command("run"), env=environment | {"PORT": port}, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"rekindle: A port (--port, PORT) must be a whole number from 1 to 65535, not “{port}”.\n"


@pytest.mark.slow
def test_manage_starts_engines_of_its_own_and_several_share_them(first_start: FirstStart) -> None:
    for code, out, err in first_start.said:
        assert code == 0, err
        assert "[X] 0001_initial" in out
    assert not (Path(first_start.environment["REKINDLE_VAR"]) / "engines.json").exists()


@pytest.mark.slow
def test_a_wrong_setting_ends_a_later_start_with_a_sentence(first_start: FirstStart) -> None:
    """The tables stand, so that only the web and those beside it read the settings."""
    done = subprocess.run(
        command("run", "--port", str(choose_port()), "--no-demo"),
        env=first_start.environment | {"HOLDOUT_SHARE": "a tenth"},
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 1
    assert "bringing the tables up to date" not in done.stdout
    assert "HOLDOUT_SHARE must be a number, from 0 to 1, not “a tenth”." in done.stdout
    assert "Rekindle cannot start" in done.stdout


def test_old_python_gets_one_sentence(tmp_path: Path) -> None:
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    for tool in ("sh", "dirname", "readlink", "cat"):
        (tmp_path / tool).symlink_to(str(shutil.which(tool)))
    done = subprocess.run(
        [str(ROOT / "rekindle"), "manage"], env={"PATH": str(tmp_path)}, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr.startswith("Rekindle needs Python 3.11 or newer")
    assert done.stderr.count("\n") == 1
