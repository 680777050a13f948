"""The tables, made once for all workers of a run (`-n`). To migrate takes some three seconds of processor time; a copy of what
was migrated has the same tables, partitions, triggers and rights, and takes a part of one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.core.management.commands import migrate
from django.db import connection, connections
from django.db.backends.utils import CursorWrapper

#: Ends with the engines of the run, and so is never of other migrations than those that are here.
TEMPLATE = "rekindle_tables"
LOCK = 7_210_001


@contextmanager
def tables_once() -> Iterator[None]:
    """Within it, Django makes the database of this process. The first worker that comes migrates and leaves a copy; those who
    waited for it copy that. One process alone needs no second, and a server of the tester's own keeps nothing of ours."""
    if "PYTEST_XDIST_WORKER" not in os.environ or "REKINDLE_TEST_DATABASE_URL" in os.environ:
        yield
        return
    with connection._nodb_cursor() as server:
        server.execute("SELECT pg_advisory_lock(%s)", [LOCK])  # given back with this connection, whatever happens
        if _is_kept(server):
            with _copying():
                yield
        else:
            yield
            _leave_copy(server)


@contextmanager
def _copying() -> Iterator[None]:
    """Django makes databases as copies, and has nothing to migrate."""

    def nothing(command: migrate.Command, *args: Any, **options: Any) -> None:
        pass

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(connection.settings_dict["TEST"], "TEMPLATE", TEMPLATE)
        patch.setattr(migrate.Command, "handle", nothing)
        yield


def _leave_copy(server: CursorWrapper) -> None:
    """Of the database that was just migrated; nobody may be connected to it meanwhile."""
    connections.close_all()
    quote = connection.ops.quote_name
    server.execute(f"CREATE DATABASE {quote(TEMPLATE)} TEMPLATE {quote(connection.settings_dict['NAME'])}")


def _is_kept(server: CursorWrapper) -> bool:
    server.execute("SELECT EXISTS (SELECT FROM pg_database WHERE datname = %s)", [TEMPLATE])
    return bool(server.fetchone()[0])
