"""Small cells are put with near ones: nobody is lost, languages and channels stay apart, a person's wishes are kept."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from campaigns.audience.cells import (
    Cell,
    Group,
    Nearness,
    count_people,
    describe_cells,
    find_heirs,
    smallest_size,
)
from campaigns.audience.grouping import group_cells

NEARNESS = Nearness(
    families={"rhythm": "pace", "frequency": "pace", "value": "basket", "support": "contact"},
    likeness={("Boots", "Jackets"): 0.6, ("Boots", "Tents"): 0.1},
)
CELLS = st.builds(
    Cell,
    reason=st.sampled_from(["", "rhythm", "frequency", "value", "support"]),
    interest=st.sampled_from(["", "Jackets", "Boots", "Tents", "帐篷"]),
    value_band=st.sampled_from(["", "low", "middle", "high"]),
    language=st.sampled_from(["en", "zh"]),
    channel=st.sampled_from(["email", "sms"]),
)
SIZES = st.dictionaries(CELLS, st.integers(1, 500), min_size=1, max_size=60)


def cell(reason: str, interest: str = "", band: str = "", language: str = "en", channel: str = "email") -> Cell:
    return Cell(reason, interest, band, language, channel)


def split(
    sizes: dict[Cell, int], *, limit: int = 12, smallest: int = 20, kept: list[Group] | None = None
) -> list[Group]:
    return group_cells(sizes, NEARNESS, limit=limit, smallest=smallest, kept=kept or [])


def home(groups: list[Group], wanted: Cell) -> frozenset[Cell]:
    return next(group.cells for group in groups if wanted in group.cells)


def test_few_large_cells_stay_as_they_are() -> None:
    sizes = {cell("rhythm", "Jackets"): 50, cell("value", "Boots"): 50}
    assert [group.cells for group in split(sizes)] == [{cell("rhythm", "Jackets")}, {cell("value", "Boots")}]


def test_a_neighbouring_value_is_nearer_than_another_interest_and_that_nearer_than_another_reason() -> None:
    small = cell("rhythm", "Jackets", "high")
    others = [cell("rhythm", "Jackets", "middle"), cell("rhythm", "Boots", "high"), cell("value", "Jackets", "high")]
    for nearest, *left in (others, others[1:]):
        sizes = {small: 5, **dict.fromkeys((nearest, *left), 100)}
        assert home(split(sizes), small) == {small, nearest}


def test_interests_that_are_bought_together_are_near() -> None:
    small = cell("rhythm", "Boots")
    sizes = {small: 5, cell("rhythm", "Tents"): 300, cell("rhythm", "Jackets"): 100}
    assert home(split(sizes), small) == {small, cell("rhythm", "Jackets")}


def test_reasons_of_one_family_are_near() -> None:
    small = cell("frequency", "Boots")
    sizes = {small: 5, cell("value", "Boots"): 300, cell("rhythm", "Boots"): 100}
    assert home(split(sizes), small) == {small, cell("rhythm", "Boots")}


def test_a_small_language_or_channel_stands_alone() -> None:
    sizes = {cell("rhythm"): 900, cell("rhythm", language="zh"): 3, cell("rhythm", channel="sms"): 2}
    assert len(split(sizes, limit=1)) == 3


def test_what_a_person_put_together_or_took_out_stays_so() -> None:
    alone, together = cell("rhythm", "Boots", "high"), [cell("value", "Tents"), cell("support", "帐篷")]
    sizes = {alone: 2, cell("rhythm", "Boots", "middle"): 300, together[0]: 200, together[1]: 200}
    kept = [Group(frozenset([alone]), is_shaped=True), Group(frozenset(together), is_shaped=True)]
    groups = split(sizes, kept=kept)
    assert home(groups, alone) == {alone}
    assert home(groups, together[0]) == set(together)


def test_large_kinds_stay_clear_and_the_small_ones_make_a_general_rest() -> None:
    interests = [f"i{number:02}" for number in range(30)]
    large = {cell("rhythm", "Jackets", "high"): 60, cell("rhythm", "Tents", "low"): 50}
    sizes = large | {cell("rhythm", interest, "low"): 3 for interest in interests}
    groups = split(sizes, limit=3)
    called = {describe_cells(group.cells, sizes) for group in groups}
    assert called == {*large, cell("rhythm", "", "low")}


def test_no_two_groups_are_called_the_same() -> None:
    sizes = {cell(reason, f"i{n}", band): n % 4 + 3 for reason in ("rhythm", "value", "support") for n in range(25)
             for band in ("low", "high")}  # fmt: skip
    called = [describe_cells(group.cells, sizes) for group in split(sizes, limit=12)]
    assert len(set(called)) == len(called)


def test_a_group_is_called_by_what_four_in_five_have_in_common() -> None:
    sizes = {cell("rhythm", "Boots", "high"): 80, cell("rhythm", "Tents", "middle"): 20}
    assert describe_cells(sizes, sizes) == cell("rhythm", "Boots", "high")
    sizes[cell("rhythm", "Tents", "middle")] = 21
    assert describe_cells(sizes, sizes) == cell("rhythm")


def test_an_archetype_is_carried_on_by_the_group_with_most_of_its_people() -> None:
    cells = [cell("rhythm", "Boots"), cell("rhythm", "Tents"), cell("value", "Boots")]
    sizes = dict(zip(cells, (50, 60, 10), strict=True))
    groups = [Group(frozenset(cells[:1])), Group(frozenset(cells[1:]))]
    assert find_heirs(groups, {cells[0]: 7, cells[1]: 7, cells[2]: 8}, sizes) == {1: 7}
    assert find_heirs(groups, {cells[0]: 7, cells[2]: 8}, sizes) == {0: 7, 1: 8}


@given(sizes=SIZES, limit=st.integers(1, 12), smallest=st.integers(1, 400))
def test_everybody_is_in_one_group_that_is_large_enough_and_not_one_too_many(
    sizes: dict[Cell, int], limit: int, smallest: int
) -> None:
    groups = split(sizes, limit=limit, smallest=smallest)
    assert sorted(one for group in groups for one in group.cells) == sorted(sizes)
    assert sum(count_people(group, sizes) for group in groups) == sum(sizes.values())
    assert all(len({one.place for one in group.cells}) == 1 for group in groups)
    places = {one.place for one in sizes}
    assert len(groups) <= max(limit, len(places))
    for group in groups:
        place = next(iter(group.cells)).place
        is_all_of_its_place = all(one in group.cells for one in sizes if one.place == place)
        assert count_people(group, sizes) >= smallest or is_all_of_its_place


@given(sizes=SIZES, limit=st.integers(1, 12), seed=st.integers(0, 99))
def test_the_order_of_the_cells_does_not_matter(sizes: dict[Cell, int], limit: int, seed: int) -> None:
    shuffled = list(sizes.items())
    random.Random(seed).shuffle(shuffled)
    assert split(dict(shuffled), limit=limit) == split(sizes, limit=limit)


@given(sizes=SIZES, limit=st.integers(1, 12), seed=st.integers(0, 99))
def test_groups_that_are_kept_are_the_same_after_a_new_freeze(sizes: dict[Cell, int], limit: int, seed: int) -> None:
    first = split(sizes, limit=limit)
    assert split(sizes, limit=limit, kept=first) == first
    shaped = [Group(group.cells, is_shaped=True) for group in first]
    fewer = dict(random.Random(seed).sample(sorted(sizes.items()), k=len(sizes) // 2 + 1))
    for group in split(fewer, limit=len(first), kept=shaped):
        assert any(group.cells <= before.cells for before in first)


@given(one=CELLS, other=CELLS)
def test_a_distance_is_the_same_both_ways_and_nought_only_to_the_same(one: Cell, other: Cell) -> None:
    assert NEARNESS.between(one, other) == NEARNESS.between(other, one) <= 6
    assert (NEARNESS.between(one, other) == 0) == (one.key.rsplit("|", 2)[0] == other.key.rsplit("|", 2)[0])


def test_the_smallest_archetype_is_two_in_a_hundred_and_ten_at_least() -> None:
    assert [smallest_size(people) for people in (20, 1_000, 100_000)] == [10, 20, 2_000]
