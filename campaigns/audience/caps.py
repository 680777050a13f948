"""How many messages one person gets, by one channel and by all together; which campaigns come before another."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.db.models import Q

from campaigns.models import Campaign, CampaignKind, CampaignStatus, ContactCap
from customers.ingest.merged import identities_sql
from customers.models import Channel

#: For the cap of a campaign that none holds for.
UNLIMITED: Final = 2**31 - 1


@dataclass(frozen=True)
class Cap:
    """At most so many messages in so many days."""

    messages: int
    days: int


@dataclass(frozen=True)
class Rivals:
    """More important campaigns that may want the same person: those that are sending, and those that begin before `until`."""

    sending: tuple[int, ...] = ()
    planned: tuple[int, ...] = ()
    until: dt.datetime | None = None


def read_caps() -> dict[str, Cap]:
    """By channel; "" is for all together, FREQUENCY_CAP_* unless the page Limits says otherwise. One query."""
    caps = {"": Cap(settings.FREQUENCY_CAP_MESSAGES, settings.FREQUENCY_CAP_DAYS)}
    return caps | {row.channel: Cap(row.messages, row.days) for row in ContactCap.objects.all()}


def is_uncapped(topic: str) -> bool:
    """Service messages neither count nor are held back by a cap of the shop (UNCAPPED_TOPICS)."""
    return topic in uncapped_topics()


def uncapped_topics() -> list[str]:
    """Of those that the shop writes about at all."""
    return sorted(set(settings.UNCAPPED_TOPICS) & set(settings.MESSAGE_TOPICS))


def find_rivals(campaign: Campaign, *, now: dt.datetime) -> Rivals:
    """Of a higher priority, and sending now or within PRIORITY_LOOK_AHEAD_HOURS. Nobody gives way to a paused one, which may
    never go on. One query."""
    until = now + dt.timedelta(hours=settings.PRIORITY_LOOK_AHEAD_HOURS)
    # Of live campaigns the frozen people are only those who are expected.
    begins = Q(starts_at__lte=until) | Q(starts_at=None, scheduled_for__lte=until)  # by the first person's clock
    planned = Q(begins, status=CampaignStatus.SCHEDULED, kind=CampaignKind.ONE_OFF)
    found = Campaign.objects.filter(Q(status=CampaignStatus.SENDING) | planned, priority__gt=campaign.priority)
    rows = [
        (pk, status)
        for pk, status, topic in found.values_list("pk", "status", "topic")
        if pk != campaign.pk and not is_uncapped(topic)
    ]
    sending = tuple(pk for pk, status in rows if status == CampaignStatus.SENDING)
    return Rivals(sending, tuple(pk for pk, _status in rows if pk not in sending), until)


def cap_params(campaign: Campaign, *, now: dt.datetime, rivals: Rivals = Rivals()) -> dict[str, Any]:
    """The parameters of `cap_sql`. Two queries."""
    caps: Mapping[str, Cap] = {} if is_uncapped(campaign.topic) else read_caps()
    params: dict[str, Any] = {
        "x_uncapped": _write_array(find_uncapped(caps, now=now)),
        "x_rivals": _write_array(rivals.sending),
        "x_planned": _write_array(rivals.planned),
        "x_ahead": rivals.until or now,
    }
    for channel in ("", *Channel.values):
        cap = caps.get(channel)
        params[f"x_cap{channel and '_'}{channel}"] = cap.messages if cap else UNLIMITED
        params[f"x_since{channel and '_'}{channel}"] = now - dt.timedelta(days=cap.days) if cap else now
    return params


def find_uncapped(caps: Mapping[str, Cap], *, now: dt.datetime) -> list[int]:
    """Campaigns whose messages do not count, of the days that a cap looks back; none where the shop has no such topic."""
    topics = uncapped_topics()
    if not topics or not caps:
        return []
    since = now - dt.timedelta(days=max(cap.days for cap in caps.values()))
    rows = Campaign.objects.filter(topic__in=topics)
    recent = Q(sending_finished_at=None) | Q(sending_finished_at__gte=since)
    return list(rows.filter(recent, sending_started_at__isnull=False).values_list("pk", flat=True))


def _write_array(ids: Iterable[int]) -> str:
    """As PostgreSQL reads it: a list of numbers would be another type, and so another statement to prepare, as they grow."""
    return f"{{{','.join(map(str, ids))}}}"


def cap_sql(customer: str, channel: str) -> str:
    """SQL for 'capped' where the person has had enough, 'capped:N' where the rest belongs to campaign N, which is more
    important, and '' else. Rivals cost nothing where there are none: nobody's rows are looked at for them."""
    had = f"({_count(customer, 'x_since')})"
    return f"""CASE
    WHEN {had} >= %(x_cap)s THEN 'capped'
    WHEN %(x_cap_{channel})s < {UNLIMITED} AND ({_count(customer, f"x_since_{channel}", channel)}) >= %(x_cap_{channel})s
      THEN 'capped'
    WHEN cardinality(%(x_rivals)s::bigint[]) + cardinality(%(x_planned)s::bigint[]) > 0 THEN coalesce((
      SELECT 'capped:' || min(x_w.campaign_id) FROM ({_wanted_sql(customer)}) AS x_w
      HAVING count(*) > 0 AND count(*) + {had} >= %(x_cap)s
    ), '')
    ELSE '' END"""


def may_have_reached_sql(message: str) -> str:
    """SQL that is true for a row of campaigns_message that may have reached its person: also where a try is in doubt, which waits
    to be repeated. The one that is being marked is claimed, and its own earlier try does not stand in its way."""
    return (
        f"({message}.status = ANY(%(x_reached)s) OR {message}.in_doubt_since IS NOT NULL"
        f" AND ({message}.status <> 'claimed' OR {message}.campaign_id <> %(x_campaign)s))"
    )


def _count(customer: str, since: str, channel: str = "") -> str:
    of_channel = f" AND x_m.channel = '{Channel(channel)}'" if channel else ""
    return f"""SELECT count(*) FROM campaigns_message x_m
    WHERE x_m.customer_id = ANY({identities_sql(customer)}) AND x_m.sending_at > %({since})s
      AND {may_have_reached_sql("x_m")} AND x_m.campaign_id <> ALL(%(x_uncapped)s::bigint[]){of_channel}"""


def _wanted_sql(customer: str) -> str:
    """What more important campaigns still have for this person."""
    return f"""SELECT x_r.campaign_id FROM campaigns_message x_r
      WHERE x_r.customer_id = {customer}.id AND x_r.campaign_id = ANY(%(x_rivals)s::bigint[])
        AND x_r.status IN ('queued', 'claimed', 'retry_wait') AND coalesce(x_r.not_before, %(x_ahead)s) <= %(x_ahead)s
      UNION ALL
      SELECT x_a.campaign_id FROM campaigns_audiencemember x_a
      WHERE x_a.customer_id = {customer}.id AND x_a.campaign_id = ANY(%(x_planned)s::bigint[]) AND x_a.arm = 'treatment'"""
