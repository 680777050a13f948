"""The Settings page: how the shop is set and what the language model may do."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from campaigns.approval.four_eyes import switch_four_eyes
from campaigns.approval.policy import needs_second_person
from campaigns.models import FourEyesSwitch
from customers.views.interests import tell_reading
from llm.budget import read_day_spend
from llm.status import configured_model, find_local_servers


@require_safe
@permission_required("campaigns.view_campaign", raise_exception=True)
def show_settings(request: HttpRequest) -> HttpResponse:
    """What is set, where to change it, and what of the day's caps is used."""
    return render(request, "settings.html", _describe(request))


@require_POST
@permission_required("campaigns.add_foureyesswitch", raise_exception=True)
def set_four_eyes(request: HttpRequest) -> HttpResponse:
    """Say whether a second person has to approve; an admin only, with a reason that everybody can read."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    is_required = request.POST.get("is_required") == "1"
    try:
        is_changed = switch_four_eyes(
            request.user, is_required=is_required, reason=request.POST.get("reason", ""), now=timezone.now()
        )
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("settings")
    if not is_changed:
        messages.warning(request, _("That was so already."))
    elif is_required:
        messages.success(request, _("From now on a second person has to approve."))
    else:
        messages.warning(
            request, _("From now on whoever wrote a campaign may approve it. Each such approval is marked.")
        )
    return redirect("settings")


def _describe(request: HttpRequest) -> dict[str, Any]:
    now = timezone.now()
    model = configured_model()
    return {
        "model": model,
        "servers": [] if model.is_configured else find_local_servers(skip_port=urlsplit(settings.SITE_URL).port),
        "spend": read_day_spend(now),
        "reading": tell_reading(request),
        "shop": {name: getattr(settings, name) for name in _SHOWN},
        "needs_second_person": needs_second_person(),
        "switches": FourEyesSwitch.objects.select_related("changed_by").order_by("-pk")[:5],
        "uses_catcher": settings.USES_MAIL_CATCHER,
    }


_SHOWN = (
    "SHOP_NAME", "SHOP_URL", "SHOP_FROM_EMAIL", "SHOP_POSTAL_ADDRESS", "SHOP_CURRENCY", "SHOP_TIME_ZONE",
    "ALLOWED_DRIFT_SHARE", "APPROVAL_VALID_DAYS",
    "HOLDOUT_SHARE", "FREQUENCY_CAP_MESSAGES", "FREQUENCY_CAP_DAYS", "MAX_ARCHETYPES", "LLM_DAILY_TOKEN_CAP",
    "LLM_CALL_TOKEN_CAP", "LLM_KEEP_CALLS_DAYS",
)  # fmt: skip
