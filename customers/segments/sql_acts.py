"""SQL of the conditions about events: things done, what came after with the same product, and what became of messages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from .nodes import Behaviour, Follower, MessageAct, Ware
from .sql import Builder, People
from .sql_orders import line_rows, order_people, order_rows
from .sql_values import own_sql
from .tallies import Tally, measure
from .vocabulary import BEHAVIOURS, MESSAGES

_SKU: Final = "r.properties->>'sku'"
#: The wares of a cart.
_ITEMS: Final = (
    "jsonb_array_elements(CASE jsonb_typeof(r.properties->'items')"
    " WHEN 'array' THEN r.properties->'items' ELSE '[]' END)"
)
_ITEM_SKU: Final = "i.value->>'sku'"


def behaviour_people(rule: Behaviour, builder: Builder) -> tuple[People, bool]:
    """At least n times is the set of those who did; at most n times is its complement."""
    limit = rule.times if rule.op == "gte" else rule.times + 1
    if not (rule.each_product or rule.then):
        return _plain_people(rule, limit, builder), rule.op == "gte"
    rows = _product_rows(rule, builder)
    if rule.then:
        rows = _followed_rows(rows, rule, rule.then, builder)
    having = f"count(*) >= {builder.bind(limit)}" if limit > 1 else ""
    return People(rows, having=having, by="r.sku" if rule.each_product and having else ""), rule.op == "gte"


def message_people(rule: MessageAct, builder: Builder) -> tuple[People, bool]:
    """The same of what became of our messages."""
    by_mail, by_other = MESSAGES[rule.became]
    kinds = [by_mail if rule.channel == "email" else by_other] if rule.channel else [by_mail, by_other]
    limit = rule.times if rule.op == "gte" else rule.times + 1
    after, upto = builder.calendar.span(rule.window)
    asked = [f"r.properties->>'campaign' = {builder.bind(rule.campaign)}"] if rule.campaign else []
    if rule.channel and rule.channel != "email":
        asked.append(f"r.properties->>'channel' = {builder.bind(rule.channel)}")
    if rule.became == "received":
        asked.append(f"NOT EXISTS ({_bounces(kinds, after, builder)})")
    tally = Tally(_events([k for k in kinds if k], builder), after, upto, tuple(asked), _so_often(limit, builder))
    people = builder.count_people(tally)
    # A question of another table for each row is no condition of an aggregate.
    return replace(people, tally=None) if rule.became == "received" else people, rule.op == "gte"


def _so_often(limit: int, builder: Builder) -> Callable[[str], str] | None:
    """What so many rows ask of a person, None where one row is enough."""
    if limit <= 1:
        return None
    times = builder.bind(limit)
    return lambda only: f"{measure('count(*)', only)} >= {times}"


def _plain_people(rule: Behaviour, limit: int, builder: Builder) -> People:
    span = builder.calendar.span(rule.window)
    if rule.did != "ordered":
        events = _events([BEHAVIOURS[rule.did]], builder)
        return builder.count_people(
            Tally(events, *span, tuple(_asked_of_event(rule, builder)), _so_often(limit, builder))
        )
    if not rule.ware:
        return order_people(rule.window, limit, builder)
    return People(
        order_rows(rule.window, rule.ware, builder), f"count(*) >= {builder.bind(limit)}" if limit > 1 else ""
    )


def _events(kinds: list[str], builder: Builder) -> str:
    """All events of some kinds, as rows of people."""
    is_kind = f"= {builder.bind(kinds[0])}" if len(kinds) == 1 else f"= ANY({builder.bind(kinds)}::text[])"
    return (
        f"SELECT e.customer_id, e.occurred_at AS at, e.properties FROM customers_customerevent e WHERE e.kind {is_kind}"
    )


def _product_rows(rule: Behaviour, builder: Builder) -> str:
    """One row for each product that something was done to, with columns customer_id, sku and at."""
    if rule.did == "ordered":
        return line_rows(*builder.calendar.span(rule.window), rule.ware, builder)
    asked = [builder.within("r.at", *builder.calendar.span(rule.window)), *_asked_of_event(rule, builder)]
    rows = _rows_of_products(rule.did, asked, builder)
    wanted = _sku_is("r.sku", rule.ware, builder) if rule.did == "used_cart" else ""
    return f"SELECT r.customer_id, r.sku, r.at FROM ({rows}) r WHERE {wanted}" if wanted else rows


def _rows_of_products(did: str, asked: list[str], builder: Builder) -> str:
    """The events of which `asked` is true, one row for each product; a cart names several."""
    sku, lateral = (_ITEM_SKU, f" CROSS JOIN LATERAL {_ITEMS} i") if did == "used_cart" else (_SKU, "")
    return (
        f"SELECT r.customer_id, {sku} AS sku, r.at FROM ({_events([BEHAVIOURS[did]], builder)}) r{lateral}"
        f" WHERE {' AND '.join([*asked, f'{sku} IS NOT NULL'])}"
    )


def _followed_rows(rows: str, rule: Behaviour, then: Follower, builder: Builder) -> str:
    """Those of the rows after which the same product was, or was not, done something else to."""
    after, _upto = builder.calendar.span(rule.window)
    upto = builder.calendar.as_of
    if then.did == "ordered":
        later = line_rows(after, upto, Ware(), builder)
    else:
        later = _rows_of_products(then.did, [builder.within("r.at", after, upto)], builder)
    soon = f" AND f.at <= t.at + make_interval(days => {builder.bind(then.within_days)})" if then.within_days else ""
    return (
        f"SELECT t.customer_id, t.sku, t.at FROM ({rows}) t WHERE {'' if then.happened else 'NOT '}EXISTS ("
        f"SELECT 1 FROM ({later}) f WHERE f.customer_id = t.customer_id AND f.sku = t.sku AND f.at > t.at{soon})"
    )


def _asked_of_event(rule: Behaviour, builder: Builder) -> list[str]:
    """What is asked of single events `r` beside their kind and time."""
    asked = [f"r.properties->>'name' = {builder.bind(rule.name)}"] if rule.name else []
    if rule.ware:
        asked.append(_cart_has(rule.ware, builder) if rule.did == "used_cart" else _event_is_of(rule.ware, builder))
    today = f"{builder.bind(builder.calendar.today)}::date"
    return asked + [f"({own_sql(own, 'r.properties', builder, today=today)})" for own in rule.where]


def _event_is_of(ware: Ware, builder: Builder) -> str:
    """Whether an event is about a ware. Its category is what the event says; one that says none has that of its product."""
    asked = [f"{_SKU} = {builder.bind(ware.product)}"] if ware.product else []
    if ware.category:
        category = builder.bind(ware.category)
        by_product = f"r.properties->>'category' IS NULL AND {_SKU} = ANY({_skus('category', ware.category, builder)})"
        asked.append(f"(r.properties->>'category' = {category} OR ({by_product}))")
    if ware.brand:
        asked.append(f"{_SKU} = ANY({_skus('brand', ware.brand, builder)})")
    return " AND ".join(asked)


def _cart_has(ware: Ware, builder: Builder) -> str:
    return f"EXISTS (SELECT 1 FROM {_ITEMS} i WHERE {_sku_is(_ITEM_SKU, ware, builder)})"


def _sku_is(sku: str, ware: Ware, builder: Builder) -> str:
    asked = [f"{sku} = {builder.bind(ware.product)}"] if ware.product else []
    for column, text in (("category", ware.category), ("brand", ware.brand)):
        if text:
            asked.append(f"{sku} = ANY({_skus(column, text, builder)})")
    return " AND ".join(asked)


def _skus(column: str, text: str, builder: Builder) -> str:
    """The products of a category or brand: asked once for the whole statement."""
    return f"ARRAY(SELECT p.sku FROM customers_product p WHERE p.{column} = {builder.bind(text)})::text[]"


def _bounces(kinds: list[str], after: object, builder: Builder) -> str:
    """The bounces for good of the message of an event `r`."""
    bounces = [MESSAGES["bounced"][kind != "email_sent"] for kind in kinds if kind]
    since = f" AND b.occurred_at > {builder.bind(after)}" if after else ""
    return (
        f"SELECT 1 FROM customers_customerevent b WHERE b.customer_id = r.customer_id"
        f" AND b.kind = ANY({builder.bind(bounces)}::text[]) AND b.occurred_at <= {builder.as_of}{since}"
        " AND b.properties->>'message' = r.properties->>'message'"
        " AND coalesce(b.properties->>'for_good', 'true') <> 'false'"
    )
