"""Small cells become part of general ones; nobody is lost and languages are never mixed."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from campaigns.audience.cells import Cell, merge_cells

CELLS = st.builds(
    Cell,
    reason=st.sampled_from(["", "rhythm", "value", "support"]),
    interest=st.sampled_from(["", "Jackets", "Boots", "Tents", "帐篷"]),
    language=st.sampled_from(["en", "zh"]),
)
SIZES = st.dictionaries(CELLS, st.integers(1, 500), min_size=1)


def test_few_large_cells_stay_as_they_are() -> None:
    sizes = {Cell("rhythm", "Jackets", "en"): 50, Cell("value", "Boots", "en"): 50}
    assert merge_cells(sizes, limit=12) == {cell: cell for cell in sizes}


def test_a_small_cell_drops_its_interest_first() -> None:
    large, small = Cell("rhythm", "Jackets", "en"), Cell("rhythm", "Boots", "en")
    homes = merge_cells({large: 500, small: 10, Cell("rhythm", "", "en"): 200}, limit=12)
    assert homes[small] == Cell("rhythm", "", "en")
    assert homes[large] == large


def test_a_cell_that_is_still_too_small_drops_its_reason_too() -> None:
    small = Cell("support", "Boots", "en")
    homes = merge_cells({Cell("rhythm", "Jackets", "en"): 990, small: 10}, limit=12)
    assert homes[small] == Cell("", "", "en")


@given(sizes=SIZES, limit=st.integers(1, 12))
def test_every_cell_has_a_home_of_its_language_within_the_limit(sizes: dict[Cell, int], limit: int) -> None:
    homes = merge_cells(sizes, limit=limit)
    assert set(homes) == set(sizes)
    assert all(home.language == cell.language for cell, home in homes.items())
    assert all(
        home.reason in ("", cell.reason) and home.interest in ("", cell.interest) for cell, home in homes.items()
    )
    assert len(set(homes.values())) <= max(limit, len({cell.language for cell in sizes}))


@given(sizes=SIZES, limit=st.integers(1, 12), seed=st.integers(0, 99))
def test_the_order_of_the_cells_does_not_matter(sizes: dict[Cell, int], limit: int, seed: int) -> None:
    shuffled = list(sizes.items())
    random.Random(seed).shuffle(shuffled)
    assert merge_cells(dict(shuffled), limit=limit) == merge_cells(sizes, limit=limit)
