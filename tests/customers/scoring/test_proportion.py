from __future__ import annotations

import pytest

from customers.scoring.proportion import newcombe_interval, wilson_interval


def test_wilsons_interval_is_the_published_one() -> None:
    # Newcombe (1998), Statistics in Medicine 17, table I, method 3.
    for count, of, low, high in (
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ):
        assert wilson_interval(count, of) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


def test_wilsons_interval_of_a_textbook_case() -> None:
    low, high = wilson_interval(10, 100)

    assert (round(low, 4), round(high, 4)) == (0.0552, 0.1744)


def test_the_ends_are_exact() -> None:
    assert wilson_interval(0, 7)[0] == 0.0
    assert wilson_interval(7, 7)[1] == 1.0


def test_more_confidence_is_a_wider_interval() -> None:
    narrow, wide = wilson_interval(10, 100, confidence=0.8), wilson_interval(10, 100, confidence=0.99)

    assert wide[0] < narrow[0] < 0.1 < narrow[1] < wide[1]


@pytest.mark.parametrize(("count", "of"), [(0, 0), (3, 2), (-1, 5)])
def test_what_is_no_share_is_refused(count: int, of: int) -> None:
    with pytest.raises(ValueError):
        wilson_interval(count, of)


def test_the_difference_of_two_shares_is_the_published_one() -> None:
    # Newcombe (1998), Statistics in Medicine 17:873, table II, method 10.
    for first, other, low, high in (
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((5, 56), (0, 29), -0.0381, 0.1926),
    ):
        assert newcombe_interval(*first, *other) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


def test_who_is_in_both_makes_the_difference_narrower() -> None:
    apart, tied = (newcombe_interval(300, 500, 280, 500, correlation=tie) for tie in (0.0, 0.5))
    assert apart[0] < tied[0] < 0.04 < tied[1] < apart[1]
    assert newcombe_interval(300, 500, 300, 500, correlation=1.0)[1] == pytest.approx(0.0, abs=0.01)
