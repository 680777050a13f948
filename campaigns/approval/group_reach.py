"""Reads who gets the offer of a campaign, by the groups of each attribute that the shop holds to be sensitive.

Eligible is whom the segment means and who may be written to at all. Who has no address, gave no consent or took it back is not
counted: that is theirs to decide. Who is left out by a rule of ours (had enough messages, no prediction yet, an open complaint,
little gained by writing to them), held out, or on a channel that nothing sends, is eligible and not reached.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from django.db import connection
from django.utils.translation import gettext as _

from campaigns.audience.connected import sent_channels
from campaigns.models import Arm, Campaign, ExclusionReason, Offer
from customers.ingest.currency import read_shop_currency
from customers.scoring.groups import read_sensitive, value_sql

from .fairness import AttributeFairness, Discounts, GroupSums, compare_groups
from .policy import NotReady
from .worth import discount_sql, has_money_off, worth_params, worth_tables

#: Who is left out for these reasons is eligible all the same: the rule is the shop's.
OUR_RULES: Final = (
    ExclusionReason.OPEN_COMPLAINT, ExclusionReason.VERY_UNHAPPY, ExclusionReason.CAPPED, ExclusionReason.TOO_NEW,
    ExclusionReason.GLOBAL_HOLDOUT, ExclusionReason.LITTLE_GAIN,
)  # fmt: skip


@dataclass(frozen=True)
class GroupReach:
    """The groups of one attribute ("country", "language" or a key of Customer.attributes); discounts are in `currency`."""

    attribute: str
    currency: str
    fairness: AttributeFairness

    def to_json(self) -> dict[str, Any]:
        return {
            "attribute": self.attribute,
            "currency": self.currency,
            "groups": [group.to_json() for group in self.fairness.groups],
            "left_out_groups": self.fairness.left_out_groups,
            "left_out_people": self.fairness.left_out_people,
        }


def read_group_reach(campaign: Campaign) -> list[GroupReach]:
    """One report for each sensitive attribute in force, from the frozen audience: one query each."""
    offer = Offer.objects.filter(campaign=campaign).first()
    has_discount = has_money_off(offer)
    return [
        GroupReach(
            key, read_shop_currency(), compare_groups(_read_sums(campaign, offer, key), has_discount=has_discount)
        )
        for key in read_sensitive()
    ]


def check_fairness(campaign: Campaign, *, reason: str) -> list[dict[str, Any]]:
    """The reports to keep with the approval. NotReady where a group gets clearly less and no reason is written."""
    reports = read_group_reach(campaign)
    low = [report.attribute for report in reports if report.fairness.has_low]
    if low and not reason.strip():
        sentence = _(
            "A group gets clearly less of this campaign (%(names)s). Write down why it is to go out all the same."
        )
        raise NotReady([sentence % {"names": ", ".join(low)}])
    return [report.to_json() for report in reports]


def _read_sums(campaign: Campaign, offer: Offer | None, key: str) -> list[GroupSums]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
WITH {worth_tables()},
person AS (
  SELECT coalesce({value_sql(key)}, '') AS name, m.arm <> '{Arm.EXCLUDED}' OR m.exclusion_reason = ANY(%(ours)s) AS is_eligible,
         m.arm = '{Arm.TREATMENT}' AND m.channel = ANY(%(sent)s) AS is_reached,
         {discount_sql()} AS discount,
         1 - coalesce(m.churn_probability, (SELECT mean_churn FROM means)) AS orders
  FROM campaigns_audiencemember m
  JOIN customers_customer c ON c.id = m.customer_id
  LEFT JOIN baskets b ON b.customer_id = m.customer_id
  WHERE m.campaign_id = %(campaign)s
)
SELECT name, count(*), count(*) FILTER (WHERE is_eligible), count(*) FILTER (WHERE is_reached),
       coalesce(sum(discount) FILTER (WHERE is_reached), 0), coalesce(sum(discount ^ 2) FILTER (WHERE is_reached), 0),
       coalesce(sum(discount * orders) FILTER (WHERE is_reached), 0),
       coalesce(sum((discount * orders) ^ 2) FILTER (WHERE is_reached), 0)
FROM person GROUP BY name""",
            {
                **worth_params(campaign, offer),
                "ours": [reason.value for reason in OUR_RULES],
                "sent": sorted(sent_channels()),
            },
        )
        return [
            GroupSums(
                name, matched, eligible, reached, Discounts(float(total), float(squares)),
                Discounts(float(expected), float(expected_squares)),
            )
            for name, matched, eligible, reached, total, squares, expected, expected_squares in cursor.fetchall()
        ]  # fmt: skip
