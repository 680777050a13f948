"""The hold-out is stable, as large as asked, nested, and the same in Python and in SQL."""

from __future__ import annotations

import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.audience.holdout import HOLDOUT_SQL, draws_holdout

SEEDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=32)
SHARES = st.floats(0.01, 0.5)


@given(seed=SEEDS, customer_id=st.integers(1, 2**63 - 1), share=SHARES)
def test_the_same_seed_draws_the_same_arm(seed: str, customer_id: int, share: float) -> None:
    assert draws_holdout(seed, customer_id, share) == draws_holdout(seed, customer_id, share)


@given(seed=SEEDS, share=SHARES)
@settings(max_examples=20)
def test_the_share_is_met_within_five_standard_errors(seed: str, share: float) -> None:
    people = 4_000
    drawn = sum(draws_holdout(seed, customer_id, share) for customer_id in range(1, people + 1))
    assert abs(drawn - share * people) <= 5 * (people * share * (1 - share)) ** 0.5


@given(seed=SEEDS, customer_id=st.integers(1, 10**9), shares=st.tuples(SHARES, SHARES))
def test_a_larger_share_keeps_everybody_of_a_smaller_one(
    seed: str, customer_id: int, shares: tuple[float, float]
) -> None:
    smaller, larger = sorted(shares)
    assert not draws_holdout(seed, customer_id, smaller) or draws_holdout(seed, customer_id, larger)


@pytest.mark.django_db
@pytest.mark.parametrize("seed", ["5eed", "39ebdb6547c831eca93db16be21375b4", "种子", "it's", "%s"])
@pytest.mark.parametrize("share", [0.01, 0.1, 0.25, 0.5])
def test_sql_and_python_draw_the_same_people(seed: str, share: float) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT customer_id, {HOLDOUT_SQL} FROM generate_series(1, 3000) AS g(customer_id)",
            {"holdout_seed": seed, "holdout_share": share},
        )
        rows = cursor.fetchall()
    assert all(drawn == draws_holdout(seed, customer_id, share) for customer_id, drawn in rows)
    assert any(drawn for _id, drawn in rows)
