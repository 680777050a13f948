"""Every table that refers to a customer, found in the models, and what becomes of its rows in a merge."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.apps import apps
from django.db import models

from customers.models import Customer, OnMerge

#: The column that says under whom a row came.
CAME_AS = "came_as"


@dataclass(frozen=True)
class MergedTable:
    """A model, its column with the customer's number, and the columns that name a row beside it."""

    model: type[models.Model]
    column: str
    keys: tuple[str, ...]
    rule: OnMerge | None
    says_whose: bool

    @property
    def label(self) -> str:
        return self.model._meta.label

    @property
    def name(self) -> str:
        return self.model._meta.db_table

    @property
    def follows(self) -> bool:
        return self.rule in (None, OnMerge.UNLESS_THERE)

    @property
    def unique_beside(self) -> list[list[str]]:
        """The other columns of each unique key that holds the customer."""
        return [sorted(key - {self.column}) for key in _unique(self.model) if self.column in key]


@lru_cache(maxsize=1)
def list_merged_tables() -> tuple[MergedTable, ...]:
    """One for each column that refers to a customer, in the order of their names."""
    found = []
    for model in sorted(apps.get_models(), key=lambda model: model._meta.label):
        if not model._meta.managed or model._meta.proxy:
            continue
        for field in model._meta.concrete_fields:
            if field.related_model is Customer:
                found.append(_describe(model, field))
    return tuple(found)


def list_undecided() -> list[str]:
    """Tables that may hold one row per customer and do not say what becomes of two: a merge would break on their key."""
    return sorted({t.label for t in list_merged_tables() if t.rule is None and t.unique_beside})


def _describe(model: type[models.Model], field: models.Field[Any, Any]) -> MergedTable:
    columns = [str(column.column) for column in model._meta.concrete_fields]
    primary = [str(part.column) for part in model._meta.pk_fields]
    rule = getattr(model, "on_merge", None)
    return MergedTable(
        model=model,
        column=str(field.column),
        keys=tuple(name for name in primary if name != field.column),
        rule=rule if isinstance(rule, OnMerge) else None,
        says_whose=CAME_AS in columns,
    )


def _unique(model: type[models.Model]) -> list[set[str]]:
    """The columns of every unique key."""
    meta: Any = model._meta
    keys = [{part.column for part in meta.pk_fields}]
    keys += [{field.column} for field in meta.concrete_fields if field.unique]
    named = [constraint.fields for constraint in meta.constraints if isinstance(constraint, models.UniqueConstraint)]
    return keys + [{meta.get_field(name).column for name in names} for names in [*named, *meta.unique_together]]
