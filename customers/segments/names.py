"""What the things that a rule names are called now: products, segments, campaigns.

One query of each kind for any number of rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from customers.models import Product, Segment

from .nodes import Behaviour, Membership, MessageAct, Orders, Rule, walk

NameCampaigns = Callable[[Iterable[str]], Mapping[str, str]]
ListCampaigns = Callable[[int], Mapping[str, str]]
_tellers: list[NameCampaigns] = []
_listers: list[ListCampaigns] = []


def tell_campaign_names(teller: NameCampaigns, lister: ListCampaigns) -> None:
    """Let the app above, which alone knows campaigns, say what they are called, and which are the newest; the keys are ids as
    the event log has them."""
    if teller not in _tellers:
        _tellers.append(teller)
        _listers.append(lister)


def list_campaigns(most: int) -> dict[str, str]:
    """The names of the newest campaigns by id, newest first."""
    return {key: name for lister in _listers for key, name in lister(most).items()}


@dataclass(frozen=True)
class Names:
    """Names by sku, by segment and by campaign; a thing that is gone has none. `archived` are segments put away."""

    products: Mapping[str, str] = field(default_factory=dict)
    segments: Mapping[int, str] = field(default_factory=dict)
    archived: frozenset[int] = frozenset()
    campaigns: Mapping[str, str] = field(default_factory=dict)


def read_names(*rules: Rule) -> Names:
    """The names of all that `rules` name; nothing is asked where they name nothing."""
    products, segments, campaigns = _collect(rules)
    told = {sku: name or sku for sku, name in _products(products)} if products else {}
    rows = list(Segment.objects.filter(pk__in=segments).values_list("pk", "name", "is_archived")) if segments else []
    return Names(
        told,
        {pk: name for pk, name, _archived in rows},
        frozenset(pk for pk, _name, is_archived in rows if is_archived),
        {key: name for teller in _tellers for key, name in teller(campaigns).items()} if campaigns else {},
    )


def _products(skus: set[str]) -> Iterable[tuple[str, str]]:
    return Product.objects.filter(sku__in=skus).values_list("sku", "name")


def _collect(rules: Iterable[Rule]) -> tuple[set[str], set[int], set[str]]:
    products: set[str] = set()
    segments: set[int] = set()
    campaigns: set[str] = set()
    for rule in rules:
        for _path, part in walk(rule):
            if isinstance(part, Behaviour | Orders) and part.ware.product:
                products.add(part.ware.product)
            elif isinstance(part, Membership):
                segments.add(part.segment)
            elif isinstance(part, MessageAct) and part.campaign:
                campaigns.add(part.campaign)
    return products, segments, campaigns
