"""A text wins only on enough evidence, however often one looks and however many texts there are."""

from __future__ import annotations

import numpy as np
import pytest

from campaigns.outcomes.text_standing import Standing, TextArm, compare_texts


def test_a_text_that_is_much_better_wins() -> None:
    found = compare_texts([TextArm(2_000, 400), TextArm(2_000, 560)], planned=[2_000, 2_000], expected_share=0.25)
    assert (found.leader, found.has_won) == (1, True)
    assert 0 < found.low < 0.08 < found.high


def test_of_three_the_leader_must_beat_each_of_the_others() -> None:
    arms = [TextArm(2_000, 300), TextArm(2_000, 560), TextArm(2_000, 550)]
    found = compare_texts(arms, planned=[2_000] * 3, expected_share=0.25)
    assert (found.leader, found.has_won) == (1, False)
    assert found.low < 0 < found.high


@pytest.mark.parametrize(
    "arms", [[TextArm(50, 5), TextArm(50, 30)], [TextArm(50, 30)], [TextArm(0, 0), TextArm(50, 20)]]
)
def test_too_few_say_nothing(arms: list[TextArm]) -> None:
    assert compare_texts(arms, planned=[50] * len(arms), expected_share=0.3) == Standing()


@pytest.mark.parametrize("texts", [2, 4])
def test_equal_texts_hardly_ever_win_although_one_looks_every_day(texts: int) -> None:
    """People come over 30 days and each orders or not: one of `texts` equal ones wins in at most 5 % of campaigns."""
    random, campaigns, won = np.random.default_rng(17), 300, 0
    for _campaign in range(campaigns):
        people = np.cumsum(np.full((30, texts), 40), axis=0)
        ordered = np.cumsum(random.binomial(40, 0.3, (30, texts)), axis=0)
        won += any(
            compare_texts(
                [TextArm(int(n), int(k)) for n, k in zip(people[day], ordered[day], strict=True)],
                planned=[1_200] * texts, expected_share=0.4,
            ).has_won
            for day in range(30)
        )  # fmt: skip
    assert won / campaigns <= 0.05


def test_what_is_compared_elsewhere_in_the_campaign_widens_it() -> None:
    """Ten archetypes with two texts each: a lead that would do for one of them alone is no longer beyond doubt."""
    arms = [TextArm(2_000, 400), TextArm(2_000, 482)]
    alone = compare_texts(arms, planned=[2_000, 2_000], expected_share=0.22)
    among = compare_texts(arms, planned=[2_000, 2_000], expected_share=0.22, pairs=10)
    assert (alone.has_won, among.has_won) == (True, False)
    assert among.low < 0 < alone.low < alone.high < among.high


def test_in_a_campaign_of_many_archetypes_hardly_any_text_wins_by_chance() -> None:
    """Twelve archetypes with two equal texts, looked at on each of 20 days: one wins anywhere in at most 5 % of campaigns."""
    random, campaigns, archetypes = np.random.default_rng(23), 150, 12
    people = np.cumsum(np.full((20, archetypes, 2), 60), axis=0)
    won = 0
    for _campaign in range(campaigns):
        ordered = np.cumsum(random.binomial(60, 0.3, (20, archetypes, 2)), axis=0)
        won += any(
            compare_texts(
                [TextArm(int(n), int(k)) for n, k in zip(people[day, place], ordered[day, place], strict=True)],
                planned=[1_200] * 2, expected_share=0.4, pairs=archetypes,
            ).has_won
            for day in range(20)
            for place in range(archetypes)
        )  # fmt: skip
    assert won / campaigns <= 0.05
