"""Every table that tells of a person, found in the models: one that is added tomorrow is exported and erased as well."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.apps import apps
from django.db import models

from customers.models import Customer, CustomerAlias, HeldEvent
from customers.models.kept_files import KeptFiles
from customers.models.personal import KeptOnErasure


@dataclass(frozen=True)
class PersonalTable:
    """A model and the way from its rows to the customer, as a lookup ("" for the customer's own). A row that names several
    customers tells of each of them: `others` are the further ways. `address`: the way to the address that names the
    person while a
    row is tied to nobody (`Model.named_by_address`); "" where rows name nobody so."""

    model: type[models.Model]
    path: str
    others: tuple[str, ...] = ()
    address: str = ""

    @property
    def kept(self) -> KeptOnErasure | None:
        """What stays of its rows when the person is erased; None where they go."""
        found: Any = getattr(self.model, "on_erasure", None)
        return found if isinstance(found, KeptOnErasure) else None

    @property
    def files(self) -> KeptFiles | None:
        """The files that its rows name; None where they name none."""
        found: Any = getattr(self.model, "kept_files", None)
        return found if isinstance(found, KeptFiles) else None

    def rows_of(self, *customer_ids: int, addresses: Collection[str] = ()) -> models.QuerySet[Any]:
        """Rows of the customers, and those of nobody that name one of the addresses, whatever its case."""
        ways = models.Q(**{f"{self.path or 'pk'}__in": customer_ids})
        for other in self.others:
            ways |= models.Q(**{f"{other}__in": customer_ids})
        if self.address:
            for address in addresses:
                ways |= models.Q(**{f"{self.path}__isnull": True, f"{self.address}__iexact": address})
        return self.model._default_manager.filter(ways)


def held_of(customer: Customer) -> models.QuerySet[HeldEvent]:
    """Events of visitors who turned out to be this person, as far as they are still held."""
    visitors = CustomerAlias.objects.filter(customer=customer, is_visitor=True)
    theirs = visitors.filter(source=models.OuterRef("source"), external_id=models.OuterRef("visitor"))
    return HeldEvent.objects.filter(models.Exists(theirs))


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
            above = found[parent.related_model]  # type: ignore[index]
            outer = above.path
            address = getattr(model, "named_by_address", "") or (above.address and f"{parent.name}__{above.address}")
            direct = [f.name for f in model._meta.concrete_fields if f.related_model is Customer and f is not parent]
            path = f"{parent.name}__{outer}" if outer else parent.name
            more[model] = PersonalTable(model, path, tuple(direct), address)
        if not more:
            return tuple(found.values())
        found |= more
