"""Splits a frozen audience into kinds of customer: why they are leaving x what they like x language."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from campaigns.models import Archetype, Arm, Campaign
from customers.features.catalogue import FEATURES, THEMES

from .cells import Cell, merge_cells

CHINESE = "zh"
ENGLISH = "en"
#: Customer.language to the language of a message: every way of writing Chinese, and English for all others.
LANGUAGE_SQL = f"CASE WHEN lower(left(c.language, 2)) = '{CHINESE}' THEN '{CHINESE}' ELSE '{ENGLISH}' END"
#: Score.main_reason (a theme, or a feature of one) to its theme.
_THEME_BY_REASON = {key: key for key in THEMES} | {feature.key: feature.theme for feature in FEATURES}


@dataclass(frozen=True)
class ArchetypeFigures:
    """Who the people of an archetype are, in numbers. Means over both arms; None where nothing is known."""

    treatment: int
    holdout: int
    churn_probability: float | None
    expected_value: Decimal | None


def split_into_archetypes(campaign: Campaign, *, limit: int) -> list[Archetype]:
    """Give every treated and held-out member one of at most `limit` archetypes (one per language at least).

    Held-out people have one too, so that the arms can be compared within each. Run again it gives the same cells;
    an archetype that is still there keeps its texts, one that is gone goes with them.
    """
    with transaction.atomic():
        sizes = _count_cells(campaign)
        homes = merge_cells(sizes, limit=limit)
        archetypes = _store_archetypes(campaign, homes, sizes)
        _assign_members(campaign, homes, archetypes)
    return sorted(archetypes.values(), key=lambda archetype: (-archetype.size, archetype.cell))


def label_archetype(archetype: Archetype) -> str:
    """What staff call it, in the active language: "Overdue · Jackets · English"."""
    theme = THEMES.get(archetype.reason)
    reason = str(theme.label) if theme else _("Any reason")
    language = _("Chinese") if archetype.language == CHINESE else _("English")
    return " · ".join((reason, archetype.interest or _("all interests"), language))


def describe_people(campaign: Campaign) -> dict[int, ArchetypeFigures]:
    """The figures of all archetypes of a campaign by id, in one query."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT archetype_id, count(*) FILTER (WHERE arm = 'treatment'), count(*) FILTER (WHERE arm = 'holdout'),"
            " avg(churn_probability), avg(expected_value)::numeric(14, 2) FROM campaigns_audiencemember"
            " WHERE campaign_id = %s AND archetype_id IS NOT NULL GROUP BY archetype_id",
            [campaign.pk],
        )
        return {row[0]: ArchetypeFigures(*row[1:]) for row in cursor.fetchall()}


_MEMBER_CELLS = f"""
  SELECT m.id AS member_id, coalesce(t.theme, '') AS reason, coalesce(s.interest, '') AS interest,
         {LANGUAGE_SQL} AS language
  FROM campaigns_audiencemember m
  JOIN customers_customer c ON c.id = m.customer_id
  LEFT JOIN customers_score s ON s.customer_id = m.customer_id
  LEFT JOIN unnest(%(reason_keys)s::text[], %(themes)s::text[]) AS t(key, theme) ON t.key = s.main_reason
  WHERE m.campaign_id = %(campaign_id)s AND m.arm IN ('{Arm.TREATMENT}', '{Arm.HOLDOUT}')"""


def _cell_params(campaign: Campaign) -> dict[str, Any]:
    return {
        "campaign_id": campaign.pk,
        "reason_keys": list(_THEME_BY_REASON),
        "themes": list(_THEME_BY_REASON.values()),
    }


def _count_cells(campaign: Campaign) -> dict[Cell, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT reason, interest, language, count(*) FROM ({_MEMBER_CELLS}) AS cells GROUP BY 1, 2, 3",
            _cell_params(campaign),
        )
        return {Cell(*row[:3]): row[3] for row in cursor.fetchall()}


def _store_archetypes(campaign: Campaign, homes: dict[Cell, Cell], sizes: dict[Cell, int]) -> dict[Cell, Archetype]:
    totals = dict.fromkeys(homes.values(), 0)
    for cell, home in homes.items():
        totals[home] += sizes[cell]
    rows = [
        Archetype(campaign=campaign, cell=cell.key, size=size, **_columns_of(cell)) for cell, size in totals.items()
    ]
    Archetype.objects.filter(campaign=campaign).exclude(cell__in=[row.cell for row in rows]).delete()
    Archetype.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["campaign", "cell"], update_fields=["size"]
    )
    stored = {archetype.cell: archetype for archetype in Archetype.objects.filter(campaign=campaign)}
    return {cell: stored[cell.key] for cell in totals}


def _columns_of(cell: Cell) -> dict[str, str]:
    return {"reason": cell.reason, "interest": cell.interest, "language": cell.language}


def _assign_members(campaign: Campaign, homes: dict[Cell, Cell], archetypes: dict[Cell, Archetype]) -> None:
    cells = list(homes)
    params = _cell_params(campaign) | {
        "reasons": [cell.reason for cell in cells],
        "interests": [cell.interest for cell in cells],
        "languages": [cell.language for cell in cells],
        "archetypes": [archetypes[homes[cell]].pk for cell in cells],
    }
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
WITH cells AS ({_MEMBER_CELLS}),
homes AS (
  SELECT * FROM unnest(%(reasons)s::text[], %(interests)s::text[], %(languages)s::text[], %(archetypes)s::bigint[])
    AS h(reason, interest, language, archetype_id)
)
UPDATE campaigns_audiencemember m SET archetype_id = homes.archetype_id
FROM cells JOIN homes USING (reason, interest, language) WHERE m.id = cells.member_id""",
            params,
        )
