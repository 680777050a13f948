"""The hour at which people read: found where there is one, the shop's where there is none, and never of those who object."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from campaigns.audience.send_groups import read_groups
from campaigns.audience.send_times import NO_HOUR, PeopleGroup, Schedule, plan_times
from campaigns.delivery.outbox import queue_messages
from campaigns.models import Campaign, Message
from customers.features.hours.backtest import backtest_hours
from customers.features.hours.estimate import (
    ReadingModel,
    ShopModel,
    estimate_hours,
    estimate_readers,
    fit_model,
    fit_shop,
)
from customers.features.hours.reading import read_hours
from customers.features.hours.refresh import refresh_hours, try_out
from customers.ingest.recorder import NewEvent, record_events
from customers.ingest.tracking import record_tracking_consent
from customers.models import Customer, EventKind, Preference, ReadingHour, ReadingPattern
from tests.campaigns import arrange

NOW = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
FLAT = np.full(24, 1 / 24)


def draw_readers(people: int, spread: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Each person's share of the 24 hours: around an hour of their own between 9 and 19, the flatter the larger `spread`."""
    own = rng.integers(9, 20, people)
    distance = np.abs((np.arange(24) - own[:, None] + 12) % 24 - 12)
    shares = np.exp(-distance / spread)
    return own, shares / shares.sum(axis=1, keepdims=True)


def draw_counts(shares: np.ndarray, times: int, rng: np.random.Generator) -> np.ndarray:
    return np.array([rng.multinomial(times, row) for row in shares], dtype=float)


def test_hours_of_their_own_are_found_and_catch_more_of_what_is_opened_later() -> None:
    rng = np.random.default_rng(1)
    own, shares = draw_readers(1500, 1.5, rng)
    before, later = draw_counts(shares, 12, rng), draw_counts(shares, 6, rng)
    model = fit_model(before)
    hours, _share = estimate_hours(model, before, np.zeros_like(before))
    assert model.concentration <= 20 and np.mean(np.abs(hours - own) <= 1) > 0.9
    found = backtest_hours(hours, np.full(1500, model.best_hour), later)
    assert found is not None and found.is_better and found.own > 2 * found.usual


def test_where_nobody_has_an_hour_of_their_own_everybody_gets_the_shops_and_nothing_is_claimed() -> None:
    rng = np.random.default_rng(2)
    shop = np.exp(-np.abs(np.arange(24) - 18) / 4.0)
    shares = np.tile(shop / shop.sum(), (1500, 1))
    before, later = draw_counts(shares, 8, rng), draw_counts(shares, 6, rng)
    model = fit_model(before)
    hours, _share = estimate_hours(model, before, np.zeros_like(before))
    assert model.concentration >= 500 and model.best_hour == 18
    assert np.mean(hours == 18) > 0.8
    found = backtest_hours(hours, np.full(1500, model.best_hour), later)
    assert found is not None and not found.is_better and abs(found.gain) < 0.02


def test_too_little_says_nothing_and_visits_say_less_than_opens() -> None:
    model = ReadingModel(tuple(FLAT), 2.0)
    opens, weak = np.zeros((4, 24)), np.zeros((4, 24))
    opens[0, 9], opens[1, 9], weak[2, 9], weak[3, 15], opens[3, 10] = 2, 3, 11, 8, 4
    hours, share = estimate_hours(model, opens, weak)
    assert list(hours) == [-1, 9, -1, 10] and 0 < share[1] < 1


def test_an_hour_that_nobody_is_written_to_at_is_not_chosen() -> None:
    opens = np.zeros((1, 24))
    opens[0, 23] = 30
    hours, _share = estimate_hours(ReadingModel(tuple(FLAT), 2.0), opens, np.zeros((1, 24)))
    assert 8 <= hours[0] <= 20


def test_the_best_hour_is_the_persons_else_the_shops_else_the_chosen_one() -> None:
    nine = dt.datetime(2026, 11, 28, 9, 15, tzinfo=dt.UTC)
    schedule = Schedule("best_hour", nine, 12, "Europe/London", shop_hour=18)
    groups = [PeopleGroup("Asia/Shanghai", "", 20, 1), PeopleGroup("Europe/London", "", NO_HOUR, 1)]
    early = nine - dt.timedelta(days=2)
    assert [time.target.isoformat() for time in plan_times(schedule, groups, now=early)] == [
        "2026-11-28T12:00:00+00:00", "2026-11-28T18:00:00+00:00",
    ]  # fmt: skip
    unknown = Schedule("best_hour", nine, 12, "Europe/London")
    assert plan_times(unknown, groups[1:], now=early)[0].target == nine


@pytest.fixture
def readers(db: None) -> list[Customer]:
    """Three people in Shanghai who open at seven in the evening there; one said no to that, one objects to profiles."""
    people = arrange.make_customers(3, now=NOW)
    Customer.objects.update(time_zone="Asia/Shanghai")
    opened = [NOW - dt.timedelta(days=day) for day in range(1, 8)]
    moments = [day.astimezone(ZoneInfo("Asia/Shanghai")).replace(hour=19, minute=40) for day in opened]
    record_events(
        [
            NewEvent(
                customer_id=person.pk,
                kind=kind,
                occurred_at=at + shift,
                external_id=f"{person.pk}-{at:%d}-{kind}-{shift}",
            )
            for person in people
            for at in moments
            for kind, shift in (
                (EventKind.EMAIL_OPENED, dt.timedelta(0)),
                (EventKind.EMAIL_CLICKED, dt.timedelta(minutes=1)),
                (EventKind.PRODUCT_VIEWED, dt.timedelta(hours=-10)),
                (EventKind.PRODUCT_VIEWED, dt.timedelta(hours=-10, minutes=2)),
            )
        ],
        source="test",
    )
    record_tracking_consent(people[1], is_given=False, source="page", now=NOW)
    Preference.objects.create(customer=people[2], objects_to_profiling_at=NOW)
    return people


