"""Work of drafting runs under a database role of its own, which cannot write approvals or messages.

The role is taken for the time of a task and given back after it: what a model wrote, and whatever goes wrong with it, can
only ever become a draft, and PostgreSQL holds that, not our code alone. Which tables the role may write is listed in
`retention_site.drafting_rights`. Where the server has no such role, or the login may not take it, the work goes on
without, and the Settings page and `manage.py check --database default` say so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import structlog
from django.db import connection
from django.db.utils import Error as DatabaseError

ROLE: Final = "rekindle_drafting"

log = structlog.get_logger(__name__)


@contextmanager
def acting_as_drafter() -> Iterator[bool]:
    """Run the block under the drafting role; yields whether that could be done. May be nested; leaves nothing behind.

    A connection that is opened anew inside the block takes the role before its first statement. A statement beyond the
    role's rights raises Django's ProgrammingError (permission denied).
    """
    if not may_act_as_drafter():
        log.warning("drafting_without_role", role=ROLE)
        yield False
        return
    keeper = _RoleKeeper()
    if keeper.is_held_already():
        yield True
        return
    keeper.take()
    try:
        with connection.execute_wrapper(keeper):
            yield True
    finally:
        keeper.give_back()


def may_act_as_drafter() -> bool:
    """Whether the role is there and the login may take it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_has_role(session_user, oid, CASE WHEN current_setting('server_version_num')::int >= 160000"
            " THEN 'SET' ELSE 'MEMBER' END) FROM pg_roles WHERE rolname = %s",
            [ROLE],
        )
        row = cursor.fetchone()
    return bool(row and row[0])


class _RoleKeeper:
    """Wraps every statement: the connection that runs it has taken the role, or takes it now."""

    def __init__(self) -> None:
        self._held: Any = None

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if connection.connection is not self._held:
            self.take()
        return execute(sql, params, many, context)

    def is_held_already(self) -> bool:
        return bool(self._ask("SELECT current_user") == ROLE)

    def take(self) -> None:
        connection.ensure_connection()
        self._ask(f"SET ROLE {ROLE}")
        self._held = connection.connection

    def give_back(self) -> None:
        """A connection on which that fails is closed: it never comes back into use half-way."""
        if connection.connection is None or connection.connection.closed:
            return
        if connection.in_atomic_block and connection.needs_rollback:
            return  # the rollback that must come takes the role back with the rest
        try:
            self._ask("RESET ROLE")
        except DatabaseError:
            connection.close()

    def _ask(self, sql: str) -> Any:
        """Past Django's wrappers, of which this is one."""
        connection.ensure_connection()
        with connection.wrap_database_errors, connection.connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchone()[0] if cursor.description else None
