"""Which text a person gets who enters a campaign whose shares shift: a stretch of [0, 1) for each text, by archetype."""

from __future__ import annotations

import json
from itertools import groupby
from typing import Any, Final

from campaigns.delivery.outbox import VARIANT_DRAW_SQL
from campaigns.models import Campaign, TextShare, Variant

#: The same number as decides between even shares, as a place in [0, 1).
PLACE_SQL: Final = f"({VARIANT_DRAW_SQL})::float8 / 4294967296.0::float8"

#: Joins `m` to its text: v.id, v.text_share. The parameter is `stretches`.
JOIN_SQL: Final = f"""JOIN jsonb_to_recordset(%(stretches)s::jsonb) AS v(
    archetype_id bigint, id bigint, text_share bigint, low float8, high float8)
  ON v.archetype_id = m.archetype_id AND {PLACE_SQL} >= v.low AND {PLACE_SQL} < v.high"""


def read_stretches(campaign: Campaign) -> str:
    """JSON for JOIN_SQL: by the newest batch of each archetype that is of exactly the texts that stand, else in even shares."""
    texts = Variant.objects.filter(archetype__campaign=campaign, step=1).order_by("archetype_id", "label")
    newest = _read_newest(campaign)
    rows: list[dict[str, Any]] = []
    for archetype, standing in groupby(texts, key=lambda text: text.archetype_id):
        ids = [text.pk for text in standing]
        shares = newest.get(archetype, {})
        rows += _lay_out(archetype, ids, shares if set(shares) == set(ids) else {})
    return json.dumps(rows)


def _read_newest(campaign: Campaign) -> dict[int, dict[int, TextShare]]:
    """By archetype the shares of its newest batch, by text."""
    found: dict[int, dict[int, TextShare]] = {}
    batches: dict[int, int] = {}
    for row in TextShare.objects.filter(archetype__campaign=campaign).order_by("archetype_id", "-batch"):
        if batches.setdefault(row.archetype_id, row.batch) == row.batch:
            found.setdefault(row.archetype_id, {})[row.variant_id] = row
    return found


def _lay_out(archetype: int, ids: list[int], shares: dict[int, TextShare]) -> list[dict[str, Any]]:
    """End to end; the last one ends at 1 whatever the sum of the shares was rounded to."""
    rows, low = [], 0.0
    for place, text in enumerate(ids, start=1):
        high = 1.0 if place == len(ids) else low + (shares[text].share if shares else 1 / len(ids))
        row_id = shares[text].pk if shares else None
        rows.append({"archetype_id": archetype, "id": text, "text_share": row_id, "low": low, "high": high})
        low = high
    return rows
