"""The points of a calibration plot, as the tag `calibration` takes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def place_calibration(bins: Sequence[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    """(predicted, observed, customers, low, high) of what `bin_calibration` gave; bins without an interval get none."""
    return [(row["predicted"], row["observed"], row["customers"], row.get("low"), row.get("high")) for row in bins]
