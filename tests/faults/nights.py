"""Thirty simulated days over both changes to summer time: nobody is written to in their quiet hours, after their window, or above
their cap, whatever is paused meanwhile.

The database's clock itself is moved: a function of the same name stands before PostgreSQL's on the search path of this login,
and every statement of the sender asks it. Judged by the marks' moments with nothing but zoneinfo, and by what the sink saw.
"""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from .caps import DAY_S, SHARE, send_everything
from .history import most_in_window
from .sink import read_arrivals
from .stage import Stage

if TYPE_CHECKING:
    from customers.models import Customer

#: America changes its clocks on the 14th of March 2027, Europe on the 28th, half an hour on Lord Howe on the 4th of April.
FIRST_DAY: Final = dt.datetime(2027, 3, 8, tzinfo=dt.UTC)
ZONES: Final = ("Europe/London", "America/New_York", "Pacific/Auckland", "Australia/Lord_Howe", "Asia/Seoul", "")
#: country: quiet from, until; "" is all others, None is no quiet hours.
NIGHTS: Final = {"GB": ("21:00", "08:00"), "US": ("20:30", "09:15"), "CN": None, "": ("22:00", "07:00")}
WINDOWS_H: Final = (2, 6, 12, 24)
MODES: Final = ("together", "local", "best_hour")


def measure_nights(stage: Stage, people: int, days: int) -> dict[str, object]:
    """`people` x `days` customer-days, looked at every 15 to 75 simulated minutes; every day one or two campaigns of each mode
    in turn, every tenth look one is paused for some hours."""
    dice = random.Random(stage.seed + 5)
    seen = len(read_arrivals(stage.log))
    with moved_clock(FIRST_DAY):
        customers = make_people(people, dice)
        now, end, next_day, paused = FIRST_DAY, FIRST_DAY + dt.timedelta(days=days), FIRST_DAY, dict[int, dt.datetime]()
        campaigns = waited = 0
        while now < end:
            if now >= next_day:
                for _number in range(dice.randint(1, 2)):
                    campaigns += 1
                    prepare_campaign(campaigns, dice.sample(customers, max(2, int(people * SHARE))), now, dice)
                next_day += dt.timedelta(days=1)
            waited += look_after(now, paused, dice)
            now += dt.timedelta(minutes=dice.uniform(15, 75))
            set_clock(now)
        figures = judge()
    arrived = [arrival.message_id for arrival in read_arrivals(stage.log)[seen:]]
    figures |= {"size": people * days, "campaigns": campaigns, "waited_for_morning": waited}
    figures["doubled"] = len(arrived) - len(set(arrived))
    wrong = sum(int(str(figures[name])) for name in ("in_quiet_hours", "late", "exceeded", "doubled"))
    figures["is_right"] = not wrong and len(arrived) == figures["sent"] and waited > 0
    return figures


def look_after(now: dt.datetime, paused: dict[int, dt.datetime], dice: random.Random) -> int:
    """Start what is due, go on with what was paused long enough, pause another, and send; how many people of what was started
    wait for their morning."""
    from campaigns.delivery.control import pause_campaign
    from campaigns.delivery.scheduler import start_due_campaigns
    from campaigns.models import Campaign

    waiting = count_waiting(now) if start_due_campaigns(now).started else 0
    for pk, until in list(paused.items()):
        if now >= until:
            Campaign.objects.filter(pk=pk, status="paused").update(status="sending")
            del paused[pk]
    sending = list(Campaign.objects.filter(status="sending"))
    if sending and dice.random() < 0.1:
        campaign = dice.choice(sending)
        pause_campaign(None, campaign, reason="the printer is on fire", now=now)
        paused[campaign.pk] = now + dt.timedelta(hours=dice.uniform(1, 9))
    send_everything()
    return waiting


def count_waiting(now: dt.datetime) -> int:
    """Of the campaigns that were started at `now`: who is due when their quiet hours end."""
    from campaigns.models import Message

    rows = Message.objects.filter(campaign__sending_started_at=now, status="queued", not_before__isnull=False)
    return sum(
        hours is not None and shown_there(moment, zone, "%H:%M") == hours[1]
        for moment, zone, country in rows.values_list("not_before", "customer__time_zone", "customer__country")
        if moment
        for hours in [NIGHTS.get(country, NIGHTS[""])]
    )


