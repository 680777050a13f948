"""Who may be written to. One SQL fragment, used when the audience is frozen and again just before each send.

Suppressed addresses are kept only as keyed hashes; `customers.ingest.consent.suppression_sql` computes the same hash
inside PostgreSQL, so that a million customers need no round trip through Python and no table of hashes to keep in step.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from django.conf import settings

from campaigns.models import Campaign, CampaignKind, ExclusionReason, MessageStatus
from customers.ingest.consent import suppression_sql
from customers.ingest.merged import identities_sql
from customers.models import Channel, ConsentRecord
from customers.segments.complaints import open_complaint_sql

from .caps import Rivals, cap_params, cap_sql, may_have_reached_sql
from .channels import address_sql
from .country_rules import CountryRules, country_rule_sql, read_country_rules
from .global_holdout import global_holdout_params, global_holdout_sql

#: Messages that may have reached a person; they count against the frequency cap.
STATUSES_THAT_REACHED = (
    MessageStatus.SENDING,
    MessageStatus.ACCEPTED,
    MessageStatus.DELIVERED,
    MessageStatus.BOUNCED,
    MessageStatus.COMPLAINED,
    MessageStatus.UNKNOWN,
)


#: When the person of a row `m` of campaigns_message was looked at for its campaign `p`: whoever entered a live one, then.
JUDGED_AT_SQL: Final = f"""CASE WHEN p.kind = '{CampaignKind.ONE_OFF}' THEN %(x_frozen_at)s ELSE coalesce((
    SELECT x_e.entered_at FROM campaigns_entry x_e
    WHERE x_e.campaign_id = m.campaign_id AND x_e.customer_id = m.customer_id AND x_e.number = m.entry
  ), %(x_frozen_at)s) END"""


def exclusion_case_sql(
    customer: str = "c",
    *,
    channel: str = Channel.EMAIL,
    of_everybody: bool = False,
    judged_at: str = "%(x_frozen_at)s",
) -> str:
    """SQL for the first ExclusionReason (a SkipReason of the same name) that holds for a row of customers_customer
    called `customer`, who would be reached by `channel`, or ''; 'capped:N' where campaign N is
    more important. Its named parameters come from `exclusion_params`; they have prefix `x_`.

    `of_everybody` is for a statement over a whole audience: the planner may then hash what it would otherwise walk by
    indexes, person by person. `judged_at`: when what is said to the person was chosen; who objected to profiling since gets none
    of it.
    """
    is_held = open_complaint_sql(customer, as_of="%(x_now)s", of_everybody=of_everybody)
    has_complained = open_complaint_sql(customer, as_of="%(x_now)s", of_everybody=False, but_moods=True)
    address = address_sql(channel, customer)
    return f"""
CASE
  WHEN {address} = '' THEN '{ExclusionReason.NO_ADDRESS}'
  WHEN coalesce({_newest_consent(customer, channel, "status")}, '') <> '{ConsentRecord.Status.GIVEN}'
    THEN '{ExclusionReason.NO_CONSENT}'
  WHEN {_newest_consent(customer, channel, "is_test")}
    AND NOT (%(x_accepts_test)s AND lower(right({customer}.email, 5)) = '.test') THEN '{ExclusionReason.TEST_ONLY}'
  WHEN NOT {_newest_consent(customer, channel, country_rule_sql("x_c", customer, channel), is_expression=True)}
    THEN '{ExclusionReason.COUNTRY_RULE}'
  WHEN {suppression_sql(address, channel)} THEN '{ExclusionReason.SUPPRESSED}'
  WHEN {is_held} THEN CASE
    WHEN {has_complained} THEN '{ExclusionReason.OPEN_COMPLAINT}' ELSE '{ExclusionReason.VERY_UNHAPPY}' END
  ELSE coalesce(nullif({cap_sql(customer, channel)}, ''), nullif({_own_choice(customer, judged_at)}, ''),
                {global_holdout_sql(customer)})
END"""


def exclusion_params(
    campaign: Campaign,
    *,
    now: dt.datetime,
    rivals: Rivals = Rivals(),  # noqa: B008
    rules: CountryRules | None = None,
) -> dict[str, Any]:
    """The parameters of `exclusion_case_sql` for one campaign, `rules` where they were read just now. A test consent counts
    only while mail goes to the built-in catcher, the campaign says that its audience is a test, and the address ends in
    .test. `rivals` are asked for just before the send alone: an audience is frozen for everybody."""
    return {
        "x_accepts_test": bool(settings.USES_MAIL_CATCHER and campaign.is_test_audience),
        "x_now": now,
        "x_campaign": campaign.pk or 0,
        "x_reached": [status.value for status in STATUSES_THAT_REACHED],
        "x_topic": campaign.topic,
        "x_month_ago": now - dt.timedelta(days=30),
        "x_terms": (rules or read_country_rules()).as_terms(),
        "x_frozen_at": campaign.audience_frozen_at or now,
        **global_holdout_params(campaign, now=now),
    } | cap_params(campaign, now=now, rivals=rivals)


def _own_choice(customer: str, judged_at: str) -> str:
    """What the person chose in the preference centre; hardly anybody has such a row, so it is one look into its key. An objection
    that came with somebody who was merged into them is theirs from the merge on."""
    return f"""coalesce((
    SELECT CASE
      WHEN x_p.paused_until > %(x_now)s THEN '{ExclusionReason.PAUSED}'
      WHEN %(x_topic)s = ANY(x_p.topics_off) THEN '{ExclusionReason.TOPIC_OFF}'
      WHEN x_p.objects_to_profiling_at > {judged_at} OR x_p.objects_to_profiling_at IS NOT NULL AND EXISTS (
        SELECT 1 FROM customers_customermerge x_g
        WHERE x_g.holder_id = {customer}.id AND x_g.undone_at IS NULL AND x_g.merged_at > {judged_at}
          AND x_g.kept #>> '{{preference,written,objects_to_profiling_at}}' IS NOT NULL
          AND x_g.kept #>> '{{preference,former,objects_to_profiling_at}}' IS NULL
      ) THEN '{ExclusionReason.OBJECTED}'
      WHEN x_p.most_per_month <= (
        SELECT count(*) FROM campaigns_message x_o
        WHERE x_o.customer_id = ANY({identities_sql(customer)}) AND x_o.sending_at > %(x_month_ago)s
          AND {may_have_reached_sql("x_o")}
      ) THEN '{ExclusionReason.CAPPED}'
    END FROM customers_preference x_p WHERE x_p.customer_id = {customer}.id
  ), '')"""


def _newest_consent(customer: str, channel: str, column: str, *, is_expression: bool = False) -> str:
    return (
        f"(SELECT {column if is_expression else f'x_c.{column}'} FROM customers_consentrecord x_c"
        f" WHERE x_c.customer_id = {customer}.id AND x_c.channel = '{Channel(channel)}'"
        " ORDER BY x_c.recorded_at DESC, x_c.id DESC LIMIT 1)"
    )
