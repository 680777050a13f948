"""What a hold-out would show, cost and take, against simulated campaigns that were judged as the result page judges them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.audience.planning import (
    find_people_needed,
    find_smallest,
    find_smallest_at_any_look,
    find_smallest_between,
    plan_holdout,
    recommend_share,
)
from campaigns.outcomes.cuped import ArmMoments
from campaigns.outcomes.estimates import Expected, describe_look
from campaigns.outcomes.lift import estimate_lift
from campaigns.outcomes.text_standing import TextArm, compare_texts


def _seen_share(treated: int, held: int, rate: float, effect: float, *, campaigns: int = 8_000) -> float:
    """In how many simulated campaigns the verdict is that there is an effect."""
    kept = _draw_kept(treated, held, rate, effect, campaigns)
    verdicts = [estimate_lift(treated, int(a), held, int(b)).verdict for a, b in zip(*kept, strict=True)]
    return verdicts.count("positive") / campaigns


def _seen_in_rounds(treated: int, held: int, rate: float, effect: float, *, rounds: int = 4_000) -> float:
    """In how many rounds of the global hold-out the page says so at the planned end, the past telling nothing."""
    expected = Expected(rate)
    looks = [
        describe_look(
            {"kept": _moments(treated, int(a))},
            {"kept": _moments(held, int(b))},
            expected=expected,
            elapsed_days=182,
            grows=False,
        )
        for a, b in zip(*_draw_kept(treated, held, rate, effect, rounds), strict=True)
    ]
    return sum(look is not None and look["verdict"] == "positive" for look in looks) / rounds


def _draw_kept(treated: int, held: int, rate: float, effect: float, times: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(11)
    return random.binomial(treated, rate + effect, times), random.binomial(held, rate, times)


def _moments(people: int, kept: int) -> ArmMoments:
    share, nothing = kept / people, np.zeros(0)
    return ArmMoments(people, share, share * (1 - share) * people / (people - 1), nothing, np.zeros((0, 0)), nothing)


@pytest.mark.parametrize(
    ("people", "share", "rate"),
    [
        (4_000, 0.1, 0.3), (20_000, 0.05, 0.6), (1_500, 0.5, 0.2), (2_000, 0.1, 0.03), (500, 0.1, 0.05), (20_000, 0.02, 0.1),
        (800, 0.5, 0.9), (5_000, 0.1, 0.95),
    ],
)  # fmt: skip
def test_the_smallest_effect_is_seen_four_times_in_five(people: int, share: float, rate: float) -> None:
    plan = plan_holdout(people=people, share=share, base_rate=rate, effect=0.02, worth=1, window_days=60)
    assert _seen_share(plan.treated, plan.held, rate, plan.smallest) == pytest.approx(0.8, abs=0.01)
    assert _seen_share(plan.treated, plan.held, rate, plan.smallest / 2, campaigns=1_000) < 0.45


@pytest.mark.parametrize(
    ("people", "share", "rate"), [(4_000, 0.05, 0.4), (20_000, 0.1, 0.1), (50_000, 0.02, 0.7), (3_000, 0.15, 0.92)]
)
def test_what_a_global_holdout_promises_is_seen_four_times_in_five(people: int, share: float, rate: float) -> None:
    held = round(people * share)
    smallest = find_smallest_at_any_look(people - held, held, rate)
    assert _seen_in_rounds(people - held, held, rate, smallest) == pytest.approx(0.8, abs=0.01)
    assert smallest > 1.2 * find_smallest(people - held, held, rate)  # one planned look would see less


def test_a_global_holdout_of_whom_hardly_anybody_orders_promises_nothing() -> None:
    assert find_smallest_at_any_look(4_000, 100, 0.1) == math.inf
    assert find_smallest_at_any_look(4_000, 0, 0.5) == math.inf
    assert find_smallest_at_any_look(4_000, 400, 0.99) == math.inf


def test_fewer_than_any_verdict_needs_promise_nothing() -> None:
    few = plan_holdout(people=500, share=0.05, base_rate=0.4, effect=0.02, worth=1, window_days=60)
    assert (few.held, few.smallest, few.is_too_few) == (25, math.inf, True)
    assert estimate_lift(475, 475, 25, 0).verdict == "too_early"


def test_the_people_needed_show_the_effect() -> None:
    needed = find_people_needed(0.03, 0.2, 0.4)
    held = round(0.2 * needed)
    assert find_smallest(needed - held, held, 0.4) == pytest.approx(0.03, abs=0.0001)
    assert _seen_share(needed - held, held, 0.4, 0.03) == pytest.approx(0.8, abs=0.01)


def test_the_recommended_share_is_the_smallest_that_shows_it() -> None:
    share = recommend_share(10_000, 0.04, 0.5)
    assert share is not None
    assert find_smallest(round(10_000 * (1 - share)), round(10_000 * share), 0.5) <= 0.04
    assert find_smallest(round(10_000 * (1.01 - share)), round(10_000 * (share - 0.01)), 0.5) > 0.04
    assert recommend_share(100, 0.01, 0.5) is None


def test_an_effect_that_cannot_be_is_not_promised() -> None:
    """Of 99 % who order anyhow nobody can make 105 %."""
    few = plan_holdout(people=300, share=0.1, base_rate=0.99, effect=0.02, worth=1, window_days=60)
    assert (few.smallest, few.recommended) == (math.inf, None)
    many = plan_holdout(people=20_000, share=0.1, base_rate=0.95, effect=0.02, worth=1, window_days=60)
    assert 0.95 + many.smallest < 1


def test_holding_out_costs_what_the_held_out_would_have_brought() -> None:
    plan = plan_holdout(people=1_000, share=0.2, base_rate=0.5, effect=0.05, worth=30.0, window_days=60)
    assert plan.forgone == pytest.approx(200 * 0.05 * 30)


def test_one_send_ends_with_its_window_and_a_live_one_when_enough_have_entered() -> None:
    common = {"people": 5_000, "share": 0.2, "base_rate": 0.5, "effect": 0.05, "worth": 1.0, "window_days": 28}
    assert plan_holdout(**common).weeks == 4  # type: ignore[arg-type]
    live = plan_holdout(**common, per_week=100)  # type: ignore[arg-type]
    assert live.weeks == pytest.approx(find_people_needed(0.05, 0.2, 0.5) / 100 + 4)
    assert plan_holdout(**common, per_week=0).weeks is None  # type: ignore[arg-type]


@pytest.mark.parametrize(("texts", "pairs"), [(2, 1), (2, 12), (3, 3), (5, 30)])
def test_a_text_that_is_better_by_the_smallest_difference_is_called_best_four_times_in_five(
    texts: int, pairs: int
) -> None:
    """Judged as the result page judges texts: it has to beat each other one, by intervals that hold at every look, for all pairs
    of the campaign."""
    each, rate, campaigns = 4_000, 0.3, 4_000
    smallest = find_smallest_between(texts * each, texts, rate, pairs=pairs)
    random = np.random.default_rng(5)
    shares = [rate + smallest] + [rate] * (texts - 1)
    ordered = [random.binomial(each, share, campaigns) for share in shares]
    standings = [
        compare_texts(
            [TextArm(each, int(kept)) for kept in drawn], planned=[each] * texts, expected_share=rate, pairs=pairs
        )
        for drawn in zip(*ordered, strict=True)
    ]
    won = sum(found.has_won and found.leader == 0 for found in standings) / campaigns
    assert 0.79 <= won <= (0.81 if texts == 2 else 0.86)
    assert find_smallest_between(texts * each, 1, rate, pairs=pairs) == math.inf  # nothing to be better than
    assert find_smallest_between(1, 2, 0.5) == math.inf


def test_shares_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot be"):
        plan_holdout(people=100, share=0.0, base_rate=0.5, effect=0.1, worth=1, window_days=1)


@given(people=st.integers(100, 10**6), rate=st.floats(0.05, 0.95), effect=st.floats(0.005, 0.3))
def test_more_people_never_need_a_larger_share(people: int, rate: float, effect: float) -> None:
    few, many = recommend_share(people, effect, rate), recommend_share(4 * people, effect, rate)
    assert few is None or (many is not None and many <= few)
