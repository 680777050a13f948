"""`-p retention_site.embedded.pytest_plugin`: a throw-away PostgreSQL and Valkey for the whole test run.

They start while this module is imported, because pytest-django reads the settings soon after; xdist
workers inherit the addresses through the environment. A running `./rekindle run` and the settings of
the person who tests (`DATABASE_URL`, `LLM_*`, `.env`) play no part: to test against other servers, set
`REKINDLE_TEST_DATABASE_URL` and `REKINDLE_TEST_REDIS_URL`.
"""

from __future__ import annotations

import os

import pytest

from .shared_memory import tell_obstacle
from .throwaway import ThrowAwayEngines, start_throwaway_engines

# A test run reaches no mail server, model or proxy of the person who runs it.
FORGOTTEN = (
    "BROKER_URL",
    "EMAIL_URL",
    "LLM_API_KEY",
    "LLM_BASE_URL",
    "LLM_LABEL",
    "LLM_MODEL",
    "MAIL_CATCHER_DIR",
    "MAIL_CATCHER_HOST",
    "MAIL_CATCHER_PORT",
    "MESSAGE_CATCHER_HOST",
    "MESSAGE_CATCHER_PORT",
    "SMS_URL",
    "SUPPORT_AUTH_SERVER",
    "SUPPORT_HOOK_PROVIDER",
    "SUPPORT_HOOK_SECRET",
    "SUPPORT_IMAP_URL",
    "WEBHOOK_SECRET",
    "WEBHOOK_URL",
)


#: Valkey's numbered databases; 0 is the broker's.
CACHES = 15


def own_cache(url: str, worker: str) -> str:
    """The cache of one xdist worker, as its database is its own: keys hold numbers of rows, which all workers have, and a
    test that empties the cache must not take from another what it counts. An address without a number stays as it is."""
    head, mark, number = url.rpartition("?db=")
    if not mark or not number.isdecimal():
        return url
    return f"{head}{mark}{1 + int(worker.removeprefix('gw') or 0) % CACHES}"


def _start_engines() -> ThrowAwayEngines | None:
    if worker := os.environ.get("PYTEST_XDIST_WORKER"):
        os.environ["REDIS_URL"] = own_cache(os.environ["REDIS_URL"], worker)
        return None
    for name in FORGOTTEN:
        os.environ.pop(name, None)
    os.environ["SECRET_KEY"] = "for-tests-only"  # noqa: S105
    database, redis = (os.environ.get(f"REKINDLE_TEST_{name}_URL") for name in ("DATABASE", "REDIS"))
    if database and redis:
        os.environ.update(DATABASE_URL=database, REDIS_URL=redis)
        return None
    engines = start_throwaway_engines()
    os.environ.update(engines.environment)
    os.environ.update({"DATABASE_URL": database} if database else {})
    if redis:
        os.environ["REDIS_URL"] = redis
        del os.environ["BROKER_URL"]
    return engines


_engines = _start_engines()


def pytest_report_header(config: pytest.Config) -> str:
    return tell_obstacle()


def pytest_unconfigure(config: pytest.Config) -> None:
    if _engines is not None:
        _engines.discard()
