"""What else reaches the same people in the days around a campaign, whom the cap will stop, and what the offer may cost."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.db import connection

from campaigns.audience.caps import find_uncapped, is_uncapped, read_caps, uncapped_topics
from campaigns.audience.connected import sent_channels
from campaigns.audience.eligibility import STATUSES_THAT_REACHED
from campaigns.models import Arm, Campaign, CampaignKind, CampaignStatus, Offer
from campaigns.models.message import WAITING_STATUSES
from customers.ingest.currency import read_shop_currency
from customers.scoring.proportion import wilson_interval

from .worth import discount_sql, has_money_off, worth_params, worth_tables

#: Campaigns that send within so many days before or after are looked at; no less than the frequency cap looks back.
DAYS_AROUND: Final = 14
#: What may still be sent, and what is being sent.
COMING: Final = (CampaignStatus.IN_REVIEW, CampaignStatus.APPROVED, CampaignStatus.SCHEDULED, CampaignStatus.SENDING,
                 CampaignStatus.PAUSED)  # fmt: skip
#: Of these it is decided that they go out: they count against the cap.
DECIDED: Final = (CampaignStatus.APPROVED, CampaignStatus.SCHEDULED, CampaignStatus.SENDING, CampaignStatus.PAUSED)
#: How far back redemption is looked at, and how many people must have had a code before anything is expected of it.
REDEMPTION_DAYS: Final = 365
FEWEST_WITH_CODE: Final = 100


@dataclass(frozen=True)
class Overlap:
    """Another campaign that means some of the same people within `days_around`."""

    campaign_id: int
    name: str
    status: str
    scheduled_for: dt.datetime
    priority: int
    people: int

    @property
    def status_label(self) -> str:
        return str(CampaignStatus(self.status).label)


@dataclass(frozen=True)
class Redemption:
    """Of `people` who got a code in earlier campaigns of this shop, how many used it; the rate with Wilson's 95 % interval."""

    people: int
    used: int
    rate: float
    low: float
    high: float


@dataclass(frozen=True)
class OfferCost:
    """Money in `currency`. `most`: everybody who gets the message uses the offer once, at the basket that they usually fill.
    `expected` applies the rate at which earlier codes were used, with the ends of its interval; None where too few had one."""

    currency: str
    people: int
    most: float
    redemption: Redemption | None

    @property
    def expected(self) -> float | None:
        return self.most * self.redemption.rate if self.redemption else None

    @property
    def expected_low(self) -> float | None:
        return self.most * self.redemption.low if self.redemption else None

    @property
    def expected_high(self) -> float | None:
        return self.most * self.redemption.high if self.redemption else None


def days_around() -> int:
    return max(DAYS_AROUND, *(cap.days for cap in read_caps().values()))


