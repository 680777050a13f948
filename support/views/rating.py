"""The public page where a customer says how it was: one rating for a conversation, in its language. GET changes nothing."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from support.answers.rating import keep_rating, read_rating_token
from support.models import Rating

from .access import read_number


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def show_rating(request: HttpRequest, token: str) -> HttpResponse:
    """The question, then thanks; a link that is not ours or too old says so and nothing else."""
    ticket = read_rating_token(token)
    shop = {"shop_name": settings.SHOP_NAME, "shop_url": settings.SHOP_URL}
    if ticket is None:
        return render(request, "support/rating.html", {"is_broken": True, **shop}, status=404)
    with translation.override(ticket.interface_language):
        told = ""
        if request.method == "POST":
            score, comment = read_number(request.POST.get("score", "")), request.POST.get("comment", "")
            try:
                keep_rating(ticket, score, comment, now=timezone.now())
            except ValidationError as error:
                told = error.messages[0]
        context = {
            "told": told,
            "comment": request.POST.get("comment", ""),
            "is_rated": Rating.objects.filter(ticket=ticket).exists(),
            "scores": [(5, _("Very good")), (4, _("Good")), (3, _("So-so")), (2, _("Bad")), (1, _("Very bad"))],
        }
        return render(request, "support/rating.html", context | shop, status=422 if told else 200)
