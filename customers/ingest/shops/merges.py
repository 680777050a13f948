"""Customers whom the shop itself made one: which pairs of ours they are, and what then is no deletion any more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.db.models import F, Q

from customers.ingest.identity import find_identities
from customers.models import MergeSuggestion

from .sales import NotThere
from .told import ToldMerge, ToldRequest


def find_pairs(told: Sequence[ToldMerge], people: Mapping[str, int]) -> list[tuple[int, int]]:
    """(the row that is gone in the shop, the row that it kept), of those who are two here.

    Raises NotThere where we know the one who is gone and not yet the one who was kept.
    """
    pairs = []
    for one in told:
        if one.gone not in people:
            continue
        if one.kept not in people:
            raise NotThere(f"the customer {one.kept} is not here yet")
        if people[one.gone] != people[one.kept]:
            pairs.append((people[one.gone], people[one.kept]))
    return pairs


def without_merged_away(requests: Sequence[ToldRequest], *, source: str) -> list[ToldRequest]:
    """The requests less the deletions of customers who only became a part of another one: the shop deletes the empty account.

    What a person asked for by law is never passed over.
    """
    deletions = {one.customer for one in requests if _is_deletion(one)}
    if not deletions:
        return list(requests)
    rows = find_identities(source, deletions)
    said = MergeSuggestion.objects.filter(Q(first__in=rows.values()) | Q(second__in=rows.values()))
    said = said.filter(why=MergeSuggestion.Why.SHOP, keeps__isnull=False).exclude(status=MergeSuggestion.Status.APART)
    losers = set(said.filter(keeps=F("first")).values_list("second", flat=True))
    losers |= set(said.filter(keeps=F("second")).values_list("first", flat=True))
    gone = {name for name, pk in rows.items() if pk in losers}
    return [one for one in requests if not (_is_deletion(one) and one.customer in gone)]


def _is_deletion(request: ToldRequest) -> bool:
    return request.kind == "erasure" and bool(request.customer) and not request.by_law
