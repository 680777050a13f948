"""Fills an empty shop with the demo shop, in one transaction: an interrupted seeding leaves nothing behind.

Only the part of today's campaign that really goes to the mail catcher comes after the commit, because a message that
is sent cannot be taken back; an interruption there is made up for by the next call.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils.translation import gettext as _

from customers.features.hours.refresh import refresh_hours
from customers.features.interests.profiles import refresh_profiles
from customers.ingest.clock import choose_as_of
from customers.models import Customer, CustomerEvent, ImportRun, Order, OrderLine
from retention_site.demo.simulator import LEAN, SHOP_NAME, ShopSettings, ShopSimulator

from .fence import NoDemoHere, refuse_outside_demo
from .people import ANALYST, SITE_ADMIN, Person, make_people
from .seeding.campaigns import WORK_HOURS, open_office
from .seeding.history import History
from .seeding.model_questions import ask_about_model
from .seeding.nights import open_at_night
from .seeding.plans import PAST, UNDER_WAY
from .seeding.present import go_live, leave_behind_last_week, let_in, prepare_today, send_and_pause
from .seeding.prices import set_prices
from .seeding.stretches import LIFE_TABLES, note_growth
from .seeding.support import open_support
from .seeding.voice import refine_voice, set_the_tone

DEFAULT_CUSTOMERS = 5000
DEFAULT_SEED = 7
YEARS_OF_HISTORY = 2
LAST_WEEK_DAYS = 6
#: Larger shops keep a fifth of the visits' events; orders are not touched by it.
RICH_EVENTS_UP_TO = 50_000
#: The one row that says that this shop is the demo shop: how its data came in.
MARK = "demo-shop"

_LOCK = "retention_site.demo.seed"


@dataclass(frozen=True)
class Progress:
    """Says what is being done, with the seconds since the beginning."""

    write: Callable[[str], None]
    began: float = field(default_factory=time.monotonic)

    def __call__(self, what: str) -> None:
        self.write(f"{time.monotonic() - self.began:3.0f} s  {what}")


def seed_demo(
    *, now: dt.datetime, customers: int = DEFAULT_CUSTOMERS, seed: int = DEFAULT_SEED, write: Callable[[str], None]
) -> bool:
    """Put the demo shop in, as of `now`; False where it stands already.

    The same seed and `now` give the same people and the same life up to the first campaign; who is held out is drawn
    anew each time, as in any campaign. Raises NoDemoHere in a shop that has other customers, or where a demo must not
    be. Safe to run twice, and again after an interruption: all of it or nothing stands.
    """
    refuse_outside_demo()
    say = Progress(write)
    with transaction.atomic():
        _wait_for_turn()
        is_new = not stands_demo()
        if is_new:
            if not is_shop_empty():
                raise NoDemoHere(
                    _("This shop has customers already; the demo shop is only put into an empty one.")
                    + " "
                    + _("To see it beside your own, set REKINDLE_VAR to another folder.")
                )
            _fill(now, customers, seed, say)
    finish_demo(write=say)
    return is_new


def finish_demo(*, write: Callable[[str], None]) -> None:
    """Send the part of today's campaign that an interruption may have left undone; otherwise nothing."""
    mark = ImportRun.objects.filter(file_hash=MARK, report__is_finished=False).first()
    if mark is None:
        return
    users = make_people()
    go_live(users, now=_database_now())
    sent = send_and_pause(users, now=_database_now())
    write(f"{sent:,} messages of today's campaign went to the mail catcher; the campaign is paused")
    entered = let_in(users, now=_database_now())
    write(f"{entered:,} people entered the campaign that is live")
    mark.report = {**mark.report, "is_finished": True}
    mark.save(update_fields=["report"])


def is_shop_empty() -> bool:
    """No customer yet, from wherever."""
    return not Customer.objects.exists()


def stands_demo() -> bool:
    """The demo shop was put in here."""
    return ImportRun.objects.filter(file_hash=MARK).exists()


def _fill(now: dt.datetime, customers: int, seed: int, say: Progress) -> None:
    users = make_people()
    open_at_night(users[SITE_ADMIN], now=now)
    midnight = now.astimezone(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    start = midnight - dt.timedelta(days=365 * YEARS_OF_HISTORY)
    say(f"simulating {SHOP_NAME}: {customers:,} customers, {YEARS_OF_HISTORY} years, seed {seed}")
    settings = LEAN if customers > RICH_EVENTS_UP_TO else ShopSettings()
    history = History(
        ShopSimulator(seed=seed, start=start, joining_until=now, customers=customers, settings=settings), say
    )
    first = midnight - dt.timedelta(days=PAST[0].days_ago + 1)
    history.live_until(first)
    note_growth(LIFE_TABLES)
    model = history.learn(first)
    office = open_office(users, now=first)
    set_the_tone(users, now=first)
    for past in PAST:
        history.send_campaign(office, past, model, now)
    history.send_campaign(office, UNDER_WAY, model, now)
    last_week = midnight - dt.timedelta(days=LAST_WEEK_DAYS)
    history.live_until(last_week)
    history.score(model, last_week)
    refine_voice(users, now=last_week)
    leave_behind_last_week(office, last_week)
    history.live_until(now)
    history.take_on(UNDER_WAY, now)
    history.score(history.learn(now), now)
    say("working out what everybody is interested in, and when they read")
    refresh_profiles(as_of=choose_as_of(now))
    refresh_hours(as_of=choose_as_of(now))
    # before today's audiences are frozen: who complains now would otherwise drift out of them
    say(f"{open_support(users, now=now)} tickets wait for an answer")
    say("today's campaigns are prepared, with template texts")
    prepare_today(office, now - dt.timedelta(hours=WORK_HOURS), now)
    set_prices(users, now=now)
    history.measure(now)
    ask_about_model(users[ANALYST], now)
    _leave_mark(users, now, customers, seed)


def _leave_mark(users: dict[Person, User], now: dt.datetime, customers: int, seed: int) -> None:
    """The page Imports shows it among the files that were imported."""
    lines = OrderLine.objects.count()
    report = {
        "lines_read": lines,
        "created": lines,
        "updated": 0,
        "unchanged": 0,
        "orders": Order.objects.count(),
        "customers": Customer.objects.count(),
        "events": CustomerEvent.objects.count(),
        "left_out": {},
        "notes": [_("Simulated, not imported from a file: everything in this shop is invented.")],
        "seed": seed,
        "is_finished": False,
    }
    ImportRun.objects.create(
        file_name=_("%(name)s (demo shop)") % {"name": SHOP_NAME},
        file_hash=MARK,
        options={"customers": customers, "seed": seed},
        status=ImportRun.Status.DONE,
        progress=1.0,
        report=report,
        started_at=now,
        finished_at=now,
    )


def _wait_for_turn() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [_LOCK])


def _database_now() -> dt.datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: dt.datetime = cursor.fetchone()[0]
        return now
