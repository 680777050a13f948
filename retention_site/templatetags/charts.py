"""Charts drawn on the server as SVG: no script, no style attribute, each with its table beneath it.

The drawing itself is arithmetic in retention_site.drawing; the templates stand in templates/parts/charts/.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django import template
from django.utils.translation import gettext as _

from retention_site import drawing
from retention_site.templatetags import figures

register = template.Library()

_PLOT = 180.0
_SQUARE = 260.0


@register.inclusion_tag("parts/charts/meter.html")
def meter(value: Any, most: Any = 1, tone: str = "ember", label: str = "") -> dict[str, Any]:
    """A short bar: value of most. Tones: ember, kept, held, warn, stop. Hidden from readers unless it has a label."""
    share = abs(float(value or 0)) / (float(most or 1) or 1.0)
    return {"width": f"{min(share, 1) * 100:.1f}%", "tone": tone, "label": label}


@register.inclusion_tag("parts/charts/interval.html")
def interval(
    low: Any, mid: Any, high: Any, axis_low: Any = -0.05, axis_high: Any = 0.05, style: str = "points", label: str = ""
) -> dict[str, Any]:
    """An estimate with its interval as a bar with a dot, zero as a dotted line; grey when zero is inside."""
    if low is None or mid is None or high is None:
        return {"mark": None}
    mark = drawing.place_interval(float(low), float(mid), float(high), float(axis_low), float(axis_high))
    words = _("%(mid)s, most likely %(range)s") % {
        "mid": getattr(figures, style)(mid),
        "range": figures.between(low, high, style),
    }
    return {"mark": mark, "label": label or words}


@register.inclusion_tag("parts/charts/date_reach.html")
def date_reach(today: date, low: date, mid: date, high: date) -> dict[str, Any]:
    """A day that is expected, with its likely range, on a small time line that starts today (or at the range's start)."""
    if not (today and low and mid and high):
        return {"mark": None}
    start = min(today, low)
    whole = max((max(high, today) - start).days, 1) * 1.06
    days = [(day - start).days for day in (low, mid, high, today)]
    mark = drawing.place_interval(days[0], days[1], days[2], 0, whole)
    return {"mark": mark, "now": f"{days[3] / whole:.2%}", "low": low, "mid": mid, "high": high, "today": today}


@register.inclusion_tag("parts/charts/sparkline.html")
def sparkline(values: Sequence[Any], tone: str = "kept") -> dict[str, Any]:
    """The shape of the last values, without axes; it stands beside its figure and is hidden from readers."""
    numbers = [float(value) for value in values or () if value is not None]
    if len(numbers) < 2:
        return {"dots": []}
    rows = [("", number, None, None) for number in numbers]
    dots = drawing.place_dots(rows, 30, min(numbers), max(numbers) if max(numbers) > min(numbers) else min(numbers) + 1)
    return {"dots": dots, "line": drawing.trace_line(dots), "last": dots[-1], "tone": tone}


@register.inclusion_tag("parts/charts/histogram.html")
def histogram(
    counts: Sequence[int], low: Any = 0, high: Any = 1, title: str = "", note: str = "", sliders: bool = False
) -> dict[str, Any]:
    """People by score in equal bins of 0..1. Bins within [low, high] are lit; sliders adds the two handles."""
    low, high = float(low or 0), float(1 if high in (None, "") else high)
    bars = drawing.stand_bars(list(counts), _PLOT, low, high)
    return {
        "bars": bars,
        "grid": drawing.rule_lines(max([*counts, 1]), _PLOT, lines=3),
        "height": int(_PLOT),
        "title": _unfold(title),
        "note": _unfold(note),
        "sliders": sliders,
        "low": f"{low:.2f}",
        "high": f"{high:.2f}",
        "step": f"{1 / max(len(counts), 1):.2f}",
        "inside": sum(bar.count for bar in bars if bar.is_inside),
        "marks": [drawing.Tick(f"{share}%", share / 100) for share in (0, 25, 50, 75, 100)],
    }


@register.inclusion_tag("parts/charts/calibration.html")
def calibration(points: Sequence[Sequence[Any]], title: str = "", note: str = "") -> dict[str, Any]:
    """Predicted against observed shares, from (predicted, observed, people) or with the ends of the observed share's
    interval behind them; on the dotted line they agree."""
    rows = [(float(one[0]), float(one[1]), int(one[2]), *_read_ends(one[3:5])) for one in points or ()]
    return {
        "dots": drawing.place_calibration(rows, _SQUARE),
        "rows": [{"predicted": p, "observed": o, "people": n, "low": low, "high": high} for p, o, n, low, high in rows],
        "has_ends": any(row[3] is not None for row in rows),
        "grid": drawing.rule_lines(1.0, _SQUARE, lines=4),
        "height": int(_SQUARE),
        "title": _unfold(title),
        "note": _unfold(note),
        "marks": [drawing.Tick(f"{share}%", share / 100) for share in (0, 25, 50, 75, 100)],
    }


@register.inclusion_tag("parts/charts/line.html")
def line_chart(
    rows: Sequence[Sequence[Any]], style: str = "percent", title: str = "", note: str = "", tone: str = "kept",
    from_zero: bool = False, labels: int = 5,
) -> dict[str, Any]:  # fmt: skip
    """A line with its band, from (label, value) or (label, value, low, high); style: percent, count, decimals.

    At most so many `labels` stand under it: three where they are days, as in Chinese four run into each other on a phone.
    """
    full = [_complete(row) for row in rows or () if row[1] is not None]
    numbers = [number for _label, *three in full for number in three if number is not None]
    least, most = _widen(numbers, from_zero)
    dots = drawing.place_dots(full, _PLOT, least, most)
    shown = drawing.thin_labels(len(dots), labels)
    return {
        "dots": dots,
        "line": drawing.trace_line(dots),
        "band": drawing.trace_band(dots),
        "grid": [(tick.at, _write(tick.value, style)) for tick in drawing.rule_lines(most, _PLOT, least)],
        "under": [dot for dot, is_shown in zip(dots, shown, strict=True) if is_shown],
        "height": int(_PLOT),
        "style": style,
        "title": _unfold(title),
        "note": _unfold(note),
        "tone": tone,
        "table": [(d.label, _write(d.value, style), figures.between(d.low, d.high, style)) for d in dots],
        "has_band": any(dot.low_y for dot in dots),
    }


@register.inclusion_tag("parts/charts/bars.html")
def bar_chart(
    rows: Sequence[Sequence[Any]], style: str = "count", title: str = "", note: str = "", tone: str = "ember"
) -> dict[str, Any]:
    """Lying bars, from (label, value) or (label, value, tone): a list that is its own table."""
    most = max([abs(float(row[1] or 0)) for row in rows or ()], default=1.0) or 1.0
    return {
        "rows": [
            {"label": row[0], "value": row[1], "shown": _write(row[1], style), "tone": row[2] if len(row) > 2 else tone}
            for row in rows or ()
        ],
        "most": most,
        "title": _unfold(title),
        "note": _unfold(note),
    }


@register.inclusion_tag("parts/charts/cohorts.html")
def cohort_grid(rows: Sequence[Sequence[Any]], heads: Sequence[Any] | None = None, caption: str = "") -> dict[str, Any]:
    """Who came back, from (label, people, [share or None, ...]); the colour deepens with the share."""
    width = max([len(row[2]) for row in rows or ()], default=0)
    return {
        "heads": list(heads or range(width)),
        "caption": caption,
        "rows": [
            {"label": row[0], "people": row[1], "cells": [_shade(share) for share in row[2]]} for row in rows or ()
        ],
    }


def _unfold(words: str) -> str:
    """Django doubles the percent signs of `_("…")` in a template argument and leaves them so."""
    return str(words).replace("%%", "%")


def _read_ends(ends: Sequence[Any]) -> tuple[float | None, float | None]:
    if len(ends) < 2 or ends[0] is None or ends[1] is None:
        return None, None
    return float(ends[0]), float(ends[1])


def _complete(row: Sequence[Any]) -> tuple[str, float, float | None, float | None]:
    ends = [None if end is None else float(end) for end in row[2:4]] or [None, None]
    return str(row[0]), float(row[1]), ends[0], ends[-1]


def _widen(numbers: Sequence[float], from_zero: bool) -> tuple[float, float]:
    least, most = min(numbers, default=0.0), max(numbers, default=1.0)
    room = (most - least) * 0.12 or abs(most) * 0.1 or 1.0
    return (0.0 if from_zero or least - room < 0 <= least else least - room), most + room


def _write(value: Any, style: str) -> str:
    return {
        "percent": lambda v: figures.percent(v, 0),
        "count": figures.count,
        "decimals": figures.decimals,
        "points": figures.signed_points,
    }[style](value)


def _shade(share: Any) -> dict[str, Any] | None:
    if share is None:
        return None
    return {"share": share, "shade": min(20, max(0, round(float(share) * 20)))}
