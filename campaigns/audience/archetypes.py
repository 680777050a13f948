"""Puts the cells of a frozen audience together into archetypes, and keeps what was put into what."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal

from django.db import connection
from django.utils.translation import gettext as _

from campaigns.models import Archetype, Arm, AudienceCell, Campaign, ValueBand
from customers.features.catalogue import THEMES
from customers.models import Channel

from .cells import Cell, Group, count_people, describe_cells, find_heirs, heart_of
from .measures import sums_sql
from .people import CHINESE, PEOPLE

SAMPLES = 3


@dataclass(frozen=True)
class ArchetypeFigures:
    """Who the people of an archetype are, in numbers. Means over both arms; None where nothing is known."""

    treatment: int
    holdout: int
    churn_probability: float | None
    expected_value: Decimal | None


def label_archetype(archetype: Archetype) -> str:
    """What staff call it, in the active language: "Overdue · Jackets · high value · English"."""
    return label_cell(
        Cell(archetype.reason, archetype.interest, archetype.value_band, archetype.language, archetype.channel)
    )


def label_cell(cell: Cell) -> str:
    """What staff call a cell: a value only where it is known, a channel only where it is not e-mail."""
    theme = THEMES.get(cell.reason)
    return " · ".join(
        (
            str(theme.label) if theme else _("Any reason"),
            cell.interest or _("all interests"),
            *((str(ValueBand(cell.value_band).label),) if cell.value_band else ()),
            _("Chinese") if cell.language == CHINESE else _("English"),
            *((str(Channel(cell.channel).label),) if cell.channel != Channel.EMAIL else ()),
        )
    )


def label_side(side: str, value: str) -> str:
    """What staff call the people who have this value of a side; "" is what is not known."""
    if side == "reason":
        theme = THEMES.get(value)
        return str(theme.label) if theme else _("no known reason")
    if side == "interest":
        return value or _("no known interest")
    return str(ValueBand(value).label) if value else _("no known value")


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


def read_cell(row: AudienceCell) -> Cell:
    """The sides of a stored cell."""
    return Cell(row.reason, row.interest, row.value_band, row.language, row.channel)


def read_groups(campaign: Campaign) -> tuple[list[Group], dict[Cell, int]]:
    """The cells as they are put together now, and the archetype of each. Held-out people count like the others."""
    homes: dict[Cell, int] = {}
    together: dict[int, set[Cell]] = {}
    shaped = set(Archetype.objects.filter(campaign=campaign, is_shaped=True).values_list("pk", flat=True))
    for row in AudienceCell.objects.filter(campaign=campaign, archetype__isnull=False):
        homes[read_cell(row)] = row.archetype_id or 0
        together.setdefault(row.archetype_id or 0, set()).add(read_cell(row))
    return [Group(frozenset(cells), archetype in shaped) for archetype, cells in sorted(together.items())], homes


def read_sizes(campaign: Campaign) -> dict[Cell, int]:
    return {read_cell(row): row.size for row in AudienceCell.objects.filter(campaign=campaign)}


def write_cells(campaign: Campaign) -> dict[Cell, int]:
    """Write the cells of the judged people, in the place of those that there were; returns how many are in each."""
    AudienceCell.objects.filter(campaign=campaign).delete()
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
INSERT INTO campaigns_audiencecell (campaign_id, reason, interest, value_band, language, channel, size, sums)
SELECT %s, p.reason, p.interest, p.value_band, p.language, p.channel, count(*), {sums_sql()}
FROM {PEOPLE} p WHERE p.arm <> '{Arm.EXCLUDED}'
GROUP BY p.reason, p.interest, p.value_band, p.language, p.channel
RETURNING reason, interest, value_band, language, channel, size""",
            [campaign.pk],
        )
        return {Cell(*row[:5]): row[5] for row in cursor.fetchall()}


