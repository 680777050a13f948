"""The public page behind the link of an automatic answer: ask for a person, and for people only. GET changes nothing."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from support.answers.by_itself import ask_for_person, read_person_token


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def show_person(request: HttpRequest, token: str) -> HttpResponse:
    """In the language of the conversation; a link that is not ours says so and nothing else."""
    ticket = read_person_token(token)
    shop = {"shop_name": settings.SHOP_NAME, "shop_url": settings.SHOP_URL}
    if ticket is None:
        return render(request, "support/person.html", {"is_broken": True, **shop}, status=404)
    with translation.override(ticket.interface_language):
        if request.method == "POST":
            ask_for_person(ticket, never_again=request.POST.get("never_again") == "1", now=timezone.now())
        context = {"is_asked": request.method == "POST", "is_known": ticket.customer_id is not None, **shop}
        return render(request, "support/person.html", context)
