"""The drawing of a replayed day: of all leavers, how many are among the first so many customers.

As in `charts`: SVG from the server, no script, no style attribute, with its table beneath.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import template

from retention_site import drawing

register = template.Library()

_PLOT = 260.0


@register.inclusion_tag("customers/replay_gain.html")
def gain_curve(rows: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    """Rows of share (of customers), caught and rule (shares of leavers), each with its _low and _high where known: the model,
    the rule, and chance as a diagonal."""
    told = [(row, row["caught"] / row["share"]) for row in rows if row["share"] > 0]
    return {
        "height": int(_PLOT),
        "model": _trace(rows, "caught"),
        "rule": _trace(rows, "rule"),
        "bands": [(name, _trace_band(rows, key)) for name, key in (("by-rule", "rule"), ("by-model", "caught"))],
        "grid": drawing.rule_lines(1.0, _PLOT, lines=4),
        "marks": [drawing.Tick(f"{share}%", share / 100) for share in (0, 25, 50, 75, 100)],
        "dots": [_place(row) for row in rows[1:-1:2]],
        "rows": [
            dict(row) | {"lift": lift, "lift_low": _lift(row, "caught_low"), "lift_high": _lift(row, "caught_high")}
            for row, lift in told
            if round(row["share"] * 100) % 10 == 0
        ],
    }


def _trace(rows: Sequence[Mapping[str, float]], key: str) -> str:
    return " ".join(f"{row['share'] * 100:.1f},{_PLOT * (1 - row[key]):.1f}" for row in rows)


def _trace_band(rows: Sequence[Mapping[str, float]], key: str) -> str:
    """Along the lower ends and back along the upper ones; empty where the ends are not known."""
    low, high = f"{key}_low", f"{key}_high"
    if not all(low in row and high in row for row in rows):
        return ""
    return f"{_trace(rows, low)} {_trace(list(reversed(rows)), high)}"


def _lift(row: Mapping[str, float], key: str) -> float | None:
    return row[key] / row["share"] if key in row else None


def _place(row: Mapping[str, float]) -> dict[str, Any]:
    return {"x": f"{row['share'] * 100:.1f}%", "y": f"{_PLOT * (1 - row['caught']):.1f}"} | dict(row)
