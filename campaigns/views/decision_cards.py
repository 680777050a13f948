"""The decision card of a message or a draft: why this person, which rule, which facts, which prompt, who approved."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from campaigns.models import Message
from campaigns.outcomes.decision_card import DecisionCard, read_draft_card, read_message_card
from llm.detectors import PersonalKind

from .access import get_variant_for
from .reviewing import name_report

KIND_WORDS = {
    PersonalKind.NAME: gettext_lazy("names"),
    PersonalKind.EMAIL: gettext_lazy("e-mail addresses"),
    PersonalKind.PHONE: gettext_lazy("phone numbers"),
    PersonalKind.CARD: gettext_lazy("card numbers"),
    PersonalKind.IBAN: gettext_lazy("bank accounts"),
    PersonalKind.ADDRESS: gettext_lazy("postal addresses"),
    PersonalKind.URL: gettext_lazy("links with secrets"),
    PersonalKind.ID: gettext_lazy("identity numbers"),
}


@require_safe
@permission_required("campaigns.view_message", raise_exception=True)
def show_message_decision(request: HttpRequest, pk: int) -> HttpResponse:
    """How one copy to one person came about, from stored data only."""
    found = Message.objects.select_related("customer", "campaign__segment", "variant__archetype__campaign__segment")
    message = get_object_or_404(found, pk=pk)
    context = {"message": message, "text_id": message.variant_id, **_tell(read_message_card(message))}
    return render(request, "campaigns/decision_card.html", context)


@require_safe
def show_draft_decision(request: HttpRequest, pk: int) -> HttpResponse:
    """How a text came about, from stored data only."""
    variant = get_variant_for(request.user, pk)
    context = {"variant": variant, "text_id": variant.pk, **_tell(read_draft_card(variant))}
    return render(request, "campaigns/decision_card.html", context)


def _tell(card: DecisionCard) -> dict[str, Any]:
    reasons = card.person.reasons if card.person is not None else []
    masked = card.text.masked
    return {
        "card": card,
        "most_points": max((abs(reason.share) for reason in reasons), default=0.0),
        "masked": [(KIND_WORDS[PersonalKind(kind)], n) for kind, n in masked.items()] if masked else [],
        "fairness": [name_report(dict(report)) for approval in card.approvals for report in approval.fairness],
        "facts": _tell_facts(card),
        "products": card.text.facts.get("products") or [],
    }


def _tell_facts(card: DecisionCard) -> list[tuple[str, Any]]:
    """The facts that are not products, with words for them; those that say nothing are left out."""
    facts = card.text.facts
    rows = [
        (_("Offer"), facts.get("offer")),
        (_("Code"), facts.get("code")),
        (_("Valid from"), facts.get("valid_from")),
        (_("Valid until"), facts.get("valid_until")),
        (_("From a basket of"), facts.get("min_basket")),
        (_("Policies"), "; ".join(map(str, facts.get("policies") or []))),
        (_("Vouched for by a person"), "; ".join(map(str, facts.get("talking_points") or []))),
        (_("The button leads to"), facts.get("button_url")),
        (_("Brand voice"), _version_of(facts.get("voice"))),
    ]
    return [(label, value) for label, value in rows if value]


def _version_of(voice: Any) -> str:
    number = voice.get("version") if isinstance(voice, dict) else None
    return f"v{number}" if number else ""
