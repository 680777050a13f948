"""The tables that a simulated shop hands out, made from the crowds' tapes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import polars as pl

from .catalogue import CURRENCY, SKUS, money_series
from .crowd import KINDS as CUSTOMER_KINDS
from .crowd import Crowd, Ints
from .events import KINDS
from .messages import CampaignMessage, Reaction, TrueEffect
from .names import MAIL_DOMAINS, NAME_POOLS, PLACES

_MOMENT = pl.Datetime("us", "UTC")


@dataclass(frozen=True)
class Shop:
    """What a stretch of the demo shop's life brought. Money is Decimal, moments are UTC, probabilities 0 to 1.

    - customers: who joined in it: external_id, email, first_name, last_name, language, time_zone, country, city,
      joined_at, marketing_consent, consent_at, withdrawn_at (consent as it stands at the end)
    - consents: every change: customer_external_id, channel, status (given, withdrawn), recorded_at, source
    - products: the whole catalogue: sku, name, name_zh, category, category_zh, brand, price, currency, stock, url
    - orders: external_id, customer_external_id, ordered_at, currency, discount_code, discount, total, is_return,
      return_of; `total` is the sum of the lines less `discount`
    - order_lines: order_external_id, position, sku, quantity (negative in returns), unit_price
    - events: external_id, customer_external_id, kind, occurred_at, properties (JSON text)
    - message_effects: THE TRUTH about each message sent in it: campaign, customer_external_id, kind,
      baseline_probability, effect
    - truth: THE TRUTH about customers at the end, empty in a slice: customer_external_id, alive_at_today, rate, kind,
      baseline_probability, effect (of a message now, in a 60-day window)

    The application may see all but the last two.
    """

    customers: pl.DataFrame
    consents: pl.DataFrame
    products: pl.DataFrame
    orders: pl.DataFrame
    order_lines: pl.DataFrame
    events: pl.DataFrame
    message_effects: pl.DataFrame
    truth: pl.DataFrame

    def true_effect(self, campaign: str) -> TrueEffect:
        """The true effect of a campaign sent in this stretch; raises ValueError where none of that name was."""
        of = self.message_effects.filter(pl.col("campaign") == campaign)
        if of.is_empty():
            raise ValueError(f"no message of campaign {campaign!r} was sent in this stretch")
        means = of.select(pl.col("baseline_probability", "effect").mean()).row(0)
        return TrueEffect(of.height, float(means[0]), float(means[1]))


def join_shops(parts: Sequence[Shop]) -> Shop:
    """The slices of several chunks of customers as one; the catalogue is the same in all of them."""
    tables = {field.name: pl.concat([getattr(part, field.name) for part in parts]) for field in fields(Shop)}
    return Shop(**{**tables, "products": parts[0].products})


def take_slice(
    crowd: Crowd, begin: int, until: int, products: pl.DataFrame, details: Sequence[str], codes: Sequence[str],
    reactions: Sequence[tuple[CampaignMessage, Reaction]],
) -> Shop:  # fmt: skip
    """Take from the crowd what happened before `until`; customers are those who joined in [begin, until)."""
    ids = name_customers(crowd)
    return Shop(
        customers=_customers_frame(crowd, ids, begin, until),
        consents=_consents_frame(crowd, ids, until),
        products=products,
        orders=_orders_frame(crowd, ids, until, codes),
        order_lines=_lines_frame(crowd, until),
        events=_events_frame(crowd, ids, until, details),
        message_effects=_effects_frame(crowd, ids, reactions),
        truth=truth_frame(crowd, ids, Reaction(*(np.empty(0, dtype=t) for t in (np.int64, float, float)))),
    )


def name_customers(crowd: Crowd) -> pl.Series:
    """The external ids of a crowd, by row."""
    return _numbered("c-", np.arange(crowd.first, crowd.first + crowd.size), 7)


def truth_frame(crowd: Crowd, ids: pl.Series, reaction: Reaction) -> pl.DataFrame:
    """The truth about `reaction.rows`."""
    rows = reaction.rows
    return pl.DataFrame(
        {
            "customer_external_id": ids.gather(rows),
            "alive_at_today": ~crowd.gone[rows],
            "rate": crowd.traits.rate[rows],
            "kind": _choose(CUSTOMER_KINDS, crowd.traits.kind[rows]),
            "baseline_probability": reaction.baseline,
            "effect": reaction.effect,
        }
    )


def _customers_frame(crowd: Crowd, ids: pl.Series, begin: int, until: int) -> pl.DataFrame:
    traits = crowd.traits
    rows = np.flatnonzero((traits.joined >= begin) & (traits.joined < until))
    place = traits.place[rows]
    people = [
        (*NAME_POOLS[PLACES[p].names][0][first], *NAME_POOLS[PLACES[p].names][1][last])
        for p, first, last in zip(place, traits.first_name[rows], traits.last_name[rows], strict=True)
    ]
    withdrawn = crowd.withdrawn_at[rows]
    gave = crowd.consented_at_joining[rows]
    left = (withdrawn > 0) & (withdrawn < until)
    return pl.DataFrame(
        {
            "external_id": ids.gather(rows),
            "email": [
                f"{first}.{last}.{crowd.first + row}@{MAIL_DOMAINS[row % len(MAIL_DOMAINS)]}"
                for row, (_, first, _, last) in zip(rows.tolist(), people, strict=True)
            ],
            "first_name": pl.Series([person[0] for person in people], dtype=pl.String),
            "last_name": pl.Series([person[2] for person in people], dtype=pl.String),
            "language": _choose([p.language for p in PLACES], place),
            "time_zone": _choose([p.time_zone for p in PLACES], place),
            "country": _choose([p.country for p in PLACES], place),
            "city": _choose([p.city for p in PLACES], place),
            "joined_at": _moments(traits.joined[rows]),
            "marketing_consent": gave & ~left,
            "consent_at": _moments(traits.joined[rows]),
            "withdrawn_at": _moments(withdrawn),
        },
        schema_overrides={"email": pl.String},
    ).with_columns(
        pl.when(pl.Series(gave)).then("consent_at").alias("consent_at"),
        pl.when(pl.Series(left)).then("withdrawn_at").alias("withdrawn_at"),
    )


def _consents_frame(crowd: Crowd, ids: pl.Series, until: int) -> pl.DataFrame:
    rows = crowd.consents.take_before(until)
    return pl.DataFrame(
        {
            "customer_external_id": ids.gather(rows["customer"]),
            "channel": _choose(["email"], 0 * rows["given"]),
            "status": _choose(["withdrawn", "given"], rows["given"]),
            "recorded_at": _moments(rows["at"]),
            "source": _choose(["unsubscribe link", "checkout"], rows["given"]),
        }
    )


def _orders_frame(crowd: Crowd, ids: pl.Series, until: int, codes: Sequence[str]) -> pl.DataFrame:
    rows = crowd.orders.take_before(until)
    order_id = _order_ids(crowd, rows["number"], rows["is_return"])
    is_return = pl.Series(rows["is_return"]).cast(pl.Boolean)
    bought_as = _order_ids(crowd, rows["number"], 0 * rows["is_return"])
    return pl.DataFrame(
        {
            "external_id": order_id,
            "customer_external_id": ids.gather(rows["customer"]),
            "ordered_at": _moments(rows["at"]),
            "currency": _choose([CURRENCY], 0 * rows["number"]),
            "discount_code": _choose(codes, rows["code"]),
            "discount": money_series("discount", rows["discount"]),
            "total": money_series("total", rows["total"]),
            "is_return": is_return,
            "return_of": bought_as,
        }
    ).with_columns(pl.when("is_return").then("return_of").alias("return_of"))


def _lines_frame(crowd: Crowd, until: int) -> pl.DataFrame:
    rows = crowd.lines.take_before(until)
    return pl.DataFrame(
        {
            "order_external_id": _order_ids(crowd, rows["number"], rows["is_return"]),
            "position": rows["position"],
            "sku": _choose(SKUS, rows["product"]),
            "quantity": rows["quantity"],
            "unit_price": money_series("unit_price", rows["price"]),
        }
    )


def _events_frame(crowd: Crowd, ids: pl.Series, until: int, details: Sequence[str]) -> pl.DataFrame:
    rows = crowd.events.take_before(until)
    count = len(rows["at"])
    event_number = crowd.events_made + 1 + np.arange(count)
    crowd.events_made += count
    properties = _choose(details, rows["detail"])
    numbered = np.flatnonzero(rows["number"])
    # A case's number is unique within its chunk only, so the chunk is written before it.
    filled = pl.DataFrame({"text": properties.gather(numbered), "number": rows["number"][numbered]}).select(
        pl.when(pl.col("text").str.contains("newsletter", literal=True))
        .then(pl.col("text").str.replace("#", pl.col("number").cast(pl.String), literal=True))
        .otherwise(pl.col("text").str.replace("#", pl.format(f"{crowd.number}-{{}}", pl.col("number")), literal=True))
    )
    properties = properties.scatter(numbered, filled.to_series()) if len(numbered) else properties
    return pl.DataFrame(
        {
            "external_id": _numbered(f"e-{crowd.number:03d}-", event_number, 8),
            "customer_external_id": ids.gather(rows["customer"]),
            "kind": _choose(KINDS, rows["kind"]),
            "occurred_at": _moments(rows["at"]),
            "properties": properties,
        }
    )


def _effects_frame(crowd: Crowd, ids: pl.Series, reactions: Sequence[tuple[CampaignMessage, Reaction]]) -> pl.DataFrame:
    columns = ["campaign", "customer_external_id", "kind", "baseline_probability", "effect"]
    nobody = Reaction(np.empty(0, dtype=np.int64), np.empty(0), np.empty(0))
    parts = [truth_frame(crowd, ids, nobody).with_columns(campaign=pl.lit("")).select(columns)]
    for message, reaction in reactions:
        told = truth_frame(crowd, ids, reaction).with_columns(campaign=pl.lit(message.campaign))
        parts.append(told.select(columns))
    return pl.concat(parts)


def _order_ids(crowd: Crowd, number: Ints, is_return: Ints) -> pl.Series:
    bought = _numbered(f"o-{crowd.number:03d}-", number, 7)
    returned = _numbered(f"r-{crowd.number:03d}-", number, 7)
    frame = pl.DataFrame({"bought": bought, "returned": returned, "is_return": is_return})
    return frame.select(pl.when(pl.col("is_return") == 1).then("returned").otherwise("bought")).to_series()


def _numbered(prefix: str, number: Ints, digits: int) -> pl.Series:
    frame = pl.DataFrame({"number": number})
    return frame.select(pl.lit(prefix) + pl.col("number").cast(pl.String).str.zfill(digits)).to_series()


def _choose(words: Sequence[str], index: Ints) -> pl.Series:
    return pl.Series(list(words), dtype=pl.String).gather(index)


def _moments(at: Ints) -> pl.Series:
    return pl.Series(at, dtype=pl.Int64).cast(_MOMENT)
