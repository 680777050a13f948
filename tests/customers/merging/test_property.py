"""Random shops: merge some people, also those who were merged before, undo in any order, and everything is as it was."""

from __future__ import annotations

import os
import random

import pytest
from django.db import transaction

from campaigns.models import Variant
from customers.merging.merge import merge_customers
from customers.merging.plan import CannotMerge
from customers.merging.undo import undo_merge
from customers.models import Customer, CustomerMerge

from .shops import NOW, dump_shop, fill_shop

pytestmark = pytest.mark.django_db
#: MERGE_CASES=1000 looks longer.
CASES = int(os.environ.get("MERGE_CASES", "60"))


def test_undoing_all_merges_in_any_order_leaves_what_was_there(variants: list[Variant]) -> None:
    merges = refusals = 0
    for seed in range(CASES):
        with transaction.atomic():
            made, refused = _run_case(random.Random(seed), seed, variants)
            merges, refusals = merges + made, refusals + refused
            transaction.set_rollback(True)
    assert merges > 2 * CASES and refusals > CASES / 10, "chains and stars, and orders that are refused"


def _run_case(rng: random.Random, seed: int, variants: list[Variant]) -> tuple[int, int]:
    people = fill_shop(rng, f"s{seed}", variants)
    before = dump_shop()
    merges = _merge_some(rng, people)
    refusals = 0
    while merges:
        merge = rng.choice(merges)
        try:
            undo_merge(merge.pk, actor=None, now=NOW)
        except CannotMerge as refusal:
            assert "Undo that merge first" in str(refusal)
            refusals += 1
            continue
        merges.remove(merge)
    after = dump_shop()
    for table, rows in before.items():
        assert after[table] == rows, (seed, table)
    return len(people) - 1, refusals


def _merge_some(rng: random.Random, people: list[int]) -> list[CustomerMerge]:
    """Until one is left, in pairs at random: so there are chains and stars."""
    left, merges = list(people), []
    while len(left) > 1:
        loser, survivor = rng.sample(left, 2)
        merges.append(merge_customers(loser, survivor, reason="staff", actor=None, now=NOW))
        left.remove(loser)
    assert Customer.objects.known().count() == 1
    return merges
