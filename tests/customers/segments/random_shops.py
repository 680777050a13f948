"""Small shops with every trait drawn, written to the database and kept as plain Python: what rules are tried on."""

from __future__ import annotations

import datetime as dt
import random
import zoneinfo
from decimal import Decimal
from typing import Any

from django.conf import settings

from customers.ingest.consent import hash_address
from customers.ingest.currency import forget_shop_currency, read_shop_currency
from customers.models import (
    ConsentRecord,
    Customer,
    CustomerEvent,
    CustomerTag,
    InterestProfile,
    ModelVersion,
    Order,
    OrderLine,
    Product,
    Reaction,
    Score,
    Segment,
    SuppressedDomain,
    Suppression,
    ensure_event_partitions,
)
from customers.segments.rules import parse_rule
from tests.customers.segments.plain_rules import PlainConsent, PlainCustomer, PlainEvent, PlainOrder, PlainShop

ZONES = ["UTC", "Pacific/Kiritimati", "America/Los_Angeles", "Asia/Shanghai", "", "Not/AZone"]
CATEGORIES, BRANDS = ["tents", "socks"], ["Hoar", "Fellwork"]
PRODUCTS = {"T1": ("tents", "Hoar"), "T2": ("tents", "Fellwork"), "S1": ("socks", "Hoar"), "X1": ("", "")}
COUNTRIES, LANGUAGES = ["Norway", "China", ""], ["en", "zh-hans", "zh-TW", "de", ""]
CODES = ["", "", "SPRING", "VIP"]
TICKETS = ["a", "b"]
CAMPAIGNS: list[Any] = [12, 13, "letter-1"]
SIZES = [1, 2, 2.5, "2", "XL", "xl wide", True, False, "yes", None, "", "2026-02-30", "2025-12-31", [1]]
BIRTHDAYS = ["1990-03-01", "1988-02-29", "1990-03-08", "1971-02-27", "2001-12-31", "1999-13-01", "soon", "", 19900301]
KINDS = [
    "product_viewed", "product_viewed", "cart_updated", "search_performed", "review_written", "page_viewed", "custom",
    "email_sent", "email_opened", "email_clicked", "email_bounced", "email_complained", "email_unsubscribed",
    "message_sent", "message_clicked", "message_bounced", "message_unsubscribed",
    "ticket_opened", "ticket_closed", "complaint_opened", "complaint_closed",
]  # fmt: skip
MODEL_TIME = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def make_shop(draw: random.Random, *, now: dt.datetime, people: int) -> PlainShop:
    """A shop as of `now`, written into empty tables."""
    ensure_event_partitions((now - dt.timedelta(days=500)).date(), (now + dt.timedelta(days=40)).date())
    products = {
        sku: Product.objects.create(sku=sku, name=sku, category=category, brand=brand)
        for sku, (category, brand) in PRODUCTS.items()
    }
    model = ModelVersion.objects.create(
        version=1, estimator="x", horizon_days=90, trained_at=MODEL_TIME, data_from=MODEL_TIME, data_until=MODEL_TIME,
        artifact=b"",
    )  # fmt: skip
    customers = [_draw_person(draw, number, now) for number in range(people)]
    _write(customers, products, model, now)
    suppressed = set()
    for person in draw.sample(customers, people // 4):
        channel = draw.choice(["email", "sms", "push", "webhook"])
        address = _address(person, channel)
        if address and (channel, address.lower()) not in suppressed:
            Suppression.objects.create(channel=channel, address_hash=hash_address(address), reason="bounced")
            suppressed.add((channel, address.lower()))
    domains = {"example.org"} if draw.random() < 0.3 else set()
    for domain in domains:
        SuppressedDomain.objects.create(domain=domain)
    forget_shop_currency()
    assert read_shop_currency() == "EUR", "two of three orders are drawn so"
    return PlainShop(
        customers,
        PRODUCTS,
        suppressed,
        domains,
        _write_segments(),
        "EUR",
        settings.SHOP_TIME_ZONE,
        settings.USES_MAIL_CATCHER,
    )


def draw_moment(draw: random.Random, now: dt.datetime) -> dt.datetime:
    """Often just on, before or after an edge that rules have: whole days before now, midnights of the shop."""
    tick = dt.timedelta(microseconds=draw.choice([0, 0, 0, 1, -1]))
    if draw.random() < 0.3:
        return now - dt.timedelta(days=draw.choice([0, 1, 7, 14, 30, 30, 60, 90, 200])) + tick
    if draw.random() < 0.3:
        zone = zoneinfo.ZoneInfo(settings.SHOP_TIME_ZONE)
        day = now.astimezone(zone).date() - dt.timedelta(days=draw.choice([-1, 0, 1, 6, 7, 27, 28, 31, 59, 60, 365]))
        return dt.datetime.combine(day, dt.time(), zone).astimezone(dt.UTC) + tick
    return now - dt.timedelta(days=draw.randint(-20, 400), seconds=draw.randint(0, 86_399))


def _draw_person(draw: random.Random, number: int, now: dt.datetime) -> PlainCustomer:
    attributes: dict[str, Any] = {}
    for name, values in (("size", SIZES), ("birthday", BIRTHDAYS), ("push_token", [f"tok{number}", ""])):
        if draw.random() < 0.7:
            attributes[name] = draw.choice(values)
    person = PlainCustomer(
        pk=number + 1,
        columns={
            "external_id": f"c{number}", "source": draw.choice(["shop", "till"]), "country": draw.choice(COUNTRIES),
            "language": draw.choice(LANGUAGES), "time_zone": draw.choice(ZONES),
            "email": draw.choice(["", f"c{number}@shop.test", f"C{number}@example.org"]),
            "phone": draw.choice(["", f"+4712345{number:03d}"]),
        },
        attributes=attributes,
        joined_at=draw.choice([None, draw_moment(draw, now), draw_moment(draw, now)]),
        score=_draw_score(draw, now),
        interests=_draw_interests(draw),
    )  # fmt: skip
    groups = ["persuadable", "do_not_disturb", "not_known"]
    person.reactions = {kind: draw.choice(groups) for kind in ("offer", "message") if draw.random() < 0.6}
    person.tags = draw.sample(["vip", "fair"], draw.choice([0, 0, 1, 2]))
    person.orders = [_draw_order(draw, now) for _ in range(draw.choice([0, 0, 1, 2, 3, 5]))]
    person.events = [_draw_event(draw, now) for _ in range(draw.choice([0, 2, 5, 9, 14]))]
    person.consents = [_draw_consent(draw, now) for _ in range(draw.choice([0, 1, 1, 2, 4]))]
    return person


def _draw_consent(draw: random.Random, now: dt.datetime) -> PlainConsent:
    channel = draw.choice(["email", "email", "sms", "push"])
    return PlainConsent(channel, draw.random() < 0.6, draw.random() < 0.2, draw_moment(draw, now))


def _draw_score(draw: random.Random, now: dt.datetime) -> dict[str, Any] | None:
    if draw.random() < 0.25:
        return None
    reasons = draw.choice([[], [{}], [{"theme": "rhythm", "points": 3.5}, {"theme": "email", "points": -2.0}],
                           [{"theme": "email", "points": 1.0}]])  # fmt: skip
    day = (now + dt.timedelta(days=draw.randint(-40, 40))).date()
    return {
        "churn_probability": draw.choice([None, 0.2, 0.5, 0.75]),
        "expected_value": draw.choice([None, Decimal("50.00"), Decimal(90)]),
        "expected_orders": draw.choice([None, 0.5, 1.25]), "interest": draw.choice(["tents", ""]),
        "main_reason": draw.choice(["rhythm", "email", ""]), "reasons": reasons,
        "status": draw.choice(["scored", "too_new"]), "next_order_on": draw.choice([None, day]),
    }  # fmt: skip


def _draw_interests(draw: random.Random) -> dict[str, Any] | None:
    if draw.random() < 0.3:
        return None
    shares = draw.choice([[], [("tents", 0.7), ("socks", 0.3)], [("tents", 0.8), ("socks", 0.2)], [("socks", 0.25)]])
    return {
        "price_band": draw.choice(["low", "high", ""]),
        "categories": [{"category": category, "share": share} for category, share in shares],
        "brands": draw.choice([[], [{"brand": "Hoar", "share": 0.8}, {"brand": "Fellwork", "share": 0.2}]]),
        "topics": draw.choice([[], [{"topic": "need:gift", "times": 2}, {"topic": "need:price", "times": 1}]]),
    }


def _draw_order(draw: random.Random, now: dt.datetime) -> PlainOrder:
    is_return = draw.random() < 0.25
    sign = -1 if is_return else 1
    lines = []
    for _ in range(draw.choice([0, 1, 1, 2])):
        back = is_return or draw.random() < 0.3
        price = Decimal(draw.choice([5, 10, 45]))
        lines.append((draw.choice([*PRODUCTS, ""]), (-1 if back else 1) * draw.choice([1, 2]), price))
    return PlainOrder(
        draw_moment(draw, now), draw.choice(["EUR", "EUR", "JPY"]), Decimal(sign * draw.choice([0, 10, 50, 120])),
        Decimal(draw.choice([0, 0, 5])), draw.choice(CODES), is_return, lines,
    )  # fmt: skip


def _draw_event(draw: random.Random, now: dt.datetime) -> PlainEvent:
    kind = draw.choice(KINDS)
    told: dict[str, Any] = {}
    if kind in ("product_viewed", "review_written") and draw.random() < 0.9:
        sku = draw.choice([*PRODUCTS, "gone"])
        told = {"sku": sku}
        if draw.random() < 0.6:
            told["category"] = draw.choice(CATEGORIES)
    elif kind == "cart_updated":
        told = draw.choice([{}, {"items": "none"}, {"items": []}])
        if draw.random() < 0.8:
            told = {"items": [{"sku": draw.choice([*PRODUCTS, "gone"])} for _ in range(draw.choice([1, 2]))] + [{}]}
    elif kind.startswith(("email", "message")):
        told = {"message": draw.randint(1, 4), "campaign": draw.choice(CAMPAIGNS)} if draw.random() < 0.8 else {}
        if kind.startswith("message"):
            told["channel"] = draw.choice(["sms", "push"])
        if kind.endswith("bounced") and draw.random() < 0.4:
            told["for_good"] = draw.choice([True, False])
    elif kind.startswith(("ticket", "complaint")):
        told = draw.choice([{}, {"ticket": "a"}, {"ticket": "b"}])
    elif kind == "custom":
        told = {"name": draw.choice(["spun", "swam"])}
    if draw.random() < 0.5:
        told["size"] = draw.choice(SIZES)
    return PlainEvent(kind, draw_moment(draw, now), told)


def _address(person: PlainCustomer, channel: str) -> str:
    if channel == "push":
        return str(person.attributes.get("push_token") or "")
    return str(person.columns[{"email": "email", "sms": "phone", "webhook": "external_id"}[channel]])


def _write(customers: list[PlainCustomer], products: dict[str, Product], model: ModelVersion, now: dt.datetime) -> None:
    Customer.objects.bulk_create(
        Customer(pk=person.pk, joined_at=person.joined_at, attributes=person.attributes, **person.columns)
        for person in customers
    )
    Score.objects.bulk_create(
        Score(customer_id=person.pk, model=model, as_of=now, **person.score) for person in customers if person.score
    )
    InterestProfile.objects.bulk_create(
        InterestProfile(customer_id=person.pk, as_of=now, **person.interests)
        for person in customers
        if person.interests
    )
    Reaction.objects.bulk_create(
        Reaction(
            customer_id=person.pk, kind=kind, group=group, band=1, score=0.1, study=1, as_of=now, effect=0.1, effect_low=0,
            effect_high=0.2, rate=0.3, rate_low=0.2, rate_high=0.4,
        )
        for person in customers
        for kind, group in person.reactions.items()
    )  # fmt: skip
    CustomerTag.objects.bulk_create(
        CustomerTag(customer_id=person.pk, tag=tag) for person in customers for tag in person.tags
    )
    ConsentRecord.objects.bulk_create(
        ConsentRecord(
            customer_id=person.pk, channel=one.channel, status="given" if one.is_given else "withdrawn",
            legal_basis="consent", source="t", is_test=one.is_test, recorded_at=one.at,
        )
        for person in customers for one in person.consents
    )  # fmt: skip
    CustomerEvent.objects.bulk_create(
        CustomerEvent(
            source="t", external_id=f"{person.pk}-{number}", occurred_at=event.at, customer_id=person.pk,
            kind=event.kind, properties=dict(event.properties),
        )
        for person in customers for number, event in enumerate(person.events)
    )  # fmt: skip
    drawn = [(person, number, order) for person in customers for number, order in enumerate(person.orders)]
    orders = Order.objects.bulk_create(
        Order(
            external_id=f"{person.pk}-{number}", customer_id=person.pk, ordered_at=order.at, currency=order.currency,
            total=order.total, discount=order.discount, discount_code=order.code, is_return=order.is_return,
        )
        for person, number, order in drawn
    )  # fmt: skip
    OrderLine.objects.bulk_create(
        OrderLine(order=row, position=place, product=products.get(sku), quantity=many, unit_price=price)
        for row, (_person, _number, order) in zip(orders, drawn, strict=True)
        for place, (sku, many, price) in enumerate(order.lines)
    )


def _write_segments() -> dict[int, Any]:
    """Three segments, of which the third names the first."""
    trees: list[dict[str, Any]] = [
        {"match": "any", "rules": [{"field": "country", "op": "is", "value": "Norway"},
                                   {"did": "ordered", "op": "gte", "times": 2, "within_days": 200}]},
        {"not": {"did": "viewed_product", "op": "gte", "times": 1, "window": {"ever": True}}},
        {"match": "all", "rules": [{"segment": 1, "is_member": False}, {"field": "source", "op": "is", "value": "shop"}]},
    ]  # fmt: skip
    for number, tree in enumerate(trees, 1):
        Segment.objects.create(pk=number, name=f"Segment {number}", rule=tree)
    return {number: parse_rule(tree) for number, tree in enumerate(trees, 1)}