def list_overlaps(campaign: Campaign) -> list[Overlap]:
    """Other campaigns of the days around this one's hour that would reach some of the same people, the most first. One query.

    Of one that lets people in already: as many as entered it in as many days before (it is expected to go on so).
    """
    if campaign.scheduled_for is None:
        return []
    reach = dt.timedelta(days=days_around())
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
SELECT * FROM (
SELECT o.id, o.name, o.status, o.scheduled_for, o.priority, count(*) AS people
FROM campaigns_campaign o
JOIN campaigns_audiencemember theirs ON theirs.campaign_id = o.id AND theirs.arm = '{Arm.TREATMENT}'
JOIN campaigns_audiencemember mine ON mine.customer_id = theirs.customer_id AND mine.arm = '{Arm.TREATMENT}'
 AND mine.campaign_id = %(campaign)s
WHERE o.id <> %(campaign)s AND o.status = ANY(%(coming)s) AND (o.kind = 'one_off' OR o.sending_started_at IS NULL)
  AND o.scheduled_for BETWEEN %(first)s AND %(last)s
GROUP BY o.id
UNION ALL
SELECT o.id, o.name, o.status, o.scheduled_for, o.priority, count(DISTINCT e.customer_id)
FROM campaigns_campaign o
JOIN campaigns_entry e ON e.campaign_id = o.id AND e.arm = '{Arm.TREATMENT}'
 AND e.entered_at > clock_timestamp() - make_interval(days => %(days)s)
JOIN campaigns_audiencemember mine ON mine.customer_id = e.customer_id AND mine.arm = '{Arm.TREATMENT}'
 AND mine.campaign_id = %(campaign)s
WHERE o.id <> %(campaign)s AND o.status = ANY(%(coming)s) AND o.kind <> 'one_off' AND o.ended_at IS NULL
  AND (o.live_until IS NULL OR o.live_until > %(first)s) AND o.scheduled_for <= %(last)s
GROUP BY o.id
) AS found ORDER BY people DESC, scheduled_for""",
            {
                "campaign": campaign.pk,
                "days": 2 * days_around(),
                "coming": [status.value for status in COMING],
                "first": campaign.scheduled_for - reach,
                "last": campaign.scheduled_for + reach,
            },
        )
        return [Overlap(*row) for row in cursor.fetchall()]


def count_capped(campaign: Campaign) -> int | None:
    """How many of this campaign's people will have had their most messages when its hour comes; None without an hour.

    Counted for each: what reached them within the cap's days before that hour, and every campaign that is decided, has not
    sent to them yet, and comes first: an earlier one that does not give way to this one, or a more important one that begins
    within the look-ahead; of a live campaign, which no hour decides, what waits in the outbox and leaves before. One query.
    A campaign of a topic without caps is never held back.
    """
    if campaign.scheduled_for is None:
        return None
    if is_uncapped(campaign.topic):
        return 0
    caps = read_caps()
    look_ahead = dt.timedelta(hours=settings.PRIORITY_LOOK_AHEAD_HOURS)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
WITH had AS (
  SELECT customer_id, count(*) AS messages FROM campaigns_message
  WHERE sending_at > %(since)s AND sending_at <= %(hour)s AND status = ANY(%(reached)s) AND campaign_id <> %(campaign)s
    AND campaign_id <> ALL(%(uncapped)s::bigint[])
  GROUP BY customer_id
),
planned AS (
  SELECT m.customer_id, count(*) AS messages
  FROM campaigns_campaign o
  JOIN campaigns_audiencemember m ON m.campaign_id = o.id AND m.arm = '{Arm.TREATMENT}' AND m.channel = ANY(%(sent)s)
  LEFT JOIN campaigns_message done ON done.campaign_id = o.id AND done.customer_id = m.customer_id
   AND (done.sending_at IS NOT NULL OR done.settled_at IS NOT NULL)
  WHERE o.id <> %(campaign)s AND o.status = ANY(%(decided)s) AND o.scheduled_for > %(since)s AND o.kind = '{CampaignKind.ONE_OFF}'
    AND o.topic <> ALL(%(uncapped_topics)s::text[]) AND done.id IS NULL
    AND CASE WHEN o.priority > %(priority)s THEN o.scheduled_for <= %(ahead)s
             WHEN o.priority = %(priority)s THEN (o.scheduled_for, o.id) < (%(hour)s, %(campaign)s)
             ELSE o.scheduled_for < %(behind)s END
  GROUP BY m.customer_id
),
waiting AS (
  SELECT w.customer_id, count(*) AS messages
  FROM campaigns_campaign o JOIN campaigns_message w ON w.campaign_id = o.id AND w.status = ANY(%(unsent)s)
  WHERE o.id <> %(campaign)s AND o.kind <> '{CampaignKind.ONE_OFF}' AND o.topic <> ALL(%(uncapped_topics)s::text[])
    AND coalesce(w.not_before, w.queued_at) < CASE WHEN o.priority < %(priority)s THEN %(behind)s ELSE %(hour)s END
  GROUP BY w.customer_id
)
SELECT count(*) FROM campaigns_audiencemember mine
LEFT JOIN had USING (customer_id) LEFT JOIN planned USING (customer_id) LEFT JOIN waiting USING (customer_id)
WHERE mine.campaign_id = %(campaign)s AND mine.arm = '{Arm.TREATMENT}'
  AND coalesce(had.messages, 0) + coalesce(planned.messages, 0) + coalesce(waiting.messages, 0) >= %(cap)s""",
            {
                "campaign": campaign.pk,
                "hour": campaign.scheduled_for,
                "since": campaign.scheduled_for - dt.timedelta(days=caps[""].days),
                "cap": caps[""].messages,
                "priority": campaign.priority,
                "ahead": campaign.scheduled_for + look_ahead,
                "behind": campaign.scheduled_for - look_ahead,
                "uncapped": find_uncapped(caps, now=campaign.scheduled_for),
                "uncapped_topics": uncapped_topics(),
                "reached": [status.value for status in STATUSES_THAT_REACHED],
                "sent": sorted(sent_channels()),
                "decided": [status.value for status in DECIDED],
                "unsent": [status.value for status in WAITING_STATUSES],
            },
        )
        return int(cursor.fetchone()[0])


def estimate_offer_cost(campaign: Campaign, *, now: dt.datetime) -> OfferCost | None:
    """None where the offer is no sum of money. Two queries."""
    offer = Offer.objects.filter(campaign=campaign).first()
    if not has_money_off(offer):
        return None
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
WITH {worth_tables()}
SELECT count(*), coalesce(sum({discount_sql()}), 0)
FROM campaigns_audiencemember m LEFT JOIN baskets b ON b.customer_id = m.customer_id
WHERE m.campaign_id = %(campaign)s AND m.arm = '{Arm.TREATMENT}' AND m.channel = ANY(%(sent)s)""",
            {**worth_params(campaign, offer), "sent": sorted(sent_channels())},
        )
        people, most = cursor.fetchone()
    return OfferCost(read_shop_currency(), people, float(most), read_redemption(campaign, now=now))


def read_redemption(campaign: Campaign, *, now: dt.datetime) -> Redemption | None:
    """How often the codes of earlier campaigns were used: people with an order under the campaign's code within its
    attribution days, of those a message reached, over the last year; None where fewer than 100 got one."""
    with connection.cursor() as cursor:
        cursor.execute(_REDEMPTION, _redemption_params(campaign, now))
        people, used = (int(number) for number in cursor.fetchone())
    if people < FEWEST_WITH_CODE:
        return None
    low, high = wilson_interval(used, people)
    return Redemption(people, used, used / people, low, high)


def _redemption_params(campaign: Campaign, now: dt.datetime) -> dict[str, Any]:
    return {
        "campaign": campaign.pk,
        "since": now - dt.timedelta(days=REDEMPTION_DAYS),
        "reached": [status.value for status in STATUSES_THAT_REACHED],
    }


_REDEMPTION: Final = """
WITH codes AS (
  SELECT c.id, f.code, c.attribution_days FROM campaigns_campaign c JOIN campaigns_offer f ON f.campaign_id = c.id
  WHERE f.code <> '' AND c.id <> %(campaign)s AND c.sending_started_at >= %(since)s
)
SELECT count(*), count(*) FILTER (WHERE EXISTS (
  SELECT 1 FROM customers_order o
  WHERE o.customer_id = m.customer_id AND NOT o.is_return AND lower(o.discount_code) = lower(codes.code)
    AND o.ordered_at > m.sending_at AND o.ordered_at <= m.sending_at + make_interval(days => codes.attribution_days)
))
FROM campaigns_message m JOIN codes ON codes.id = m.campaign_id
WHERE m.status = ANY(%(reached)s)"""
