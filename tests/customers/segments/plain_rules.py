"""A rule read in plain Python, person by person: no SQL, no set, nothing shared with the compiler but the tree itself.

Slow and simple on purpose. The property test holds the compiled SQL against it.
"""

from __future__ import annotations

import calendar
import datetime as dt
import hashlib
import re
import zoneinfo
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from customers.segments.nodes import (
    Attribute,
    Behaviour,
    Bucket,
    ChannelState,
    Condition,
    Day,
    Group,
    Membership,
    MessageAct,
    Orders,
    Own,
    Rule,
    Ware,
    Window,
)

KINDS = {
    "viewed_product": "product_viewed", "searched": "search_performed", "used_cart": "cart_updated",
    "opened_email": "email_opened", "clicked_email": "email_clicked", "asked_support": "ticket_opened",
    "complained": "complaint_opened", "complaint_solved": "complaint_closed",
    "reviewed": "review_written", "viewed_page": "page_viewed", "custom": "custom",
}  # fmt: skip


@dataclass
class PlainOrder:
    at: dt.datetime
    currency: str
    total: Decimal
    discount: Decimal
    code: str
    is_return: bool
    #: sku ("" for a line without a product), quantity, unit price
    lines: list[tuple[str, int, Decimal]]


@dataclass
class PlainEvent:
    kind: str
    at: dt.datetime
    properties: Mapping[str, Any]


@dataclass
class PlainConsent:
    channel: str
    is_given: bool
    is_test: bool
    at: dt.datetime


@dataclass
class PlainCustomer:
    """`consents` stand in the order in which they were written down."""

    pk: int
    columns: Mapping[str, Any]
    attributes: Any
    joined_at: dt.datetime | None
    score: Mapping[str, Any] | None
    interests: Mapping[str, Any] | None
    reactions: Mapping[str, str] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    orders: list[PlainOrder] = field(default_factory=list)
    events: list[PlainEvent] = field(default_factory=list)
    consents: list[PlainConsent] = field(default_factory=list)


@dataclass
class PlainShop:
    """`products` are category and brand by sku; `suppressed` are channels and folded addresses."""

    customers: list[PlainCustomer]
    products: Mapping[str, tuple[str, str]]
    suppressed: set[tuple[str, str]]
    suppressed_domains: set[str]
    segments: Mapping[int, Rule]
    currency: str
    zone: str
    uses_catcher: bool


