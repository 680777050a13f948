"""Rates by group, against an independent computation in plain Python and against truths that are known."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

from customers.scoring.fairness import FEWEST_IN_GROUP, find_proxies, group_names, measure_groups


def make_people(n: int, *, seed: int = 0, unfair: float = 0.0) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Customers of two large groups whose true risk is the same; scores of group b are lower by `unfair`."""
    rng = np.random.default_rng(seed)
    names = rng.choice(["a", "b"], size=n, p=[0.6, 0.4])
    truth = rng.beta(2, 2, size=n)
    left = (rng.uniform(size=n) < truth).astype(float)
    return [str(name) for name in names], left, np.clip(truth - unfair * (names == "b"), 0, 1)


def test_rates_agree_with_counting_one_by_one() -> None:
    names, left, p = make_people(700, seed=3, unfair=0.1)
    report = measure_groups(names, left, p, threshold=0.6)
    for group in report.groups:
        mine = [
            (bool(gone), float(score)) for name, gone, score in zip(names, left, p, strict=True) if name == group.name
        ]
        leavers, stayers = [s for gone, s in mine if gone], [s for gone, s in mine if not gone]
        assert group.customers == len(mine)
        assert group.selection.value == pytest.approx(sum(s >= 0.6 for _, s in mine) / len(mine), abs=1e-4)
        assert group.false_negative.value == pytest.approx(sum(s < 0.6 for s in leavers) / len(leavers), abs=1e-4)
        assert group.false_positive.value == pytest.approx(sum(s >= 0.6 for s in stayers) / len(stayers), abs=1e-4)
        assert group.predicted == pytest.approx(sum(s for _, s in mine) / len(mine), abs=1e-4)
        assert group.observed == pytest.approx(len(leavers) / len(mine), abs=1e-4)
        others = [(bool(gone), float(s)) for name, gone, s in zip(names, left, p, strict=True) if name != group.name]
        rate = sum(s >= 0.6 for _, s in mine) / len(mine) / (sum(s >= 0.6 for _, s in others) / len(others))
        assert group.gaps["selection"].value == pytest.approx(rate, abs=1e-4)
        missed = sum(s < 0.6 for gone, s in others if gone) / sum(gone for gone, _ in others)
        own = sum(s < 0.6 for s in leavers) / len(leavers)
        assert group.gaps["false_negative"].value == pytest.approx(own - missed, abs=1e-4)


def test_a_small_group_cannot_be_told_from_the_comparison_of_the_large_one() -> None:
    """Twenty people beside a thousand: "flagged 0.5 times as often as the others" would say how many of the twenty were."""
    _names, left, p = make_people(1_000, seed=5)
    few = FEWEST_IN_GROUP - 10

    report = measure_groups(["large"] * (1_000 - few) + ["few"] * few, left, p, threshold=0.6)

    (large,) = report.groups
    assert (large.name, report.left_out_groups, report.left_out_customers) == ("large", 1, few)
    for name in ("selection", "false_negative", "false_positive"):
        assert large.gaps[name].value is None
        assert not large.gaps[name].is_beyond


def test_a_fair_model_is_seldom_warned_of() -> None:
    warned = sum(measure_groups(*make_people(800, seed=seed), threshold=0.6).warnings > 0 for seed in range(60))
    assert warned <= 2


def test_a_group_that_is_overlooked_is_warned_of() -> None:
    report = measure_groups(*make_people(3_000, unfair=0.2), threshold=0.6)
    overlooked = next(group for group in report.groups if group.name == "b")
    assert {"selection", "false_negative", "calibration"} <= set(overlooked.beyond)
    gap = overlooked.gaps["selection"]
    assert gap.high is not None
    assert gap.high < 0.8
    assert overlooked.gaps["calibration"].value == pytest.approx(-0.2, abs=0.04)


def test_the_interval_of_a_difference_covers_the_truth() -> None:
    """False negative rates of one and the same model in two like groups differ by nothing."""
    covered = 0
    for seed in range(200):
        gap = measure_groups(*make_people(600, seed=seed), threshold=0.5).groups[0].gaps["false_negative"]
        assert gap.low is not None
        assert gap.high is not None
        covered += gap.low <= 0 <= gap.high
    assert 0.90 <= covered / 200 <= 0.99


def test_small_groups_are_left_out_and_counted() -> None:
    names, left, p = make_people(500)
    names[: FEWEST_IN_GROUP - 1] = ["rare"] * (FEWEST_IN_GROUP - 1)
    report = measure_groups(names, left, p, threshold=0.6)
    assert {group.name for group in report.groups} == {"a", "b"}
    assert (report.left_out_groups, report.left_out_customers) == (1, FEWEST_IN_GROUP - 1)
    assert "rare" not in json.dumps(report.to_json())


def test_calibration_by_group_is_told_in_parts_of_thirty_or_more() -> None:
    names, left, p = make_people(500, seed=7)
    names[:70] = ["middling"] * 70
    report = measure_groups(names, left, p, threshold=0.6)
    for group in report.groups:
        assert len(group.bins) == min(5, group.customers // 30)
        assert all(row["customers"] >= 30 for row in group.bins)
        assert all(row["low"] <= row["observed"] <= row["high"] for row in group.bins)
        assert sum(row["customers"] for row in group.bins) == group.customers
        assert group.observed_low < group.observed < group.observed_high


def test_a_rate_of_few_is_left_out_and_warned_of_by_nothing() -> None:
    """Forty customers of whom three left: that two of three were overlooked would point at persons."""
    rng = np.random.default_rng(6)
    names = ["few"] * 40 + ["rest"] * 400
    left = np.concatenate([np.arange(40) < 3, rng.uniform(size=400) < 0.5]).astype(float)
    p = rng.uniform(size=440)
    few = next(group for group in measure_groups(names, left, p, threshold=0.6).groups if group.name == "few")
    assert (few.false_negative.value, few.false_negative.of) == (None, 3)
    assert few.gaps["false_negative"].value is None
    assert few.false_positive.value is not None
    assert few.gaps["selection"].value is not None


def test_one_group_has_nobody_to_be_held_against() -> None:
    _names, left, p = make_people(200)
    report = measure_groups(["a"] * 200, left, p, threshold=0.6)
    assert report.groups[0].gaps["selection"].value is None
    assert measure_groups([], np.empty(0), np.empty(0), threshold=0.6).groups == []


def test_a_threshold_that_selects_nobody_has_no_ratio() -> None:
    report = measure_groups(*make_people(300), threshold=1.01)
    assert report.groups[0].selection.value == 0
    assert report.groups[0].gaps["selection"].value is None


def test_a_feature_that_gives_a_group_away_is_a_proxy() -> None:
    rng = np.random.default_rng(2)
    member = rng.uniform(size=900) < 0.3
    told = find_proxies(
        member,
        {
            "noise": rng.normal(size=900),
            "tell_tale": np.where(member, -1.5, 0.0) + rng.normal(size=900),
            "absent": np.where(member & (rng.uniform(size=900) < 0.8), np.nan, 3.0),
        },
    )
    assert [proxy.feature for proxy in told] == ["absent", "tell_tale"]
    assert all(proxy.auc > proxy.low > 0.65 for proxy in told)


def test_chance_makes_no_proxies() -> None:
    rng = np.random.default_rng(9)
    member = rng.uniform(size=200) < 0.2
    assert find_proxies(member, {f"f{i}": rng.normal(size=200) for i in range(60)}) == []


def test_unknown_is_a_group_of_its_own() -> None:
    assert group_names(pl.Series(["GB ", None, "DE"])) == ["GB", "", "DE"]
