"""What a marketer changes in how an audience is split: two archetypes put together, a part taken out, another number.

Only while the campaign is a draft (TransitionConflict). What a person shaped outlives a new freeze; the texts of an
archetype stay with the group that holds most of its people. `campaigns.approval.editing` voids what was approved.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import replace

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from campaigns.models import Archetype, Campaign, CampaignStatus, TransitionConflict

from .archetypes import (
    assign_members,
    choose_samples,
    read_cell,
    read_groups,
    read_sizes,
    store_archetypes,
)
from .cells import SIDES, SMALLEST_PEOPLE, Cell, Group, heart_of, smallest_size
from .grouping import group_cells
from .kinship import read_nearness

#: What a change makes of the groups and the archetype of each cell.
Plan = tuple[list[Group], Mapping[Cell, int]]


def merge_archetypes(campaign: Campaign, first: Archetype, second: Archetype, *, now: dt.datetime) -> Archetype:
    """Put two archetypes of one language and channel together. The larger goes on with its texts, or else the one that
    has texts; those of the other go. Raises ValidationError where they may not be mixed."""
    if first.pk == second.pk:
        raise ValidationError(_("Choose another archetype to put this one together with."))
    if (first.language, first.channel) != (second.language, second.channel):
        raise ValidationError(_("Archetypes of two languages or channels need two texts: they cannot be put together."))
    heir, _other = sorted(
        (first, second), key=lambda archetype: (not archetype.variants.exists(), -archetype.size, archetype.pk)
    )

    def plan(groups: list[Group], homes: Mapping[Cell, int]) -> Plan:
        ids = {first.pk, second.pk}
        cells = frozenset(cell for cell, archetype in homes.items() if archetype in ids)
        rest = [group for group in groups if not group.cells & cells]
        return [*rest, Group(cells, is_shaped=True)], {**homes, **dict.fromkeys(cells, heir.pk)}

    _reshape(campaign, plan, now=now)
    return Archetype.objects.get(pk=heir.pk)


def take_out_part(campaign: Campaign, archetype: Archetype, side: str, value: str, *, now: dt.datetime) -> Archetype:
    """Make those of an archetype who have this value of a side (such as: who like Cookware) an archetype of their own.

    Where that is one more than the chosen number, the number grows by one. Raises ValidationError where they are nobody,
    everybody, or too few.
    """
    if side not in SIDES:
        raise ValidationError(_("Choose a part of this archetype."))
    part = {read_cell(row): row.size for row in archetype.cells.filter(**{side: value})}
    if not part or len(part) == archetype.cells.count():
        raise ValidationError(_("Choose a part of this archetype."))
    if sum(part.values()) < SMALLEST_PEOPLE:
        # What is told of so few would tell of single persons, to the language model too.
        raise ValidationError(
            _("Fewer than %(n)d people cannot stand alone: what is true of them would tell of single persons.")
            % {"n": SMALLEST_PEOPLE}
        )

    def plan(groups: list[Group], homes: Mapping[Cell, int]) -> Plan:
        if len(groups) + 1 > settings.MOST_ARCHETYPES:
            raise ValidationError(
                _("There are %(n)d archetypes already. Put two of them together first.") % {"n": len(groups)}
            )
        rest = [replace(group, cells=group.cells - part.keys()) for group in groups]
        left = {cell: home for cell, home in homes.items() if cell not in part}
        return [*rest, Group(frozenset(part), is_shaped=True)], left

    _reshape(campaign, plan, now=now, may_grow=True)
    return Archetype.objects.get(campaign=campaign, cell=heart_of(part, part).key)


def split_again(campaign: Campaign, *, now: dt.datetime, forget: bool = False) -> int:
    """Split the frozen audience into `campaign.max_archetypes` again; returns how many archetypes there are now.

    What a person shaped stays, unless they want it forgotten.
    """

    def plan(groups: list[Group], homes: Mapping[Cell, int]) -> Plan:
        sizes = read_sizes(campaign)
        kept = [group for group in groups if group.is_shaped and not forget]
        found = group_cells(
            sizes,
            read_nearness(sizes, campaign),
            limit=campaign.max_archetypes,
            smallest=smallest_size(sum(sizes.values())),
            kept=kept,
        )
        return found, homes

    return _reshape(campaign, plan, now=now)


def _reshape(
    campaign: Campaign,
    plan: Callable[[list[Group], Mapping[Cell, int]], Plan],
    *,
    now: dt.datetime,
    may_grow: bool = False,
) -> int:
    """Carry out a plan under the campaign's lock; returns how many archetypes there are. `may_grow`: the chosen number
    follows where there are more."""
    with transaction.atomic():
        locked = Campaign.objects.select_for_update().filter(pk=campaign.pk, status=CampaignStatus.DRAFT).first()
        if locked is None:
            raise TransitionConflict(_("Archetypes can be changed only while the campaign is a draft."))
        groups, homes = read_groups(locked)
        if not groups:
            raise ValidationError(_("Freeze the audience first: there are no archetypes yet."))
        planned, former = plan(groups, homes)
        store_archetypes(locked, planned, read_sizes(locked), former)
        assign_members(locked)
        choose_samples(locked)
        most = max(locked.max_archetypes, len(planned) if may_grow else 0)
        Campaign.objects.filter(pk=locked.pk).update(max_archetypes=most, updated_at=now)
    campaign.refresh_from_db()
    return len(planned)
