"""What a campaign's message does to the customers who get it, and the true effect that follows."""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from .behaviour import open_mails, withdraw_consent
from .crowd import PERSUADABLE, SLEEPING_DOG, Bools, Crowd, Floats, Ints
from .mood import order_probability
from .rhythm import DAY_US, HOUR_US, MINUTE_US, Span, cut_spans, to_us


@dataclass(frozen=True)
class CampaignMessage:
    """One campaign's message to the customers in its treatment arm (never to its hold-out).

    `window_days` is the attribution window; `strength` scales what the message does to persuadables (1 is a good
    win-back, 0 an empty one). Orders that it brings carry `discount_code` and `discount_percent`.
    """

    campaign: str
    sent_at: datetime
    customer_external_ids: Sequence[str]
    window_days: int = 60
    strength: float = 1.0
    discount_code: str = ""
    discount_percent: int = 0


@dataclass(frozen=True)
class TrueEffect:
    """Mean over the treated of P(order in the window | message) - P(order in the window | none), and both parts.

    It comes from the simulator's own probabilities at `sent_at`, never from the orders that then happened.
    """

    treated: int
    baseline_probability: float
    effect: float


@dataclass(frozen=True)
class Reaction:
    """Per treated row: P(order) without the message, and what the message adds to it."""

    rows: Ints
    baseline: Floats
    effect: Floats


def deliver_message(
    crowd: Crowd, message: CampaignMessage, rows: Ints, detail: int, code: int, seed: int, origin: int, step_us: int
) -> Reaction:
    """Apply a message to `rows` at its `sent_at`, which has to be the crowd's present.

    With probability `gain` a persuadable places an order in the window that would not have come, and is back as a
    customer; with probability `harm` a sleeping dog orders nothing until the window is over. Nobody else changes. So
    P(order | message) is p + (1 - p) gain - p harm exactly, p being the probability without the message.
    """
    sent = to_us(message.sent_at)
    rng = np.random.default_rng([seed, 4, crowd.number, sent, zlib.crc32(message.campaign.encode())])
    end = sent + message.window_days * DAY_US
    waiting = has_answer_waiting(crowd, rows, sent, end)
    spans = cut_spans(sent, end, origin, step_us)
    reaction = foresee_reaction(crowd, rows, spans, rng, strength=message.strength, waiting=waiting)
    gain, harm = _chances(crowd, rows, message.strength)
    draw = rng.random(len(rows))
    won, lost = draw < gain, (draw < harm) & ~waiting
    _win_back(crowd, rows[won], message, sent, end, code, rng)
    at = sent + (rng.random(len(rows)) * 20 * MINUTE_US).astype(np.int64)
    open_mails(crowd, rows, at, detail, 0, rng)
    _put_off(crowd, rows[lost], at[lost], end, detail, rng)
    return reaction


def foresee_reaction(
    crowd: Crowd, rows: Ints, spans: Sequence[Span], rng: np.random.Generator, *, strength: float, waiting: Bools
) -> Reaction:
    """The probabilities of `rows` over `spans`, from the truth; changes nothing.

    `waiting` marks those who will order anyway because of an earlier message.
    """
    gain, harm = _chances(crowd, rows, strength)
    baseline = np.where(waiting, 1.0, order_probability(crowd, rows, spans, rng))
    return Reaction(rows, baseline, np.where(waiting, 0.0, gain * (1 - baseline) - harm * baseline))


def has_answer_waiting(crowd: Crowd, rows: Ints, start: int, end: int) -> Bools:
    """Which of `rows` will order in [start, end) because of a message they already got."""
    planned = crowd.answers.peek()
    due = planned["customer"][(planned["at"] >= start) & (planned["at"] < end)]
    return np.isin(rows, due)


def _chances(crowd: Crowd, rows: Ints, strength: float) -> tuple[Floats, Floats]:
    kind = crowd.traits.kind[rows]
    gain = np.where(kind == PERSUADABLE, np.clip(crowd.traits.gain[rows] * strength, 0, 0.9), 0.0)
    return gain, np.where(kind == SLEEPING_DOG, crowd.traits.harm[rows], 0.0)


def _win_back(
    crowd: Crowd, rows: Ints, message: CampaignMessage, sent: int, end: int, code: int, rng: np.random.Generator
) -> None:
    """Plan an order within the window, most of them in the first two weeks; the customer is in a good mood again."""
    mean_days, window = 12.0, (end - sent - 3 * HOUR_US) / DAY_US
    days = -mean_days * np.log1p(-rng.random(len(rows)) * (1 - math.exp(-window / mean_days)))
    at = sent + 2 * HOUR_US + (days * DAY_US).astype(np.int64)
    crowd.answers.add(at, customer=rows, code=code, percent=message.discount_percent)
    crowd.gone[rows] = False
    crowd.mood[rows] = np.maximum(crowd.mood[rows], 0.0)
    crowd.unhappy[rows] *= 0.5


def _put_off(crowd: Crowd, rows: Ints, at: Ints, end: int, detail: int, rng: np.random.Generator) -> None:
    """Nothing more in this window; half of them are gone for good, and a third of those with consent unsubscribe."""
    crowd.quiet_until[rows] = np.maximum(crowd.quiet_until[rows], end)
    crowd.gone[rows] |= rng.random(len(rows)) < 0.5
    leaving = crowd.consent[rows] & (rng.random(len(rows)) < 0.33)
    withdraw_consent(crowd, rows[leaving], at[leaving] + HOUR_US, detail, 0)
