"""Orders with their baskets, discounts, visits before them, and what goes wrong after them."""

from __future__ import annotations

import numpy as np

from .catalogue import CART_DETAIL, PRICE_CENTS, RETURN_SHARE, VIEW_DETAIL, pick_products
from .crowd import PLACE_TROUBLE, Crowd, Floats, Ints
from .events import COMPLAINT_TOPICS, KIND, TICKET_TOPICS
from .rhythm import DAY_US, MINUTE_US

CODES: tuple[str, ...] = ("", "WELCOME10", "SEASON15", "TRAIL10")
_CODE_PERCENT: Ints = np.array([0, 10, 15, 10], dtype=np.int64)


def place_orders(
    crowd: Crowd, who: Ints, at: Ints, rng: np.random.Generator, *, since: int, tracked: float,
    offers: tuple[Ints, Ints] | None = None,
) -> None:  # fmt: skip
    """Record one order for each of `who` (rows of the crowd) at the moments `at`, with all that comes of it.

    `offers` holds a discount code (its index) and percentage for each order; without it customers use the shop's
    own codes as they like. `tracked` is the share of visits that leave events; no event is dated before `since`.
    """
    if len(who) == 0:
        return
    order = np.argsort(at, kind="stable")
    who, at = who[order], at[order]
    number = crowd.orders_made + 1 + np.arange(len(who))
    crowd.orders_made += len(who)
    code, percent = _choose_codes(crowd, who, rng) if offers is None else (offers[0][order], offers[1][order])

    of, position, product, quantity = _fill_baskets(crowd, who, rng)
    price = PRICE_CENTS[product]
    amount = np.bincount(of, weights=quantity * price, minlength=len(who)).astype(np.int64)
    discount = amount * percent // 100
    crowd.orders.add(
        at, number=number, customer=who, is_return=0, code=code, discount=discount, total=amount - discount
    )
    crowd.lines.add(
        at[of], number=number[of], is_return=0, position=position, product=product, quantity=quantity, price=price
    )
    _record_visits(crowd, who, np.maximum(crowd.traits.joined[who], since), at, of, product, rng, tracked)
    crowd.has_ordered[who] = True

    bad = rng.random(len(who)) < PLACE_TROUBLE[crowd.traits.place[who]]
    _raise_cases(crowd, who[bad], at[bad], rng)
    back = (rng.random(len(of)) < RETURN_SHARE[product]) & (quantity > 0)
    paid = price * (100 - percent[of]) // 100
    _send_back(crowd, who, at, number, of[back], product[back], quantity[back], paid[back], rng)


def _choose_codes(crowd: Crowd, who: Ints, rng: np.random.Generator) -> tuple[Ints, Ints]:
    love = crowd.traits.discount_love[who]
    draw = rng.random(len(who))
    code = np.where(draw < love, np.where(draw < love / 2, 2, 3), 0)
    code = np.where(~crowd.has_ordered[who] & (rng.random(len(who)) < 0.5), 1, code)
    return code, _CODE_PERCENT[code]


def _fill_baskets(crowd: Crowd, who: Ints, rng: np.random.Generator) -> tuple[Ints, Ints, Ints, Ints]:
    """Lines of each order: (order's row, position from 1, product, quantity), different products in one order."""
    count = np.minimum(1 + rng.poisson(crowd.traits.basket[who]), 8)
    of = np.repeat(np.arange(len(who)), count)
    product = pick_products(pick_categories(crowd, who[of], rng), rng)
    _, kept = np.unique(of * len(PRICE_CENTS) + product, return_index=True)
    kept.sort()
    of, product = of[kept], product[kept]
    begins = np.searchsorted(of, np.arange(len(who)))
    position = np.arange(len(of)) - begins[of] + 1
    cheap = PRICE_CENTS[product] < 6000
    draw = rng.random(len(of))
    quantity = 1 + (draw < 0.22 * cheap).astype(np.int64) + (draw < 0.06 * cheap)
    return of, position, product, quantity


