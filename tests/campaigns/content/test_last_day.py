"""How long what a text says of days stays true: read as if it were sent on each of the coming days."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.content.guardrails import DAYS_AHEAD, check_draft, find_last_day

MONDAY = dt.date(2026, 11, 23)
FACTS = {
    "shop": "Fernweh", "offer": "10% off", "percent": "10", "code": "BACK10", "send_date": "2026-11-23",
    "valid_from": "2026-11-23", "language": "en",
}  # fmt: skip


def facts_until(days: int, **changes: Any) -> dict[str, Any]:
    return FACTS | {"valid_until": (MONDAY + dt.timedelta(days=days)).isoformat()} | changes


def after(days: int) -> dt.date:
    return MONDAY + dt.timedelta(days=days)


@pytest.mark.parametrize(
    ("ends_in", "said", "last"),
    [
        (0, "Today only: 10% off.", None),  # the offer is over then anyhow
        (1, "The offer ends tomorrow.", after(0)),
        (1, "10% off 优惠明天截止。", after(0)),
        (3, "10% off, starting today.", after(0)),
        (3, "10% off 优惠今天开始。", after(0)),
        (3, "3 days left for 10% off.", after(1)),  # counted with the first day, or without it
        (5, "10% off ends on Saturday.", None),
        (5, "10% off until 28 November.", None),
        (9, "10% off ends next week.", after(6)),  # from the next Monday on it is this week
        (9, "10% off 优惠下周截止。", after(6)),
        (30, "10% off until 23 December.", None),
        (30, "The paths are muddy again.", None),
        (7, "Come soon, 10% off is your last chance.", None),
    ],
)
def test_it_holds_until(ends_in: int, said: str, last: dt.date | None) -> None:
    found = find_last_day(facts_until(ends_in), {"subject": "Hello", "opening": said})
    assert found == last


def test_the_day_of_sending_itself_may_be_named() -> None:
    facts = facts_until(30, valid_from=None)
    said = {"subject": "Hello", "opening": "10% off, from 23 November."}
    assert not [finding for finding in check_draft(facts, said) if finding.verdict == "block"]
    assert find_last_day(facts, said) == after(0)


@pytest.mark.parametrize("facts", [{}, {"send_date": "soon"}, {"send_date": None}])
def test_without_a_day_of_sending_there_is_none(facts: dict[str, Any]) -> None:
    assert find_last_day(facts, {"opening": "Today only."}) is None


SAYINGS = (
    "Today only.", "The offer ends tomorrow.", "It ends on Sunday.", "It ends this week.", "It ends next week.", "3 days left.",
    "This month only.", "10% off starts today.", "10% off until 28 November.", "优惠明天截止。", "最后一天。", "本周末截止。",
)  # fmt: skip


@given(st.integers(0, 40), st.lists(st.sampled_from(SAYINGS), min_size=1, max_size=3))
def test_what_was_true_is_true_up_to_that_day_and_false_on_the_next(ends_in: int, said: list[str]) -> None:
    """Against the plain way: the whole check of the whole text, day by day."""
    facts, draft = facts_until(ends_in), {"subject": "Hello", "opening": " ".join(said)}

    def blocked_on(day: dt.date) -> set[tuple[str, str]]:
        found = check_draft(facts | {"send_date": day.isoformat()}, draft)
        return {(f.code, f.excerpt) for f in found if f.verdict == "block" and f.code != "expired"}

    last, first = find_last_day(facts, draft), blocked_on(MONDAY)
    days = [after(n) for n in range(1, DAYS_AHEAD + 1) if n <= ends_in]
    wrong = [day for day in days if blocked_on(day) - first]
    assert last == (wrong[0] - dt.timedelta(days=1) if wrong else None)
