"""The public preference centre and "Why did I get this?", in the customer's language: GET shows, POST acts, no log-in."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from campaigns.audience.topics import list_topics
from campaigns.delivery import preferences
from campaigns.delivery.preferences import FEWER, PAUSES_DAYS, Choices, Standing, read_standing, save_choices
from campaigns.delivery.unsubscribe import BadToken
from campaigns.delivery.why import explain_message
from customers.models import Channel, PrivacyRequest


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def show_preferences(request: HttpRequest, token: str) -> HttpResponse:
    """What comes, how often, and what may be done with what is known. Fetching it changes nothing."""
    try:
        standing = read_standing(token)
    except BadToken:
        return render(request, "campaigns/unsubscribe.html", {"is_broken": True}, status=404)
    with translation.override(standing.interface_language):
        if standing.customer is None:
            return render(request, "campaigns/preferences.html", _describe(request, token, standing))
        if request.method == "POST":
            save_choices(token, _read_form(request.POST), now=timezone.now())
            messages.success(request, _("Saved. It holds from now on."))
            return redirect("campaigns:preferences", token)
        return render(request, "campaigns/preferences.html", _describe(request, token, standing))


@login_not_required
@never_cache
@require_POST
def ask_for_data(request: HttpRequest, token: str) -> HttpResponse:
    """A copy of their data, or to be erased: staff answer within a month. A mail that was passed on must not erase anybody."""
    kind = request.POST.get("kind", "")
    try:
        language = read_standing(token).interface_language
        if kind in PrivacyRequest.Kind.values:
            preferences.ask_for_data(token, kind, now=timezone.now())
    except BadToken:
        return render(request, "campaigns/unsubscribe.html", {"is_broken": True}, status=404)
    with translation.override(language):
        if kind in PrivacyRequest.Kind.values:
            messages.success(request, _("We have noted it. Within 30 days you will hear from us."))
        return redirect("campaigns:preferences", token)


@login_not_required
@never_cache
@require_safe
def show_why(request: HttpRequest, token: str) -> HttpResponse:
    """Why this person got this message, from what is stored."""
    try:
        language = read_standing(token).interface_language
    except BadToken:
        return render(request, "campaigns/unsubscribe.html", {"is_broken": True}, status=404)
    with translation.override(language):
        context = {"why": explain_message(token, now=timezone.now()), "token": token, **_shop()}
        return render(request, "campaigns/why.html", context)


def _read_form(form: QueryDict) -> Choices:
    """What was ticked. A number that the page does not offer counts as none chosen."""
    fewer, pause = form.get("most_per_month", ""), form.get("pause", "")
    return Choices(
        channels=form.getlist("channel"),
        topics=form.getlist("topic"),
        most_per_month=next((most for most in FEWER if most and fewer == str(most)), None),
        pause_days=next((days for days in (0, *PAUSES_DAYS) if pause == str(days)), None),
        may_profile="may_profile" in form,
        allows_tracking="allows_tracking" in form,
    )


def _describe(request: HttpRequest, token: str, standing: Standing) -> dict[str, Any]:
    kept, now = standing.preference, timezone.now()
    paused_until = kept.paused_until if kept and kept.paused_until and kept.paused_until > now else None
    off = set(kept.topics_off) if kept else set()
    return {
        **_shop(),
        "token": token,
        "is_known": standing.customer is not None,
        "channels": [(key, Channel(key).label, is_on) for key, is_on in standing.channels.items()],
        "topics": [(key, name, meaning, key not in off) for key, name, meaning in list_topics()],
        "fewer": [(most or "", _name_most(most), most == (kept.most_per_month if kept else None)) for most in FEWER],
        "pauses": PAUSES_DAYS,
        "paused_until": paused_until,
        "may_profile": kept is None or kept.objects_to_profiling_at is None,
        "allows_tracking": standing.allows_tracking,
    }


def _name_most(most: int | None) -> str:
    if most is None:
        return _("As it comes")
    return ngettext("At most %(n)d a month", "At most %(n)d a month", most) % {"n": most}


def _shop() -> dict[str, str]:
    return {"shop_name": settings.SHOP_NAME, "shop_url": settings.SHOP_URL}
