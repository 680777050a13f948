"""SQL of the conditions about events: things done, what came after with the same product, and what became of messages."""

from __future__ import annotations

from typing import Final

from .nodes import Behaviour, Follower, MessageAct, Ware
from .sql import Builder, People
from .sql_orders import line_rows, order_rows
from .sql_values import own_sql
from .vocabulary import BEHAVIOURS, MESSAGES

_SKU: Final = "e.properties->>'sku'"
#: The wares of a cart.
_ITEMS: Final = (
    "jsonb_array_elements(CASE jsonb_typeof(e.properties->'items')"
    " WHEN 'array' THEN e.properties->'items' ELSE '[]' END)"
)
_ITEM_SKU: Final = "i.value->>'sku'"


def behaviour_people(rule: Behaviour, builder: Builder) -> tuple[People, bool]:
    """At least n times is the set of those who did; at most n times is its complement."""
    by_product = rule.each_product or rule.then is not None
    rows = _product_rows(rule, builder) if by_product else _plain_rows(rule, builder)
    if rule.then:
        rows = _followed_rows(rows, rule, rule.then, builder)
    having = _count_sql(rule, builder)
    return People(rows, having=having, by="r.sku" if rule.each_product and having else ""), rule.op == "gte"


def message_people(rule: MessageAct, builder: Builder) -> tuple[People, bool]:
    """The same of what became of our messages."""
    by_mail, by_other = MESSAGES[rule.became]
    kinds = [by_mail if rule.channel == "email" else by_other] if rule.channel else [by_mail, by_other]
    after, upto = builder.calendar.span(rule.window)
    rows = (
        f"SELECT e.customer_id FROM customers_customerevent e WHERE {_kind_is([k for k in kinds if k], builder)}"
        f" AND {builder.within('e.occurred_at', after, upto)}"
    )
    if rule.campaign:
        rows += f" AND e.properties->>'campaign' = {builder.bind(rule.campaign)}"
    if rule.channel and rule.channel != "email":
        rows += f" AND e.properties->>'channel' = {builder.bind(rule.channel)}"
    if rule.became == "received":
        rows += f" AND NOT EXISTS ({_bounces(kinds, after, builder)})"
    return People(rows, having=_count_sql(rule, builder)), rule.op == "gte"


def _count_sql(rule: Behaviour | MessageAct, builder: Builder) -> str:
    """What so many rows ask of a person, "" where one row is enough; of at most n times, what the complement asks."""
    limit = rule.times if rule.op == "gte" else rule.times + 1
    return f"count(*) >= {builder.bind(limit)}" if limit > 1 else ""


def _plain_rows(rule: Behaviour, builder: Builder) -> str:
    if rule.did == "ordered":
        return order_rows(rule.window, rule.ware, builder)
    return f"SELECT e.customer_id FROM customers_customerevent e WHERE {_asked_of_event(rule, builder)}"


def _product_rows(rule: Behaviour, builder: Builder) -> str:
    """One row for each product that something was done to, with columns customer_id, sku and at."""
    if rule.did == "ordered":
        return line_rows(*builder.calendar.span(rule.window), rule.ware, builder)
    rows = _rows_of_products(rule.did, _asked_of_event(rule, builder))
    wanted = _sku_is("r.sku", rule.ware, builder) if rule.did == "used_cart" else ""
    return f"SELECT r.customer_id, r.sku, r.at FROM ({rows}) r WHERE {wanted}" if wanted else rows


def _rows_of_products(did: str, asked: str) -> str:
    """The events of which `asked` is true, one row for each product; a cart names several."""
    sku, lateral = (_ITEM_SKU, f" CROSS JOIN LATERAL {_ITEMS} i") if did == "used_cart" else (_SKU, "")
    return (
        f"SELECT e.customer_id, {sku} AS sku, e.occurred_at AS at FROM customers_customerevent e{lateral}"
        f" WHERE {asked} AND {sku} IS NOT NULL"
    )


def _followed_rows(rows: str, rule: Behaviour, then: Follower, builder: Builder) -> str:
    """Those of the rows after which the same product was, or was not, done something else to."""
    after, _upto = builder.calendar.span(rule.window)
    upto = builder.calendar.as_of
    if then.did == "ordered":
        later = line_rows(after, upto, Ware(), builder)
    else:
        asked = f"e.kind = {builder.bind(BEHAVIOURS[then.did])} AND {builder.within('e.occurred_at', after, upto)}"
        later = _rows_of_products(then.did, asked)
    soon = f" AND f.at <= t.at + make_interval(days => {builder.bind(then.within_days)})" if then.within_days else ""
    return (
        f"SELECT t.customer_id, t.sku, t.at FROM ({rows}) t WHERE {'' if then.happened else 'NOT '}EXISTS ("
        f"SELECT 1 FROM ({later}) f WHERE f.customer_id = t.customer_id AND f.sku = t.sku AND f.at > t.at{soon})"
    )


def _asked_of_event(rule: Behaviour, builder: Builder) -> str:
    asked = [f"e.kind = {builder.bind(BEHAVIOURS[rule.did])}"]
    asked.append(builder.within("e.occurred_at", *builder.calendar.span(rule.window)))
    if rule.name:
        asked.append(f"e.properties->>'name' = {builder.bind(rule.name)}")
    if rule.ware:
        asked.append(_cart_has(rule.ware, builder) if rule.did == "used_cart" else _event_is_of(rule.ware, builder))
    today = f"{builder.bind(builder.calendar.today)}::date"
    asked += [f"({own_sql(own, 'e.properties', builder, today=today)})" for own in rule.where]
    return " AND ".join(asked)


def _event_is_of(ware: Ware, builder: Builder) -> str:
    """Whether an event is about a ware. Its category is what the event says; one that says none has that of its product."""
    asked = [f"{_SKU} = {builder.bind(ware.product)}"] if ware.product else []
    if ware.category:
        category = builder.bind(ware.category)
        by_product = f"e.properties->>'category' IS NULL AND {_SKU} = ANY({_skus('category', ware.category, builder)})"
        asked.append(f"(e.properties->>'category' = {category} OR ({by_product}))")
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


def _kind_is(kinds: list[str], builder: Builder) -> str:
    if len(kinds) == 1:
        return f"e.kind = {builder.bind(kinds[0])}"
    return f"e.kind = ANY({builder.bind(kinds)}::text[])"


def _bounces(kinds: list[str], after: object, builder: Builder) -> str:
    """The bounces for good of the message of an event `e`."""
    bounces = [MESSAGES["bounced"][kind != "email_sent"] for kind in kinds if kind]
    since = f" AND b.occurred_at > {builder.bind(after)}" if after else ""
    return (
        f"SELECT 1 FROM customers_customerevent b WHERE b.customer_id = e.customer_id"
        f" AND b.kind = ANY({builder.bind(bounces)}::text[]) AND b.occurred_at <= {builder.as_of}{since}"
        " AND b.properties->>'message' = e.properties->>'message'"
        " AND coalesce(b.properties->>'for_good', 'true') <> 'false'"
    )
