"""When people are written to: by their own clock, outside their quiet hours, missed rather than late."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from django.test import Client
from django.urls import reverse

from campaigns.approval.hashing import part_hashes
from campaigns.approval.workflow import window_end
from campaigns.audience.send_preview import preview_times
from campaigns.audience.send_times import NO_HOUR, NO_ZONE, PeopleGroup, Schedule, last_moment, plan_times
from campaigns.delivery.outbox import claim_batch, queue_messages
from campaigns.delivery.progress import read_progress
from campaigns.delivery.scheduler import start_due_campaigns
from campaigns.models import Campaign, CountryRule, Message
from customers.models import Customer
from tests.campaigns import arrange
from tests.campaigns.arrange import Cast

#: Saturday 28 November 2026, nine in London.
NINE = dt.datetime(2026, 11, 28, 9, tzinfo=dt.UTC)
EARLY = NINE - dt.timedelta(days=2)
SCHEDULE = Schedule("local", NINE, 12, "Europe/London")
NIGHT = "21:00:00-08:00:00"
ZONES = ("Pacific/Auckland", "Asia/Shanghai", "", "Pacific/Honolulu", "Mars/Olympus")


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def test_nine_is_nine_by_each_persons_clock() -> None:
    groups = [
        PeopleGroup(zone, "", NO_HOUR, 1) for zone in ("Pacific/Auckland", "Asia/Shanghai", "", "Pacific/Honolulu")
    ]
    times = plan_times(SCHEDULE, groups, now=EARLY)
    assert [time.not_before for time in times] == [
        at("2026-11-27 20:00"), at("2026-11-28 01:00"), NINE, at("2026-11-28 19:00"),
    ]  # fmt: skip
    assert all(time.send_by - time.not_before == dt.timedelta(hours=12) and not time.skip_reason for time in times)
    assert last_moment(SCHEDULE) >= max(time.send_by for time in times)


def test_whose_hour_is_over_at_the_launch_gets_it_at_once_or_misses_it() -> None:
    groups = [PeopleGroup(zone, "", NO_HOUR, 1) for zone in ("Pacific/Auckland", "Asia/Shanghai", "Europe/London")]
    times = plan_times(SCHEDULE, groups, now=NINE)
    assert [(time.not_before, time.skip_reason) for time in times] == [
        (NINE, "window_closed"), (NINE, ""), (NINE, ""),
    ]  # fmt: skip


def test_a_message_due_in_quiet_hours_waits_for_their_end_inside_its_window() -> None:
    seoul = PeopleGroup("Asia/Seoul", NIGHT, NO_HOUR, 1)
    together = replace(SCHEDULE, mode="together", send_at=at("2026-11-28 13:00"))
    (time,) = plan_times(together, [seoul], now=EARLY)
    assert (time.not_before, time.skip_reason, time.waits_for_quiet) == (at("2026-11-28 23:00"), "", True)
    (missed,) = plan_times(replace(together, window_hours=10), [seoul], now=EARLY)
    assert (missed.skip_reason, missed.waits_for_quiet) == ("quiet_hours", False)


def test_who_lives_in_no_time_zone_is_parked_where_the_zone_decides_and_else_lives_by_the_shops_clock() -> None:
    nowhere = PeopleGroup(NO_ZONE, NIGHT, NO_HOUR, 1)
    assert plan_times(SCHEDULE, [nowhere], now=EARLY)[0].skip_reason == "bad_time_zone"
    (time,) = plan_times(replace(SCHEDULE, mode="together"), [nowhere], now=EARLY)
    assert (time.not_before, time.skip_reason) == (NINE, "")


@pytest.fixture
def cast(db: None) -> Cast:
    return arrange.make_cast()


@pytest.fixture
def campaign(cast: Cast) -> Campaign:
    """Nine o'clock for five people, each with a clock of their own; one lives nowhere, of one it is not known where."""
    people = arrange.make_customers(len(ZONES), now=EARLY)
    for person, zone in zip(people, ZONES, strict=True):
        Customer.objects.filter(pk=person.pk).update(time_zone=zone)
    campaign = arrange.make_campaign(cast.marketer, people, send_at=NINE, now=EARLY)
    Campaign.objects.filter(pk=campaign.pk).update(send_mode="local", send_window_hours=12)
    campaign.refresh_from_db()
    return campaign


def keep_nights_quiet() -> None:
    CountryRule.objects.update_or_create(country="", defaults={"quiet_from": "21:00", "quiet_until": "08:00"})
    CountryRule.objects.update(quiet_from="21:00", quiet_until="08:00")


def rows(campaign: Campaign) -> list[tuple[object, ...]]:
    found = Message.objects.filter(campaign=campaign).order_by("customer__pk")
    return list(found.values_list("not_before", "status", "skip_reason"))


def test_a_campaign_starts_when_the_first_persons_hour_comes(campaign: Campaign, cast: Cast) -> None:
    arrange.schedule(campaign, cast, now=EARLY)
    first = at("2026-11-27 20:00")
    assert campaign.starts_at == first
    assert start_due_campaigns(first - dt.timedelta(seconds=1)).started == 0
    assert start_due_campaigns(first).started == 1
    assert rows(campaign) == [
        (None, "queued", ""),
        (at("2026-11-28 01:00"), "queued", ""),
        (NINE, "queued", ""),
        (at("2026-11-28 19:00"), "queued", ""),
        (None, "skipped", "bad_time_zone"),
    ]
    assert Message.objects.earliest("customer__pk").send_by == first + dt.timedelta(hours=12)
    assert window_end(campaign) > at("2026-11-29 07:00")


