"""One step of the demo shop's life: joining, ordering, looking around, reading newsletters, growing fond or tired."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .catalogue import CART_DETAIL, SEARCH_DETAIL, SEARCH_ZH_DETAIL, VIEW_DETAIL, pick_products
from .crowd import MOOD_SPREAD, PLACE_CHINESE, Bools, Crowd, Floats, Ints
from .events import KIND, NEWSLETTER_DETAIL
from .mood import advance_mood, order_intensity
from .purchases import open_case, pick_categories, place_orders
from .rhythm import DAY_US, HOUR_US, MINUTE_US, Span

_KEENNESS = 1.2  # visits follow the mood more strongly than orders do, so that falling interest shows early
_GONE_VISITS = 0.03  # visits of a customer who is gone, as a share of those before


@dataclass(frozen=True)
class ShopSettings:
    """`tracked_share` is the share of visits that leave events (orders do not depend on it); `newsletter_days` the
    time between newsletters. With the defaults a customer has about 96 events in two years, with `LEAN` about 21.
    """

    tracked_share: float = 1.0
    newsletter_days: int = 28


LEAN = ShopSettings(tracked_share=0.14, newsletter_days=56)


def live_through(crowd: Crowd, span: Span, origin: int, settings: ShopSettings, rng: np.random.Generator) -> None:
    """Let the crowd live from `span.start` to `span.end`; what happens is recorded on its tapes."""
    traits, tracked = crowd.traits, settings.tracked_share
    present = traits.joined < span.start
    quiet = crowd.quiet_until > span.start
    exposure = span.exposure[traits.zone] * present

    intensity = order_intensity(traits.rate, crowd.mood, crowd.gone, quiet)
    who = np.repeat(np.arange(crowd.size), rng.poisson(intensity * exposure))
    at = span.sample_times(traits.zone[who], rng)
    place_orders(crowd, who, at, rng, since=span.start, tracked=tracked)
    _answer_messages(crowd, span, rng, tracked)
    _let_join(crowd, span, rng, tracked)

    keen = np.exp(_KEENNESS * crowd.mood - (_KEENNESS * MOOD_SPREAD) ** 2 / 2)
    # Rare buyers look around more per order than frequent ones, so that silence in orders alone says less.
    visits = (
        traits.rate**0.6 * 0.016**0.4 * traits.visits_per_order * keen * np.where(crowd.gone | quiet, _GONE_VISITS, 1.0)
    )
    who = np.repeat(np.arange(crowd.size), rng.poisson(visits * exposure * tracked))
    look_around(crowd, who, span.sample_times(traits.zone[who], rng), rng)
    _send_newsletters(crowd, span, origin, settings, rng)

    mood, unhappy, gone = advance_mood(crowd.mood, crowd.unhappy, crowd.gone, traits.leave_rate, span.days, rng)
    crowd.mood, crowd.unhappy = np.where(present, mood, crowd.mood), np.where(present, unhappy, crowd.unhappy)
    crowd.gone = np.where(present, gone, crowd.gone)


def look_around(crowd: Crowd, who: Ints, at: Ints, rng: np.random.Generator) -> None:
    """A visit of each of `who` without an order: views, perhaps a search, a cart that is left behind, a question."""
    count = 1 + rng.poisson(1.6, len(who))
    visit = np.repeat(np.arange(len(who)), count)
    product = pick_products(pick_categories(crowd, who[visit], rng), rng)
    viewed_at = at[visit] + (rng.exponential(4, len(visit)) * MINUTE_US).astype(np.int64)
    crowd.events.add(
        viewed_at, customer=who[visit], kind=KIND["product_viewed"], detail=VIEW_DETAIL + product, number=0
    )
    searches = rng.random(len(who)) < 0.3
    _search(crowd, who[searches], at[searches], rng)
    carts = rng.random(len(who)) < 0.2
    first = np.cumsum(count)[carts] - count[carts]
    crowd.events.add(
        at[carts] + 12 * MINUTE_US, customer=who[carts], kind=KIND["cart_updated"],
        detail=CART_DETAIL + product[first], number=0,
    )  # fmt: skip
    asks = rng.random(len(who)) < 0.012
    open_case(crowd, who[asks], at[asks] + HOUR_US, rng, kind="ticket", mean_days=1.0, solved_share=0.97)


def open_mails(
    crowd: Crowd, who: Ints, sent_at: Ints, detail: Ints | int, number: Ints | int, rng: np.random.Generator
) -> tuple[Ints, Ints]:
    """Events of opening and clicking a mail that `who` were sent; returns who clicked, and when."""
    share = crowd.traits.open_share[who] * np.exp(0.7 * crowd.mood[who]) * np.where(crowd.gone[who], 0.25, 1.0)
    opens = rng.random(len(who)) < np.minimum(share, 0.95)
    reader = who[opens]
    opened_at = sent_at[opens] + (rng.lognormal(1.4, 1.1, len(reader)) * HOUR_US).astype(np.int64)
    details = np.broadcast_to(np.asarray(detail), len(who))[opens]
    numbers = np.broadcast_to(np.asarray(number), len(who))[opens]
    crowd.events.add(opened_at, customer=reader, kind=KIND["email_opened"], detail=details, number=numbers)
    clicks = rng.random(len(reader)) < np.clip(0.16 * np.exp(0.5 * crowd.mood[reader]), 0.02, 0.6)
    clicked_at = opened_at[clicks] + MINUTE_US
    crowd.events.add(
        clicked_at, customer=reader[clicks], kind=KIND["email_clicked"], detail=details[clicks], number=numbers[clicks]
    )
    return reader[clicks], clicked_at


def withdraw_consent(crowd: Crowd, who: Ints, at: Ints, detail: Ints | int, number: Ints | int) -> None:
    """`who` unsubscribe at `at`."""
    crowd.consent[who] = False
    crowd.withdrawn_at[who] = at
    crowd.consents.add(at, customer=who, given=0)
    crowd.events.add(at, customer=who, kind=KIND["email_unsubscribed"], detail=detail, number=number)


def _answer_messages(crowd: Crowd, span: Span, rng: np.random.Generator, tracked: float) -> None:
    """Orders that exist because of a campaign's message, planned when it was sent."""
    due = crowd.answers.take_before(span.end)
    offers = (due["code"], due["percent"])
    place_orders(crowd, due["customer"], due["at"], rng, since=span.start, tracked=tracked, offers=offers)


