"""The power of a hold-out, against a textbook figure and its plain properties."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.audience.power import power


def test_equal_arms_match_the_usual_sample_size_formula() -> None:
    # n per arm = (1.96 + 0.8416)^2 * 2 p (1 - p) / d^2; for p = 0.5 and d = 0.05 that is 1,570.
    assert power(1570, 1570, 0.5) == pytest.approx(5.0, abs=0.01)


def test_an_empty_arm_shows_nothing() -> None:
    assert power(1000, 0, 0.5) == math.inf


def test_a_rate_outside_0_to_1_is_refused() -> None:
    with pytest.raises(ValueError, match="share from 0 to 1"):
        power(10, 10, 50)


@given(treated=st.integers(1, 10**6), holdout=st.integers(1, 10**6), rate=st.floats(0, 1))
def test_more_people_never_hide_an_effect(treated: int, holdout: int, rate: float) -> None:
    assert 0 < power(2 * treated, 2 * holdout, rate) <= power(treated, holdout, rate)
