"""docs/measuring-by-hand.md against the product, from its orders in a database on, and against a second implementation."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from campaigns.audience.any_look import Look, bound_at_any_look, plan_share
from campaigns.models import Campaign
from campaigns.outcomes.attribution import measure_campaign
from campaigns.outcomes.cuped import estimate_adjusted, take_moments
from campaigns.outcomes.ratio import Bounded
from campaigns.outcomes.worth import ArmSpending, Costs, cost_per_kept
from customers.models import Customer, Order
from tests.campaigns import arrange
from tests.campaigns.arrange import NOW

from . import plain_estimates as plain
from .plain_estimates import Array

PAGE = Path(__file__).parents[3] / "docs" / "measuring-by-hand.md"
DAY = dt.timedelta(days=1)
EACH = 50
FIXED = 23.0


def _read_kinds() -> dict[str, tuple[int, int, float]]:
    """By kind: orders before, whether they ordered, what they paid."""
    rows = re.findall(r"^\| ([TH]\d) \| (\d+) \| ([01]) \| (\d+) \|$", PAGE.read_text(), re.MULTILINE)
    return {kind: (int(before), int(ordered), float(paid)) for kind, before, ordered, paid in rows}


def _read_figures() -> dict[str, tuple[float | None, ...]]:
    """By name: value, low, high."""
    number = r"(-?[\d,]+\.\d\d)?"
    rows = re.findall(rf"^\| (\w+) \| {number} ?\| {number} ?\| {number} ?\|$", PAGE.read_text(), re.MULTILINE)
    return {name: tuple(float(each.replace(",", "")) if each else None for each in cells) for name, *cells in rows}


def _list_people(arm: str) -> Array:
    """(300, 3): ln(1 + orders before), ordered, paid."""
    rows = [
        (math.log(1 + before), ordered, paid)
        for kind, (before, ordered, paid) in _read_kinds().items()
        if kind.startswith(arm)
        for _each in range(EACH)
    ]
    found = np.array(rows, dtype=np.float64)
    if arm == "T":
        found[-1, 2] = 1_000.0
    return found


TREATED, HELD = _list_people("T"), _list_people("H")


@pytest.fixture
def figures(db: None) -> dict[str, Any]:
    """Of these people in a shop, once their window has closed."""
    people = arrange.make_customers(len(TREATED) + len(HELD), consents=False)
    made = arrange.make_campaign(arrange.make_cast().marketer, people[:300], held_out=people[300:])
    orders: list[Order] = []
    for place, (customer, (past, ordered, paid)) in enumerate(zip(people, np.vstack([TREATED, HELD]), strict=True)):
        orders += [_order(customer, -30.0 - number, 0) for number in range(round(math.exp(past)) - 1)]
        if ordered:
            orders.append(
                _order(customer, 5.0, paid, **({"discount": 5, "discount_code": "BACK10"} if place < 300 else {}))
            )
    Order.objects.bulk_create(orders)
    Campaign.objects.filter(pk=made.pk).update(sending_started_at=NOW, holdout_share=0.5)
    made.refresh_from_db()
    return measure_campaign(made, as_of=NOW + 61 * DAY)


def _order(customer: Customer, days: float, total: float, **fields: Any) -> Order:
    return Order(
        external_id=f"{customer.external_id}{days}", customer=customer, ordered_at=NOW + days * DAY, total=round(total, 2),
        currency="EUR", **fields,
    )  # fmt: skip


def _price(figures: Mapping[str, Any]) -> tuple[float | None, ...]:
    treated = ArmSpending.from_json(figures["spending"]["treated"])
    retention = figures["retention"]
    kept = Bounded(retention["kept"], retention["kept_low"], retention["kept_high"])
    found = cost_per_kept(treated, kept, Costs(treated.n * treated.means[2], 0.0, 3.0, 0.0, 20.0))
    return found.value, found.low, found.high


def test_the_page_says_what_the_product_measures(figures: dict[str, Any]) -> None:
    retention, kept, paid = figures["retention"], figures["estimates"]["kept"], figures["estimates"]["paid"]
    whole, look = figures["revenue"]["difference"], figures["any_look"]
    found: dict[str, tuple[float | None, ...]] = {
        "points": (retention["points"], retention["low"], retention["high"]),
        "kept": (retention["kept"], retention["kept_low"], retention["kept_high"]),
        "past_out": tuple(kept["adjusted"][name] for name in ("effect", "low", "high")),
        "narrowing": (100 * kept["narrowing"], None, None),
        "theory": (100 * (1 - math.sqrt(1 - kept["correlation"] ** 2)), None, None),
        "any_look": (look["points"], look["low"], look["high"]),
        "cap": (figures["cap"], None, None),
        "paid_cut": tuple(paid["plain"][name] for name in ("effect", "low", "high")),
        "paid_whole": (whole["per_person"], whole["low"], whole["high"]),
        "per_kept": _price(figures),
    }
    told = _read_figures()
    assert set(told) == set(found)
    for name, values in found.items():
        assert told[name] == pytest.approx(values, abs=0.0051), name
    assert (retention["verdict"], look["verdict"]) == ("positive", "")


def test_a_second_implementation_finds_the_same(figures: dict[str, Any]) -> None:
    told = _read_figures()
    gap = plain.difference_of_shares(TREATED[:, 1], HELD[:, 1])
    assert [100 * each for each in gap] == pytest.approx(told["points"], abs=0.0051)
    effect, error, degrees = plain.regress(TREATED[:, 1], TREATED[:, :1], HELD[:, 1], HELD[:, :1])
    half = plain.student(degrees) * error
    assert [100 * each for each in (effect, effect - half, effect + half)] == pytest.approx(
        told["past_out"], abs=0.0051
    )
    share = float(np.r_[TREATED[:, 1], HELD[:, 1]].mean())
    half = plain.sequence_half(error, 600, share, math.sqrt(0.25 * 2 / 300), 0.5)
    assert [100 * each for each in (effect, effect - half, effect + half)] == pytest.approx(
        told["any_look"], abs=0.0051
    )
    cut, cap = plain.cut_large(np.r_[TREATED[:, 2], HELD[:, 2]])
    assert cap == told["cap"][0]
    assert plain.difference_of_means(cut[:300], cut[300:]) == pytest.approx(told["paid_cut"], abs=0.0051)
    assert plain.difference_of_means(TREATED[:, 2], HELD[:, 2]) == pytest.approx(told["paid_whole"], abs=0.0051)
    kept = (gap[0] * 300, gap[1] * 300, gap[2] * 300)
    assert plain.cost_per_kept(5 * TREATED[:, 1], FIXED, TREATED[:, 1], kept) == pytest.approx(
        told["per_kept"], abs=0.0051
    )


@pytest.mark.parametrize("seed", range(6))
def test_on_other_people_both_implementations_agree(seed: int) -> None:
    random = np.random.default_rng(seed)
    n, m = int(random.integers(150, 900)), int(random.integers(150, 900))
    x = random.normal(size=(n + m, 3)) * [1.0, 50.0, 0.01] + [0.0, 400.0, 7.0]
    for y in (
        (random.random(n + m) < 0.3 + 0.05 * np.tanh(x[:, 0])).astype(np.float64),
        random.lognormal(2, 1, n + m) * (random.random(n + m) < 0.6) + x[:, 0],
    ):
        found = estimate_adjusted(take_moments(y[:n], x[:n]), take_moments(y[n:], x[n:]))
        effect, error, degrees = plain.regress(y[:n], x[:n], y[n:], x[n:])
        half = plain.student(degrees) * error
        assert found.adjusted.effect == pytest.approx(effect, rel=1e-7, abs=1e-9)
        assert found.adjusted.error == pytest.approx(error, rel=1e-7)
        assert (found.adjusted.low, found.adjusted.high) == pytest.approx((effect - half, effect + half), rel=1e-4)
        told = (found.plain.effect, found.plain.low, found.plain.high)
        assert told == pytest.approx(plain.difference_of_means(y[:n], y[n:]), rel=1e-4, abs=1e-6)
    share = float(random.uniform(0.05, 0.9))
    planned = plan_share(n, m, share)
    low, high = bound_at_any_look(Look(0.1, error, n + m, share / 2), planned)
    half = plain.sequence_half(error, n + m, share / 2, planned.error, share)
    assert (low, high) == pytest.approx((0.1 - half, 0.1 + half))
