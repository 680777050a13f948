"""What tests leave behind is swept between them: here as elsewhere, by one call."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from pytest_django import DjangoDbBlocker

from tests.dead_rows import EVERY, sweep_dead_rows, sweeping


@pytest.mark.django_db(transaction=True)
def test_rows_that_were_rolled_back_take_no_room_after_a_sweep() -> None:
    sweep_dead_rows()
    with transaction.atomic():
        User.objects.bulk_create(User(username=f"gone-{number}") for number in range(2_000))
        assert count_pages() > 10
        transaction.set_rollback(True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("SELECT 1")  # which is when it is flushed

    sweep_dead_rows()

    assert count_pages() == 0


@pytest.mark.django_db(transaction=True)
def test_nothing_is_swept_once_the_test_database_is_gone(
    django_db_blocker: DjangoDbBlocker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end of the last test is told after its fixtures, those of the run among them, are torn down."""
    asked: list[str] = []
    monkeypatch.setattr(connection, "copy", lambda: asked.append("copy") or connection)
    plugins, told = pytest.PytestPluginManager(), {"nodeid": "last", "location": ("last", None, "last")}
    with sweeping(plugins, django_db_blocker):
        for _test in range(EVERY - 1):
            plugins.hook.pytest_runtest_logfinish(**told)
    plugins.hook.pytest_runtest_logfinish(**told)
    assert asked == []


def count_pages() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_relation_size('auth_user') / 8192")
        return int(cursor.fetchone()[0])
