"""The demo shop's clock: a simulator that can be advanced, written to by campaigns, and asked for the truth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import numpy as np
import polars as pl

from .behaviour import ShopSettings, live_through
from .catalogue import build_products
from .crowd import Crowd, Ints, chunk_sizes, make_crowd
from .events import DETAILS, describe_campaign_mail
from .frames import Shop, join_shops, name_customers, take_slice, truth_frame
from .messages import CampaignMessage, Reaction, deliver_message, foresee_reaction, has_answer_waiting
from .purchases import CODES
from .rhythm import DAY_US, cut_spans, from_us, to_us

STEP_US = 7 * DAY_US
_ID_PREFIX = "c-"


class ShopSimulator:
    """A shop whose truth is known, lived through in stretches.

    The same seed, times and calls give the same shop to the last cent. Advancing in several stretches gives the same
    shop as one stretch where the cuts lie on whole weeks after `start`, and one with the same distribution elsewhere.

        simulator = ShopSimulator(seed=7, start=start, joining_until=today)
        past = simulator.advance(first_campaign_at)
        ... freeze the audience, hold some out ...
        after = simulator.advance(today, [CampaignMessage("win-back", first_campaign_at, treated_ids)])
        after.true_effect("win-back").effect
    """

    def __init__(
        self,
        *,
        seed: int,
        start: datetime,
        joining_until: datetime,
        customers: int = 5000,
        settings: ShopSettings | None = None,
    ) -> None:
        """`customers` is how many there will be at `joining_until`; two fifths are there at `start` already."""
        if customers < 1:
            raise ValueError("a shop needs at least one customer")
        if to_us(joining_until) <= to_us(start):
            raise ValueError("joining_until must be later than start")
        self.seed = seed
        self.customers = customers
        self.settings = settings or ShopSettings()
        self._start, self._joining_until = to_us(start), to_us(joining_until)
        self._now = self._start
        self._sizes = chunk_sizes(customers)
        self._crowds: dict[int, Crowd] = {}
        self._products = build_products(seed)
        self._details = list(DETAILS)
        self._codes = list(CODES)

    @property
    def now(self) -> datetime:
        """The moment up to which the shop has been lived through."""
        return from_us(self._now)

    def advance(self, until: datetime, messages: Sequence[CampaignMessage] = ()) -> Shop:
        """Live on to `until` and return what happened since `now`, all rows dated before `until`.

        A message acts from its `sent_at`, which lies in [now, until). Raises ValueError for a time in the past, an
        unknown customer or one who had not joined.
        """
        return join_shops(list(self.iter_advance(until, messages)))

    def iter_advance(self, until: datetime, messages: Sequence[CampaignMessage] = ()) -> Iterator[Shop]:
        """As `advance`, in slices of up to 20,000 customers each; exhaust it before advancing again."""
        begin, end = self._now, to_us(until)
        if end <= begin:
            raise ValueError(f"the shop has already been lived through until {self.now.isoformat()}")
        targets = [(message, self._find_targets(message, begin, end)) for message in messages]
        self._now = end
        return (self._advance_chunk(number, begin, end, targets) for number in range(len(self._sizes)))

    def truth(self, window_days: int = 60) -> pl.DataFrame:
        """The truth about every customer who has joined by `now` (see `Shop.truth`)."""
        end = self._now + window_days * DAY_US
        spans = cut_spans(self._now, end, self._start, STEP_US)
        parts = []
        for number in range(len(self._sizes)):
            crowd = self._crowd(number)
            rows = np.flatnonzero(crowd.traits.joined < self._now)
            rng = np.random.default_rng([self.seed, 5, number, self._now])
            waiting = has_answer_waiting(crowd, rows, self._now, end)
            reaction = foresee_reaction(crowd, rows, spans, rng, strength=1.0, waiting=waiting)
            parts.append(truth_frame(crowd, name_customers(crowd), reaction))
        return pl.concat(parts)

    def kinds(self) -> pl.DataFrame:
        """The latent kind of every customer who has joined by `now`: customer_external_id, kind. Never changes."""
        parts = []
        for number in range(len(self._sizes)):
            crowd = self._crowd(number)
            rows = np.flatnonzero(crowd.traits.joined < self._now)
            nothing = np.zeros(len(rows))
            parts.append(truth_frame(crowd, name_customers(crowd), Reaction(rows, nothing, nothing)))
        return pl.concat(parts).select("customer_external_id", "kind")

    def forget_chunk(self, number: int) -> None:
        """Drop the state of a chunk that will not be advanced again, so that memory stays bounded."""
        self._crowds.pop(number, None)

    def _crowd(self, number: int) -> Crowd:
        if number not in self._crowds:
            self._crowds[number] = make_crowd(self.seed, number, self._sizes[number], self._start, self._joining_until)
        return self._crowds[number]

    def _find_targets(self, message: CampaignMessage, begin: int, end: int) -> Ints:
        """The treated as sorted numbers in the whole shop."""
        if not begin <= to_us(message.sent_at) < end:
            raise ValueError(f"message of {message.campaign!r} is not sent within this stretch")
        numbers = pl.Series(message.customer_external_ids, dtype=pl.String).str.strip_prefix(_ID_PREFIX)
        found = np.unique(numbers.cast(pl.Int64, strict=False).fill_null(-1).to_numpy())
        if len(found) and not (found[0] >= 0 and found[-1] < self.customers):
            raise ValueError(f"campaign {message.campaign!r} names customers whom this shop does not have")
        return found

    def _advance_chunk(
        self, number: int, begin: int, end: int, targets: Sequence[tuple[CampaignMessage, Ints]]
    ) -> Shop:
        crowd = self._crowd(number)
        reactions: list[tuple[CampaignMessage, Reaction]] = []
        cuts = tuple(to_us(message.sent_at) for message, _ in targets)
        for span in cut_spans(begin, end, self._start, STEP_US, cuts):
            for message, numbers in targets:
                if to_us(message.sent_at) == span.start:
                    reactions.append((message, self._deliver(crowd, message, numbers)))
            rng = np.random.default_rng([self.seed, 3, number, span.start])
            live_through(crowd, span, self._start, self.settings, rng)
        joined_since = 0 if begin == self._start else begin
        return take_slice(crowd, joined_since, end, self._products, self._details, self._codes, reactions)

    def _deliver(self, crowd: Crowd, message: CampaignMessage, numbers: Ints) -> Reaction:
        mine = numbers[(numbers >= crowd.first) & (numbers < crowd.first + crowd.size)] - crowd.first
        if (crowd.traits.joined[mine] >= to_us(message.sent_at)).any():
            raise ValueError(f"campaign {message.campaign!r} names customers who had not joined when it was sent")
        detail = _index_of(self._details, describe_campaign_mail(message.campaign))
        code = _index_of(self._codes, message.discount_code)
        return deliver_message(crowd, message, mine, detail, code, self.seed, self._start, STEP_US)


def simulate_shop(
    *, customers: int = 5000, seed: int, today: datetime, years: float = 2.0, settings: ShopSettings | None = None
) -> Shop:
    """A whole shop of `customers` with `years` of life up to `today`, nobody written to by a campaign, with its truth."""
    simulator = _begin_shop(customers, seed, today, years, settings)
    shop = simulator.advance(today)
    return Shop(**{**vars(shop), "truth": simulator.truth()})


def iter_shop(
    *, customers: int, seed: int, today: datetime, years: float = 2.0, settings: ShopSettings | None = None
) -> Iterator[Shop]:
    """The rows of `simulate_shop` in slices of up to 20,000 customers, without truth, in the memory of one slice."""
    simulator = _begin_shop(customers, seed, today, years, settings)
    for number, part in enumerate(simulator.iter_advance(today)):
        yield part
        simulator.forget_chunk(number)


def _begin_shop(
    customers: int, seed: int, today: datetime, years: float, settings: ShopSettings | None
) -> ShopSimulator:
    start = today - timedelta(days=round(365 * years))
    return ShopSimulator(seed=seed, start=start, joining_until=today, customers=customers, settings=settings)


def _index_of(words: list[str], word: str) -> int:
    if word not in words:
        words.append(word)
    return words.index(word)
