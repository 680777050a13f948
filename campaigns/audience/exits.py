"""What ends a person's way through a sequence early. Asked when a step is due, and once more just before it is sent.

The rules hold for held-out people too, so that the two arms leave for the same reasons. That is why no rule asks what only
somebody who got a message can do (open, click): for that a step has its condition.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.models import ExitReason
from customers.models import ConsentRecord, EventKind
from customers.segments.complaints import open_complaint_sql

ORDERED: Final = "ordered"
COMPLAINED: Final = "complained"
LEFT_SEGMENT: Final = "left_segment"
EVENT_PREFIX: Final = "event:"
#: What a sequence ends on unless somebody says otherwise.
USUAL_EXITS: Final = (ORDERED,)

#: The events among them are things that a customer does of their own accord.
EXIT_LABELS: Final = {
    ORDERED: gettext_lazy("they order"),
    COMPLAINED: gettext_lazy("they have an open complaint, or write to support very unhappily"),
    LEFT_SEGMENT: gettext_lazy("they are no longer in the segment"),
    f"{EVENT_PREFIX}{EventKind.PRODUCT_VIEWED}": gettext_lazy("they view a product"),
    f"{EVENT_PREFIX}{EventKind.SEARCH_PERFORMED}": gettext_lazy("they search in the shop"),
    f"{EVENT_PREFIX}{EventKind.CART_UPDATED}": gettext_lazy("they change their cart"),
    f"{EVENT_PREFIX}{EventKind.REVIEW_WRITTEN}": gettext_lazy("they write a review"),
    f"{EVENT_PREFIX}{EventKind.TICKET_OPENED}": gettext_lazy("they ask support"),
}


def tidy_exits(rules: Iterable[str]) -> list[str]:
    """The rules in their usual order, each once. ValidationError for one that there is not."""
    wanted = set(rules)
    if wanted - set(EXIT_LABELS):
        raise ValidationError(_("Choose exit rules that there are."))
    return [rule for rule in EXIT_LABELS if rule in wanted]


def exit_cases_sql(entry: str, campaign: str, customer: str, *, as_of: str) -> str:
    """The WHENs of a CASE for the first ExitReason of `campaign.exit_on` that holds for a row of campaigns_entry since it
    entered; the names are of rows, `as_of` an SQL expression. Each asks an index of the one customer."""
    complained = open_complaint_sql(customer, as_of=as_of, of_everybody=False)
    return f"""
  WHEN {campaign}.exit_on ? '{ORDERED}' AND EXISTS (
    SELECT 1 FROM customers_order x_b WHERE x_b.customer_id = {entry}.customer_id AND NOT x_b.is_return
      AND x_b.ordered_at >= {entry}.entered_at AND x_b.ordered_at <= {as_of}
  ) THEN '{ExitReason.ORDERED}'
  WHEN {campaign}.exit_on ? '{COMPLAINED}' AND {complained} THEN '{ExitReason.COMPLAINED}'
  WHEN jsonb_path_exists({campaign}.exit_on, '$[*] ? (@ starts with "{EVENT_PREFIX}")') AND EXISTS (
    SELECT 1 FROM customers_customerevent x_d WHERE x_d.customer_id = {entry}.customer_id
      AND x_d.occurred_at > {entry}.entered_at AND x_d.occurred_at <= {as_of}
      AND {campaign}.exit_on ? ('{EVENT_PREFIX}' || x_d.kind)
  ) THEN '{ExitReason.EVENT}'"""


def unsubscribed_case_sql(entry: str) -> str:
    """The WHEN for somebody whose newest word for the entry's channel is not a yes; it ends every sequence."""
    return f"""
  WHEN coalesce((
    SELECT x_y.status FROM customers_consentrecord x_y
    WHERE x_y.customer_id = {entry}.customer_id AND x_y.channel = {entry}.channel
    ORDER BY x_y.recorded_at DESC, x_y.id DESC LIMIT 1
  ), '') <> '{ConsentRecord.Status.GIVEN}' THEN '{ExitReason.UNSUBSCRIBED}'"""


def left_sequence_sql(message: str, campaign: str, customer: str) -> str:
    """Whether one of the chosen rules holds by now for the person of a message, whose row is called so. Whether they may be
    written to at all is asked elsewhere, and the segment only when the step is due: a rule may read a whole table."""
    return f"""coalesce((
  SELECT CASE{exit_cases_sql("x_e", campaign, customer, as_of="clock_timestamp()")} END
  FROM campaigns_entry x_e
  WHERE x_e.campaign_id = {message}.campaign_id AND x_e.customer_id = {message}.customer_id AND x_e.number = {message}.entry
), '') <> ''"""
