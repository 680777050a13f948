"""Whom traits are of that come with an `anonymousId` alone: of whom it is known to be, or of nobody yet, and then it is said."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from django.utils.translation import gettext as _

from customers.ingest.identity import find_visitors
from customers.models import Customer, CustomerAlias

from .calls import Fault, Received


def name_visitors(received: Sequence[Received], faults: list[Fault], source: str) -> list[Received]:
    """`identify` and `group` of a visitor who is known get their `userId`; the others go to `faults`, because an event can wait
    for somebody to say who it was, and traits cannot."""
    asked = {str(item.call.anonymousId) for item in received if _tells_of_visitor(item)}
    if not asked:
        return list(received)
    names = _find_names(asked, source)
    names |= {str(item.call.anonymousId): item.call.userId for item in received if item.call.userId}
    kept = []
    for item in received:
        if not _tells_of_visitor(item):
            kept.append(item)
        elif name := names.get(str(item.call.anonymousId)):
            kept.append(dataclasses.replace(item, call=item.call.model_copy(update={"userId": name})))
        else:
            sentence = _("Traits are kept of people: give userId, here or in an earlier call with this anonymousId.")
            faults.append(Fault(item.index, "userId", sentence))
    return kept


def _tells_of_visitor(item: Received) -> bool:
    return item.call.type in {"identify", "group"} and not item.call.userId


def _find_names(visitors: set[str], source: str) -> dict[str, str]:
    """The shop's ids of those who are known; of who was merged the id that they had, which leads to the survivor."""
    owners = find_visitors(source, visitors)
    people = Customer.objects.filter(pk__in=owners.values(), source=source).values_list("pk", "external_id")
    names: dict[int | None, str] = dict(people)
    if merged := set(owners.values()) - names.keys():
        former = CustomerAlias.objects.filter(source=source, is_visitor=False, came_as__in=merged)
        names |= dict(former.values_list("came_as", "external_id"))
    return {visitor: names[who] for visitor, who in owners.items() if who in names}
