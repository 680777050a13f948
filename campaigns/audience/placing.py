"""Puts people who enter a live campaign into the archetypes that were frozen and approved for it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict

from django.db import connection

from campaigns.models import Archetype, Arm, AudienceCell, Campaign, ExclusionReason, Variant

from .archetypes import read_cell
from .cells import Cell, find_nearest
from .kinship import read_nearness
from .people import PEOPLE


def place_people(campaign: Campaign) -> None:
    """Give each judged person (`judge_entrants`) the archetype of their cell, as frozen, in both arms.

    A cell that the freeze did not know goes to the nearest one of its language and channel. Only archetypes with a text
    count; whom none fits is left out (NO_TEXT). Must run in the transaction of `judge_entrants`.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {PEOPLE} ADD COLUMN IF NOT EXISTS archetype_id bigint")
        cursor.execute(
            f"""
UPDATE {PEOPLE} p SET archetype_id = c.archetype_id FROM campaigns_audiencecell c
WHERE c.campaign_id = %s AND p.arm <> '{Arm.EXCLUDED}'
  AND (c.reason, c.interest, c.value_band, c.language, c.channel) = (p.reason, p.interest, p.value_band, p.language, p.channel)
  AND EXISTS (SELECT 1 FROM campaigns_variant v WHERE v.archetype_id = c.archetype_id AND v.step = 1 AND v.retired_at IS NULL)""",
            [campaign.pk],
        )
        cursor.execute(
            "SELECT DISTINCT reason, interest, value_band, language, channel"
            f" FROM {PEOPLE} WHERE arm <> '{Arm.EXCLUDED}' AND archetype_id IS NULL"
        )
        strange = [Cell(*row) for row in cursor.fetchall()]
    if strange:
        _place_strange(campaign, strange)


def _place_strange(campaign: Campaign, strange: Iterable[Cell]) -> None:
    homes, sizes = _read_homes(campaign)
    places = {cell.place for cell in homes}
    within = [cell for cell in strange if cell.place in places]
    nearness = read_nearness([*homes, *within], campaign)
    found = [{**asdict(cell), "archetype": find_nearest(cell, homes, sizes, nearness)} for cell in within]
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {PEOPLE} p SET archetype_id = h.archetype"
            " FROM jsonb_to_recordset(%s::jsonb) AS h(reason text, interest text, value_band text, language text,"
            " channel text, archetype bigint)"
            f" WHERE p.arm <> '{Arm.EXCLUDED}' AND p.archetype_id IS NULL"
            " AND (p.reason, p.interest, p.value_band, p.language, p.channel)"
            " = (h.reason, h.interest, h.value_band, h.language, h.channel)",
            [json.dumps(found)],
        )
        cursor.execute(
            f"UPDATE {PEOPLE} SET arm = '{Arm.EXCLUDED}', exclusion_reason = '{ExclusionReason.NO_TEXT}'"
            f" WHERE arm <> '{Arm.EXCLUDED}' AND archetype_id IS NULL"
        )


def _read_homes(campaign: Campaign) -> tuple[dict[Cell, int], dict[Cell, int]]:
    """The archetype of each frozen cell, and how many people it had; what an archetype is called where cells were not kept."""
    texts = Variant.objects.filter(archetype__campaign=campaign, step=1, retired_at=None)
    written = set(texts.values_list("archetype_id", flat=True))
    rows = [row for row in AudienceCell.objects.filter(campaign=campaign) if row.archetype_id in written]
    homes = {read_cell(row): row.archetype_id or 0 for row in rows}
    sizes = {read_cell(row): row.size for row in rows}
    for archetype in Archetype.objects.filter(campaign=campaign, pk__in=written - set(homes.values())):
        called = Cell(archetype.reason, archetype.interest, archetype.value_band, archetype.language, archetype.channel)
        homes.setdefault(called, archetype.pk)
        sizes.setdefault(called, archetype.size)
    return homes, sizes
