"""The public page behind the link by which a person gets a copy of their data, or is erased: GET shows, POST acts, no log-in."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from campaigns.delivery.own_data.confirming import (
    FETCHED_WITHIN,
    OwnWish,
    confirm_own_wish,
    describe_own_wish,
    make_own_copy,
    take_back_own_wish,
)
from campaigns.delivery.unsubscribe import BadToken
from customers.tasks import run_own_erasures

#: Of the browser in which the link was used; its value is the key of the request, signed.
COOKIE: Final = "own_data"


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def show_own_data(request: HttpRequest, token: str) -> HttpResponse:
    """Says what the link is for and takes the yes. A scanner that fetches every link in a mail confirms nothing."""
    now = timezone.now()
    try:
        wish = describe_own_wish(token, now=now)
        if request.method == "POST":
            return _act(request, token, wish)
    except BadToken:
        return render(request, "campaigns/unsubscribe.html", {"is_broken": True}, status=404)
    with translation.override(wish.interface_language or translation.get_language()):
        context = {
            "wish": wish,
            "token": token,
            "is_here": _is_here(request, wish),
            "is_cooling": wish.until is not None and wish.until > now,
            "cooling_days": settings.ERASURE_COOLING_DAYS,
            "shop_name": settings.SHOP_NAME,
            "shop_url": settings.SHOP_URL,
        }
        return render(request, "campaigns/own_data.html", context)


@login_not_required
@never_cache
@require_POST
def fetch_own_copy(request: HttpRequest, token: str) -> HttpResponse:
    """The copy as a file of JSON, in the browser in which it was confirmed. A mail that is passed on later reveals nothing."""
    now = timezone.now()
    try:
        wish = describe_own_wish(token, now=now)
        text = make_own_copy(token, now=now) if _is_here(request, wish) else None
    except BadToken:
        return render(request, "campaigns/unsubscribe.html", {"is_broken": True}, status=404)
    if text is None:
        return redirect("campaigns:own-data", token)
    response = HttpResponse(text, content_type="application/json; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="my-data.json"'
    return response


def _act(request: HttpRequest, token: str, wish: OwnWish) -> HttpResponse:
    response = redirect("campaigns:own-data", token)
    if "take_back" in request.POST:
        take_back_own_wish(token, now=timezone.now())
    elif confirm_own_wish(token, now=timezone.now()):
        transaction.on_commit(run_own_erasures.delay, robust=True)
        response.set_signed_cookie(
            COOKIE, wish.key.hex, salt=COOKIE, max_age=FETCHED_WITHIN, path=response.url, httponly=True, samesite="Lax",
            secure=settings.SESSION_COOKIE_SECURE,
        )  # fmt: skip
    return response


def _is_here(request: HttpRequest, wish: OwnWish) -> bool:
    """Whether this is the browser in which the link was used."""
    found = request.get_signed_cookie(COOKIE, default="", salt=COOKIE, max_age=FETCHED_WITHIN)
    return bool(found == wish.key.hex)
