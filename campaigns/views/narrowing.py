"""Which share of an audience is written to: what finished campaigns advise, and what a person chose."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from campaigns.approval.editing import edit_campaign, refreeze_audience
from campaigns.audience.freeze import EmptyAudience
from campaigns.audience.narrowing import kind_of
from campaigns.forms import TargetingForm, TermsForm
from campaigns.models import AudienceMember, Campaign, ExclusionReason, UpliftStudy
from campaigns.outcomes.whom.profit import draw_profit
from customers.ingest.currency import read_shop_currency
from customers.views.access import current_user

from .access import get_campaign_for
from .whom import tell_advice

EVERYBODY = 100


@require_POST
def narrow(request: HttpRequest, pk: int) -> HttpResponse:
    """Write the choice down and, where there was a frozen audience, freeze it again by it."""
    campaign, user, now = get_campaign_for(request.user, pk), current_user(request), timezone.now()
    form = TargetingForm(request.POST, **_read_shares(campaign))
    if not form.is_valid() or campaign.is_live:
        messages.error(request, _("Choose a share of the audience."))
        return redirect("campaigns:audience", pk)
    percent, explored = form.cleaned_data["write_percent"], form.cleaned_data["explore_percent"]
    was_frozen = campaign.audience_frozen_at is not None
    fields = {"write_share": None if percent == EVERYBODY else percent / 100, "explore_share": explored / 100}
    try:
        edit_campaign(user, campaign, fields, now=now)
        if was_frozen and campaign.audience_frozen_at is None:
            refreeze_audience(user, campaign, now=now)
    except (EmptyAudience, ValidationError) as error:
        sentences = error.messages if isinstance(error, ValidationError) else [str(error)]
        messages.error(request, " ".join(sentences))
    return redirect("campaigns:audience", pk)


def offer_narrowing(campaign: Campaign) -> dict[str, Any]:
    """For the Audience page: the advice at the shop’s own prices, and the form; neither without a study or in a live one."""
    kind = kind_of(campaign)
    study = UpliftStudy.objects.in_use(kind).defer("artifact").first()
    if study is None or campaign.is_live:
        return {"narrow_form": None, "reaction_kind": kind.value}
    advice = tell_advice(draw_profit(study.figures["profit"], TermsForm().read_terms()))
    return {
        "narrow_form": TargetingForm(**_read_shares(campaign)),
        "reaction_kind": kind.value,
        "currency": read_shop_currency(),
        **advice,
    }


def _read_shares(campaign: Campaign) -> dict[str, int]:
    written = EVERYBODY if campaign.write_share is None else round(100 * campaign.write_share)
    return {"write_percent": written, "explore_percent": round(100 * campaign.explore_share)}


def tell_narrowing(campaign: Campaign) -> dict[str, Any] | None:
    """For Audience and Review: what was chosen, and how many people it leaves out and explores; None where all are written to."""
    if campaign.write_share is None or campaign.is_live:
        return None
    members = AudienceMember.objects.filter(campaign=campaign)
    return {
        "share": campaign.write_share,
        "explore": campaign.explore_share,
        "left_out": members.filter(exclusion_reason=ExclusionReason.LITTLE_GAIN).count(),
        "explored": members.filter(is_explored=True).count(),
    }