def shown_there(moment: dt.datetime, zone: str, shape: str) -> str:
    from django.conf import settings

    return moment.astimezone(ZoneInfo(zone or settings.SHOP_TIME_ZONE)).strftime(shape)


def prepare_campaign(number: int, people: list[Customer], now: dt.datetime, dice: random.Random) -> None:
    """Scheduled for an odd minute within the next day and a half."""
    from campaigns.models import Campaign
    from tests.campaigns import arrange

    at = now + dt.timedelta(hours=dice.randint(1, 36), minutes=dice.randint(0, 59))
    cast = arrange.make_cast()
    draft = arrange.make_campaign(cast.marketer, people, name=f"nights {number}", send_at=at, now=now)
    window, mode = dice.choice(WINDOWS_H), MODES[number % len(MODES)]
    Campaign.objects.filter(pk=draft.pk).update(send_mode=mode, send_window_hours=window, allowed_drift_share=1.0)
    draft.refresh_from_db()
    keep_nights_quiet()
    arrange.schedule(draft, cast, now=now)


def make_people(count: int, dice: random.Random) -> list[Customer]:
    from django.contrib.auth.models import User

    from customers.models import Customer, ReadingHour
    from tests.campaigns import arrange

    arrange.make_cast()
    User.objects.update(email="")
    people = arrange.make_customers(count, prefix="nights", now=FIRST_DAY)
    for person in people:
        person.time_zone, person.country = dice.choice(ZONES), dice.choice([*NIGHTS, "Peru"])
    Customer.objects.bulk_update(people, ["time_zone", "country"])
    ReadingHour.objects.bulk_create(
        ReadingHour(customer=person, hour=dice.randrange(24), share=1, opens=9, weak=0, as_of=FIRST_DAY)
        for person in people[::2]
    )
    return people


def keep_nights_quiet() -> None:
    from campaigns.models import CountryRule

    CountryRule.objects.all().delete()
    for country, hours in NIGHTS.items():
        start, end = hours or (None, None)
        CountryRule.objects.create(country=country, quiet_from=start, quiet_until=end)


def judge() -> dict[str, object]:
    """What the marks say, by a second reckoning."""
    from django.conf import settings

    from campaigns.models import Message

    rows = Message.objects.filter(campaign__name__startswith="nights ").select_related("customer", "campaign")
    moments, quiet, late = defaultdict(list), 0, 0
    for row in rows.filter(sending_at__isnull=False):
        assert row.sending_at is not None and row.campaign.scheduled_for is not None
        hours = NIGHTS.get(row.customer.country, NIGHTS[""])
        shown = shown_there(row.sending_at, row.customer.time_zone, "%H:%M:%S")
        quiet += hours is not None and (shown >= hours[0] or shown < hours[1])
        end = row.send_by or row.campaign.scheduled_for + dt.timedelta(hours=row.campaign.send_window_hours)
        late += row.sending_at > end
        moments[row.customer_id].append(row.sending_at.timestamp())
    width, most = settings.FREQUENCY_CAP_DAYS * DAY_S, settings.FREQUENCY_CAP_MESSAGES
    skips = Counter(rows.filter(status="skipped").values_list("skip_reason", flat=True))
    return {
        "sent": sum(map(len, moments.values())),
        "in_quiet_hours": quiet,
        "late": late,
        "exceeded": sum(most_in_window(at, width) > most for at in moments.values()),
        "missed": skips["window_closed"] + skips["quiet_hours"],
        "capped": skips["capped"],
    }


@contextmanager
def moved_clock(start: dt.datetime) -> Iterator[None]:
    """Until the end of the block the database's clock runs from `start` on, for every new connection of this login."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA simulated")
        cursor.execute("CREATE TABLE simulated.shift (by interval)")
        cursor.execute("INSERT INTO simulated.shift VALUES ('0')")
        cursor.execute(
            "CREATE FUNCTION simulated.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE"
            " AS 'SELECT pg_catalog.clock_timestamp() + by FROM simulated.shift'"
        )
        cursor.execute("ALTER ROLE CURRENT_USER SET search_path = simulated, public, pg_catalog")
    connection.close()
    try:
        set_clock(start)
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER ROLE CURRENT_USER RESET search_path")
            cursor.execute("DROP SCHEMA simulated CASCADE")
        connection.close()


def set_clock(moment: dt.datetime) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("UPDATE simulated.shift SET by = %s - pg_catalog.clock_timestamp()", [moment])
