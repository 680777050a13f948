"""API keys: made with what they may do and for how long, shown once, and ended."""

from __future__ import annotations

import datetime as dt

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from customers.api.authentication import issue_api_key, revoke_api_key
from customers.api.scopes import SCOPES
from customers.models import ApiKey
from customers.views.privacy import read_user

from .overview import describe_integrations

#: For how many days a key may be made; 0 is without an end.
LIFETIMES = {"30": 30, "90": 90, "365": 365, "0": 0}


@never_cache
@require_POST
@permission_required("customers.add_apikey", raise_exception=True)
def create_key(request: HttpRequest) -> HttpResponse:
    """Make a key that acts as this person; the key itself is shown once, on this page only."""
    name = request.POST.get("name", "").replace("\0", "").strip()[:80]
    scopes = [scope for scope in request.POST.getlist("scopes") if scope in SCOPES]
    days = LIFETIMES.get(request.POST.get("days", "0"), 0)
    if not name:
        messages.error(request, _("Give the key a name, so that it can be told apart later."))
        return redirect("integrations")
    if request.POST.get("whole") != "1" and not scopes:
        messages.error(request, _("Choose what the key may do."))
        return redirect("integrations")
    expires_at = timezone.now() + dt.timedelta(days=days) if days else None
    chosen = [] if request.POST.get("whole") == "1" else scopes
    _row, key = issue_api_key(read_user(request), name, scopes=chosen, expires_at=expires_at)
    return render(request, "customers/integrations/overview.html", describe_integrations(request) | {"new_key": key})


@require_POST
@permission_required("customers.change_apikey", raise_exception=True)
def revoke_key(request: HttpRequest, pk: int) -> HttpResponse:
    """End a key at once; ending it twice changes nothing."""
    row = get_object_or_404(ApiKey, pk=pk)
    revoke_api_key(read_user(request), row, now=timezone.now())
    messages.success(request, _("“%(name)s” no longer opens anything.") % {"name": row.name})
    return redirect("integrations")
