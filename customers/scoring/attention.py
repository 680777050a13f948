"""What the self-attention model looked at in one customer's sequence, worked out when somebody asks.

Attention says where the model looked, not what made it say so: each token also carries what stands around it, and what
is looked at may speak for staying as well as for leaving (Jain and Wallace 2019). So it is shown as what it is.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import polars as pl

from customers.features.reader import OneCustomer, events_needed_since, read_shop
from customers.models import ModelVersion, Score, ScoreStatus

from .artifact import TrainedModel
from .sequence import SequenceModel, build_tokens

LOOKED_AT_SHOWN = 6


@dataclass(frozen=True)
class LookedAt:
    """One kind of thing on one day, and the share of attention that it got. `amount` is money of orders and returns."""

    kind: str
    on: dt.date
    times: int
    amount: float
    share: float


@dataclass(frozen=True)
class Attention:
    """What the model looked at most, the most first, and at how many things in all; `probability` is what it says itself."""

    probability: float
    is_in_use: bool
    looked_at: list[LookedAt]
    things: int
    currency: str

    @property
    def share_shown(self) -> float:
        return sum(each.share for each in self.looked_at)


def has_sequence_model(model: ModelVersion) -> bool:
    """Whether a self-attention model was trained with this version; the artifact is not read for it."""
    return SequenceModel.name in model.metrics.get("estimators", {})


def read_attention(score: Score) -> Attention | None:
    """For a current score; None where its version has no sequence model that can be read, or nothing is known of the customer.

    Raises TorchMissing where PyTorch is not installed on this machine.
    """
    model = ModelVersion.objects.get(pk=score.model_id)
    if score.status != ScoreStatus.SCORED or not has_sequence_model(model):
        return None
    try:
        sequence = TrainedModel.from_bytes(bytes(model.artifact)).sequence
    except ValueError:  # an artifact of another format: the next training replaces it
        return None
    if sequence is None:
        return None
    shop = read_shop(
        before=score.as_of, events_since=events_needed_since(score.as_of), partition=OneCustomer(score.customer_id)
    )
    tokens = build_tokens(shop.orders, shop.events, as_of=score.as_of)
    if tokens.is_empty():
        return None
    told = sequence.attend(tokens)
    return Attention(
        probability=float(sequence.predict_proba(tokens)[0, 1]),
        is_in_use=model.estimator == SequenceModel.name,
        looked_at=_find_most_seen(told, score.as_of),
        things=told.height,
        currency=shop.currency,
    )


def _find_most_seen(told: pl.DataFrame, as_of: dt.datetime) -> list[LookedAt]:
    most = told.sort("attention", "age_days", descending=[True, False]).head(LOOKED_AT_SHOWN)
    return [
        LookedAt(
            kind=row["kind"],
            on=(as_of - dt.timedelta(days=row["age_days"])).date(),
            times=int(row["times"]),
            amount=row["amount"],
            share=row["attention"],
        )
        for row in most.to_dicts()
    ]
