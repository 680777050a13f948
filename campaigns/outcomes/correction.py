"""Several questions at once: p-values corrected so that no more than one in twenty such tables cries wolf. No Django here."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist

#: Below it the alarm is raised, as is usual for sample ratios: a fault in the draw shows far below it (Fabijan et al.,
#: "Diagnosing sample ratio mismatch in online controlled experiments", KDD 2019).
RATIO_ALARM = 0.001


def correct_holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down correction (Scandinavian Journal of Statistics 6, 1979), in the order given; bounds the chance of
    even one false alarm among all of them, whatever depends on what."""
    order = sorted(range(len(p_values)), key=lambda place: p_values[place])
    corrected, most = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(order):
        most = max(most, min(1.0, (len(p_values) - rank) * p_values[place]))
        corrected[place] = most
    return corrected


def correct_false_discovery(p_values: Sequence[float]) -> list[float]:
    """Benjamini and Hochberg's (JRSS B 57, 1995): bounds the share of false ones among those that are called found."""
    order = sorted(range(len(p_values)), key=lambda place: -p_values[place])
    corrected, least, count = [0.0] * len(p_values), 1.0, len(p_values)
    for rank, place in enumerate(order):
        least = min(least, p_values[place] * count / (count - rank))
        corrected[place] = least
    return corrected


def find_p_value(effect: float, error: float) -> float:
    """Two-sided, by the normal approximation (arms of 30 people and more)."""
    if error <= 0:
        return 1.0 if effect == 0 else 0.0
    return 2 * NormalDist().cdf(-abs(effect) / error)
