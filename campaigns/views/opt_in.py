"""The public page behind the link in a confirmation mail, in the person's language: GET shows, POST acts, no log-in."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from campaigns.delivery.opt_in.confirming import BadRequestToken, confirm_wish, describe_wish


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def confirm_opt_in(request: HttpRequest, token: str) -> HttpResponse:
    """Asks once more and takes the yes. A scanner that fetches every link in a mail confirms nothing."""
    now = timezone.now()
    try:
        wish = describe_wish(token, now=now)
        if request.method == "POST":
            confirm_wish(token, now=now, network_address=request.META.get("REMOTE_ADDR", ""))
            return redirect("campaigns:confirm-opt-in", token)
    except BadRequestToken:
        return render(request, "campaigns/unsubscribe.html", {"is_broken": True}, status=404)
    with translation.override(wish.interface_language):
        context = {"wish": wish, "shop_name": settings.SHOP_NAME, "shop_url": settings.SHOP_URL}
        return render(request, "campaigns/confirm_opt_in.html", context)
