"""What a campaign's message does in the simulated shop, against the truth that the simulator tells."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from retention_site.demo.simulator import CampaignMessage, Shop, ShopSimulator

TODAY = datetime(2026, 11, 23, 18, tzinfo=UTC)
START = TODAY - timedelta(days=365)
SENT = START + timedelta(days=150.4)
WINDOW = timedelta(days=60)


def make_simulator(customers: int, seed: int = 5) -> ShopSimulator:
    return ShopSimulator(seed=seed, start=START, joining_until=TODAY, customers=customers)


def ordered_in_window(shop: Shop) -> set[str]:
    within = pl.col("ordered_at").is_between(SENT, SENT + WINDOW, closed="left")
    return set(shop.orders.filter(within & ~pl.col("is_return"))["customer_external_id"])


def split_in_half(past: Shop) -> tuple[list[str], list[str]]:
    ids = past.customers["external_id"].shuffle(seed=9).to_list()
    return ids[::2], ids[1::2]


@pytest.fixture(scope="module")
def campaign() -> tuple[Shop, list[str], list[str]]:
    """A strong message to half of 40,000 customers, and 60 days of life after it."""
    simulator = make_simulator(40_000)
    treated, held_out = split_in_half(simulator.advance(SENT))
    message = CampaignMessage("win-back", SENT, treated, strength=1.5, discount_code="BACK10", discount_percent=10)
    return simulator.advance(SENT + WINDOW, [message]), treated, held_out


def test_measured_effect_agrees_with_the_truth(campaign: tuple[Shop, list[str], list[str]]) -> None:
    after, treated, held_out = campaign
    ordered = ordered_in_window(after)
    measured = [float(np.mean([one in ordered for one in arm])) for arm in (treated, held_out)]
    truth = after.true_effect("win-back")
    deviation = np.sqrt(sum(share * (1 - share) / len(treated) for share in measured))
    assert truth.treated == len(treated)
    assert measured[1] == pytest.approx(truth.baseline_probability, abs=4 * deviation)
    assert measured[0] - measured[1] == pytest.approx(truth.effect, abs=3 * deviation)
    assert 0.02 < truth.effect < 0.06


def test_effect_of_each_kind_agrees_with_the_truth(campaign: tuple[Shop, list[str], list[str]]) -> None:
    after, _treated, _held_out = campaign
    ordered = pl.Series(sorted(ordered_in_window(after))).implode()
    told = (
        after.message_effects.with_columns(orders=pl.col("customer_external_id").is_in(ordered))
        .group_by("kind")
        .agg(
            expected=(pl.col("baseline_probability") + pl.col("effect")).mean(),
            happened=pl.col("orders").mean(),
            effect=pl.col("effect").mean(),
            people=pl.len(),
        )
    )
    for row in told.iter_rows(named=True):
        deviation = np.sqrt(row["expected"] * (1 - row["expected"]) / row["people"])
        assert row["happened"] == pytest.approx(row["expected"], abs=4 * deviation), row["kind"]
    effect = dict(told.select("kind", "effect").iter_rows())
    assert effect["persuadable"] > 0.08
    assert effect["sleeping_dog"] < -0.02
    assert effect["sure_thing"] == effect["lost_cause"] == 0


def test_orders_that_the_message_brought_use_its_code(campaign: tuple[Shop, list[str], list[str]]) -> None:
    after, treated, _held_out = campaign
    brought = after.orders.filter(pl.col("discount_code") == "BACK10")
    assert brought.height > 500
    assert set(brought["customer_external_id"]) <= set(treated)
    assert brought["ordered_at"].is_between(SENT, SENT + WINDOW).all()


def test_opens_of_the_message_are_told_by_its_name(campaign: tuple[Shop, list[str], list[str]]) -> None:
    after, treated, _held_out = campaign
    mine = after.events.filter(pl.col("properties").str.json_path_match("$.campaign") == "win-back")
    assert set(mine["kind"]) == {"email_opened", "email_clicked", "email_unsubscribed"}
    assert set(mine["customer_external_id"]) <= set(treated)


def test_a_message_to_nobody_has_no_effect_and_an_empty_one_only_harm() -> None:
    simulator = make_simulator(2000)
    past = simulator.advance(SENT)
    ids = past.customers["external_id"].to_list()
    after = simulator.advance(
        SENT + timedelta(days=1), [CampaignMessage("none", SENT, []), CampaignMessage("empty", SENT, ids, strength=0)]
    )
    assert -0.02 < after.true_effect("empty").effect < 0
    with pytest.raises(ValueError, match="none"):
        after.true_effect("none")


def test_an_earlier_message_is_part_of_the_life_without_the_next_one() -> None:
    simulator = make_simulator(3000)
    everybody = simulator.advance(SENT).customers["external_id"].to_list()
    both = [CampaignMessage(name, SENT, everybody, strength=5) for name in ("first", "second")]
    after = simulator.advance(SENT + WINDOW, both)
    first, second = after.true_effect("first"), after.true_effect("second")
    assert second.baseline_probability == pytest.approx(first.baseline_probability + first.effect, abs=0.02)
    assert second.effect < 0.7 * first.effect


def test_a_message_in_the_middle_of_a_stretch_acts_from_its_moment() -> None:
    simulator = make_simulator(3000)
    joined = simulator.advance(SENT - timedelta(days=20)).customers["external_id"].to_list()
    after = simulator.advance(SENT + WINDOW, [CampaignMessage("later", SENT, joined, discount_code="LATER")])
    moments = after.orders.filter(pl.col("discount_code") == "LATER")["ordered_at"]
    assert len(moments) > 20
    assert moments.min() > SENT


def test_the_same_calls_give_the_same_response() -> None:
    def respond() -> Shop:
        simulator = make_simulator(500)
        ids = simulator.advance(SENT).customers["external_id"].to_list()[:200]
        return simulator.advance(SENT + WINDOW, [CampaignMessage("again", SENT, ids)])

    one, other = respond(), respond()
    assert one.orders.equals(other.orders)
    assert one.message_effects.equals(other.message_effects)


def test_truth_of_customers_foretells_their_orders() -> None:
    simulator = make_simulator(20_000)
    simulator.advance(SENT)
    truth = simulator.truth(window_days=60)
    ordered = pl.Series(sorted(ordered_in_window(simulator.advance(SENT + WINDOW)))).implode()
    tenths = (
        truth.with_columns(
            orders=pl.col("customer_external_id").is_in(ordered),
            tenth=(pl.col("baseline_probability").rank("ordinal") * 10 / (truth.height + 1)).floor(),
        )
        .group_by("tenth")
        .agg(expected=pl.col("baseline_probability").mean(), happened=pl.col("orders").mean(), people=pl.len())
    )
    for row in tenths.iter_rows(named=True):
        deviation = np.sqrt(max(row["expected"] * (1 - row["expected"]), 1e-4) / row["people"])
        # 24 paths per customer leave a little noise in each single probability, which sorting by it brings out.
        assert row["happened"] == pytest.approx(row["expected"], abs=4 * deviation + 0.02)
    assert set(truth["kind"]) == {"sure_thing", "persuadable", "lost_cause", "sleeping_dog"}


@pytest.mark.parametrize(
    ("ids", "sent_at", "what"),
    [
        (["c-9999999"], SENT, "does not have"),
        (["somebody"], SENT, "does not have"),
        (["c-0000001"], SENT - timedelta(days=1), "stretch"),
    ],
)
def test_messages_that_cannot_be_sent_are_refused(ids: list[str], sent_at: datetime, what: str) -> None:
    simulator = make_simulator(50)
    simulator.advance(SENT)
    with pytest.raises(ValueError, match=what):
        simulator.advance(SENT + WINDOW, [CampaignMessage("wrong", sent_at, ids)])


def test_a_message_to_someone_who_has_not_joined_is_refused() -> None:
    simulator = make_simulator(200)
    known = set(simulator.advance(SENT).customers["external_id"])
    stranger = next(name for name in (f"c-{number:07d}" for number in range(200)) if name not in known)
    with pytest.raises(ValueError, match="not joined"):
        simulator.advance(SENT + WINDOW, [CampaignMessage("early", SENT, [stranger])])