def pick_categories(crowd: Crowd, who: Ints, rng: np.random.Generator) -> Ints:
    """A category for each of `who`, after their taste."""
    draw = rng.random(len(who))[:, None]
    cumulated = crowd.traits.category_cum[who]
    return np.asarray(np.minimum((draw > cumulated).sum(axis=1), cumulated.shape[1] - 1))


def _record_visits(
    crowd: Crowd, who: Ints, since: Ints, at: Ints, of: Ints, product: Ints, rng: np.random.Generator, tracked: float
) -> None:
    """The visit that ends in the order: views of what is bought, and the cart."""
    seen = rng.random(len(of)) < min(1.0, tracked)
    before = (rng.uniform(3, 45, int(seen.sum())) * MINUTE_US).astype(np.int64)
    rows = of[seen]
    viewed_at = np.maximum(since[rows], at[rows] - before)
    crowd.events.add(
        viewed_at, customer=who[rows], kind=KIND["product_viewed"], detail=VIEW_DETAIL + product[seen], number=0
    )
    first = np.searchsorted(of, np.arange(len(who)))
    carted = rng.random(len(who)) < min(1.0, tracked)
    when = np.maximum(since[carted], at[carted] - 2 * MINUTE_US)
    crowd.events.add(
        when, customer=who[carted], kind=KIND["cart_updated"], detail=CART_DETAIL + product[first[carted]], number=0
    )


def _raise_cases(crowd: Crowd, who: Ints, at: Ints, rng: np.random.Generator) -> None:
    """A bad delivery becomes a question or a complaint; most are solved, and all leave the customer less happy."""
    complains = rng.random(len(who)) < 0.5
    opened = at + (rng.uniform(2, 12, len(who)) * DAY_US).astype(np.int64)
    open_case(crowd, who[~complains], opened[~complains], rng, kind="ticket", mean_days=2.0, solved_share=0.93)
    open_case(crowd, who[complains], opened[complains], rng, kind="complaint", mean_days=6.0, solved_share=0.82)
    _add_unhappiness(crowd, who, np.where(complains, 1.5, 0.8))


def open_case(
    crowd: Crowd, who: Ints, at: Ints, rng: np.random.Generator, *, kind: str, mean_days: float, solved_share: float
) -> None:
    """Events `<kind>_opened` and, for the solved ones, `<kind>_closed`, with one case number."""
    number = crowd.tickets_made + 1 + np.arange(len(who))
    crowd.tickets_made += len(who)
    topics = TICKET_TOPICS if kind == "ticket" else COMPLAINT_TOPICS
    detail = topics[rng.integers(0, len(topics), len(who))]
    closed = at + (rng.exponential(mean_days, len(who)) * DAY_US).astype(np.int64) + 30 * MINUTE_US
    solved = rng.random(len(who)) < solved_share
    crowd.events.add(at, customer=who, kind=KIND[f"{kind}_opened"], detail=detail, number=number)
    crowd.events.add(
        closed[solved], customer=who[solved], kind=KIND[f"{kind}_closed"], detail=detail[solved], number=number[solved]
    )


def _send_back(
    crowd: Crowd, who: Ints, at: Ints, number: Ints, of: Ints, product: Ints, quantity: Ints, paid: Ints,
    rng: np.random.Generator,
) -> None:  # fmt: skip
    """Returns: one order of negative lines for each order of which something comes back, at the price paid."""
    if len(of) == 0:
        return
    orders, place = np.unique(of, return_inverse=True)
    when = at[orders] + (rng.uniform(5, 24, len(orders)) * DAY_US).astype(np.int64)
    refund = np.bincount(place, weights=quantity * paid).astype(np.int64)
    begins = np.searchsorted(place, np.arange(len(orders)))
    crowd.orders.add(when, number=number[orders], customer=who[orders], is_return=1, code=0, discount=0, total=-refund)
    crowd.lines.add(
        when[place], number=number[of], is_return=1, position=np.arange(len(of)) - begins[place] + 1,
        product=product, quantity=-quantity, price=paid,
    )  # fmt: skip
    _add_unhappiness(crowd, who[orders], np.full(len(orders), 0.4))


def _add_unhappiness(crowd: Crowd, who: Ints, amount: Floats) -> None:
    crowd.unhappy += np.bincount(who, weights=amount, minlength=crowd.size)
