"""Drawings of the Retention page: curves of many cohorts, a strip from P10 to P90, a share with its interval.

As in `charts`: SVG from the server, no script, no style attribute; the numbers stand beside or beneath.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import template

from retention_site import drawing
from retention_site.templatetags import figures

register = template.Library()

_PLOT = 380.0
_MOST_LABELS = 7


@register.inclusion_tag("customers/retention_curves.html")
def retention_curves(pooled: Sequence[Any], curves: Sequence[tuple[str, Sequence[float]]], unit: str) -> dict[str, Any]:
    """All cohorts together as a line with its band, from shares with value, low and high; each cohort as a thin line."""
    values = [*(share.high for share in pooled), *(value for _label, row in curves for value in row)]
    most = max(values, default=0.0) * 1.06 or 1.0
    rows = [(str(number), share.value, share.low, share.high) for number, share in enumerate(pooled, 1)]
    dots = drawing.place_dots(rows, _PLOT, 0.0, most)
    steps = max(len(pooled) - 1, 1)
    shown = drawing.thin_labels(len(dots), _MOST_LABELS)
    return {
        "unit": unit,
        "height": int(_PLOT),
        "dots": dots,
        "line": drawing.trace_line(dots),
        "band": drawing.trace_band(dots),
        "curves": [(label, _trace(row, steps, most)) for label, row in curves if len(row) > 1],
        "grid": [(tick.at, figures.percent(tick.value, 0)) for tick in drawing.rule_lines(most, _PLOT)],
        "under": [dot for dot, is_shown in zip(dots, shown, strict=True) if is_shown],
    }


@register.inclusion_tag("customers/retention_strip.html")
def percentile_strip(percentiles: Sequence[int], longest: int) -> dict[str, Any]:
    """P10 to P90 as a thin bar, P25 to P75 as a thick one, P50 as a dot; empty without percentiles."""
    places = [f"{value / max(longest, 1) * 100:.2f}%" for value in percentiles]
    return {"places": places}


@register.inclusion_tag("customers/retention_mark.html")
def share_mark(share: Any) -> dict[str, Any]:
    """A share (value, low, high) as a bar from nought with its interval; empty for None."""
    if share is None:
        return {"mark": None}
    return {"mark": drawing.place_interval(share.low, share.value, share.high, 0.0, 1.0)}


def _trace(row: Sequence[float], steps: int, most: float) -> str:
    return " ".join(f"{place / steps * 100:.2f},{_PLOT * (1 - value / most):.1f}" for place, value in enumerate(row))
