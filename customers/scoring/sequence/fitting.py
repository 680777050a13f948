"""How the encoder's weights are learned, and what it says with them. The only module here that imports PyTorch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from .batches import Floats, Sequences, Whole, draw_batches, split_batches
from .encoder import Weights, draw_weights, run_encoder

if TYPE_CHECKING:
    import torch

#: How much of the mean of the weights is kept at each step, after the first steps.
_MEAN_KEPT = 0.99
_LONGEST_GRADIENT = 1.0
_EVALUATED_AT_ONCE = 1024


@dataclass(frozen=True)
class Course:
    """The settings of `SequenceModel` that learning needs."""

    width: int
    layers: int
    heads: int
    dropout: float
    learning_rate: float
    weight_decay: float
    batch_size: int
    epochs: int
    patience: int
    random_state: int

    def lasting(self, epochs: int) -> Course:
        return replace(self, epochs=epochs)


@dataclass(frozen=True)
class Learned:
    """Weights, and after how many epochs they were best (or learning ended)."""

    weights: dict[str, Floats]
    epochs: int


def learn_weights(
    sequences: Sequences, y: Floats, rows: Whole, course: Course, *, watched: Whole | None = None
) -> Learned:
    """Learn from `rows` by AdamW (Loshchilov and Hutter 2019); the moving mean of the weights is what is kept.

    With `watched`, rows that are not learned from, the weights of the epoch with their least log loss, and an end once it
    has not fallen for `patience` epochs. The same input gives the same weights.
    """
    import torch

    rng = np.random.default_rng(course.random_state)
    with _steady_torch(course.random_state):
        drawn = draw_weights(width=course.width, layers=course.layers, rng=rng)
        drawn["bias"][0] = _log_odds(y[rows])
        weights = {name: torch.from_numpy(value).requires_grad_() for name, value in drawn.items()}
        mean = {name: value.detach().clone() for name, value in weights.items()}
        optimizer = _prepare_optimizer(weights, course)
        best, best_loss, steps = Learned({}, 0), np.inf, 0
        for epoch in range(1, course.epochs + 1):
            for batch in draw_batches(sequences, rows, size=course.batch_size, rng=rng):
                _step(weights, optimizer, sequences, y, batch, course)
                steps += 1
                _follow(mean, weights, kept=min(_MEAN_KEPT, (1 + steps) / (10 + steps)))
            present = {name: value.numpy().copy() for name, value in mean.items()}
            loss = -epoch if watched is None else _log_loss(y, watched, present, sequences, course)
            if loss < best_loss:
                best, best_loss = Learned(present, epoch), loss
            if epoch - best.epochs >= course.patience:
                break
    return best


def read_attention(
    weights: Mapping[str, Floats], sequences: Sequences, rows: Whole, *, heads: int, layers: int
) -> tuple[Floats, Floats]:
    """Attention of every token of `rows`, and what it says in log-odds: two arrays over the tokens, one row after the
    other."""
    import torch

    lengths = sequences.lengths[rows]
    ends = np.cumsum(lengths)
    attention, said = (np.zeros(int(lengths.sum()), dtype=np.float32) for _ in range(2))
    with _steady_torch(0), torch.inference_mode():
        tensors = {name: torch.from_numpy(value) for name, value in weights.items()}
        for batch in split_batches(lengths, np.arange(len(rows)), size=_EVALUATED_AT_ONCE):
            kinds, numbers, present = sequences.pad(rows[batch])
            attended, say = run_encoder(
                tensors, *map(torch.from_numpy, (kinds, numbers, present)), heads=heads, layers=layers
            )
            places = ((ends - lengths)[batch][:, None] + np.arange(kinds.shape[1]))[present]
            attention[places], said[places] = attended.numpy()[present], say.numpy()[present]
    return attention, said


def _log_odds(y: Floats) -> float:
    share = float(np.clip(y.mean(), 0.001, 0.999))
    return float(np.log(share / (1 - share)))


def _prepare_optimizer(weights: Weights, course: Course) -> torch.optim.Optimizer:
    """Matrices are drawn towards 0, gains and biases are not."""
    import torch

    matrices = [value for value in weights.values() if value.ndim > 1]
    others = [value for value in weights.values() if value.ndim == 1]
    groups: list[dict[str, Any]] = [
        {"params": matrices, "weight_decay": course.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=course.learning_rate)


def _step(
    weights: Weights, optimizer: torch.optim.Optimizer, sequences: Sequences, y: Floats, batch: Whole, course: Course
) -> None:
    import torch

    attention, say = run_encoder(
        weights,
        *map(torch.from_numpy, sequences.pad(batch)),
        heads=course.heads,
        layers=course.layers,
        dropout=course.dropout,
    )
    logit = weights["bias"] + (attention * say).sum(dim=1)
    loss = torch.nn.functional.binary_cross_entropy_with_logits(logit, torch.from_numpy(y[batch]))
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(list(weights.values()), _LONGEST_GRADIENT)
    optimizer.step()


def _follow(mean: Weights, weights: Weights, *, kept: float) -> None:
    for name, value in mean.items():
        value.lerp_(weights[name].detach(), 1 - kept)


def _log_loss(y: Floats, rows: Whole, weights: Mapping[str, Floats], sequences: Sequences, course: Course) -> float:
    attention, said = read_attention(weights, sequences, rows, heads=course.heads, layers=course.layers)
    row = np.repeat(np.arange(len(rows)), sequences.lengths[rows])
    logit = weights["bias"][0] + np.bincount(row, attention * said, minlength=len(rows))
    return float(np.mean(np.logaddexp(0.0, logit) - y[rows] * logit))


@contextmanager
def _steady_torch(seed: int) -> Iterator[None]:
    """One thread, deterministic algorithms and a seed of our own; afterwards everything is as it was."""
    import torch

    threads, is_strict = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        torch.set_num_threads(1)  # on shared cores threads that wait for each other cost more than they bring
        torch.use_deterministic_algorithms(True)
        try:
            yield
        finally:
            torch.set_num_threads(threads)
            torch.use_deterministic_algorithms(is_strict)
