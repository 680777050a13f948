"""Empties the database after a test that commits. Django's way is a TRUNCATE of all our tables, which rewrites some 900 files
each time, and then makes every right and role anew; hundreds of tests wait for it. Few tables hold anything by then."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection, transaction
from django.test import TransactionTestCase

#: What migrating fills. No test should change it; when one has, Django empties everything and fills it again.
STANDING = ("django_content_type", "auth_permission", "auth_group", "auth_group_permissions")

Teardown = Callable[[TransactionTestCase], None]


def empty_quickly(patch: pytest.MonkeyPatch) -> None:
    """From now on, tests that commit end by deleting the rows of the tables that have some. The database stands and is
    migrated."""
    stood = _read_standing()
    as_django_does: Teardown = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]

    def empty(test: TransactionTestCase) -> None:
        if test.available_apps is not None or not _is_superuser() or _read_standing() != stood:
            as_django_does(test)
        else:
            _delete_rows()

    patch.setattr(TransactionTestCase, "_fixture_teardown", empty)


def _read_standing() -> str:
    """One hash over all rows of these tables."""
    tables = " UNION ALL ".join(f"SELECT '{table}' || t::text AS row FROM {table} AS t" for table in STANDING)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT md5(string_agg(row, '|' ORDER BY row)) FROM ({tables}) AS rows")
        return str(cursor.fetchone()[0])


def _is_superuser() -> bool:
    """Who is none, on a server of the tester's own, may not pass over triggers and references."""
    connection.ensure_connection()
    return bool(connection.connection.info.parameter_status("is_superuser") == "on")


def _delete_rows() -> None:
    """As a replica would: no trigger fires and no reference is asked, since nothing that could refer is left."""
    tables = set(connection.introspection.django_table_names(only_existing=True, include_views=False)) - {*STANDING}
    holding = ", ".join(f"CASE WHEN EXISTS (SELECT FROM {table}) THEN '{table}' END" for table in sorted(tables))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT array_remove(ARRAY[{holding}], NULL)")
        deletions = [f"DELETE FROM {table}" for table in cursor.fetchone()[0]]
        with transaction.atomic():
            cursor.execute("; ".join(["SET LOCAL session_replication_role = replica", *deletions]))