def test_what_was_done_is_counted_by_the_persons_own_clock(readers: list[Customer]) -> None:
    rows = read_hours(since=NOW - dt.timedelta(days=30), before=NOW).sort("customer_id", "hour")
    assert rows.rows() == [
        (readers[0].pk, "Asia/Shanghai", 9, 0, 7),  # ten pages in an hour are one sign
        (readers[0].pk, "Asia/Shanghai", 19, 7, 0),
        (readers[1].pk, "Asia/Shanghai", 9, 0, 7),
        (readers[1].pk, "Asia/Shanghai", 19, 7, 0),  # clicks alone: opens are not to be seen
    ]  # fmt: skip
    Customer.objects.filter(pk=readers[0].pk).update(time_zone="Mars/Olympus")
    assert 11 in read_hours(since=NOW - dt.timedelta(days=30), before=NOW)["hour"].to_list()


def test_hours_are_kept_and_forgotten(readers: list[Customer]) -> None:
    assert refresh_hours(as_of=NOW) == 2 and refresh_hours(as_of=NOW) == 2
    kept = ReadingHour.objects.get(customer=readers[0])
    assert (kept.hour, kept.opens, kept.weak) == (19, 7, 7)
    assert not ReadingHour.objects.filter(customer=readers[2]).exists()
    pattern = ReadingPattern.objects.get()
    assert (pattern.best_hour, pattern.people) == (19, 2)
    Preference.objects.create(customer=readers[0], objects_to_profiling_at=NOW)
    assert refresh_hours(as_of=NOW + dt.timedelta(days=1)) == 1
    assert not ReadingHour.objects.filter(customer=readers[0]).exists()


def test_everybody_is_queued_for_their_own_hour(readers: list[Customer]) -> None:
    refresh_hours(as_of=NOW)
    nine = dt.datetime(2026, 11, 28, 9, tzinfo=dt.UTC)
    cast = arrange.make_cast()
    stranger = arrange.make_customers(1, prefix="s", now=NOW)
    campaign = arrange.make_campaign(cast.marketer, [readers[0], *stranger], send_at=nine, now=NOW)
    Campaign.objects.update(send_mode="best_hour")
    campaign.refresh_from_db()
    assert {(group.zone, group.hour) for group in read_groups(campaign)} == {("Asia/Shanghai", 19), ("UTC", NO_HOUR)}
    queue_messages(campaign, now=NOW)
    hours = Message.objects.order_by("customer__pk").values_list("not_before", flat=True)
    assert [hour.hour for hour in hours if hour] == [11, 19]
    Preference.objects.create(customer=readers[0], objects_to_profiling_at=NOW)
    assert {group.hour for group in read_groups(campaign)} == {NO_HOUR}


def test_nobody_knows_anything_in_an_empty_shop(db: None) -> None:
    assert refresh_hours(as_of=NOW) == 0
    assert ReadingPattern.objects.get().best_hour is None


def test_people_of_another_zone_have_no_hours_of_their_own_because_mail_reaches_them_in_the_evening() -> None:
    rng = np.random.default_rng(3)
    shares = np.exp(-np.abs(np.arange(24) - np.repeat([9, 19], 700)[:, None]) / 2.0)
    shares /= shares.sum(axis=1, keepdims=True)
    zones = np.repeat(["Europe/London", "Asia/Shanghai"], 700)
    before, later = draw_counts(shares, 8, rng), draw_counts(shares, 6, rng)
    pooled, model = fit_model(before), fit_shop(zones, before)
    assert pooled.concentration < 50 and min(kept.concentration for kept in model.zones.values()) >= 500
    assert {zone: kept.best_hour for zone, kept in model.zones.items()} == {"Europe/London": 9, "Asia/Shanghai": 19}
    hours, _share = estimate_readers(model, zones, before, np.zeros_like(before))
    found = backtest_hours(hours, model.usual_hours(zones), later)
    assert found is not None and not found.is_better
    small = fit_shop(np.array(["UTC", "UTC"]), np.ones((2, 24)))
    assert small == ShopModel(small.shop, {}) and small.model_of("UTC") == small.shop


def test_who_has_no_hour_of_their_own_gets_that_of_their_zone() -> None:
    nine = dt.datetime(2026, 11, 28, 9, tzinfo=dt.UTC)
    schedule = Schedule("best_hour", nine, 12, "Europe/London", 18, {"Asia/Shanghai": 20})
    groups = [PeopleGroup(zone, "", NO_HOUR, 1) for zone in ("Asia/Shanghai", "Europe/London")]
    times = plan_times(schedule, groups, now=nine - dt.timedelta(days=2))
    assert [time.target.hour for time in times] == [12, 18]


def test_what_is_tried_out_is_what_was_not_known_yet(readers: list[Customer]) -> None:
    assert try_out(None, as_of=NOW) is None  # all of it is of the last weeks
    found = try_out(None, as_of=NOW + dt.timedelta(days=57))  # then half of it was known
    assert found is not None and (found.people, found.own) == (2, 1.0) and found.opens < 14
