"""The self-attention model as an estimator beside the others: P(no order within the horizon) from a customer's tokens.

Interface as in `customers.scoring.estimators`; X is their frame of features with the column that `add_tokens` adds, and
nothing but that column is looked at. Weights are stored as plain numbers in JSON: reading them runs no code and unpickles
nothing. The same seed, data and machine give the same weights (CPU, one thread, deterministic algorithms).
"""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
import polars as pl

from customers.scoring.logits import Array, bound_parts, pair_columns, to_probability

from .batches import Floats, Scale, Sequences, Whole, list_tokens, read_sequences
from .fitting import Course, learn_weights, read_attention
from .installed import require_torch
from .packing import pack_arrays, unpack_arrays
from .tokens import EVENT_WINDOW_DAYS, KINDS, MOST_TOKENS, NUMBERS

#: What the tokens of a kind say is told as the feature of the catalogue that counts them, in reasons and drivers.
TOLD_AS = dict(
    zip(
        KINDS,
        (
            "recency_days", "returns_90d", "views_90d", "searches_30d", "carts_30d", "views_90d",
            "emails_90d", "opens_90d", "clicks_90d", "emails_90d", "emails_90d", "emails_90d",
            "tickets_90d", "tickets_90d", "complaints_90d", "complaints_90d",
        ),
        strict=True,
    )
)  # fmt: skip
MOST_ROWS = 40_000
HELD_OUT_PARTS = 5
FEWEST_HELD_OUT = 50

#: Batches of other sizes add up in another order; the digits after these are noise.
_DECIMALS = 5
_SETTINGS = (
    "width", "layers", "heads", "dropout", "learning_rate", "weight_decay", "batch_size", "epochs", "patience",
    "random_state",
)  # fmt: skip


