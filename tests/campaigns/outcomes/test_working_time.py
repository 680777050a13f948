"""Minutes of work from an audit trail: sittings, pauses, people side by side."""

from __future__ import annotations

import datetime as dt

import pytest

from campaigns.outcomes.working_time import estimate_minutes

AT = dt.datetime(2026, 11, 23, 9, 0, tzinfo=dt.UTC)


def _at(minutes: float) -> dt.datetime:
    return AT + dt.timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("acts", "minutes"),
    [
        ([], 0),
        ([(1, _at(0))], 5),
        ([(1, _at(0)), (1, _at(10)), (1, _at(25))], 30),
        ([(1, _at(25)), (1, _at(0)), (1, _at(10))], 30),
        ([(1, _at(0)), (1, _at(15.1))], 10),
        ([(1, _at(0)), (1, _at(10)), (2, _at(5))], 20),
        ([(1, _at(0)), (1, _at(1440)), (1, _at(1445))], 15),
    ],
)
def test_acts_close_together_are_work_and_the_rest_is_not(acts: list[tuple[int, dt.datetime]], minutes: float) -> None:
    assert estimate_minutes(acts) == pytest.approx(minutes)