@dataclass
class Reader:
    """Reads rules over one shop at one moment."""

    shop: PlainShop
    now: dt.datetime

    def find(self, rule: Rule) -> set[int]:
        return {person.pk for person in self.shop.customers if self.means(rule, person)}

    def means(self, rule: Rule, person: PlainCustomer) -> bool:
        if isinstance(rule, Group):
            answers = [self.means(child, person) for child in rule.rules]
            return {"all": all(answers), "any": any(answers), "none": not any(answers)}[rule.match]
        if isinstance(rule, Membership):
            return self.means(self.shop.segments[rule.segment], person) == rule.is_member
        if isinstance(rule, Bucket):
            digest = hashlib.md5(f"{rule.salt}:{person.pk}".encode(), usedforsecurity=False).hexdigest()
            return rule.low <= int(digest[:8], 16) / 2**32 * 100 < rule.high
        if isinstance(rule, ChannelState):
            return self._has_channel(rule.channel, rule.state, person) == rule.holds
        if isinstance(rule, Attribute):
            return self._asks(rule.own, person.attributes, self._local_today(person))
        if isinstance(rule, MessageAct):
            return _often(rule.op, self._count_messages(rule, person), rule.times)
        if isinstance(rule, Behaviour):
            return self._behaves(rule, person)
        if isinstance(rule, Orders):
            return self._measures(rule, person)
        assert isinstance(rule, Condition)
        return self._has_fact(rule, person)

    # --- days and moments

    @property
    def today(self) -> dt.date:
        return self.now.astimezone(zoneinfo.ZoneInfo(self.shop.zone)).date()

    def _local_today(self, person: PlainCustomer) -> dt.date:
        zone = person.columns["time_zone"]
        known = zone if zone in zoneinfo.available_timezones() else self.shop.zone
        return self.now.astimezone(zoneinfo.ZoneInfo(known)).date()

    def _shop_day(self, moment: dt.datetime) -> dt.date:
        return moment.astimezone(zoneinfo.ZoneInfo(self.shop.zone)).date()

    def is_within(self, moment: dt.datetime, window: Window) -> bool:
        if moment > self.now:
            return False
        if window.days is not None:
            return self.now - moment < dt.timedelta(days=window.days)
        if window.ago is not None:
            return dt.timedelta(days=window.ago[0]) <= self.now - moment < dt.timedelta(days=window.ago[1])
        day = self._shop_day(moment)
        if window.period:
            return _is_in_period(day, self.today, window.period)
        return (window.first is None or day >= window.first) and (window.last is None or day <= window.last)

    # --- facts

    def _has_fact(self, rule: Condition, person: PlainCustomer) -> bool:
        key = rule.field.key
        fact = self._facts(key)(person)
        if key in ("tag", "interested_in", "likes_brand", "writes_about", "any_reason"):
            wanted = rule.value if isinstance(rule.value, tuple) else (rule.value,)
            if key == "any_reason" and fact is None:
                return rule.op == "is_not"
            return bool(set(wanted) & set(fact)) != (rule.op == "is_not")
        if key == "language":
            wanted = {str(value).lower() for value in (rule.value if isinstance(rule.value, tuple) else (rule.value,))}
            return bool({fact.lower(), fact.lower().split("-")[0]} & wanted) != (rule.op == "is_not")
        return _compare(fact, rule.op, rule.value, self.today)

    def _facts(self, key: str) -> Callable[[PlainCustomer], Any]:
        if key in ("country", "time_zone", "source", "language"):
            return lambda person: person.columns[key]
        return {
            "tag": lambda person: person.tags,
            "joined_on": lambda person: self._shop_day(person.joined_at) if person.joined_at else None,
            "customer_for_days": lambda person: _days(self.now - person.joined_at) if person.joined_at else None,
            "any_reason": lambda person: _themes(person.score["reasons"]) if person.score else None,
            "price_level": lambda person: (person.interests or {}).get("price_band") or None,
            "reaction_to_offers": lambda person: person.reactions.get("offer"),
            "reaction_to_messages": lambda person: person.reactions.get("message"),
            "interested_in": lambda person: _strong(person, "categories", "category"),
            "likes_brand": lambda person: _strong(person, "brands", "brand"),
            "writes_about": lambda person: [row["topic"] for row in (person.interests or {}).get("topics", [])],
            "recency_days": self._recency,
            "orders_count": lambda person: sum(1 for order in person.orders if order.at <= self.now and not order.is_return),
            "total_spent": lambda person: sum(
                order.total for order in person.orders if order.at <= self.now and order.currency == self.shop.currency
            ),
            "has_email_consent": lambda person: self._has_channel("email", "consented", person),
            "has_open_complaint": lambda person: self._has_open(person, "complaint"),
            "has_open_ticket": lambda person: self._has_open(person, "ticket"),
        }.get(key, lambda person: (person.score or {}).get("status" if key == "score_status" else key))  # fmt: skip

    def _recency(self, person: PlainCustomer) -> float | None:
        bought = [order.at for order in person.orders if not order.is_return and order.at <= self.now]
        return _days(self.now - max(bought)) if bought else None

    def _has_open(self, person: PlainCustomer, case: str) -> bool:
        """Walks the log in time and keeps the tickets that are open; "" is a case that names none."""
        rank = {f"{case}_opened": 0, f"{case}_closed": 1}
        cases = [event for event in person.events if event.kind in rank and event.at <= self.now]
        still_open: set[str] = set()
        for event in sorted(cases, key=lambda event: (event.at, rank[event.kind])):
            ticket = str(event.properties.get("ticket", ""))
            if event.kind.endswith("opened"):
                still_open.add(ticket)
            else:
                still_open = {other for other in still_open if ticket and other and other != ticket}
        return bool(still_open)

    def _has_channel(self, channel: str, state: str, person: PlainCustomer) -> bool:
        token = person.attributes.get("push_token") if isinstance(person.attributes, dict) else None
        address = {
            "email": person.columns["email"], "sms": person.columns["phone"], "push": token or "",
            "webhook": person.columns["external_id"],
        }[channel]  # fmt: skip
        is_told = (channel, address.strip().lower()) in self.shop.suppressed
        has_domain = channel == "email" and address.lower().rpartition("@")[2] in self.shop.suppressed_domains
        is_suppressed = bool(address) and (is_told or has_domain)
        consents = [one for one in person.consents if one.channel == channel and one.at <= self.now]
        newest = max(enumerate(consents), key=lambda item: (item[1].at, item[0]), default=(0, None))[1]
        is_given = newest is not None and newest.is_given
        if state == "reachable":
            is_nobody = self.shop.uses_catcher and person.columns["email"].lower().endswith(".test")
            counts = newest is not None and (not newest.is_test or is_nobody)
            return bool(address) and is_given and counts and not is_suppressed
        return {"has_address": bool(address), "suppressed": is_suppressed, "consented": is_given}[state]

    # --- the shop's own values

    def _asks(self, own: Own, values: Any, today: dt.date) -> bool:
        raw = values.get(own.name) if isinstance(values, dict) else None
        fact = _read_typed(raw, own.type)
        if own.op in ("known", "unknown"):
            return (fact is None) == (own.op == "unknown")
        if own.op == "anniversary":
            return fact is not None and _comes_round(fact, today, *map(int, own.value))  # type: ignore[arg-type]
        if own.op in ("contains", "starts_with"):
            if fact is None:
                return False
            text, part = fact.lower(), str(own.value).lower()
            return part in text if own.op == "contains" else text.startswith(part)
        return _compare(fact, own.op, own.value, today)

    # --- what was done

    def _behaves(self, rule: Behaviour, person: PlainCustomer) -> bool:
        if not rule.each_product and rule.then is None:
            return _often(rule.op, sum(1 for _act in self._acts(rule, person)), rule.times)
        acts = [
            (sku, at) for sku, at in self._product_acts(rule.did, person, rule)
            if self.is_within(at, rule.window)
        ]  # fmt: skip
        if rule.then:
            then = rule.then
            later = [(sku, at) for sku, at in self._product_acts(then.did, person, None) if at <= self.now]
            limit = dt.timedelta(days=then.within_days) if then.within_days else dt.timedelta.max
            acts = [
                (sku, at) for sku, at in acts
                if any(other == sku and at < then_at and then_at - at <= limit for other, then_at in later) == then.happened
            ]  # fmt: skip
        if not rule.each_product:
            return _often(rule.op, len(acts), rule.times)
        most = max((sum(1 for other, _at in acts if other == sku) for sku, _at in acts), default=0)
        return _often(rule.op, most, rule.times)

    def _acts(self, rule: Behaviour, person: PlainCustomer) -> Iterable[object]:
        if rule.did == "ordered":
            for order in person.orders:
                is_of = not rule.ware or any(
                    self._is_of(sku, rule.ware) for sku, many, _price in order.lines if many > 0
                )
                if not order.is_return and self.is_within(order.at, rule.window) and is_of:
                    yield order
            return
        for event in person.events:
            if self._fits(event, rule) and self.is_within(event.at, rule.window) and self._event_is_of(event, rule):
                yield event

    def _product_acts(
        self, did: str, person: PlainCustomer, rule: Behaviour | None
    ) -> Iterable[tuple[str, dt.datetime]]:
        ware = rule.ware if rule else Ware()
        if did == "ordered":
            for order in person.orders:
                for sku, many, _price in order.lines:
                    if not order.is_return and many > 0 and sku and self._is_of(sku, ware):
                        yield sku, order.at
            return
        for event in person.events:
            if event.kind != KINDS[did] or (rule and not (self._fits(event, rule) and self._event_is_of(event, rule))):
                continue
            for sku in _skus(event):
                if did != "used_cart" or not ware or self._is_of(sku, ware):
                    yield sku, event.at

    def _fits(self, event: PlainEvent, rule: Behaviour) -> bool:
        named = not rule.name or event.properties.get("name") == rule.name
        return (
            event.kind == KINDS[rule.did] and named
            and all(self._asks(own, event.properties, self.today) for own in rule.where)
        )  # fmt: skip

    def _event_is_of(self, event: PlainEvent, rule: Behaviour) -> bool:
        ware = rule.ware
        if not ware:
            return True
        if rule.did == "used_cart":
            return any(self._is_of(sku, ware) for sku in _skus(event))
        sku = event.properties.get("sku", "")
        category, brand = self.shop.products.get(sku, ("", ""))
        return (
            (not ware.product or sku == ware.product)
            and (not ware.category or event.properties.get("category", category) == ware.category)
            and (not ware.brand or brand == ware.brand)
        )

    def _is_of(self, sku: str, ware: Ware) -> bool:
        if not ware:
            return True
        if sku not in self.shop.products:
            return bool(sku and sku == ware.product and not ware.category and not ware.brand)
        category, brand = self.shop.products[sku]
        return (
            (not ware.product or ware.product == sku)
            and (not ware.category or ware.category == category)
            and (not ware.brand or ware.brand == brand)
        )

    def _count_messages(self, rule: MessageAct, person: PlainCustomer) -> int:
        prefixes = ["email"] if rule.channel == "email" else ["message"] if rule.channel else ["email", "message"]
        verb = {"received": "sent"}.get(rule.became, rule.became)
        kinds = {f"{prefix}_{verb}" for prefix in prefixes}
        count = 0
        for event in person.events:
            told = event.properties
            if event.kind not in kinds or not self.is_within(event.at, rule.window):
                continue
            if rule.campaign and str(told.get("campaign")) != rule.campaign:
                continue
            if rule.channel not in ("", "email") and told.get("channel") != rule.channel:
                continue
            count += rule.became != "received" or not self._came_back(event, person, prefixes, rule.window)
        return count

    def _came_back(self, sent: PlainEvent, person: PlainCustomer, prefixes: list[str], window: Window) -> bool:
        message = sent.properties.get("message")
        return message is not None and any(
            event.kind in {f"{prefix}_bounced" for prefix in prefixes}
            and event.properties.get("message") == message
            and event.properties.get("for_good") is not False
            and event.at <= self.now and self._is_after_start(event.at, window)
            for event in person.events
        )  # fmt: skip

    def _is_after_start(self, moment: dt.datetime, window: Window) -> bool:
        """Whether a moment is not before the window, wherever it ends."""
        if window.days is not None:
            return self.now - moment < dt.timedelta(days=window.days)
        if window.ago is not None:
            return self.now - moment < dt.timedelta(days=window.ago[1])
        first = _period(self.today, window.period)[0] if window.period else window.first
        return first is None or self._shop_day(moment) >= first

    # --- orders

    def _measures(self, rule: Orders, person: PlainCustomer) -> bool:
        is_money = rule.measure in ("sum", "average", "largest")
        sign = -1 if rule.kind == "returned" else 1
        found: list[tuple[dt.datetime, Decimal]] = []
        for order in person.orders:
            if order.is_return != (rule.kind == "returned") or not self.is_within(order.at, rule.window):
                continue
            if is_money and order.currency != self.shop.currency:
                continue
            has_discount = order.discount > 0 or order.code != ""
            if (rule.code and order.code != rule.code) or (rule.discount and has_discount != (rule.discount == "with")):
                continue
            lines = [line for line in order.lines if line[1] * sign > 0 and line[0] and self._is_of(line[0], rule.ware)]
            if rule.ware and not lines:
                continue
            found.append(
                (order.at, sign * (sum(many * price for _sku, many, price in lines) if rule.ware else order.total))
            )
        amounts, days = [amount for _at, amount in found], [self._shop_day(at) for at, _amount in found]
        fact: Any = {
            "count": len(found), "sum": sum(amounts), "average": sum(amounts) / len(found) if found else None,
            "largest": max(amounts, default=None), "first": min(days, default=None), "last": max(days, default=None),
        }[rule.measure]  # fmt: skip
        return _compare(fact, rule.op, rule.value, self.today)


