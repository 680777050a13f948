"""Every table that tells of a person, found in the models: one that is added tomorrow is exported and erased as well."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.apps import apps
from django.db import models

from customers.models import Customer
from customers.models.personal import KeptOnErasure


@dataclass(frozen=True)
class PersonalTable:
    """A model and the way from its rows to the customer, as a lookup ("" for the customer's own)."""

    model: type[models.Model]
    path: str

    @property
    def kept(self) -> KeptOnErasure | None:
        """What stays of its rows when the person is erased; None where they go."""
        found: Any = getattr(self.model, "on_erasure", None)
        return found if isinstance(found, KeptOnErasure) else None

    def rows_of(self, customer_id: int) -> models.QuerySet[Any]:
        return self.model._default_manager.filter(**{self.path or "pk": customer_id})


@lru_cache(maxsize=1)
def list_personal_tables() -> tuple[PersonalTable, ...]:
    """Customer first, then every table that refers to it, over however many others; parents before children."""
    found: dict[type[models.Model], PersonalTable] = {Customer: PersonalTable(Customer, "")}
    models_left = sorted(
        (model for model in apps.get_models() if model._meta.managed and not model._meta.proxy),
        key=lambda model: model._meta.label,
    )
    while True:
        more: dict[type[models.Model], PersonalTable] = {}
        for model in models_left:
            parent = next((f for f in model._meta.concrete_fields if f.related_model in found), None)
            if model in found or parent is None:
                continue
            outer = found[parent.related_model].path  # type: ignore[index]
            more[model] = PersonalTable(model, f"{parent.name}__{outer}" if outer else parent.name)
        if not more:
            return tuple(found.values())
        found |= more
