"""What is true of the people of an archetype: sentences from data alone, each with the share of people it is true of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from campaigns.models import ValueBand
from customers.features.catalogue import THEMES

from .measures import CLAIMS
from .totals import Totals
from .wording import CLAIM_SENTENCES


@dataclass(frozen=True)
class Truth:
    """A sentence, the share of the archetype's people that it is true of, and of the whole audience; 0 to 1."""

    key: str
    sentence: str
    share: float
    audience_share: float

    def __str__(self) -> str:
        return self.sentence


def find_truths(totals: Totals, everybody: Totals, *, least: float) -> Iterable[Truth]:
    """Sentences that are true of at least `least` of the people: of each family of claims the one that says most."""
    if not totals.people:
        return
    for side, counts in totals.sides.items():
        for value in sorted(counts):
            if value and counts[value] >= least * totals.people:
                share, audience_share = totals.share_with(side, value), everybody.share_with(side, value)
                yield Truth(side, _say_side(side, value), share, audience_share)
    for family in CLAIMS.values():
        for key in family:
            if totals.claims.get(key, 0) >= least * totals.people:
                yield Truth(key, str(CLAIM_SENTENCES[key]), totals.share_claimed(key), everybody.share_claimed(key))
                break


def _say_side(side: str, value: str) -> str:
    if side == "reason":
        theme = THEMES.get(value)
        return _("Their main reason for leaving: %(reason)s") % {"reason": theme.label if theme else value}
    if side == "interest":
        return _("Like %(interest)s most") % {"interest": value}
    return {
        ValueBand.LOW: _("Among the half of our customers that spent least"),
        ValueBand.MIDDLE: _("Spent more than half of our customers, less than the top fifth"),
        ValueBand.HIGH: _("Among the fifth of our customers that spent most"),
    }[ValueBand(value)]