def _often(op: str, count: int, times: int) -> bool:
    return count >= times if op == "gte" else count <= times


def _compare(fact: Any, op: str, value: Any, today: dt.date) -> bool:
    if op == "is_not":
        return bool(fact != value)
    if fact is None:
        return False
    if isinstance(fact, dt.date):
        return _compare_days(fact, op, value, today)
    if isinstance(fact, Decimal):
        fact = float(fact)
    if op in ("is", "in"):
        return bool(fact in value if op == "in" else fact == value)
    if op == "between":
        return bool(value[0] <= fact <= value[1])
    return bool(fact >= value if op == "gte" else fact <= value)


def _compare_days(fact: dt.date, op: str, value: Any, today: dt.date) -> bool:
    days = [_day(day, today) for day in (value if isinstance(value, tuple) else (value,))]
    if op == "between":
        return days[0] <= fact <= days[1]
    return {"before": fact < days[0], "from": fact >= days[0], "on": fact == days[0]}[op]


def _day(day: Day, today: dt.date) -> dt.date:
    return day.date or today + dt.timedelta(days=day.days)


def _days(span: dt.timedelta) -> float:
    return span.total_seconds() / 86400


def _period(today: dt.date, period: str) -> tuple[dt.date, dt.date]:
    if period in ("today", "yesterday"):
        day = today if period == "today" else today - dt.timedelta(days=1)
        return day, day
    which, unit = period.split("_")
    days = [today - dt.timedelta(days=back) for back in range(800)]
    key: Callable[[dt.date], Any] = {
        "week": lambda day: day.isocalendar()[:2], "month": lambda day: (day.year, day.month), "year": lambda day: day.year,
    }[unit]  # fmt: skip
    keys = list(dict.fromkeys(key(day) for day in days))
    wanted = keys[0] if which == "this" else keys[1]
    chosen = [day for day in days if key(day) == wanted]
    return min(chosen), max(chosen)


