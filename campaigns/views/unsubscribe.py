"""The public page behind every unsubscribe link, in the customer's language: GET shows, POST acts, no log-in."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods

from campaigns.delivery.unsubscribe import BadToken, Subscriber, describe_subscriber, unsubscribe


@login_not_required
@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def show_unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """One address for the page and for mailbox providers (RFC 8058).

    Their POST says `List-Unsubscribe=One-Click` and carries no cookie, so it alone is exempt from the CSRF check; the
    signed token is the proof. Link scanners that fetch the page change nothing.
    """
    try:
        subscriber = describe_subscriber(token)
    except BadToken:
        return render(request, "campaigns/unsubscribe.html", {"is_broken": True}, status=404)
    if request.method == "POST" and request.POST.get("List-Unsubscribe") == "One-Click":
        unsubscribe(token, now=timezone.now(), source="one-click")
        return HttpResponse(status=204)
    with translation.override(subscriber.interface_language):
        return _show_page(request, token, subscriber)


@csrf_protect
def _show_page(request: HttpRequest, token: str, subscriber: Subscriber) -> HttpResponse:
    if request.method == "POST":
        unsubscribe(token, now=timezone.now(), source="page")
        return redirect("campaigns:unsubscribe", token)
    context = {
        "shop_name": settings.SHOP_NAME,
        "shop_url": settings.SHOP_URL,
        "is_subscribed": subscriber.is_subscribed,
        "is_mail": subscriber.channel == "email",
        "token": token,
    }
    return render(request, "campaigns/unsubscribe.html", context)
