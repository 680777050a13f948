"""What can be asked of a customer: fields, things done, measures and states. No framework."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

ValueKind = Literal["probability", "money", "number", "days", "text", "flag", "date"]

#: Which operators fit which kind of value.
OPERATORS: Final[dict[str, tuple[str, ...]]] = {
    "text": ("is", "is_not", "in"),
    "flag": ("is",),
    "date": ("before", "from", "on", "between"),
}
NUMBER_OPERATORS: Final = ("gte", "lte", "between")

#: The same for the shop's own attributes and the properties of events, which may also be absent.
OWN_OPERATORS: Final[dict[str, tuple[str, ...]]] = {
    "text": ("is", "is_not", "in", "contains", "starts_with", "known", "unknown"),
    "number": ("gte", "lte", "between", "is", "known", "unknown"),
    "flag": ("is", "known", "unknown"),
    "date": ("before", "from", "on", "between", "anniversary", "known", "unknown"),
}


@dataclass(frozen=True)
class Field:
    """One thing that can be asked of a customer. `kind` decides which operators and values fit."""

    key: str
    kind: ValueKind
    family: Literal["prediction", "interests", "orders", "person"]

    @property
    def operators(self) -> tuple[str, ...]:
        return OPERATORS.get(self.kind, NUMBER_OPERATORS)


FIELDS: Final[dict[str, Field]] = {
    field.key: field
    for field in (
        Field("churn_probability", "probability", "prediction"),
        Field("expected_value", "money", "prediction"),
        Field("expected_orders", "number", "prediction"),
        Field("interest", "text", "prediction"),
        Field("main_reason", "text", "prediction"),
        Field("any_reason", "text", "prediction"),
        Field("score_status", "text", "prediction"),
        Field("next_order_on", "date", "prediction"),
        Field("reaction_to_offers", "text", "prediction"),
        Field("reaction_to_messages", "text", "prediction"),
        Field("interested_in", "text", "interests"),
        Field("likes_brand", "text", "interests"),
        Field("price_level", "text", "interests"),
        Field("writes_about", "text", "interests"),
        Field("recency_days", "days", "orders"),
        Field("orders_count", "number", "orders"),
        Field("total_spent", "money", "orders"),
        Field("country", "text", "person"),
        Field("language", "text", "person"),
        Field("time_zone", "text", "person"),
        Field("source", "text", "person"),
        Field("customer_for_days", "days", "person"),
        Field("joined_on", "date", "person"),
        Field("tag", "text", "person"),
        Field("has_email_consent", "flag", "person"),
        Field("has_open_complaint", "flag", "person"),
        Field("has_open_ticket", "flag", "person"),
    )
}

#: Fields that ask what a kind of campaign does to people like somebody, by that kind.
REACTIONS: Final[dict[str, str]] = {"reaction_to_offers": "offer", "reaction_to_messages": "message"}

#: What a behaviour may count; the value is the kind of event, "" for orders.
BEHAVIOURS: Final[dict[str, str]] = {
    "ordered": "",
    "viewed_product": "product_viewed",
    "searched": "search_performed",
    "used_cart": "cart_updated",
    "opened_email": "email_opened",
    "clicked_email": "email_clicked",
    "asked_support": "ticket_opened",
    "complained": "complaint_opened",
    "complaint_solved": "complaint_closed",
    "reviewed": "review_written",
    "viewed_page": "page_viewed",
    "custom": "custom",
}
#: Behaviours whose rows name a product, and with it a category and a brand.
WITH_PRODUCT: Final = frozenset({"ordered", "viewed_product", "used_cart", "reviewed"})
#: What may come after a thing that was done, with the same product.
FOLLOWERS: Final = ("ordered", "viewed_product", "used_cart", "reviewed")

#: What is asked of a customer's orders, and which kind of value that is.
MEASURES: Final[dict[str, ValueKind]] = {
    "count": "number",
    "sum": "money",
    "average": "money",
    "largest": "money",
    "first": "date",
    "last": "date",
}
ORDER_KINDS: Final = ("bought", "returned")
DISCOUNTS: Final = ("with", "without")

CHANNELS: Final = ("email", "sms", "push", "webhook")
CHANNEL_STATES: Final = ("consented", "reachable", "suppressed", "has_address")
#: SQL for a customer's address on a channel, '' where there is none; {0} is the row of customers_customer. A shop sends the
#: push token as an attribute; a webhook names the person by the shop's own id.
ADDRESS_SQL: Final[dict[str, str]] = {
    "email": "{0}.email",
    "sms": "{0}.phone",
    "push": "coalesce({0}.attributes->>'push_token', '')",
    "webhook": "{0}.external_id",
}

#: What may have become of a message: kinds of events of e-mail, and of the other channels.
MESSAGES: Final[dict[str, tuple[str, str]]] = {
    "received": ("email_sent", "message_sent"),
    "opened": ("email_opened", ""),
    "clicked": ("email_clicked", "message_clicked"),
    "bounced": ("email_bounced", "message_bounced"),
    "complained": ("email_complained", "message_complained"),
    "unsubscribed": ("email_unsubscribed", "message_unsubscribed"),
}

PERIODS: Final = (
    "today", "yesterday", "this_week", "last_week", "this_month", "last_month", "this_year", "last_year",
)  # fmt: skip
