"""A cursor for what counts millions of rows in the background."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Final

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from customers.segments.estimating import set_for_a_moment

#: What one sort may take before it goes to the disk, and a table of hashes twice: a million people fit in. Only as much is taken
#: as is needed.
ROOM: Final = "64MB"


@contextlib.contextmanager
def counting_cursor() -> Iterator[CursorWrapper]:
    """In a transaction of its own, or in the one around it."""
    with transaction.atomic(), set_for_a_moment(work_mem=ROOM), connection.cursor() as cursor:
        yield cursor
