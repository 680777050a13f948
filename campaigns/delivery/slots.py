"""How many connections to the server of each channel there are at once, over all workers on all machines."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import InterfaceError, OperationalError, connection

from customers.models import Channel

#: The space of advisory locks, one per connection; they end with the database session, so a killed worker holds none.
SLOT_LOCKS = 0x5E4E
#: Of these locks so many belong to one channel: more than the settings allow connections.
SLOTS_OF_ONE = 1_000


@contextmanager
def sending_slot(slots: int, channel: str = Channel.EMAIL) -> Iterator[bool]:
    """Hold one of the `slots` places of a channel while sending; False when all are taken.

    Needs a session of its own with the database: a pooler in transaction mode cannot be between them.
    """
    taken = _take_slot(range(first := Channel.values.index(channel) * SLOTS_OF_ONE, first + slots))
    try:
        yield taken is not None
    finally:
        if taken is not None:
            _release_slot(taken)


def _take_slot(places: range) -> int | None:
    with connection.cursor() as cursor:
        for slot in places:
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
