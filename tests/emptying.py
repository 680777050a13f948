"""Empties the database after a test that commits. Django's way is a TRUNCATE of all our tables, which rewrites some 900 files
each time, and then makes every right and role anew; hundreds of tests wait for it. Few tables hold anything by then.

It has a connection of its own for the whole run: each of these tests ends with its connections closed, and a new one would read
all tables of the catalogue of PostgreSQL anew, which takes longer than to empty them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import TypeVar

import pytest
from django.db import InterfaceError, OperationalError, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import TransactionTestCase

#: What migrating fills. No test should change it; when one has, Django empties everything and fills it again.
STANDING = ("django_content_type", "auth_permission", "auth_group", "auth_group_permissions")

T = TypeVar("T")
Teardown = Callable[[TransactionTestCase], None]


@contextmanager
def emptying_quickly() -> Iterator[None]:
    """Within it, tests that commit end by deleting the rows of the tables that have some. The database stands and is
    migrated."""
    own = connection.copy()
    stood, may_pass_over = _read_standing(own), _is_superuser(own)
    as_django_does: Teardown = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]

    def empty(test: TransactionTestCase) -> None:
        nonlocal stood
        connections.close_all()  # as Django does next: what one of them still holds would be waited for
        is_usual = test.available_apps is None and may_pass_over
        if not (is_usual and _ask(own, _read_standing) == stood):
            as_django_does(test)
            stood = _ask(own, _read_standing)  # filled again, under other numbers
        else:
            _ask(own, _delete_rows)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", empty)
        yield
    own.close()


def _ask(own: BaseDatabaseWrapper, work: Callable[[BaseDatabaseWrapper], T]) -> T:
    """A test may have ended our connection with all others."""
    try:
        return work(own)
    except (InterfaceError, OperationalError):
        own.close()
        return work(own)


def _read_standing(own: BaseDatabaseWrapper) -> str:
    """One hash over all rows of these tables."""
    tables = " UNION ALL ".join(f"SELECT '{table}' || t::text AS row FROM {table} AS t" for table in STANDING)
    with own.cursor() as cursor:
        cursor.execute(f"SELECT md5(string_agg(row, '|' ORDER BY row)) FROM ({tables}) AS rows")
        return str(cursor.fetchone()[0])


def _is_superuser(own: BaseDatabaseWrapper) -> bool:
    """Who is none, on a server of the tester's own, may not pass over triggers and references."""
    return bool(own.connection.info.parameter_status("is_superuser") == "on")


def _delete_rows(own: BaseDatabaseWrapper) -> None:
    """As a replica would: no trigger fires and no reference is asked, since nothing that could refer is left."""
    with own.cursor() as cursor:
        cursor.execute(_ask_what_holds())
        deletions = [f"DELETE FROM {table}" for table in cursor.fetchone()[0]]
        if deletions:
            with own.wrap_database_errors, own.connection.transaction():
                cursor.execute("; ".join(["SET LOCAL session_replication_role = replica", *deletions]))


@cache
def _ask_what_holds() -> str:
    """The tables that hold a row, as an array."""
    names = connection.introspection.django_table_names(only_existing=True, include_views=False)
    tables = sorted(set(names) - {*STANDING})
    holding = ", ".join(f"CASE WHEN EXISTS (SELECT FROM {table}) THEN '{table}' END" for table in tables)
    return f"SELECT array_remove(ARRAY[{holding}], NULL)"
