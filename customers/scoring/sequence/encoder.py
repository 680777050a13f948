"""A small Transformer encoder, written as functions of its weights (Vaswani et al. 2017; normalised first, Xiong et al. 2020).

Every token attends to every other of its customer: all of them lie before the date, so nothing has to be hidden. There is
no code of position: each token carries its age and its number. At the end one learned query weighs the tokens (Lin et al.
2017), and the log-odds are the weighted mean of what each of them says:

    logit = bias + sum over tokens of attention x said

so attention sums to 1, and the products split the log-odds exactly among the tokens.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .batches import Floats
from .tokens import KINDS, NUMBERS

if TYPE_CHECKING:
    import torch

#: Weights by name; NumPy where they are stored, torch tensors where they are used.
Weights = dict[str, Any]


def draw_weights(*, width: int, layers: int, rng: np.random.Generator) -> dict[str, Floats]:
    """Weights to begin with: scaled normal numbers, gains of 1, and nothing said by any token."""

    def normal(*shape: int) -> Floats:
        return np.asarray(rng.standard_normal(shape) / np.sqrt(shape[0]), dtype=np.float32)

    def constant(value: float, *shape: int) -> Floats:
        return np.full(shape, value, dtype=np.float32)

    weights = {
        "kind": (rng.standard_normal((len(KINDS), width)) * 0.5).astype(np.float32),
        "numbers": normal(len(NUMBERS), width),
        "lift_in": normal(width, 2 * width),
        "lift_in_bias": constant(0.0, 2 * width),
        "lift_out": normal(2 * width, width),
    }
    for i in range(layers):
        weights |= {
            f"{i}.norm1": constant(1.0, width),
            f"{i}.norm1_bias": constant(0.0, width),
            f"{i}.attend": normal(width, 3 * width),
            f"{i}.attend_out": normal(width, width),
            f"{i}.norm2": constant(1.0, width),
            f"{i}.norm2_bias": constant(0.0, width),
            f"{i}.wide": normal(width, 2 * width),
            f"{i}.wide_bias": constant(0.0, 2 * width),
            f"{i}.narrow": normal(2 * width, width),
        }
    return weights | {
        "norm": constant(1.0, width),
        "norm_bias": constant(0.0, width),
        "key": normal(width, width),
        "query": constant(0.0, width),
        "say": constant(0.0, width),
        "bias": constant(0.0, 1),
    }


def run_encoder(
    weights: Weights,
    kinds: torch.Tensor,
    numbers: torch.Tensor,
    present: torch.Tensor,
    *,
    heads: int,
    layers: int,
    dropout: float = 0.0,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Attention (rows, tokens), which sums to 1 over a row, and what each token says of leaving, in log-odds.

    `kinds` (rows, tokens), `numbers` (rows, tokens, 5), `present` (rows, tokens): False where there is padding. A row
    without any token has attention 0 throughout.
    """
    from torch.nn import functional as F

    def drop(x: torch.Tensor) -> torch.Tensor:
        return F.dropout(x, dropout) if dropout else x

    width = weights["say"].shape[0]
    x = weights["kind"][kinds] + numbers @ weights["numbers"]
    x = x + F.gelu(x @ weights["lift_in"] + weights["lift_in_bias"]) @ weights["lift_out"]
    seen = present | ~present.any(dim=1, keepdim=True)  # a softmax over nothing would be undefined
    for i in range(layers):
        y = F.layer_norm(x, (width,), weights[f"{i}.norm1"], weights[f"{i}.norm1_bias"])
        x = x + drop(_attend(y, weights[f"{i}.attend"], seen, heads) @ weights[f"{i}.attend_out"])
        y = F.layer_norm(x, (width,), weights[f"{i}.norm2"], weights[f"{i}.norm2_bias"])
        y = F.gelu(y @ weights[f"{i}.wide"] + weights[f"{i}.wide_bias"])
        x = x + drop(drop(y) @ weights[f"{i}.narrow"])
    x = F.layer_norm(x, (width,), weights["norm"], weights["norm_bias"])
    match = (x @ weights["key"]) @ weights["query"] / width**0.5
    attention = match.masked_fill(~seen, float("-inf")).softmax(dim=1) * present
    return attention, drop(x) @ weights["say"]


def _attend(x: torch.Tensor, weight: torch.Tensor, seen: torch.Tensor, heads: int) -> torch.Tensor:
    """Self-attention of several heads: (rows, tokens, width) to the same shape."""
    from torch.nn import functional as F

    rows, tokens, width = x.shape
    parts = (x @ weight).view(rows, tokens, 3, heads, width // heads).permute(2, 0, 3, 1, 4)
    mixed = F.scaled_dot_product_attention(parts[0], parts[1], parts[2], attn_mask=seen[:, None, None, :])
    return mixed.transpose(1, 2).reshape(rows, tokens, width)
