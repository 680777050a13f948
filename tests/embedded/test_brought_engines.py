"""Servers that the user brings instead of ours: they are used, and one that does not answer gets one sentence."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from retention_site.embedded.brought_engines import check_broker, check_database
from retention_site.embedded.engines import Engines
from retention_site.embedded.process import EngineError
from retention_site.embedded.state import State

OURS = ("DATABASE_URL", "REDIS_URL", "BROKER_URL", "EMAIL_URL", "MAIL_CATCHER_PORT")


@pytest.fixture
def state() -> Iterator[State]:
    folder = Path(tempfile.mkdtemp(prefix="rk-brought-"))
    folder.chmod(0o755)
    yield State(folder)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def nobodys_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        return int(closed.getsockname()[1])


@pytest.mark.parametrize(
    ("brought", "started"),
    [
        ((), ["PostgreSQL", "Valkey", "Mail catcher"]),
        (("DATABASE_URL",), ["Valkey", "Mail catcher"]),
        (("REDIS_URL",), ["PostgreSQL", "Mail catcher"]),
        (("EMAIL_URL",), ["PostgreSQL", "Valkey"]),
        (("DATABASE_URL", "REDIS_URL", "EMAIL_URL"), []),
    ],
)
def test_each_engine_is_replaced_by_itself(state: State, brought: tuple[str, ...], started: list[str]) -> None:
    theirs = {"EMAIL_URL": "smtp://mail.test:587/?tls=1"} | {
        key: os.environ[key] for key in ("DATABASE_URL", "REDIS_URL")
    }
    bare = {key: value for key, value in os.environ.items() if key not in OURS}
    engines = Engines(state, bare | {key: theirs[key] for key in brought})
    engines.start(lambda line: None)
    try:
        assert [engine.title for engine in engines.running] == started
        assert all(engines.environment[key] == theirs[key] for key in brought)
        check_database(engines.environment["DATABASE_URL"])
        check_broker(engines.environment["REDIS_URL"])
        # With a server of their own for both, Celery uses it too; ours has a database of its own for the broker.
        assert ("BROKER_URL" in engines.environment) == ("REDIS_URL" not in brought)
    finally:
        engines.stop(lambda line: None)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mysql://db/shop", "must start with postgresql://"),
        ("postgresql://db:notaport/shop", "cannot be used"),
        ("postgresql://127.0.0.1:{port}/shop", "cannot be used: connection failed"),
    ],
)
def test_a_database_that_does_not_answer(nobodys_port: int, url: str, words: str) -> None:
    with pytest.raises(EngineError) as refusal:
        check_database(url.format(port=nobodys_port))
    assert words in str(refusal.value) and "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("url", "words"),
    [("nonsense", "REDIS_URL must look like"), ("redis://127.0.0.1:{port}/1", "cannot be used: Error")],
)
def test_a_broker_that_does_not_answer(nobodys_port: int, url: str, words: str) -> None:
    with pytest.raises(EngineError) as refusal:
        check_broker(url.format(port=nobodys_port))
    assert words in str(refusal.value) and "\n" not in str(refusal.value)
