"""What a message does to people like a customer: the group, its reason in words, and the doubt."""

from __future__ import annotations

from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from customers.models import Customer, Reaction

#: Group to the colour of its tag, and what to make of it.
TONES: Final = {"persuadable": "kept", "do_not_disturb": "stop", "not_known": "held"}
MEANINGS: Final = {
    "persuadable": _("More people like them order when they are written to."),
    "sure_thing": _("Most people like them order anyhow; a message changes little."),
    "lost_cause": _("Most people like them do not order; a message changes little."),
    "do_not_disturb": _("Fewer people like them order when they are written to."),
    "not_known": _("What a message does to people like them cannot be told yet: the interval allows for too much."),
}


def tell_reactions(customer: Customer) -> list[dict[str, Any]]:
    """One for each kind of campaign that was learned from; [] for somebody who objects to profiling, or without a score."""
    return [_tell(reaction) for reaction in customer.reactions.order_by("-kind")]


def _tell(reaction: Reaction) -> dict[str, Any]:
    ends = (abs(reaction.effect_low), abs(reaction.effect_high), 0.05)
    return {
        "reaction": reaction,
        "tone": TONES.get(reaction.group, ""),
        "meaning": MEANINGS[reaction.group],
        "reach": max(ends),
        "reach_low": -max(ends),
    }
