"""How many connections to the mail server there are at once, over all workers on all machines."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import InterfaceError, OperationalError, connection

#: The space of advisory locks, one per connection; they end with the database session, so a killed worker holds none.
SLOT_LOCKS = 0x5E4E


@contextmanager
def sending_slot(slots: int) -> Iterator[bool]:
    """Hold one of `slots` places while sending; False when all are taken.

    Needs a session of its own with the database: a pooler in transaction mode cannot be between them.
    """
    taken = _take_slot(slots)
    try:
        yield taken is not None
    finally:
        if taken is not None:
            _release_slot(taken)


def _take_slot(slots: int) -> int | None:
    with connection.cursor() as cursor:
        for slot in range(slots):
            cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [SLOT_LOCKS, slot])
            if cursor.fetchone()[0]:
                return slot
    return None


def _release_slot(slot: int) -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [SLOT_LOCKS, slot])
    except (OperationalError, InterfaceError):
        connection.close()  # the session ended, and the lock with it
