"""Ends the weekly mail from the mail itself: GET shows, POST acts, no log-in."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods

from campaigns.models import NotificationChoice
from campaigns.outcomes.weekly import find_choice


@login_not_required
@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def end_weekly(request: HttpRequest, token: str) -> HttpResponse:
    """One address for the page and for the button of a mail program (RFC 8058), whose POST has no cookie: the signed token is
    the proof. A scanner that fetches the page changes nothing."""
    choice = find_choice(token)
    if choice is None:
        return render(request, "campaigns/reports/weekly_end.html", {"is_broken": True}, status=404)
    if request.method == "POST" and request.POST.get("List-Unsubscribe") == "One-Click":
        _end(choice)
        return HttpResponse(status=204)
    with translation.override(choice.language or settings.LANGUAGE_CODE):
        return _show_page(request, token, choice)


@csrf_protect
def _show_page(request: HttpRequest, token: str, choice: NotificationChoice) -> HttpResponse:
    if request.method == "POST":
        _end(choice)
        return redirect("campaigns:weekly-end", token)
    return render(request, "campaigns/reports/weekly_end.html", {"wants": choice.wants_weekly})


def _end(choice: NotificationChoice) -> None:
    NotificationChoice.objects.filter(pk=choice.pk).update(wants_weekly=False)
