"""One person, two ids: who was merged with somebody to whom the same message went has it already."""

from __future__ import annotations

from campaigns.audience.eligibility import STATUSES_THAT_REACHED
from campaigns.models import CampaignKind

_REACHED = ", ".join(f"'{status.value}'" for status in STATUSES_THAT_REACHED)


def had_it_sql(message: str = "m", customer: str = "c", campaign: str = "p") -> str:
    """SQL that is true where the same step of its campaign may have reached the person of this row of campaigns_message by an
    id that was merged into `customer`, a row of customers_customer; in a live `campaign`, which people may enter again, since
    the row was queued. Takes no parameters.

    A merge locks both ids against marks (`customers.merging.moving.lock_rows`), so a mark comes wholly before it or sees it.
    One look into an index, where nobody was merged.
    """
    return f"""EXISTS (
    SELECT FROM customers_customermerge x_g JOIN campaigns_message x_t
      ON x_t.customer_id = x_g.loser_id AND x_t.campaign_id = {message}.campaign_id AND x_t.step = {message}.step
    WHERE x_g.holder_id = {customer}.id AND x_g.undone_at IS NULL
      AND ({campaign}.kind = '{CampaignKind.ONE_OFF}' OR x_t.sending_at >= {message}.queued_at)
      AND (x_t.status IN ({_REACHED}) OR x_t.in_doubt_since IS NOT NULL))"""