def store_archetypes(
    campaign: Campaign, groups: Sequence[Group], sizes: Mapping[Cell, int], former: Mapping[Cell, int]
) -> None:
    """Write an archetype for every group and put its cells into it.

    A group carries on the archetype that most of its people were in, with its texts; an archetype that nobody carries on
    goes with them. `former`: the archetype of each cell before. The members are the caller's to write.
    """
    heirs = find_heirs(groups, former, sizes)
    Archetype.objects.filter(campaign=campaign).exclude(pk__in=heirs.values()).delete()
    # A cell's name is unique in its campaign: two that change places need a third for a moment.
    with connection.cursor() as cursor:
        cursor.execute("UPDATE campaigns_archetype SET cell = '~' || id WHERE campaign_id = %s", [campaign.pk])
    kept = Archetype.objects.in_bulk(list(heirs.values()))
    rows = [
        _fill(kept[heirs[index]] if index in heirs else Archetype(campaign=campaign), group, sizes)
        for index, group in enumerate(groups)
    ]
    Archetype.objects.bulk_update(
        [row for row in rows if row.pk], ["cell", "size", "is_shaped", "samples", "reason", "interest", "value_band"]
    )
    Archetype.objects.bulk_create([row for row in rows if not row.pk])
    _place_cells(campaign, groups, rows)


def assign_members(campaign: Campaign) -> None:
    """Put the frozen members into the archetypes of their cells; those who are there already stay untouched."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE campaigns_audiencemember m SET archetype_id = c.archetype_id FROM campaigns_audiencecell c"
            " WHERE m.campaign_id = %s AND c.id = m.cell_id AND m.archetype_id IS DISTINCT FROM c.archetype_id",
            [campaign.pk],
        )


def choose_samples(campaign: Campaign) -> None:
    """Note up to SAMPLES people near the middle of each archetype, who get the message where there are such: nearest by
    churn probability and expected value, each in standard deviations. The same people as long as nothing changes."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
WITH members AS (
  SELECT archetype_id, customer_id, arm, churn_probability, coalesce(expected_value, 0)::float8 AS worth
  FROM campaigns_audiencemember WHERE campaign_id = %(campaign)s AND archetype_id IS NOT NULL
),
middle AS (
  SELECT archetype_id, avg(churn_probability) AS risk, nullif(stddev_pop(churn_probability), 0) AS risk_spread,
         avg(worth) AS worth, nullif(stddev_pop(worth), 0) AS worth_spread
  FROM members GROUP BY archetype_id
),
placed AS (
  SELECT m.archetype_id, m.customer_id, row_number() OVER (
           PARTITION BY m.archetype_id
           ORDER BY m.arm = '{Arm.HOLDOUT}',
                    round((coalesce(abs(m.churn_probability - a.risk) / a.risk_spread, 0)
                           + coalesce(abs(m.worth - a.worth) / a.worth_spread, 0))::numeric, 6), m.customer_id
         ) AS place
  FROM members m JOIN middle a USING (archetype_id)
)
UPDATE campaigns_archetype a SET samples = found.people
FROM (SELECT archetype_id, jsonb_agg(customer_id ORDER BY place) AS people FROM placed
      WHERE place <= {SAMPLES} GROUP BY archetype_id) AS found
WHERE a.id = found.archetype_id""",
            {"campaign": campaign.pk},
        )


def _fill(archetype: Archetype, group: Group, sizes: Mapping[Cell, int]) -> Archetype:
    sides = describe_cells(group.cells, sizes)
    for name, value in asdict(sides).items():
        setattr(archetype, name, value)
    archetype.cell = heart_of(group.cells, sizes).key
    archetype.size, archetype.is_shaped, archetype.samples = count_people(group, sizes), group.is_shaped, []
    return archetype


def _place_cells(campaign: Campaign, groups: Sequence[Group], archetypes: Sequence[Archetype]) -> None:
    homes = [
        {**asdict(cell), "archetype": archetype.pk}
        for group, archetype in zip(groups, archetypes, strict=True)
        for cell in group.cells
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE campaigns_audiencecell c SET archetype_id = h.archetype"
            " FROM jsonb_to_recordset(%s::jsonb) AS h(reason text, interest text, value_band text, language text,"
            " channel text, archetype bigint)"
            " WHERE c.campaign_id = %s AND (c.reason, c.interest, c.value_band, c.language, c.channel)"
            " = (h.reason, h.interest, h.value_band, h.language, h.channel)",
            [json.dumps(homes), campaign.pk],
        )
