"""One owner of the engines per checkout; commands that come later are its guests.

The owner holds `engines.lock` and writes the addresses to `engines.json`. A guest reads them and holds
`guests.lock` in common with other guests; an owner that wants to stop takes that lock alone, so it waits
for its guests. Both locks end with their process, kill -9 included.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from .engines import Engines, Say
from .process import EngineError
from .state import State

HANDED_DOWN = (
    *("REKINDLE_VAR", "SECRET_KEY", "PYTHONPATH", "SITE_URL", "DATABASE_URL", "REDIS_URL", "BROKER_URL", "EMAIL_URL"),
    *("MAIL_CATCHER_HOST", "MAIL_CATCHER_PORT", "MAIL_CATCHER_DIR", "MESSAGE_CATCHER_HOST", "MESSAGE_CATCHER_PORT"),
    *("SMS_URL", "WEBHOOK_URL", "WEBHOOK_SECRET", "WEBHOOK_KEY_HOURS"),
    *("LLM_BASE_URL", "LLM_API_KEY", "LLM_MODEL", "LLM_LABEL", "LLM_TIMEOUT_S"),
)


@dataclass(frozen=True)
class Owner:
    """Who holds the engines: process id, the command, and what it hands down (secrets included: mode 0600)."""

    pid: int
    command: str
    environment: dict[str, str]


def take_ownership(state: State) -> int | None:
    """The right to run engines in this state folder, as a handle to close; None when somebody else has it."""
    handle = os.open(state.lock, os.O_RDWR | os.O_CREAT, 0o600)
    if not _lock(handle, fcntl.LOCK_EX):
        os.close(handle)
        return None
    state.addresses.unlink(missing_ok=True)  # of an owner that was killed
    return handle


def announce_engines(state: State, command: str, environment: Mapping[str, str]) -> None:
    """Tell later commands where the engines are."""
    handed_down = {key: environment[key] for key in HANDED_DOWN if key in environment}
    draft = state.addresses.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump({"pid": os.getpid(), "command": command, "environment": handed_down}, file)
    draft.replace(state.addresses)


def read_owner(state: State) -> Owner | None:
    """The owner that announced itself last; None when there is none, or it is still starting."""
    try:
        return Owner(**json.loads(state.addresses.read_text()))
    except (OSError, ValueError, TypeError):
        return None


@contextmanager
def send_guests_home(state: State, seconds: float, say: Say) -> Iterator[None]:
    """Withdraw the addresses, then wait until the last guest has gone, or for so long."""
    state.addresses.unlink(missing_ok=True)
    handle = os.open(state.guests, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        end, told = time.monotonic() + seconds, False
        while not _lock(handle, fcntl.LOCK_EX):
            if not told:
                say("waiting for another command that uses these engines")
                told = True
            if time.monotonic() > end:
                say("the other command goes on too long; stopping all the same")
                break
            time.sleep(0.1)
        yield
    finally:
        os.close(handle)


@contextmanager
def visit_engines(state: State) -> Iterator[Owner | None]:
    """Be a guest for the duration; None when nobody is ready to have one."""
    handle = os.open(state.guests, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        owner = read_owner(state) if _lock(handle, fcntl.LOCK_SH) else None
        yield owner if owner is not None and _is_owned(state) else None
    finally:
        os.close(handle)


@contextmanager
def engines_for_command(
    state: State, environment: Mapping[str, str], say: Say, wait_seconds: float = 600
) -> Iterator[tuple[dict[str, str], Engines | None]]:
    """The environment to run a command in: a guest's where engines run, else with engines of our own (second value).

    Waits while another command starts or stops its engines; raises EngineError after `wait_seconds`.
    """
    end = time.monotonic() + wait_seconds
    while time.monotonic() < end:
        handle = take_ownership(state)
        if handle is not None:
            with _started(state, environment, handle, say) as engines:
                yield engines.environment, engines
            return
        with visit_engines(state) as owner:
            if owner is not None:
                yield dict(environment) | owner.environment, None
                return
        time.sleep(0.1)
    raise EngineError(f"Another command holds {state.folder} and neither starts its engines nor ends.")


@contextmanager
def _started(state: State, environment: Mapping[str, str], handle: int, say: Say) -> Iterator[Engines]:
    engines = Engines(state, environment)
    try:
        engines.start(say=lambda text: None)
        try:
            yield engines
        finally:
            with send_guests_home(state, seconds=3600, say=say):
                engines.stop(lambda text: None)
    finally:
        os.close(handle)


def _lock(handle: int, kind: int) -> bool:
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_owned(state: State) -> bool:
    """Whether an owner lives; one that was killed leaves its addresses behind."""
    handle = os.open(state.lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        return not _lock(handle, fcntl.LOCK_SH)
    finally:
        os.close(handle)
