"""What people decided after a backup was taken, and what a database that was put back does about it: counted first, then done."""

from __future__ import annotations

import datetime as dt
from dataclasses import astuple, dataclass

from customers.ingest.outside_queue import write_waiting_lines

from .repeating import repeat_erasures, repeat_objections, repeat_scheduled, spare_restored
from .wishes import repeat_wishes


@dataclass(frozen=True)
class Lost:
    """How many decisions the database does not know: erasures done, erasures that people confirmed for a later day, erasures that
    are not to run, objections to profiling, withdrawals, addresses and domains that are not to be written to, and people
    whose own choices (topics, how often, a pause, their language) it has lost."""

    erasures: int
    scheduled: int
    spared: int
    objections: int
    withdrawals: int
    addresses: int
    domains: int
    choices: int

    @property
    def total(self) -> int:
        return sum(astuple(self))


def repeat_lost(now: dt.datetime, *, is_dry: bool = False) -> Lost:
    """Do again all that is kept outside and that the database does not know; with `is_dry` only count it. Safe to run twice.

    What this database itself has not yet written outside goes there first. Who is spared comes before who is erased: a backup of
    before a person took it back has them as still to be erased.
    """
    if not is_dry:
        write_waiting_lines()
    spared = spare_restored(now, is_dry=is_dry)
    erasures = repeat_erasures(now, is_dry=is_dry)
    objections = repeat_objections(now, is_dry=is_dry)
    scheduled = repeat_scheduled(now, is_dry=is_dry)
    wishes = repeat_wishes(now, is_dry=is_dry)
    return Lost(
        erasures, scheduled, spared, objections,
        wishes.withdrawals, wishes.addresses, wishes.domains, wishes.choices,
    )  # fmt: skip
