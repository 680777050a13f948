"""A self-attention model over the sequence of what a customer did, and what it looked at. Needs PyTorch, an optional extra."""

from __future__ import annotations

from .installed import TorchMissing, is_torch_installed
from .model import SequenceModel
from .tokens import MOST_TOKENS, TOKENS, add_tokens, build_tokens

__all__ = [
    "MOST_TOKENS",
    "TOKENS",
    "SequenceModel",
    "TorchMissing",
    "add_tokens",
    "build_tokens",
    "is_torch_installed",
]
