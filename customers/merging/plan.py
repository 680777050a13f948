"""What a merge would do, worked out and not done: for the page, and for the merge itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import connection
from django.utils.translation import gettext as _

from customers.ingest.copying import Cursor
from customers.ingest.merged import list_identities
from customers.models import Customer
from customers.models.customer import ERASED_SOURCE, MERGED_SOURCE

from . import details, moving
from .consents import Held, weigh_consents


class CannotMerge(ValueError):
    """The two cannot be merged, or a merge cannot be undone; the text says why, for staff."""


@dataclass(frozen=True)
class Contamination:
    """A campaign in which one of the two was held out and the other was not. Both rows stay."""

    campaign: int
    loser: str
    survivor: str


@dataclass(frozen=True)
class Plan:
    """`changes` are columns of the survivor's row, `chosen` of their preferences, with the new values; `moved` counts rows.
    `preference` is the row of the survivor's preferences as it stands, None where there is none."""

    loser: details.JSON
    survivor: details.JSON
    changes: details.JSON
    chosen: details.JSON
    preference: details.JSON | None
    consents: list[Held]
    moved: dict[str, int]
    contaminated: list[Contamination]


def plan_merge(loser: int, survivor: int, *, counts: bool = True) -> Plan:
    """What merging would do now. Raises CannotMerge. `counts` False leaves the rows uncounted."""
    with connection.cursor() as cursor:
        theirs, mine = _read_both(cursor, loser, survivor)
        changes = details.combine_customers(theirs, mine)
        preference = details.read_preference_row(cursor, survivor)
        return Plan(
            loser=theirs,
            survivor=mine,
            changes=changes,
            chosen=details.combine_preferences(details.read_preference_row(cursor, loser), preference),
            preference=preference,
            consents=weigh_consents(theirs, mine, mine | changes),
            moved=moving.count_rows(cursor, loser) if counts else {},
            contaminated=find_contamination(cursor, loser, survivor),
        )


def find_contamination(cursor: Cursor, loser: int, survivor: int) -> list[Contamination]:
    """Campaigns that drew the two, or anybody merged into them, into different arms."""
    arms = [_read_arms(cursor, number) for number in (loser, survivor)]
    return [
        Contamination(campaign, theirs, mine)
        for campaign in sorted(arms[0].keys() & arms[1].keys())
        for theirs, mine in [_differing(arms[0][campaign], arms[1][campaign])]
        if theirs
    ]


def _differing(theirs: set[str], mine: set[str]) -> tuple[str, str]:
    """One arm of each, where one was held out and the other was not; ("", "") else."""
    for one, other in (("holdout", "treatment"), ("treatment", "holdout")):
        if one in theirs and other in mine:
            return one, other
    return "", ""


def _read_arms(cursor: Cursor, number: int) -> dict[int, set[str]]:
    """By campaign. Every table that has a campaign, a customer and an arm; the campaigns themselves stand above us."""
    people = list_identities(number)
    arms: dict[int, set[str]] = {}
    for model in _list_drawn():
        cursor.execute(
            f'SELECT campaign_id, arm FROM "{model._meta.db_table}" WHERE customer_id = ANY(%s) GROUP BY 1, 2', [people]
        )
        for campaign, arm in cursor.fetchall():
            arms.setdefault(campaign, set()).add(arm)
    return arms


def _list_drawn() -> list[Any]:
    wanted = {"campaign_id", "customer_id", "arm"}
    return [
        model
        for model in sorted(apps.get_models(), key=lambda model: model._meta.label)
        if model._meta.managed and wanted <= {field.column for field in model._meta.concrete_fields}
    ]


def _read_both(cursor: Cursor, loser: int, survivor: int) -> tuple[details.JSON, details.JSON]:
    if loser == survivor:
        raise CannotMerge(_("This is one and the same customer."))
    try:
        rows = details.read_customer(cursor, loser), details.read_customer(cursor, survivor)
    except Customer.DoesNotExist as error:
        raise CannotMerge(_("One of the two is not there any more.")) from error
    for row in rows:
        if row["source"] == ERASED_SOURCE:
            raise CannotMerge(_("One of the two was erased."))
        if row["source"] == MERGED_SOURCE:
            raise CannotMerge(_("One of the two was merged meanwhile. Look at the list of merges."))
    return rows
