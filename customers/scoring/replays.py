"""Replayed days: asked for by a person, done by a worker, kept. The row is the queue; a task only makes it sooner."""

from __future__ import annotations

import datetime as dt
import hashlib

import structlog
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.db.models import F, Min
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, pgettext

from customers.features.reader import read_shop, split_customers
from customers.ingest.clock import read_shop_clock
from customers.models import Customer, ModelVersion, Order, Replay

from .labels import DEFAULT_HORIZON_DAYS
from .replay import Period, find_period, least_history, replay_day
from .runner import MOST_CUSTOMERS_TRAINED_ON
from .snapshots import NotEnoughHistory
from .training import METHOD_VERSION

LEASE = dt.timedelta(minutes=30)
MOST_ATTEMPTS = 3
#: Changes whenever what a replay holds does, so that a day is replayed anew for it.
RESULT_VERSION = 3

logger = structlog.get_logger(__name__)


class BadDay(Exception):
    """A day that cannot be replayed. The message is for staff: why, and which days can be."""


def read_horizon() -> int:
    """The horizon of the model in use, or the usual one where none is."""
    champion = ModelVersion.objects.in_use()
    return champion.values_list("horizon_days", flat=True).first() or DEFAULT_HORIZON_DAYS


def read_period(now: dt.datetime, horizon_days: int) -> Period | None:
    """The days that the shop's orders let us replay; None before the first order."""
    bought = Order.objects.filter(is_return=False, ordered_at__lte=now)
    first = bought.aggregate(first=Min("ordered_at"))["first"]
    return find_period(first, read_shop_clock(now), horizon_days) if first else None


def check_day(on: dt.date, period: Period | None, horizon_days: int) -> None:
    """Raises BadDay, in words, where the day cannot be replayed. `period` as `read_period` gives it."""
    if period is None:
        raise BadDay(_("There is no order yet. Import the shop's orders first."))
    if period.is_empty:
        told = _("The orders do not reach far enough: %(days)d days are needed before a day and %(horizon)d after it.")
        raise BadDay(told % {"days": least_history(horizon_days), "horizon": horizon_days})
    form = pgettext("date format", "j M Y")
    words = {"first": date_format(period.first, form), "last": date_format(period.last, form), "horizon": horizon_days}
    first_order_on = period.first - dt.timedelta(days=least_history(horizon_days))
    if on < first_order_on:
        told = _("That is before the shop's first order. Days from %(first)s to %(last)s can be replayed.")
        raise BadDay(told % words)
    if on < period.first:
        told = _("Too few orders were known by then to learn from. Days from %(first)s to %(last)s can be replayed.")
        raise BadDay(told % words)
    if on > period.last:
        told = _(
            "The %(horizon)d days after it are not over in the data, so nobody knows yet who left. Days from %(first)s"
            " to %(last)s can be replayed."
        )
        raise BadDay(told % words)


def find_replay(on: dt.date, horizon_days: int) -> Replay | None:
    """The replay of that day on the data as they are now, in whatever state; None where nobody has asked for it."""
    known = fingerprint_orders(on, horizon_days)
    return Replay.objects.filter(on=on, horizon_days=horizon_days, fingerprint=known).first()


def request_replay(user: User | AnonymousUser, on: dt.date, *, now: dt.datetime, horizon_days: int) -> Replay:
    """Put a day in the queue, or take the one that is there: the same data are replayed once. A failed one waits anew.

    Raises PermissionDenied without the right, BadDay where the day cannot be replayed.
    """
    if not isinstance(user, User) or not user.has_perm("customers.add_replay"):
        raise PermissionDenied("customers.add_replay")
    check_day(on, read_period(now, horizon_days), horizon_days)
    replay, _is_new = Replay.objects.get_or_create(
        on=on,
        horizon_days=horizon_days,
        fingerprint=fingerprint_orders(on, horizon_days),
        defaults={"requested_by": user},
    )
    failed = Replay.objects.filter(pk=replay.pk, status=Replay.Status.FAILED)
    if failed.update(status=Replay.Status.WAITING, attempts=0, error=""):
        replay.refresh_from_db()
    return replay


def waiting_replays(now: dt.datetime) -> list[int]:
    """Ids of the days to replay, the oldest request first."""
    return list(Replay.objects.due(now).order_by("pk").values_list("pk", flat=True))


def run_replay(replay_id: int, *, now: dt.datetime) -> bool:
    """Replay one day; False where another worker has it, it is finished, or it failed.

    A worker that dies loses its lease after half an hour, and another begins again; after three attempts it has failed.
    """
    claimed = Replay.objects.due(now).filter(pk=replay_id)
    if not claimed.update(
        status=Replay.Status.RUNNING, lease_until=now + LEASE, attempts=F("attempts") + 1,
        step=gettext_noop("Reading orders and events"),
    ):  # fmt: skip
        return False
    replay = Replay.objects.get(pk=replay_id)
    mine = Replay.objects.filter(pk=replay_id, status=Replay.Status.RUNNING, attempts=replay.attempts)
    if replay.attempts > MOST_ATTEMPTS:
        mine.update(
            status=Replay.Status.FAILED,
            error=gettext_noop("It was interrupted three times. The worker's log says why."),
        )
        return False
    cutoff = dt.datetime.combine(replay.on, dt.time(), dt.UTC)
    try:
        sample = split_customers(Customer.objects.count(), most=MOST_CUSTOMERS_TRAINED_ON)[0]
        shop = read_shop(before=cutoff + dt.timedelta(days=replay.horizon_days), partition=sample)
        mine.update(step=gettext_noop("Learning as of that day, and comparing"))
        result = replay_day(shop, cutoff=cutoff, horizon_days=replay.horizon_days)
    except NotEnoughHistory as problem:
        mine.update(status=Replay.Status.FAILED, error=str(problem)[:500], step="")
        return False
    except BaseException:
        mine.update(status=Replay.Status.FAILED, error=gettext_noop("It failed. The worker's log says why."), step="")
        raise
    logger.info("day_replayed", replay=replay_id, on=replay.on.isoformat())
    return bool(mine.update(status=Replay.Status.DONE, result=result, step="", finished_at=now))


def fingerprint_orders(on: dt.date, horizon_days: int) -> str:
    """A short hash of the orders that decide the replay of a day, and of the method; cheap enough for every page view.

    Events are not part of it: they arrive by the minute, and late ones of a past day are rare.
    """
    until = dt.datetime.combine(on, dt.time(), dt.UTC) + dt.timedelta(days=horizon_days)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), coalesce(sum(total), 0), max(id), coalesce(sum(extract(epoch FROM ordered_at)), 0)"
            " FROM customers_order WHERE ordered_at < %s",
            [until],
        )
        known = cursor.fetchone()
    return hashlib.sha256(f"{METHOD_VERSION}|{RESULT_VERSION}|{known}".encode()).hexdigest()[:32]