def _let_join(crowd: Crowd, span: Span, rng: np.random.Generator, tracked: float) -> None:
    """Customers who join in this span; most do so by ordering."""
    traits = crowd.traits
    joins = (traits.joined >= span.start) & (traits.joined < span.end) & traits.orders_at_joining
    who = np.flatnonzero(joins)
    at = traits.joined[who] + (rng.uniform(5, 60, len(who)) * MINUTE_US).astype(np.int64)
    place_orders(crowd, who, at, rng, since=span.start, tracked=tracked)


def _search(crowd: Crowd, who: Ints, at: Ints, rng: np.random.Generator) -> None:
    words = np.where(PLACE_CHINESE[crowd.traits.place[who]], SEARCH_ZH_DETAIL, SEARCH_DETAIL)
    detail = words + pick_categories(crowd, who, rng)
    crowd.events.add(at, customer=who, kind=KIND["search_performed"], detail=detail, number=0)


def _send_newsletters(crowd: Crowd, span: Span, origin: int, settings: ShopSettings, rng: np.random.Generator) -> None:
    every = settings.newsletter_days * DAY_US
    first = origin - origin % DAY_US + 9 * HOUR_US + 3 * DAY_US
    for number in range(max(0, -((first - span.start) // every)), 1 + (span.end - 1 - first) // every):
        sent = first + number * every
        who = np.flatnonzero(crowd.consent & (crowd.traits.joined < sent))
        at = sent + (rng.random(len(who)) * 30 * MINUTE_US).astype(np.int64)
        crowd.events.add(at, customer=who, kind=KIND["email_sent"], detail=NEWSLETTER_DETAIL, number=number + 1)
        clicker, clicked_at = open_mails(crowd, who, at, NEWSLETTER_DETAIL, number + 1, rng)
        visits = rng.random(len(clicker)) < min(1.0, settings.tracked_share)
        look_around(crowd, clicker[visits], clicked_at[visits], rng)
        leaving = rng.random(len(who)) < _unsubscribe_share(crowd.gone[who], crowd.unhappy[who])
        withdraw_consent(crowd, who[leaving], at[leaving] + HOUR_US, NEWSLETTER_DETAIL, number + 1)


def _unsubscribe_share(gone: Bools, unhappy: Floats) -> Floats:
    return np.asarray(0.003 + 0.006 * gone + 0.004 * np.minimum(unhappy, 2.0))
