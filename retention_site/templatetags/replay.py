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
    """Rows of share (of customers), caught and rule (shares of leavers): the model, the rule, and chance as a diagonal."""
    told = [(row, row["caught"] / row["share"]) for row in rows if row["share"] > 0]
    return {
        "height": int(_PLOT),
        "model": _trace(rows, "caught"),
        "rule": _trace(rows, "rule"),
        "grid": drawing.rule_lines(1.0, _PLOT, lines=4),
        "marks": [drawing.Tick(f"{share}%", share / 100) for share in (0, 25, 50, 75, 100)],
        "dots": [_place(row) for row in rows[1:-1:2]],
        "rows": [dict(row) | {"lift": lift} for row, lift in told if round(row["share"] * 100) % 10 == 0],
    }


def _trace(rows: Sequence[Mapping[str, float]], key: str) -> str:
    return " ".join(f"{row['share'] * 100:.1f},{_PLOT * (1 - row[key]):.1f}" for row in rows)


def _place(row: Mapping[str, float]) -> dict[str, Any]:
    return {"x": f"{row['share'] * 100:.1f}%", "y": f"{_PLOT * (1 - row['caught']):.1f}"} | dict(row)
