"""One transaction per try, and never a wait while locks are held: so a merge is no part of any deadlock."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import psycopg
from django.db import OperationalError, transaction
from django.utils.translation import gettext as _

from .plan import CannotMerge

Result = TypeVar("Result")
#: About six seconds in all.
TRIES = 25
FIRST_WAIT_S = 0.02
LONGEST_WAIT_S = 0.4


class PeopleAreBusy(CannotMerge):
    """An import, a request or another merge was writing these customers all the time."""


def retry_until_free(act: Callable[[], Result], *, tries: int = TRIES) -> Result:
    """Run `act` in a transaction; where it meets a lock, undo all of it and try again a little later. Raises PeopleAreBusy."""
    wait_s = FIRST_WAIT_S
    for left in reversed(range(tries)):
        try:
            with transaction.atomic():
                return act()
        except OperationalError as error:
            if not isinstance(error.__cause__, psycopg.errors.LockNotAvailable):
                raise
            if not left:
                raise PeopleAreBusy(
                    _("Somebody is writing to these customers, an import for instance. Try again in a minute.")
                ) from error
        time.sleep(wait_s)
        wait_s = min(wait_s * 1.5, LONGEST_WAIT_S)
    raise AssertionError("unreachable")
