"""One person, two ids: who was merged with somebody to whom the same message went has it already."""

from __future__ import annotations

from campaigns.audience.eligibility import STATUSES_THAT_REACHED

_REACHED = ", ".join(f"'{status.value}'" for status in STATUSES_THAT_REACHED)


def had_it_sql(message: str = "m", customer: str = "c") -> str:
    """SQL that is true where, since this row of campaigns_message was queued, the same step of its campaign may have reached the
    person by an id that was merged into `customer`, a row of customers_customer. Takes no parameters.

    A merge locks both ids against marks (`customers.merging.moving.lock_rows`), so a mark comes wholly before it or sees it.
    One look into an index, where nobody was merged.
    """
    return f"""EXISTS (
    SELECT FROM customers_customermerge x_g JOIN campaigns_message x_t
      ON x_t.customer_id = x_g.loser_id AND x_t.campaign_id = {message}.campaign_id AND x_t.step = {message}.step
    WHERE x_g.holder_id = {customer}.id AND x_g.undone_at IS NULL AND x_t.sending_at >= {message}.queued_at
      AND x_t.status IN ({_REACHED}))"""
