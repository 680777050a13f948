"""In a live campaign a person counts once, by their first entry, in a window of their own; held-out people likewise."""

from __future__ import annotations

import datetime as dt

import pytest

from campaigns.delivery import control
from campaigns.delivery.entering.sweep import let_people_in
from campaigns.delivery.scheduler import finish_campaigns
from campaigns.models import Campaign, CampaignResult, Entry, Message
from campaigns.outcomes.attribution import measure_campaign
from campaigns.outcomes.rollup import store_all_results
from campaigns.outcomes.texts import count_texts
from customers.models import Order
from tests.campaigns import arrange
from tests.campaigns.arrange import Cast
from tests.campaigns.entering.live import MONDAY, make_people, make_recurring, make_triggered, start

DAY = dt.timedelta(days=1)
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def cast(db: None) -> Cast:
    return arrange.make_cast()


def buy(person: int, at: dt.datetime) -> None:
    number = Order.objects.count()
    Order.objects.create(customer_id=person, external_id=f"b{number}", ordered_at=at, total=10, currency="EUR")


def people_of(arm: str) -> list[int]:
    entries = Entry.objects.filter(arm=arm, number=1).order_by("customer_id")
    return list(entries.values_list("customer_id", flat=True))


def test_each_person_is_followed_from_their_own_first_entry(cast: Cast) -> None:
    make_people(20, now=MONDAY)
    campaign = start(
        make_triggered(cast, now=MONDAY, trigger={"on": "segment"}, attribution_days=10, holdout_share=0.5), cast, now=MONDAY
    )  # fmt: skip
    early = {person.pk for person in make_people(30, now=MONDAY, prefix="q")}
    let_people_in(MONDAY + HOUR)
    make_people(30, now=MONDAY, prefix="r")
    let_people_in(MONDAY + 20 * DAY)  # longer ago than a window: nobody
    make_people(30, now=MONDAY, prefix="s")
    let_people_in(MONDAY + 20 * DAY + HOUR)

    late = [person for person in people_of("treatment") if person not in early]
    first = [person for person in people_of("holdout") if person in early]
    buy(late[0], MONDAY + 12 * DAY)  # before they entered
    buy(late[1], MONDAY + 25 * DAY)
    buy(late[1], MONDAY + 26 * DAY)
    buy(first[0], MONDAY + 11 * DAY)  # their own window had closed
    buy(first[1], MONDAY + 10 * DAY)

    figures = measure_campaign(campaign, as_of=MONDAY + 28 * DAY)
    found = figures["retention"]
    assert found["treated"] + found["holdout"] == 60
    assert (found["treated_kept"], found["holdout_kept"]) == (1, 1)
    assert figures["by_entry"] and figures["people_open"] == 30
    assert found["verdict"] == "too_early"


def test_whoever_enters_again_counts_once_by_the_first_time(cast: Cast) -> None:
    make_people(30, now=MONDAY)
    daily = {"every": "day", "at": "09:00"}
    campaign = start(make_recurring(cast, now=MONDAY, recurrence=daily, attribution_days=5), cast, now=MONDAY)
    for day in range(4):
        let_people_in(MONDAY + day * DAY + HOUR)
    person = people_of("treatment")[0]
    buy(person, MONDAY + 7 * DAY)  # inside the window of their last entry, after that of the first
    found = measure_campaign(campaign, as_of=MONDAY + 30 * DAY)["retention"]
    assert found["treated"] + found["holdout"] == 30 and found["treated_kept"] == 0
    texts = count_texts(campaign, as_of=MONDAY + 30 * DAY)
    assert sum(text.people for text in texts) == found["treated"]
    assert sum(text.ordered for text in texts) == 1  # of what each message was followed by


def test_it_is_measured_as_long_as_it_runs_and_judged_when_all_windows_have_closed(cast: Cast) -> None:
    make_people(90, now=MONDAY)
    weekly = {"every": "week", "weekdays": [0], "at": "09:00"}
    campaign = start(
        make_recurring(cast, now=MONDAY, recurrence=weekly, attribution_days=5, holdout_share=0.5), cast, now=MONDAY
    )  # fmt: skip
    assert store_all_results(now=MONDAY + HOUR / 2) == 0  # nobody has entered
    let_people_in(MONDAY + HOUR)
    assert store_all_results(now=MONDAY + 100 * DAY) == 1
    assert CampaignResult.objects.get().figures["retention"]["verdict"] == "too_early"
    control.end_campaign(cast.marketer, campaign, now=MONDAY + 101 * DAY)
    Message.objects.update(status="accepted", sending_at=MONDAY + HOUR)
    finish_campaigns(MONDAY + 101 * DAY)
    campaign.refresh_from_db()
    assert measure_campaign(campaign, as_of=MONDAY + 102 * DAY)["retention"]["verdict"] == "no_effect"
    assert store_all_results(now=MONDAY + 102 * DAY) == 0
    assert Campaign.objects.get().status == "sent"
