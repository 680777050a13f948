"""What is true of the people of an archetype: sentences from data alone, each with the share of people it is true of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from campaigns.models import AudienceCell, ValueBand
from customers.features.catalogue import THEMES

from .measures import CLAIMS
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


def find_truths(cells: Sequence[AudienceCell], everybody: Sequence[AudienceCell], *, least: float) -> Iterable[Truth]:
    """Sentences that are true of at least `least` of the people: of each family of claims the one that says most."""
    people, crowd = (sum(cell.size for cell in some) for some in (cells, everybody))
    if not people:
        return
    for side, value in _find_common(cells, least * people):
        share, audience_share = (
            _count_side(some, side, value) / of for some, of in ((cells, people), (everybody, crowd))
        )
        yield Truth(side, _say_side(side, value), share, audience_share)
    for family in CLAIMS.values():
        for key in family:
            number = _count_claim(cells, key)
            if number >= least * people:
                yield Truth(key, str(CLAIM_SENTENCES[key]), number / people, _count_claim(everybody, key) / crowd)
                break


def _find_common(cells: Sequence[AudienceCell], least: float) -> Iterable[tuple[str, str]]:
    for side in ("reason", "interest", "value_band"):
        for value in sorted({getattr(cell, side) for cell in cells} - {""}):
            if _count_side(cells, side, value) >= least:
                yield side, value


def _count_side(cells: Iterable[AudienceCell], side: str, value: str) -> int:
    return sum(cell.size for cell in cells if getattr(cell, side) == value)


def _count_claim(cells: Iterable[AudienceCell], key: str) -> int:
    return sum(cell.sums.get("claims", {}).get(key, 0) for cell in cells)


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
