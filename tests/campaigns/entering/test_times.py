"""Those who enter are written to at their own next hour where that was approved, and never in their quiet hours."""

from __future__ import annotations

import datetime as dt

from campaigns.audience.entry_times import plan_entry_times
from campaigns.audience.send_times import PeopleGroup, Schedule
from campaigns.delivery.entering.sweep import let_people_in
from campaigns.models import CountryRule, Message
from customers.models import Customer, ReadingHour
from tests.campaigns.arrange import Cast

from .live import MONDAY, make_people, make_triggered, start

DAY = dt.timedelta(days=1)
HOUR = dt.timedelta(hours=1)
LOCAL = Schedule("local", MONDAY, 24, "Europe/London")


def test_their_next_hour_is_today_or_tomorrow_by_their_own_clock() -> None:
    groups = [PeopleGroup(zone, "", -1, 1) for zone in ("", "America/New_York", "Asia/Shanghai", "Pacific/Kiritimati")]
    entered = MONDAY + 8 * DAY + 3 * HOUR  # Tuesday, noon in London
    times = plan_entry_times(LOCAL, groups, now=entered)
    assert [time.target for time in times] == [
        entered + 21 * HOUR,  # nine tomorrow in London
        entered + 2 * HOUR,  # 14 UTC
        entered + 13 * HOUR,  # 1 UTC
        entered + 7 * HOUR,  # 19 UTC
    ]
    assert all(time.not_before == time.target and time.send_by == time.target + DAY for time in times)


def test_the_rows_carry_the_hour_and_the_window_of_each(cast: Cast) -> None:
    people = make_people(20, now=MONDAY)
    Customer.objects.filter(pk__in=[person.pk for person in people[:10]]).update(time_zone="Asia/Shanghai")
    trigger = {"on": "segment", "includes_present": True}
    start(make_triggered(cast, now=MONDAY, trigger=trigger, send_mode="local"), cast, now=MONDAY)
    let_people_in(MONDAY + HOUR)
    messages = Message.objects.filter(customer__time_zone="Asia/Shanghai")
    assert messages.exists()
    assert all(row.not_before and row.not_before > MONDAY + HOUR for row in Message.objects.all())
    assert set(messages.values_list("not_before", flat=True)) == {MONDAY + 16 * HOUR}  # 09:00 there on Tuesday
    assert set(messages.values_list("send_by", flat=True)) == {MONDAY + 40 * HOUR}


def test_quiet_hours_put_it_off_or_close_its_window(cast: Cast) -> None:
    make_people(20, now=MONDAY)
    CountryRule.objects.update_or_create(country="", defaults={})
    trigger = {"on": "segment", "includes_present": True}
    start(make_triggered(cast, now=MONDAY, trigger=trigger, send_window_hours=2), cast, now=MONDAY)
    CountryRule.objects.update(quiet_from="00:00", quiet_until="23:00")
    let_people_in(MONDAY + HOUR)
    assert set(Message.objects.values_list("status", "skip_reason")) == {("skipped", "quiet_hours")}

    start(make_triggered(cast, now=MONDAY, trigger=trigger, send_window_hours=24), cast, now=MONDAY)
    let_people_in(MONDAY + HOUR)
    later = Message.objects.filter(status="queued")
    assert later.exists() and all(row.not_before and row.not_before > MONDAY + 12 * HOUR for row in later)


def test_the_hour_in_which_each_reads_is_kept_for_those_who_enter(cast: Cast) -> None:
    people = make_people(20, now=MONDAY)
    ReadingHour.objects.bulk_create(
        ReadingHour(customer=person, hour=18, share=0.8, opens=20, weak=9, as_of=MONDAY) for person in people[:10]
    )
    trigger = {"on": "segment", "includes_present": True}
    start(make_triggered(cast, now=MONDAY, trigger=trigger, send_mode="best_hour"), cast, now=MONDAY)
    let_people_in(MONDAY + HOUR)
    hours = Message.objects.filter(customer__in=people[:10]).values_list("not_before", flat=True)
    assert set(hours) == {MONDAY + 9 * HOUR}
