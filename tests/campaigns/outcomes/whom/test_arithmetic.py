"""Threshold, gains, bands and profit against known truths, without any model."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
import pytest

from campaigns.outcomes.whom.bands import bound_mean, compare_halves, make_bands, name_group, place_scores
from campaigns.outcomes.whom.judging import choose_learner, judge_learners
from campaigns.outcomes.whom.pool import Pool, find_gains, find_rates
from campaigns.outcomes.whom.profit import STEPS, Terms, draw_profit, sum_profit
from campaigns.outcomes.whom.threshold import LEAST_DIFFERENCE, ArmCounts, choose_informative, find_need
from customers.scoring.evaluation import Estimate
from tests.campaigns.outcomes.whom.pools import draw_pool


def test_a_difference_between_halves_takes_four_times_the_people_of_an_effect() -> None:
    need = find_need([ArmCounts(9000, 1000, 0.4)], holdout_share=0.1)
    one_effect = (1.959964 + 0.841621) * math.sqrt(0.4 * 0.6 * (1 / 9000 + 1 / 1000))
    assert need.visible == pytest.approx(2 * one_effect)
    assert not need.is_met
    enough = find_need([ArmCounts(9000, 1000, 0.4)] * (1 + (need.campaigns_missing or 0)), holdout_share=0.1)
    assert enough.is_met and enough.visible <= LEAST_DIFFERENCE
    short = find_need([ArmCounts(9000, 1000, 0.4)] * (need.campaigns_missing or 0), holdout_share=0.1)
    assert not short.is_met


def test_half_held_out_gets_there_with_a_third_of_the_people() -> None:
    tenth, half = (find_need([], holdout_share=share).people_missing for share in (0.1, 0.5))
    assert half / tenth == pytest.approx(4 / (1 / 0.1 + 1 / 0.9), rel=0.01)
    assert find_need([], holdout_share=0.1).campaigns_missing is None
    assert math.isinf(find_need([], holdout_share=0.1).visible)


def test_few_held_out_are_never_enough_however_many_are_written_to() -> None:
    need = find_need([ArmCounts(10_000_000, 150, 0.02)], holdout_share=0.1)
    assert not need.is_met and need.people_missing > 0


@pytest.mark.parametrize(
    ("campaigns", "rate"),
    [
        ([ArmCounts(500, 500, 0.3)], 0.3),
        ([ArmCounts(1_350, 150, 0.5)], 0.5),
        ([ArmCounts(400, 400, 0.3), ArmCounts(540, 60, 0.3)], 0.3),
    ],
)
def test_the_difference_that_is_promised_is_seen_four_times_in_five(campaigns: list[ArmCounts], rate: float) -> None:
    """By the interval that the page judges the ranking with, also where campaigns held out different shares."""
    need, pools = find_need(campaigns, holdout_share=0.1), 2_500
    seen = _count_seen(campaigns, rate, need.visible, pools)
    assert seen / pools == pytest.approx(0.8, abs=0.015)


def _count_seen(campaigns: list[ArmCounts], rate: float, difference: float, pools: int) -> int:
    """A ranking of which the first half gains as much more than the other one."""
    random, seen = np.random.default_rng(21), 0
    stratum = np.repeat(np.arange(len(campaigns)), [each.treated + each.held_out for each in campaigns])
    n, nothing = len(stratum), np.zeros(len(stratum))
    treated = np.concatenate([np.arange(each.treated + each.held_out) < each.treated for each in campaigns])
    for _pool in range(pools):
        score = random.random(n)
        is_first = score > np.median(score)
        y = (random.random(n) < rate + treated * np.where(is_first, difference / 2, -difference / 2)).astype(float)
        pool = Pool((), nothing[:, None], treated, stratum, np.arange(n), y, nothing, nothing, np.ones(n))
        seen += compare_halves(pool, score, find_gains(pool, y)).low > 0
    return seen


def test_a_campaign_that_hardly_held_anybody_out_is_not_learned_from() -> None:
    """Its many people would count as the others do, and bring more doubt than they take away."""
    half, tiny, fifth = ArmCounts(6_500, 6_500, 0.4), ArmCounts(20_000, 60, 0.4), ArmCounts(8_000, 2_000, 0.4)
    assert choose_informative([tiny, half, fifth]) == [1, 2]
    assert choose_informative([fifth, fifth, tiny]) == [0, 1]
    assert choose_informative([tiny]) == [0]
    assert choose_informative([]) == []
    with_it, without = (find_need(found, holdout_share=0.1) for found in ([half, tiny], [half]))
    assert with_it.visible > 2 * without.visible and without.is_met and not with_it.is_met


def test_a_large_campaign_is_learned_from_behind_one_that_alone_would_not_help() -> None:
    """The second brings more doubt than it takes away, and both together with the third far less."""
    even, small, large = ArmCounts(500, 500, 0.35), ArmCounts(264, 36, 0.35), ArmCounts(40_500, 4_500, 0.35)
    assert choose_informative([even, small]) == [0]
    assert choose_informative([even, small, large]) == [0, 1, 2]
    assert find_need([even], holdout_share=0.1).visible == pytest.approx(0.169, abs=0.001)
    assert find_need([even, small, large], holdout_share=0.1).is_met


def test_no_other_choice_of_campaigns_sees_less_of_a_difference() -> None:
    """Against all that there are; so one campaign more never makes the data too little again."""
    random = np.random.default_rng(8)
    for _shop in range(150):
        campaigns = [
            ArmCounts(int(people * (1 - share)) + 1, int(people * share) + 1, float(random.uniform(0, 0.8)))
            for people, share in zip(
                10 ** random.uniform(2, 5, 6), random.choice([0.002, 0.05, 0.1, 0.5], 6), strict=True
            )
        ]
        least = [math.inf]
        for count in range(1, len(campaigns) + 1):
            chosen = [campaigns[place] for place in choose_informative(campaigns[:count])]
            subsets = (itertools.combinations(campaigns[:count], size) for size in range(1, count + 1))
            best = min(_find_visible(some) for some in itertools.chain.from_iterable(subsets))
            assert _find_visible(chosen) == pytest.approx(best, rel=1e-9)
            least.append(best)
        assert least == sorted(least, reverse=True)


def _find_visible(campaigns: Sequence[ArmCounts]) -> float:
    return find_need(campaigns, holdout_share=0.1).visible


def test_the_halves_of_a_true_ranking_differ_by_what_they_do() -> None:
    pool, moved = draw_pool(12_000, seed=7)
    found = compare_halves(pool, moved + pool.x[:, 0] / 1000, find_gains(pool, pool.kept))
    order = np.argsort(-(moved + pool.x[:, 0] / 1000))
    truth = moved[order[: pool.n // 2]].mean() - moved[order[pool.n // 2 :]].mean()
    assert 0 < found.low < truth < found.high
    assert found.value == pytest.approx((found.low + found.high) / 2)


def test_gains_are_right_with_models_that_know_nothing_and_shares_that_differ() -> None:
    found = []
    for seed in range(100):
        pool, moved = draw_pool(600, seed=seed)
        wrong = np.tile([0.9, 0.1], (pool.n, 1))
        found.append((find_gains(pool, pool.kept, wrong).mean() - moved.mean(), find_gains(pool, pool.kept).mean()))
    away, plain = np.array(found).T
    assert away.mean() == pytest.approx(0, abs=4 * away.std() / 10)
    assert plain.mean() == pytest.approx(moved.mean(), abs=4 * plain.std() / 10 + 0.01)


def test_rates_are_those_of_who_was_not_written_to() -> None:
    pool, _moved = draw_pool(20_000, seed=3)
    rates = find_rates(pool, pool.kept, np.full(pool.n, 0.9))
    truth = (0.2 + 0.4 * (pool.x[:, 1] > 0.5) + 0.05 * pool.stratum).mean()
    assert rates.mean() == pytest.approx(truth, abs=0.02)


def test_folds_keep_a_customers_rows_together() -> None:
    pool, _moved = draw_pool(2000, seed=1)
    fold = pool.draw_folds(5)
    assert (fold[0::2] == fold[1::2]).all()
    assert np.bincount(fold, minlength=5).min() > 250


def _e(value: float, half: float) -> Estimate:
    return Estimate(value, value - half, value + half)


@pytest.mark.parametrize(
    ("effect", "rate", "group"),
    [
        (_e(0.06, 0.05), _e(0.7, 0.1), "persuadable"),
        (_e(-0.06, 0.05), _e(0.7, 0.1), "do_not_disturb"),
        (_e(0.01, 0.03), _e(0.7, 0.1), "sure_thing"),
        (_e(0.01, 0.03), _e(0.2, 0.1), "lost_cause"),
        (_e(0.01, 0.03), _e(0.5, 0.1), "not_known"),  # neither most nor few order
        (_e(0.02, 0.04), _e(0.9, 0.01), "not_known"),  # it may be six points
        (_e(-0.02, 0.04), _e(0.1, 0.01), "not_known"),
        (_e(0.05, 0.05), _e(0.7, 0.1), "not_known"),  # nought is in it
    ],
)
def test_a_group_is_said_only_where_the_interval_allows_it(effect: Estimate, rate: Estimate, group: str) -> None:
    assert name_group(effect, rate) == group


def test_bands_of_a_true_ranking_hold_the_truth_and_call_it_by_its_name() -> None:
    pool, moved = draw_pool(12_000, seed=7)
    gains, rates = find_gains(pool, pool.kept), find_rates(pool, pool.kept, np.full(pool.n, 0.5))
    score = moved + pool.x[:, 0] / 1000
    bands = make_bands(pool, score, gains, rates, score)
    assert len(bands) == 10 and sum(band.people for band in bands) == pool.n
    assert bands[0].group == "persuadable" and bands[-1].group == "do_not_disturb"
    place = place_scores(score, np.array([*[band.cut for band in bands[:-1]], -np.inf]))
    for number, band in enumerate(bands):
        assert band.effect.low < moved[place == number].mean() < band.effect.high
        assert (place == number).sum() == pytest.approx(band.people, abs=2)


def test_nobody_is_called_anything_where_nothing_differs() -> None:
    pool, _moved = draw_pool(3000, seed=11, effect=0.0, harm=0.0)
    noise = np.random.default_rng(4).random(pool.n)
    rates = find_rates(pool, pool.kept, np.full(pool.n, 0.5))
    bands = make_bands(pool, noise, find_gains(pool, pool.kept), rates, noise)
    assert {band.group for band in bands} == {"not_known"}


def test_a_share_who_order_lies_between_none_and_all() -> None:
    pool, _moved = draw_pool(3000, seed=11)
    score = pool.x[:, 0]
    for rates in (np.full(pool.n, 0.004) + np.random.default_rng(2).normal(0, 0.5, pool.n), 1.02 - pool.x[:, 1] / 20):
        bands = make_bands(pool, score, find_gains(pool, pool.kept), rates, score)
        assert all(0 <= band.rate.low <= band.rate.value <= band.rate.high <= 1 for band in bands)
        assert any(band.rate.low == 0 or band.rate.high == 1 for band in bands)


def test_an_interval_counts_customers_and_not_rows() -> None:
    pool, _moved = draw_pool(4000, seed=2)
    everybody = np.ones(pool.n, dtype=np.bool_)
    alike = np.repeat(np.random.default_rng(1).random(pool.n // 2), 2)
    once = bound_mean(pool, alike, everybody, 0.95)
    expected = 1.96 * alike.std() / math.sqrt(pool.n / 2)
    assert once.high - once.value == pytest.approx(expected, rel=0.02)


def test_the_better_learner_is_taken_only_beyond_doubt() -> None:
    pool, moved = draw_pool(6000, seed=5)
    gains = find_gains(pool, pool.kept)
    noise = np.random.default_rng(9).random(pool.n)
    judged = judge_learners(pool, gains, {"response": noise, "t_learner": moved}, seed=0, replicates=50)
    assert choose_learner(judged) == "t_learner"
    assert judged["t_learner"].qini.low > 0 > judged["response"].qini.low
    assert judged["t_learner"].top.value == pytest.approx(0.3, abs=0.08)
    alike = judge_learners(pool, gains, {"response": moved, "x_learner": moved + noise / 9}, seed=0, replicates=50)
    assert choose_learner(alike) == "response"


def test_the_curve_is_the_sum_over_those_who_are_picked_and_its_best_share_pays() -> None:
    pool, moved = draw_pool(12_000, seed=13)
    gross, discount = find_gains(pool, pool.gross), find_gains(pool, pool.discount)
    terms = Terms(margin=0.9, cost=0.1)
    profit = draw_profit(sum_profit(pool, moved, gross, discount, pool.draw_folds(5)), terms)
    order = np.argsort(-moved, kind="stable")
    for step in (0, 7, STEPS):
        picked = order[: pool.n * step // STEPS]
        by_hand = (0.9 * gross[picked] - discount[picked] - 0.1).sum() / pool.n
        assert profit.curve[step].value == pytest.approx(by_hand, abs=0.02)
    # Who gains buys for 0.3 × 60 more and gets a fifth of all off; the others get it off alone.
    assert 0.3 <= profit.best_share <= 0.45
    assert profit.is_clear and profit.against_all.value > 0
    assert profit.curve[0] == Estimate(0.0, 0.0, 0.0)
    assert profit.best_value.low < profit.curve[profit.best].value < profit.best_value.high


def test_where_no_message_pays_nobody_is_written_to() -> None:
    pool, moved = draw_pool(6000, seed=17)
    sums = sum_profit(pool, moved, find_gains(pool, pool.gross), find_gains(pool, pool.discount), pool.draw_folds(5))
    profit = draw_profit(sums, Terms(margin=0.05, cost=2.0))
    assert profit.best == 0 and profit.best_value.value == pytest.approx(0, abs=0.05)
    assert profit.curve[STEPS].high < 0
