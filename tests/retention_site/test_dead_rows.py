"""What tests leave behind is swept between them: here as elsewhere, by one call."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction

from tests.dead_rows import sweep_dead_rows


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


def count_pages() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_relation_size('auth_user') / 8192")
        return int(cursor.fetchone()[0])
