"""What the text messages of a campaign are billed as, before anybody approves: parts, and their price where one is set."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings
from django.db.models import Count

from campaigns.content.channels.sms import count_segments
from campaigns.content.rendering import RenderError, load_source, render_for
from campaigns.content.samples import list_samples
from campaigns.models import Arm, AudienceMember, Campaign, Variant
from customers.models import Channel


@dataclass(frozen=True)
class TextCost:
    """`fewest` and `most` parts over all people: by the shortest and longest copy among the samples of each text. `price` is of
    one part, in the shop's currency; None where none is set. Several steps are all counted, as if nobody left before."""

    people: int
    fewest: int
    most: int
    price: Decimal | None
    currency: str

    @property
    def least(self) -> Decimal | None:
        return None if self.price is None else self.price * self.fewest

    @property
    def at_most(self) -> Decimal | None:
        return None if self.price is None else self.price * self.most


def estimate_text_cost(campaign: Campaign) -> TextCost | None:
    """None where nobody is reached by text message. Some queries for each text of that channel."""
    treated = AudienceMember.objects.filter(campaign=campaign, arm=Arm.TREATMENT, archetype__channel=Channel.SMS)
    people = dict(treated.values_list("archetype").annotate(Count("pk")))
    if not people:
        return None
    parts: dict[tuple[int, int], list[int]] = defaultdict(list)
    texts = Variant.objects.filter(archetype__in=list(people)).select_related("archetype__campaign")
    for variant in texts:
        parts[variant.archetype_id, variant.step] += _count_parts(variant)
    fewest = sum(people[archetype] * min(found, default=1) for (archetype, _step), found in parts.items())
    most = sum(people[archetype] * max(found, default=1) for (archetype, _step), found in parts.items())
    price = Decimal(str(settings.SMS_PART_PRICE)) if settings.SMS_PART_PRICE else None
    return TextCost(sum(people.values()), fewest, most, price, settings.SHOP_CURRENCY)


def _count_parts(variant: Variant) -> list[int]:
    """Of the copies for its samples and for somebody of whom nothing is known."""
    source, found = load_source(variant), []
    for customer in (None, *list_samples(variant)):
        try:
            found.append(count_segments(render_for(source, variant.archetype.language, customer).text).segments)
        except RenderError:
            continue
    return found
