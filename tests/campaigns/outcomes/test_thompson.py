"""Shares shift to the better text and keep a floor; what is said of texts stays honest although they shift."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from campaigns.outcomes.text_standing import TextArm
from campaigns.outcomes.thompson import FLOOR, Batch, compare_batches, estimate_pair, find_shares

Array = np.ndarray


def test_shares_go_to_the_better_text_and_every_text_keeps_a_floor() -> None:
    shares = find_shares([TextArm(500, 50), TextArm(500, 100)], seed="s")
    assert sum(shares) == pytest.approx(1)
    assert shares[1] > 0.85
    assert shares[0] >= FLOOR - 1e-6


def test_without_evidence_shares_are_even_and_the_same_seed_gives_the_same() -> None:
    nobody = [TextArm(0, 0)] * 4
    assert find_shares(nobody, seed="s") == pytest.approx([0.25] * 4, abs=0.03)
    assert find_shares(nobody, seed="s") == find_shares(nobody, seed="s") != find_shares(nobody, seed="t")
    assert min(find_shares([TextArm(900, 10)] * 7 + [TextArm(900, 300)], seed="s")) >= 0.0625 - 1e-6


def _run_campaign(
    random: np.random.Generator, rates: Sequence[float], *, days: int = 20, a_day: int = 80
) -> list[Batch]:
    """People come every day, in better and in worse weeks, and each day's shares follow from the days before."""
    batches: list[Batch] = []
    for day in range(days):
        sums = [
            TextArm(sum(b.arms[i].people for b in batches), sum(b.arms[i].ordered for b in batches))
            for i in range(len(rates))
        ]
        shares = find_shares(sums, seed=f"{day}:{random.integers(2**32)}") if day else [1 / len(rates)] * len(rates)
        season = 0.7 if day < days // 2 else 1.3
        people = random.multinomial(a_day, np.array(shares) / sum(shares))
        ordered = [int(random.binomial(n, rate * season)) for n, rate in zip(people, rates, strict=True)]
        batches.append(Batch(shares, [TextArm(int(n), k) for n, k in zip(people, ordered, strict=True)]))
    return batches


def test_the_estimate_covers_the_truth_although_shares_shift_and_weeks_differ() -> None:
    """At the end in about 95 % (one look), and adding up who ordered per text would not."""
    random, covered, naive, campaigns = np.random.default_rng(29), 0, [], 250
    truth = 0.30 - 0.22
    for _campaign in range(campaigns):
        batches = _run_campaign(random, [0.30, 0.22])
        effect, error = estimate_pair(batches, 0, 1, expected_share=0.3)
        covered += abs(effect - truth) <= 1.96 * error
        sums = [(sum(b.arms[i].ordered for b in batches), sum(b.arms[i].people for b in batches)) for i in (0, 1)]
        naive.append(sums[0][0] / sums[0][1] - sums[1][0] / sums[1][1])
    assert 0.92 <= covered / campaigns <= 0.98
    assert np.mean(naive) > truth + 0.02  # people of the better weeks got the better text


def test_equal_texts_hardly_ever_win_although_one_looks_every_day() -> None:
    random, won, campaigns = np.random.default_rng(31), 0, 120
    for _campaign in range(campaigns):
        batches = _run_campaign(random, [0.3, 0.3, 0.3])
        looks = (compare_batches(batches[: day + 1], planned=1_600, expected_share=0.3) for day in range(len(batches)))
        won += any(look.has_won for look in looks)
    assert won / campaigns <= 0.05


def test_a_text_that_is_much_better_wins_in_the_end() -> None:
    batches = _run_campaign(np.random.default_rng(5), [0.15, 0.40], days=40)
    standing = compare_batches(batches, planned=3_000, expected_share=0.3)
    assert (standing.leader, standing.has_won) == (1, True)
    assert standing.low < 0.25 < standing.high
