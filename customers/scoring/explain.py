"""Reasons beside a score, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def describe_reason(reason: Mapping[str, Any]) -> str:
    """One entry of `Score.reasons` as a sentence in the active language."""
    raise NotImplementedError
