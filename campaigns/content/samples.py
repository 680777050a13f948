"""The people whom a text is shown for: those of the archetype's card, or some of its members."""

from __future__ import annotations

from campaigns.models import Arm, AudienceMember, Variant
from customers.models import Customer

SHOWN = 3


def list_samples(variant: Variant) -> list[Customer]:
    """The three people of the archetype's card, or three treated members where it has none."""
    chosen = [pk for pk in variant.archetype.samples if isinstance(pk, int)]
    known = Customer.objects.in_bulk(chosen)
    people = [known[pk] for pk in chosen if pk in known]
    if people:
        return people
    members = AudienceMember.objects.filter(archetype=variant.archetype, arm=Arm.TREATMENT).order_by("customer_id")
    return [member.customer for member in members.select_related("customer")[:SHOWN]]


def pick_customer(variant: Variant, whose: str) -> Customer | None:
    """The N-th of them, over and over; None, for anything but a number, stands for somebody without any data."""
    if not whose.isdecimal() or len(whose) > 9:
        return None
    people = list_samples(variant)
    return people[(int(whose) - 1) % len(people)] if people else None
