"""The card of an archetype: how many, who they are in numbers beside the audience, three of them, and what is true.

Everything but the three people comes from the sums that were kept when the audience was frozen: a card costs the same
for a hundred people and for a million, and all cards of a campaign cost the same few queries as one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from campaigns.models import Archetype, AudienceCell, AudienceMember, Campaign, ValueBand
from customers.features.catalogue import THEMES
from customers.ingest.currency import read_shop_currency
from customers.models import Channel
from customers.scoring.explain import describe_value

from .archetypes import label_cell, label_side
from .cells import COMMON_SHARE, SMALLEST_PEOPLE, Cell
from .connected import is_sent
from .people import CHINESE
from .totals import Totals, add_up
from .truths import Truth, find_truths
from .wording import NUMBERS, compare, lean

#: So many categories are named on a card.
CATEGORIES = 3


@dataclass(frozen=True)
class Number:
    """A mean over the archetype beside the mean over the whole audience; `told` and `told_average` with their unit."""

    key: str
    label: str
    value: float
    average: float
    told: str
    told_average: str

    @property
    def leaning(self) -> str:
        """ "above", "below", or "" where the difference is small (`wording.lean`)."""
        return lean(self.value, self.average)


@dataclass(frozen=True)
class Part:
    """People of an archetype who have one value of a side in common, where the archetype holds several: "12 who like
    Cookware most". `may_stand_alone`: enough to be taken out."""

    side: str
    value: str
    label: str
    size: int
    may_stand_alone: bool


@dataclass(frozen=True)
class Sample:
    """One of the people near the middle. Personal: for the page alone."""

    customer_id: int
    name: str
    language: str
    country: str
    churn_probability: float | None
    expected_value: Decimal | None


@dataclass(frozen=True)
class Card:
    """Who the people of an archetype are. Words are in the language that was active when the card was built.

    `reason`, `interest` and `value_band` are "" where the people have none in common. `share` is of the audience.
    `categories` are (name, share of the people who like it most, share of the audience who do).
    """

    label: str
    size: int
    share: float
    reason: str
    meaning: str
    interest: str
    value_band: str
    language: str
    channel: str
    is_sent: bool
    numbers: tuple[Number, ...]
    categories: tuple[tuple[str, float, float], ...]
    parts: tuple[Part, ...]
    truths: tuple[Truth, ...]
    samples: tuple[Sample, ...]


def build_card(archetype: Archetype) -> Card:
    """The card of one archetype; two queries and one for the samples."""
    return build_cards(archetype.campaign, [archetype])[archetype.pk]


def build_cards(campaign: Campaign, archetypes: Iterable[Archetype] | None = None) -> dict[int, Card]:
    """Cards by archetype id, of all archetypes or of some; the number of queries is the same for one and for thirty."""
    chosen = list(Archetype.objects.filter(campaign=campaign) if archetypes is None else archetypes)
    cells = list(AudienceCell.objects.filter(campaign=campaign))
    samples = _read_samples(campaign, chosen)
    currency, everybody = read_shop_currency(), add_up(cells)
    return {
        archetype.pk: _fill_card(
            archetype,
            add_up(cell for cell in cells if cell.archetype_id == archetype.pk),
            everybody,
            tuple(samples[person] for person in archetype.samples if person in samples),
            currency,
        )
        for archetype in chosen
    }


def card_for_prompt(card: Card) -> dict[str, Any]:
    """What a language model is told of an archetype: JSON without any person in it and without a figure.

    Of fewer than SMALLEST_PEOPLE only the sides are told: what is true of so few would tell of single persons. Build the
    card in the language of the prompt (`django.utils.translation.override`).
    """
    told: dict[str, Any] = {
        "why_they_leave": card.reason,
        "which_means": card.meaning,
        "what_they_like": card.interest,
        "value": card.value_band,
        "language": card.language,
        "channel": card.channel,
    }
    if card.size < SMALLEST_PEOPLE:
        return told | {"beside_the_audience": [], "true_of_most": []}
    beside = [f"{number.label}: {compare(number.value, number.average)}" for number in card.numbers]
    return told | {"beside_the_audience": beside, "true_of_most": [truth.sentence for truth in card.truths]}


def _fill_card(
    archetype: Archetype, totals: Totals, everybody: Totals, samples: tuple[Sample, ...], currency: str
) -> Card:
    theme = THEMES.get(archetype.reason)
    sides = Cell(archetype.reason, archetype.interest, archetype.value_band, archetype.language, archetype.channel)
    return Card(
        label=label_cell(sides),
        size=archetype.size,
        share=archetype.size / everybody.people if everybody.people else 0.0,
        reason=str(theme.label) if theme else "",
        meaning=str(theme.meaning) if theme else "",
        interest=archetype.interest,
        value_band=str(ValueBand(archetype.value_band).label) if archetype.value_band else "",
        language=_("Chinese") if archetype.language == CHINESE else _("English"),
        channel=str(Channel(archetype.channel).label),
        is_sent=is_sent(archetype.channel),
        numbers=tuple(_compare_numbers(totals, everybody, currency)),
        categories=tuple(_rank_categories(totals, everybody)),
        parts=tuple(_list_parts(totals)),
        truths=tuple(find_truths(totals, everybody, least=COMMON_SHARE)),
        samples=samples,
    )


def _compare_numbers(totals: Totals, everybody: Totals, currency: str) -> Iterable[Number]:
    for key, (label, unit) in NUMBERS.items():
        value, average = totals.mean(key), everybody.mean(key)
        if value is None or average is None:
            continue
        told, told_average = (describe_value(unit, number, currency) for number in (value, average))
        yield Number(key, str(label), value, average, told, told_average)


def _rank_categories(totals: Totals, everybody: Totals) -> Iterable[tuple[str, float, float]]:
    named = [(name, number) for name, number in totals.sides["interest"].items() if name]
    for name, _number in sorted(named, key=lambda item: (-item[1], item[0]))[:CATEGORIES]:
        yield name, totals.share_with("interest", name), everybody.share_with("interest", name)


def _list_parts(totals: Totals) -> Iterable[Part]:
    """Side by side, the largest part of each first; a side that all share has none."""
    for side, sizes in totals.sides.items():
        if len(sizes) > 1:
            for value, size in sorted(sizes.items(), key=lambda item: (-item[1], item[0])):
                yield Part(side, value, label_side(side, value), size, size >= SMALLEST_PEOPLE)


def _read_samples(campaign: Campaign, archetypes: Iterable[Archetype]) -> dict[int, Sample]:
    wanted = [person for archetype in archetypes for person in archetype.samples]
    members = AudienceMember.objects.filter(campaign=campaign, customer__in=wanted).select_related("customer")
    return {
        member.customer_id: Sample(
            member.customer_id,
            member.customer.display_name,
            member.customer.language,
            member.customer.country,
            member.churn_probability,
            member.expected_value,
        )
        for member in members
    }
