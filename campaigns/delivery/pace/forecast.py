"""How long a send will take under the limits and the ramp: what Timing and Review say before it begins."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import connection

from campaigns.models import Arm, Campaign, PaceLimit, WarmUp
from customers.ingest.clock import shop_day
from customers.models import Channel

from .meters import day_start, find_warm_up
from .warm_up import allowance_on, days_needed


@dataclass(frozen=True)
class Forecast:
    """`hours` until the last message leaves at the limits' pace; `slowest` names the limit that decides, "" where none does.
    `days` are those of the ramp, 1 where there is none, and `missed` the messages that the send window leaves no time for."""

    messages: int
    hours: float
    slowest: str
    days: int
    missed: int

    @property
    def is_slow(self) -> bool:
        return self.hours >= 1 or self.days > 1 or self.missed > 0


def forecast_send(campaign: Campaign, *, now: dt.datetime) -> Forecast | None:
    """For the people who get it by e-mail at the hour that is planned; None where nothing is limited or nobody is frozen yet.

    Two queries, and one over the audience where a limit holds.
    """
    limits, ramp = list(PaceLimit.objects.all()), find_warm_up()
    if campaign.audience_frozen_at is None or (not limits and ramp is None):
        return None
    begins = max(campaign.scheduled_for or now, now)
    window_hours = float(campaign.send_window_hours)
    by_domain = _count_domains(campaign)
    messages = sum(by_domain.values())
    waits = [(_hours(limit, by_domain), limit.name) for limit in limits]
    hours, slowest = max(waits, default=(0.0, ""))
    most = _count_within(limits, by_domain, window_hours)
    days, allowed = _follow_ramp(ramp, messages, begins, window_hours)
    return Forecast(messages, hours, slowest if hours > 0 else "", days, messages - min(most, allowed))


def _count_domains(campaign: Campaign) -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT lower(split_part(c.email, '@', 2)), count(*) FROM campaigns_audiencemember m
            JOIN campaigns_archetype a ON a.id = m.archetype_id
            JOIN customers_customer c ON c.id = m.customer_id
            WHERE m.campaign_id = %s AND m.arm = '{Arm.TREATMENT}' AND a.channel = '{Channel.EMAIL}' GROUP BY 1
            """,
            [campaign.pk],
        )
        return {domain: int(people) for domain, people in cursor.fetchall()}


def _concerned(limit: PaceLimit, by_domain: Mapping[str, int]) -> int:
    if limit.scope == PaceLimit.Scope.ROUTE:
        return sum(by_domain.values()) if limit.name == Channel.EMAIL else 0
    return sum(by_domain.get(domain, 0) for domain in limit.domains)


def _hours(limit: PaceLimit, by_domain: Mapping[str, int]) -> float:
    people = _concerned(limit, by_domain)
    rates = [rate for rate in ((limit.per_minute or 0) * 60, limit.per_hour or 0) if rate]
    return people / min(rates) if people else 0.0


def _count_within(limits: Sequence[PaceLimit], by_domain: Mapping[str, int], hours: float) -> int:
    """How many messages of the whole send leave within the window: whom each mailbox provider's limit misses is missed besides
    those of the others, and of the rest what the door lets out."""
    missed = {PaceLimit.Scope.ROUTE: 0, PaceLimit.Scope.DOMAIN: 0}
    for limit in limits:
        rates = [rate for rate in ((limit.per_minute or 0) * 60, limit.per_hour or 0) if rate]
        late = max(_concerned(limit, by_domain) - int(min(rates) * hours), 0)
        scope = PaceLimit.Scope(limit.scope)
        missed[scope] = max(missed[scope], late) if scope == PaceLimit.Scope.ROUTE else missed[scope] + late
    return sum(by_domain.values()) - max(missed.values())


def _follow_ramp(ramp: WarmUp | None, messages: int, begins: dt.datetime, window_hours: float) -> tuple[int, int]:
    """On how many days it leaves, and how many messages the window lets out."""
    if ramp is None:
        return 1, messages
    day, ends = shop_day(begins), begins + dt.timedelta(hours=window_hours)
    days = days_needed(ramp, day, messages)
    allowed = 0
    while day_start(day) < ends and allowed < messages:
        today = allowance_on(ramp, day)
        if today is None:
            return days, messages
        allowed += today
        day += dt.timedelta(days=1)
    return days, min(allowed, messages)