def test_it_can_start_while_somebodys_window_is_open(campaign: Campaign, cast: Cast) -> None:
    arrange.schedule(campaign, cast, now=EARLY)
    late = at("2026-11-29 06:00")  # past twelve hours in London, not in Honolulu
    assert start_due_campaigns(late).started == 1
    assert [row[2] for row in rows(campaign)] == ["window_closed"] * 3 + ["", "bad_time_zone"]


def test_what_waits_for_its_hour_is_not_claimed(cast: Cast) -> None:
    people = arrange.make_customers(3, now=arrange.NOW)
    campaign = arrange.start(arrange.make_campaign(cast.marketer, people), cast)
    first, second, third = Message.objects.order_by("pk")
    Message.objects.filter(pk=first.pk).update(not_before=dt.datetime(2999, 1, 1, tzinfo=dt.UTC))
    Message.objects.filter(pk=second.pk).update(not_before=dt.datetime(2020, 1, 2, tzinfo=dt.UTC))
    Message.objects.filter(pk=third.pk).update(not_before=dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
    progress = read_progress(campaign)
    assert (progress.open, progress.waiting) == (3, 1)
    assert progress.waits_until == dt.datetime(2999, 1, 1, tzinfo=dt.UTC)
    claimed = [claim_batch("w", campaign_id=campaign.pk, size=1) for _each in range(3)]
    assert [[message.id for message in batch] for batch in claimed] == [[third.pk], [second.pk], []]


def test_quiet_hours_move_what_is_queued(campaign: Campaign) -> None:
    keep_nights_quiet()
    Campaign.objects.update(send_mode="together", scheduled_for=at("2026-11-28 13:30"))
    campaign.refresh_from_db()
    queue_messages(campaign)
    assert rows(campaign) == [
        (at("2026-11-28 19:00"), "queued", ""),  # Auckland, half past two at night
        (at("2026-11-29 00:00"), "queued", ""),  # Shanghai, half past nine in the evening
        (None, "queued", ""),
        (at("2026-11-28 18:00"), "queued", ""),  # Honolulu, half past three at night
        (None, "queued", ""),
    ]


def test_queueing_twice_adds_nothing_and_moves_nothing(campaign: Campaign) -> None:
    assert queue_messages(campaign, now=EARLY) == 5
    before = rows(campaign)
    assert queue_messages(campaign, now=NINE) == 0 and rows(campaign) == before


def test_the_preview_says_what_the_queue_does(campaign: Campaign) -> None:
    keep_nights_quiet()
    Campaign.objects.update(scheduled_for=at("2026-11-28 06:00"))  # six by everybody's clock: quiet until eight
    campaign.refresh_from_db()
    preview = preview_times(campaign)
    assert preview is not None and preview.first is not None and preview.last is not None
    assert (preview.people, preview.waiting, preview.by_shop_clock) == (4, 4, 1)
    assert preview.skips == {"bad_time_zone": 1}
    assert (preview.first.zone, preview.first.local.isoformat()) == ("Pacific/Auckland", "2026-11-28T08:00:00")
    assert (preview.last.zone, preview.last.local.isoformat()) == ("Pacific/Honolulu", "2026-11-28T08:00:00")
    queue_messages(campaign, now=EARLY)
    queued = Message.objects.filter(status="queued").values_list("not_before", flat=True)
    assert sorted(hour.timestamp() for hour in preview.hours) == sorted(
        moment.timestamp() for moment in queued if moment
    )


def test_whose_clock_it_is_is_approved_and_leaves_the_hash_of_the_usual_alone(campaign: Campaign) -> None:
    Campaign.objects.update(send_mode="together")
    usual = part_hashes(campaign)["timing"]  # type: ignore[index]
    Campaign.objects.update(send_mode="local")
    assert part_hashes(campaign)["timing"] != usual  # type: ignore[index]


def test_the_pages_say_when(campaign: Campaign, cast: Cast, client: Client) -> None:
    client.force_login(cast.marketer)
    for name in ("timing", "review-campaign"):
        page = client.get(reverse(f"campaigns:{name}", args=[campaign.pk])).content.decode()
        assert "Pacific/Auckland" in page and "Pacific/Honolulu" in page and "their time zone is none" in page
    asked = {
        "send_mode": "together",
        "send_on": "2999-11-28",
        "send_at": "09:00",
        "send_window_hours": "12",
        "attribution_days": "60",
    }
    fragment = client.get(reverse("campaigns:timing-preview", args=[campaign.pk]), asked).content.decode()
    assert "at the same moment" in fragment
    campaign.refresh_from_db()
    assert campaign.send_mode == "local"  # nothing is kept
    told = client.get(f"/api/v1/campaigns/{campaign.pk}/send-times/").json()
    assert (told["people"], told["first_zone"], told["skips"]) == (4, "Pacific/Auckland", {"bad_time_zone": 1})


def test_timing_keeps_whose_clock_it_is(campaign: Campaign, cast: Cast, client: Client) -> None:
    client.force_login(cast.marketer)
    form = {
        "send_mode": "together",
        "send_on": "2999-11-28",
        "send_at": "09:00",
        "send_window_hours": "12",
        "attribution_days": "60",
    }
    assert client.post(reverse("campaigns:timing", args=[campaign.pk]), form).status_code == 302
    campaign.refresh_from_db()
    assert campaign.send_mode == "together"
    assert client.post(reverse("campaigns:timing", args=[campaign.pk]), form | {"send_mode": "x"}).status_code == 422