def _is_in_period(day: dt.date, today: dt.date, period: str) -> bool:
    first, last = _period(today, period)
    return first <= day <= last


def _comes_round(born: dt.date, today: dt.date, low: int, high: int) -> bool:
    for offset in range(low, high + 1):
        day = today + dt.timedelta(days=offset)
        if (day.month, day.day) == (born.month, born.day):
            return True
        if (born.month, born.day) == (2, 29) and (day.month, day.day) == (2, 28) and not calendar.isleap(day.year):
            return True
    return False


def _read_typed(raw: Any, kind: str) -> Any:
    if raw is None or raw == "":
        return None
    text = ("true" if raw else "false") if isinstance(raw, bool) else str(raw)
    if kind == "text":
        return text
    if kind == "number":
        return float(text) if re.fullmatch(r" *-?\d{1,15}(\.\d{1,9})? *", text, re.ASCII) else None
    if kind == "flag":
        return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}.get(text.lower())
    try:
        return dt.date.fromisoformat(text[:10]) if re.match(r"\d{4}-\d{2}-\d{2}", text) else None
    except ValueError:
        return None


def _themes(reasons: list[dict[str, Any]]) -> set[str]:
    return {row["theme"] for row in reasons if row.get("points", 0) > 0 and "theme" in row}


def _strong(person: PlainCustomer, column: str, name: str) -> list[str]:
    return [row[name] for row in (person.interests or {}).get(column, []) if row["share"] >= 0.25]


def _skus(event: PlainEvent) -> list[str]:
    if event.kind == "cart_updated":
        items = event.properties.get("items")
        return [item["sku"] for item in items if "sku" in item] if isinstance(items, list) else []
    sku = event.properties.get("sku")
    return [sku] if sku is not None else []