class SequenceModel:
    """A Transformer encoder of two small layers, pooled by attention.

    One customer in five is held out while the number of epochs is sought: learning stops when the log loss of their newest
    snapshot has not improved for `patience` epochs. Then the weights are learned anew from all rows for as many epochs. A
    moving mean of the weights is kept, which is steadier than the last step. At most 40,000 rows, drawn by the seed.

    The weights are a Transformer's, but the sum at the end is plain: `bias` and for each token its attention times what
    it says. So `contributions` are exact for the model, by kind of token, against the mean of training.
    """

    name: ClassVar[str] = "sequence"

    def __init__(
        self,
        *,
        width: int = 32,
        layers: int = 2,
        heads: int = 4,
        dropout: float = 0.3,
        learning_rate: float = 2e-3,
        weight_decay: float = 0.01,
        batch_size: int = 256,
        epochs: int = 16,
        patience: int = 4,
        random_state: int = 0,
    ) -> None:
        self.width = width
        self.layers = layers
        self.heads = heads
        self.dropout = dropout
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.epochs = epochs
        self.patience = patience
        self.random_state = random_state

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """scikit-learn's: the settings by name."""
        return {name: getattr(self, name) for name in _SETTINGS}

    def set_params(self, **settings: Any) -> Self:
        """scikit-learn's: change settings; raises ValueError for one that there is not."""
        for name, value in settings.items():
            if name not in _SETTINGS:
                raise ValueError(f"{name} is no setting of {type(self).__name__}")
            setattr(self, name, value)
        return self

    def fit(self, X: pl.DataFrame, y: Array) -> Self:
        """Learn from rows whose first for each customer is the newest. Raises TorchMissing."""
        require_torch()
        outcome = np.asarray(y, dtype=np.float32)
        rng = np.random.default_rng(self.random_state)
        if X.height > MOST_ROWS:
            kept = np.sort(rng.choice(X.height, MOST_ROWS, replace=False))
            X, outcome = X[kept], outcome[kept]
        sequences = read_sequences(X)
        self.scale_ = Scale.measure(sequences)
        sequences = self.scale_.apply(sequences)
        learned, watched = _hold_out(X, seed=self.random_state)
        course = Course(**self.get_params())
        self.epochs_ = course.epochs
        if len(watched):
            self.epochs_ = learn_weights(sequences, outcome, learned, course, watched=watched).epochs
        everything = np.arange(len(outcome))
        self.weights_ = learn_weights(sequences, outcome, everything, course.lasting(self.epochs_)).weights
        self.mean_said_ = self._say_by_kind(sequences).mean(axis=0)
        self.base_ = float(self.weights_["bias"][0] + self.mean_said_.sum())
        return self

    def predict_proba(self, X: pl.DataFrame) -> Array:
        """(n, 2), the second column the probability of leaving. Raises TorchMissing."""
        said = self._say_by_kind(self._read(X)).sum(axis=1)
        return pair_columns(to_probability(np.round(self.weights_["bias"][0] + said, _DECIMALS)))

    def contributions(self, X: pl.DataFrame) -> dict[str, Array]:
        said = self._say_by_kind(self._read(X)) - self.mean_said_
        parts: dict[str, Array] = {}
        for place, kind in enumerate(KINDS):
            parts[TOLD_AS[kind]] = parts.get(TOLD_AS[kind], 0.0) + said[:, place]
        return bound_parts(parts, self.base_)

    def attend(self, X: pl.DataFrame) -> pl.DataFrame:
        """Every token of every row, oldest first, with the share of attention it gets.

        Columns: row, kind (its name), age_days, amount, times, attention (sums to 1 over a row). Raises TorchMissing.
        """
        sequences = self._read(X)
        attention, _said = self._attend(sequences)
        return list_tokens(X).select(
            pl.Series("row", sequences.row_of_token),
            pl.Series("kind", [KINDS[place] for place in sequences.kinds], dtype=pl.String),
            *("age_days", "amount", "times"),
            pl.Series("attention", attention.astype(np.float64)),
        )

    def to_dict(self) -> dict[str, Any]:
        stored = {"mean": self.scale_.mean, "spread": self.scale_.spread, "mean_said": self.mean_said_}
        return {
            "name": self.name,
            "settings": self.get_params(),
            "tokens": _describe_tokens(),
            "epochs_": self.epochs_,
            "base_": self.base_,
            "scale": pack_arrays(stored),
            "weights": pack_arrays(self.weights_),
        }

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> Self:
        """The fitted model again; raises ValueError where it learned from other tokens than are built now. PyTorch is
        needed only for what it says."""
        if stored["tokens"] != _describe_tokens():
            raise ValueError("this sequence model has learned from other tokens: train again")
        made = cls(**stored["settings"])
        made.epochs_, made.base_ = int(stored["epochs_"]), float(stored["base_"])
        scale = unpack_arrays(stored["scale"])
        made.scale_, made.mean_said_ = Scale(scale["mean"], scale["spread"]), scale["mean_said"]
        made.weights_ = unpack_arrays(stored["weights"])
        return made

    def _read(self, X: pl.DataFrame) -> Sequences:
        require_torch()
        return self.scale_.apply(read_sequences(X))

    def _attend(self, sequences: Sequences) -> tuple[Floats, Floats]:
        rows = np.arange(len(sequences.lengths))
        return read_attention(self.weights_, sequences, rows, heads=self.heads, layers=self.layers)

    def _say_by_kind(self, sequences: Sequences) -> Array:
        """(rows, kinds): attention times what is said, summed over the tokens of a kind."""
        attention, said = self._attend(sequences)
        shape = len(sequences.lengths), len(KINDS)
        place = np.ravel_multi_index((sequences.row_of_token, sequences.kinds), shape)
        total = np.bincount(place, attention.astype(np.float64) * said, minlength=shape[0] * shape[1])
        return np.asarray(total.reshape(shape), dtype=np.float64)


def _describe_tokens() -> dict[str, Any]:
    """What tokens are made of; a model understands those that it has learned from."""
    return {"kinds": list(KINDS), "numbers": list(NUMBERS), "most": MOST_TOKENS, "days": EVENT_WINDOW_DAYS}


def _hold_out(X: pl.DataFrame, *, seed: int) -> tuple[Whole, Whole]:
    """Rows of four customers in five, and of the others the newest row each; all rows and none where those are too few."""
    is_outside = (X["customer_id"].hash(seed=seed) % HELD_OUT_PARTS == 0).to_numpy()
    watched = np.flatnonzero(is_outside & X["customer_id"].is_first_distinct().to_numpy())
    if len(watched) < FEWEST_HELD_OUT:
        return np.arange(X.height), watched[:0]
    return np.flatnonzero(~is_outside), watched
