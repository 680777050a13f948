"""The sums that SQL counts, against the same people carried out one by one and counted by NumPy."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pytest
from django.db import connection
from django.db.models import F

from campaigns.models import Archetype, Arm, AudienceMember, Campaign, Offer
from campaigns.outcomes import keeping
from campaigns.outcomes import sums as sums_module
from campaigns.outcomes.attribution import measure_campaign
from campaigns.outcomes.cuped import take_moments
from campaigns.outcomes.estimates import Expected, check_ratio, describe_archetypes, describe_look
from campaigns.outcomes.offer_use import read_code
from campaigns.outcomes.per_person import PAST_DAYS, person_sql
from campaigns.outcomes.sums import COVARIATES, count_people, count_sums
from campaigns.outcomes.windows import people_sql, read_window, window_params
from customers.merging.merge import merge_customers
from customers.models import Order
from tests.campaigns import arrange
from tests.campaigns.arrange import NOW

DAY = dt.timedelta(days=1)
PEOPLE = 400


@pytest.fixture
def campaign(db: None) -> Campaign:
    """400 people, a quarter held out, of two archetypes, with a past and a future, returns and foreign money among them."""
    random = np.random.default_rng(7)
    people = arrange.make_customers(PEOPLE, consents=False)
    made = arrange.make_campaign(arrange.make_cast().marketer, people[100:], held_out=people[:100])
    second = Archetype.objects.create(campaign=made, cell="quiet|coats|en", language="en", size=0)
    members = list(AudienceMember.objects.filter(campaign=made).order_by("customer_id"))
    for number, member in enumerate(members):
        if number % 3 == 0:
            member.archetype = second
        if number % 5:
            member.churn_probability, member.expected_value = random.uniform(0.1, 0.9), round(random.uniform(0, 90), 2)
    AudienceMember.objects.bulk_update(members, ["archetype", "churn_probability", "expected_value"])
    orders = []
    for customer in people:
        eager = random.gamma(1, 1)
        for number in range(random.poisson(4 * eager)):
            days = float(random.uniform(-500, 90))
            orders.append(Order(
                external_id=f"{customer.external_id}-{number}", customer=customer, ordered_at=NOW + days * DAY,
                total=round(float(random.lognormal(3, 1)), 2), is_return=bool(random.random() < 0.1),
                currency="USD" if random.random() < 0.1 else "EUR",
            ))  # fmt: skip
    for order in orders:
        order.total = -order.total if order.is_return else order.total
    Order.objects.bulk_create(orders)
    Campaign.objects.filter(pk=made.pk).update(sending_started_at=NOW, holdout_share=0.25)
    made.refresh_from_db()
    return made


def _carry_out(campaign: Campaign, cap: float | None) -> dict[tuple[str, int], list[list[float]]]:
    """Rows of outcomes and covariates by arm and archetype, from the objects themselves."""
    end = NOW + campaign.attribution_days * DAY
    rows: dict[tuple[str, int], list[list[float]]] = {}
    for member in AudienceMember.objects.filter(campaign=campaign).annotate(archetype_place=F("archetype_id")):
        after = before = 0
        paid = past_paid = 0.0
        for order in Order.objects.filter(customer=member.customer_id):
            amount = float(order.total) if order.currency == "EUR" else 0.0
            if NOW <= order.ordered_at < end:
                after, paid = after + (not order.is_return), paid + amount
            elif NOW - 365 * DAY <= order.ordered_at < NOW:
                before, past_paid = before + (not order.is_return), past_paid + amount
        if cap is not None:
            paid = min(max(paid, -cap), cap)
        risk = 0.5 if member.churn_probability is None else member.churn_probability
        worth = math.log1p(max(float(member.expected_value or 0), 0))
        row = [float(after > 0), after, paid, math.log1p(before), math.log1p(max(past_paid, 0)), risk, worth]
        rows.setdefault((member.arm, member.archetype_place), []).append(row)
    return rows


def test_sums_are_those_of_the_people(campaign: Campaign) -> None:
    as_of = NOW + 100 * DAY
    window = read_window(campaign, as_of=as_of)
    assert window is not None
    sums = count_sums(campaign, window, as_of=as_of, currency="EUR")
    people = _carry_out(campaign, sums.cap)
    for arm, found in ((Arm.TREATMENT, sums.treated), (Arm.HOLDOUT, sums.holdout)):
        rows = np.array([row for (name, _place), rows in people.items() if name == arm for row in rows])
        assert (found.n, found.kept, found.orders) == (len(rows), rows[:, 0].sum(), rows[:, 1].sum())
        for place, outcome in enumerate(("kept", "orders", "paid")):
            expected, counted = take_moments(rows[:, place], rows[:, 3:]), found.moments[outcome]
            assert counted.mean == pytest.approx(expected.mean)
            assert counted.variance == pytest.approx(expected.variance)
            np.testing.assert_allclose(counted.x_mean, expected.x_mean)
            np.testing.assert_allclose(counted.x_covariance, expected.x_covariance, rtol=1e-9)
            np.testing.assert_allclose(counted.xy_covariance, expected.xy_covariance, rtol=1e-9, atol=1e-12)
    for place, pair in sums.by_archetype.items():
        for arm, found in zip((Arm.TREATMENT, Arm.HOLDOUT), pair, strict=True):
            assert found.n == len(people[(arm, place)])
    assert list(COVARIATES) == ["past_orders", "past_paid", "churn_probability", "expected_value"]


def test_spending_is_counted_in_the_same_pass(campaign: Campaign) -> None:
    """Every fourth order had something taken off, every other of those by the offer's code."""
    for place, order in enumerate(Order.objects.order_by("external_id")):
        if place % 4 == 0:
            order.discount, order.discount_code = round(place % 7 + 0.35, 2), "back10" if place % 8 == 0 else "OTHER"
            order.save()
    as_of = NOW + 100 * DAY
    window = read_window(campaign, as_of=as_of)
    assert window is not None
    sums = count_sums(campaign, window, as_of=as_of, currency="EUR")
    for arm, found in ((Arm.TREATMENT, sums.treated.spending), (Arm.HOLDOUT, sums.holdout.spending)):
        rows = [
            _spend(each.customer_id, window.closes)
            for each in AudienceMember.objects.filter(campaign=campaign, arm=arm)
        ]
        assert found.n == len(rows)
        assert found.means == pytest.approx(np.mean(rows, axis=0))
        np.testing.assert_allclose(found.spread, np.cov(np.array(rows).T), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("kind", [Offer.Kind.PERCENT, Offer.Kind.NONE])
def test_adding_up_orders_first_gives_everybody_the_same_numbers(campaign: Campaign, kind: str) -> None:
    """To the last digit, also of people who were merged, on either side of the campaign's edge."""
    Offer.objects.update_or_create(campaign=campaign, defaults={"kind": kind, "value": 10, "code": ""})
    for place, order in enumerate(Order.objects.order_by("external_id")):
        if place % 3 == 0:
            order.discount, order.discount_code = round(place % 7 + 0.35, 2), "OTHER" if place % 2 else ""
            order.save()
    people = list(
        AudienceMember.objects.filter(campaign=campaign).order_by("customer_id").values_list("customer_id", flat=True)
    )
    (stranger,) = arrange.make_customers(1, prefix="stranger", consents=False)
    for loser, survivor in (
        (people[0], people[1]),
        (people[150], people[50]),
        (people[200], stranger.pk),
        (stranger.pk, people[7]),
    ):
        merge_customers(loser, survivor, reason="staff", actor=None, now=NOW)
    campaign = Campaign.objects.get(pk=campaign.pk)
    as_of = NOW + 100 * DAY
    window = read_window(campaign, as_of=as_of)
    assert window is not None
    offer = Offer.objects.get(campaign=campaign)
    params = window_params(campaign, window, as_of=as_of) | {
        "currency": "EUR",
        "past": PAST_DAYS,
        "code": read_code(offer),
    }
    found = []
    with connection.cursor() as cursor:
        for orders_first in (False, True):
            cursor.execute(person_sql(people_sql(campaign), offer, orders_first=orders_first), params)
            found.append(sorted(cursor.fetchall(), key=repr))
    assert found[0] == found[1]
    assert len(found[0]) == PEOPLE and any(row[-2] for row in found[0]) == (kind == Offer.Kind.PERCENT)
    sums = [
        count_people(people_sql(campaign), params, currency="EUR", offer=offer, orders_first=orders_first)
        for orders_first in (False, True)
    ]
    assert sums[0].cap == sums[1].cap
    assert (sums[0].treated.kept, sums[0].holdout.orders) == (sums[1].treated.kept, sums[1].holdout.orders)
    np.testing.assert_allclose(
        sums[0].treated.spread.covariance, sums[1].treated.spread.covariance, rtol=1e-11, atol=1e-11
    )


def test_a_large_campaign_of_most_customers_adds_up_orders_first(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []
    as_of = NOW + 100 * DAY
    window = read_window(campaign, as_of=as_of)
    assert window is not None
    monkeypatch.setattr(sums_module, "count_people", lambda *args, orders_first, **more: asked.append(orders_first))
    Campaign.objects.filter(pk=campaign.pk).update(audience_counts={"treatment": 300, "holdout": 100})
    for large, customers in ((100_000, PEOPLE), (100, PEOPLE), (100, 900)):
        monkeypatch.setattr(keeping, "LARGE", large)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_restore_relation_stats('schemaname', 'public', 'relname', 'customers_customer', 'reltuples',"
                " %s::real)",
                [customers],
            )
        count_sums(Campaign.objects.get(pk=campaign.pk), window, as_of=as_of, currency="EUR")
    assert asked == [False, True, False]


def _spend(customer: int, end: dt.datetime) -> list[float]:
    """`worth.NUMBERS` of one person."""
    orders = [each for each in Order.objects.filter(customer=customer) if NOW <= each.ordered_at < end]
    ours = [each for each in orders if each.currency == "EUR"]
    used = [each for each in orders if each.discount_code == "back10"]
    return [
        float(sum(each.total for each in ours)),
        float(sum(each.discount for each in ours)),
        float(sum(each.discount for each in ours if each in used)),
        float(sum(not each.is_return for each in used)),
        float(any(not each.is_return for each in orders)),
    ]


def test_who_sent_everything_back_paid_nothing_at_all(campaign: Campaign) -> None:
    """Binary fractions of cents would leave a trace, and count as an amount."""
    person = AudienceMember.objects.filter(campaign=campaign, arm=Arm.TREATMENT).earliest("pk").customer_id
    Order.objects.filter(customer=person).delete()
    for place, total in enumerate(("0.10", "0.20", "-0.30")):
        Order.objects.create(
            customer_id=person, external_id=f"back{place}", ordered_at=NOW + DAY, total=total, currency="EUR",
            is_return=total.startswith("-"),
        )  # fmt: skip
    assert 0.1 + 0.2 - 0.3 != 0
    window = read_window(campaign, as_of=NOW + 100 * DAY)
    assert window is not None
    people = window_params(campaign, window, as_of=NOW + 100 * DAY)
    alone = f"SELECT * FROM ({people_sql(campaign)}) alone WHERE customer_id = {person}"
    assert count_people(alone, people, currency="EUR").treated.paid_mean == 0.0


def test_money_is_cut_where_there_is_enough_of_it(campaign: Campaign) -> None:
    as_of = NOW + 100 * DAY
    window = read_window(campaign, as_of=as_of)
    assert window is not None
    cap = count_sums(campaign, window, as_of=as_of, currency="EUR").cap
    paid = [abs(row[2]) for rows in _carry_out(campaign, None).values() for row in rows if row[2]]
    assert (cap is not None) == (len(paid) >= 200)
    if cap is not None:
        assert cap == pytest.approx(np.quantile(paid, 0.99))


def test_the_past_narrows_what_is_measured(campaign: Campaign) -> None:
    figures = measure_campaign(campaign, as_of=NOW + 100 * DAY)
    for outcome in ("kept", "orders", "paid"):
        assert figures["estimates"][outcome]["is_adjusted"]
    orders = figures["estimates"]["orders"]
    assert orders["narrowing"] > 0.05
    assert figures["estimates"]["kept"]["plain"]["effect"] == pytest.approx(figures["retention"]["points"])
    assert figures["sample_ratio"] == {"expected_holdout": 100.0, "p_value": 1.0, "is_alarming": False}
    assert [row["treated"] for row in figures["archetypes"]] == sorted(
        (row["treated"] for row in figures["archetypes"]), reverse=True
    )
    assert figures["reached_by_others"] == {"treated": 0, "holdout": 0}


def test_while_the_window_is_open_the_interval_holds_at_every_look(campaign: Campaign) -> None:
    figures = measure_campaign(campaign, as_of=NOW + 40 * DAY)
    look, kept = figures["any_look"], figures["estimates"]["kept"]["adjusted"]
    assert figures["retention"]["verdict"] == "too_early" and figures["archetypes"] == []
    assert look["low"] < kept["low"] < kept["high"] < look["high"]
    assert look["points"] == pytest.approx(kept["effect"])


def test_a_tenth_of_the_hold_out_that_was_lost_raises_the_alarm() -> None:
    assert not check_ratio(9_000, 1_000, 0.1)["is_alarming"]
    assert check_ratio(9_000, 850, 0.1)["is_alarming"]
    assert check_ratio(0, 0, 0.1)["p_value"] == 1.0


def test_a_live_campaign_is_told_how_many_weeks_are_still_needed() -> None:
    random = np.random.default_rng(1)
    arms = []
    for n, share in ((1_000, 0.33), (1_000, 0.28)):
        y = (np.arange(n) < share * n).astype(float)
        arms.append({"kept": take_moments(y, random.normal(size=(n, 1)))})
    told = describe_look(arms[0], arms[1], expected=Expected(0.3), elapsed_days=14, grows=True)
    assert told is not None and told["verdict"] == ""
    assert told["weeks"] is not None and 1 <= told["weeks"] <= 20
    sent = describe_look(arms[0], arms[1], expected=Expected(0.3), elapsed_days=14, grows=False)
    assert sent is not None and sent["weeks"] is None


def test_of_many_archetypes_without_effect_hardly_one_is_called_out() -> None:
    random = np.random.default_rng(2)
    called = 0
    for _run in range(200):
        pairs = {}
        for place in range(10):
            treated, held = (
                {"kept": take_moments((random.random(200) < 0.3).astype(float), np.zeros((200, 0)))} for _ in "ab"
            )
            pairs[place] = (treated, held)
        called += any(row["p_holm"] < 0.05 for row in describe_archetypes(pairs))
    assert called / 200 <= 0.09


def test_arms_that_are_too_small_say_nothing() -> None:
    few = {"kept": take_moments(np.array([0.0, 1.0] * 5), np.zeros((10, 0)))}
    assert describe_archetypes({1: (few, few)}) == []
    assert describe_look(few, few, expected=Expected(0.5), elapsed_days=1, grows=False) is None
    assert describe_look({}, {}, expected=Expected(0.5), elapsed_days=1, grows=False) is None


def test_orders_money_and_kinds_have_sequences_of_their_own(campaign: Campaign) -> None:
    figures = measure_campaign(campaign, as_of=NOW + 30 * DAY)
    looks = {"kept": figures["any_look"], **figures["any_look_amounts"]}
    assert list(looks) == ["kept", "orders", "paid"]
    for name, look in looks.items():
        once = figures["estimates"][name]["adjusted"]
        assert look["low"] < once["low"] < once["high"] < look["high"]  # wider than that of one look
    assert set(figures["any_look_archetypes"]) <= {str(each.pk) for each in campaign.archetypes.all()}
    assert set(figures["risks"]) <= {"leaves", "may_leave", "stays"}
    for kind in (*figures["any_look_archetypes"].values(), *figures["risks"].values()):
        assert kind["high"] - kind["low"] > figures["any_look"]["high"] - figures["any_look"]["low"]


def test_risks_hold_each_person_once(campaign: Campaign) -> None:
    window = read_window(campaign, as_of=NOW + 100 * DAY)
    assert window is not None
    sums = count_sums(campaign, window, as_of=NOW + 100 * DAY, currency="EUR")
    known = AudienceMember.objects.filter(campaign=campaign, churn_probability__isnull=False)
    assert sum(arm.n for pair in sums.by_risk.values() for arm in pair) == known.count()
    leaves = known.filter(churn_probability__gte=0.6, arm=Arm.TREATMENT).count()
    assert sums.by_risk["leaves"][0].n == leaves
