"""Owns everything of `./rekindle run`: engines, web, worker and beat, from the first start to the last stop.

Order of stopping: web, beat, worker (which finishes its task), local model, mail catcher, Valkey, PostgreSQL.
"""

from __future__ import annotations

import http.client
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import FrameType

from .console import Console
from .engines import Engines
from .leftovers import note_children
from .milestones import FILLED, MIGRATED, is_noted, note
from .process import Engine, EngineError
from .program import Program
from .shared_memory import choose_pool, tell_obstacle
from .sharing import announce_engines, send_guests_home
from .state import ROOT, State
from .waiting_page import show_waiting_page

AddModel = Callable[[Engines], None]
RESTARTABLE = {"Mail catcher", "Local model"}
QUEUES = "celery,sending,drafting"


class Stopped(Exception):
    """Somebody asked to stop while things were still starting."""


@dataclass(frozen=True)
class Wishes:
    """What the command line asked for."""

    port: int
    fill_demo: bool


class Supervisor:
    """`run()` returns the exit code; the caller owns the state folder and the listening socket."""

    def __init__(
        self, state: State, environment: Mapping[str, str], wishes: Wishes, listener: socket.socket, console: Console
    ) -> None:
        self.state = state
        self.wishes = wishes
        self.listener = listener
        self.console = console
        self.engines = Engines(state, environment)
        self.programs: tuple[Program, ...] = ()
        self.stopping = threading.Event()
        self.hurry = threading.Event()

    def run(self, add_model: AddModel) -> int:
        """Start all, watch, and stop all when asked or when an engine dies. `add_model` may start one more engine."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._ask_to_stop)
        try:
            self._start(add_model)
            self._watch()
        except Stopped:
            return 0
        except EngineError as error:
            self.console.say(str(error))
            return 1
        finally:
            self._stop()
        return 0

    def _ask_to_stop(self, number: int, frame: FrameType | None) -> None:
        if self.stopping.is_set():
            self.hurry.set()
        self.stopping.set()

    def _start(self, add_model: AddModel) -> None:
        began = time.monotonic()
        with show_waiting_page(self.listener, lambda: self.console.last_line):
            self._prepare(add_model)
        worker, beat, web = self.programs = make_programs(
            self.state, self.engines.environment, self.listener, self.console
        )
        self._start_programs(web)
        logins = self._start_step("show_logins")  # beside the web's start, which takes as long
        try:
            self._wait_for_web(logins)
            self._finish_step(logins)
        finally:
            logins.stop(self.hurry)
        self._start_programs(worker, beat)  # after the web: on two cores each start slows the others
        self.console.say(f"ready after {time.monotonic() - began:.0f} s: {self.address}   (Ctrl-C stops everything)")

    def _prepare(self, add_model: AddModel) -> None:
        if obstacle := tell_obstacle():
            self.console.say(obstacle)
        self.engines.start(self.console.say)
        self._check_stopping()
        add_model(self.engines)
        self._check_stopping()
        self._migrate()
        announce_engines(self.state, "run", self.engines.environment)
        if is_noted(FILLED, self.state, self.engines.postgres):
            return
        if self.wishes.fill_demo:
            code = self._run_step("filling the demo shop, if the shop is empty", "seed_demo", "--if-empty")
            if code == 0:
                note(FILLED, self.state, self.engines.postgres)
        else:
            self._run_step("adding the demo people", "seed_demo", "--with-people-only", "--if-empty")

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.wishes.port}/"

    def _migrate(self) -> None:
        postgres = self.engines.postgres
        if postgres is None or self.engines.needs_migration:
            if self._run_step("bringing the tables up to date", "migrate", "--no-input", "--verbosity", "0"):
                raise EngineError("The tables could not be brought up to date; what happened stands above.")
            note(MIGRATED, self.state, postgres)

    def _run_step(self, title: str, *arguments: str) -> int:
        self.console.say(title)
        return self._finish_step(self._start_step(*arguments))

    def _start_step(self, *arguments: str) -> Program:
        step = Program("set-up", ["-u", str(ROOT / "manage.py"), *arguments], self.engines.environment, self.console)
        step.start()
        return step

    def _finish_step(self, step: Program) -> int:
        while step.is_running:
            if self.stopping.wait(0.05):
                step.stop(self.hurry)
                raise Stopped
        code = step.process.returncode if step.process else 1
        step.finish()
        step.process = None
        if code:
            self.console.say(f"this step failed (code {code}): manage.py {' '.join(step.arguments[2:])}")
        return code

    def _start_programs(self, *programs: Program) -> None:
        for program in programs:
            program.start()
        self._note_children()

    def _note_children(self) -> None:
        note_children(
            self.state.children,
            {program.name: program.process.pid for program in self.programs if program.process is not None},
        )

    def _wait_for_web(self, beside: Program, seconds: float = 120) -> None:
        """`beside` reads the same settings; when it fails for them, so does the web, however often it is started."""
        end = time.monotonic() + seconds
        while not is_healthy(self.wishes.port):
            self._check_stopping()
            if beside.process is not None and beside.process.poll():
                beside.finish()
                raise EngineError("Rekindle cannot start; what is wrong stands above.")
            self._mend_programs()
            if time.monotonic() > end:
                raise EngineError(f"The web server did not answer at {self.address}healthz within {seconds:.0f} s.")
            time.sleep(0.1)

    def _watch(self) -> None:
        while not self.stopping.wait(0.3):
            self._mend_programs()
            self._mend_engines()

    def _mend_programs(self) -> None:
        for program in self.programs:
            if program.is_running or program.process is None:
                continue
            code = program.process.returncode
            self.console.say(f"{program.name} ended with code {code}; starting it again")
            if not program.restart_within_budget(time.monotonic(), self.stopping):
                last = "\n".join(program.last_lines)
                raise EngineError(f"{program.name} keeps ending (code {code}). Its last lines:\n{last}")
            self._note_children()

    def _mend_engines(self) -> None:
        for engine in self.engines.running:
            if engine.is_running:
                continue
            if engine.title not in RESTARTABLE or not _restart(engine):
                raise EngineError(f"{engine.title} has ended. Its last lines:\n{engine.last_words()}")
            self.console.say(f"{engine.title} had ended and was started again")

    def _check_stopping(self) -> None:
        if self.stopping.is_set():
            raise Stopped

    def _stop(self) -> None:
        self.stopping.set()
        began = time.monotonic()
        self.console.say("stopping (Ctrl-C again does not wait for running tasks)")
        self.listener.close()
        for program in reversed(self.programs):  # web, beat, worker
            if program.process is not None:
                program.stop(self.hurry)
                self.console.say(f"{program.name} has stopped")
        with send_guests_home(self.state, 0 if self.hurry.is_set() else 20, self.console.say):
            self.engines.stop(self.console.say)
        self.state.children.unlink(missing_ok=True)
        self.console.say(f"everything has stopped ({time.monotonic() - began:.1f} s)")


def make_programs(
    state: State, environment: Mapping[str, str], listener: socket.socket, console: Console
) -> tuple[Program, Program, Program]:
    """Worker, beat and web: the reverse of the order in which they stop."""
    # Root is told by Celery to choose another user; in a container and on a bare machine there is none.
    celery = ["-W", "ignore:You're running the worker", "-m", "celery", "--quiet", "-A", "retention_site.celery"]
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    number = listener.fileno()
    return (
        Program(
            "worker",
            [*celery, "worker", "-c", "2", *choose_pool(), "-l", "warning", "-Q", QUEUES, *quiet],
            environment,
            console,
            patience_s=60,
        ),
        Program(
            "beat",
            [*celery, "beat", "-l", "warning", "-s", os.fspath(state.folder / "beat-schedule"), "--pidfile="],
            environment,
            console,
        ),
        Program(
            "web",
            [
                *("-m", "gunicorn", "retention_site.wsgi", "--bind", f"fd://{number}", "--log-level", "warning"),
                # Loaded once, then forked. Nothing that starts threads is used before the fork.
                "--preload",
                *("--workers", environment.get("WEB_CONCURRENCY", "2"), "--threads", "4", "--timeout", "120"),
                *("--graceful-timeout", "10"),
                *("--limit-request-line", "8190"),  # the longest there is: a rule may stand in an address
            ],
            environment,
            console,
            pass_fds=(number,),
        ),
    )


def is_healthy(port: int) -> bool:
    """Whether /healthz answers 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _restart(engine: Engine) -> bool:
    try:
        engine.start()
    except EngineError:
        return False
    return True
