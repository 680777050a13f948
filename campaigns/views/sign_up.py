"""The public sign-up page: a link for the shop's footer. Always by double opt-in, and always with the same answer."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from campaigns.delivery.opt_in.form import Refused, make_stamp, take_wish


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def show_sign_up(request: HttpRequest) -> HttpResponse:
    """Takes an address. Whoever has it gets a mail with a button; the page tells nobody who is a customer."""
    wording = _(
        "Yes, %(shop)s may send me offers and news by e-mail. I can leave at any time by the link in each mail."
    ) % {"shop": settings.SHOP_NAME}
    context = {"shop_name": settings.SHOP_NAME, "shop_url": settings.SHOP_URL, "wording": wording}
    if request.method != "POST":
        return render(request, "campaigns/sign_up.html", context | {"stamp": make_stamp()})
    address = request.POST.get("email", "")
    try:
        if "agrees" not in request.POST:
            raise ValidationError(_("Tick the box: without it we may not write to you."))
        take_wish(
            address, stamp=request.POST.get("stamp", ""), bait=request.POST.get("website", ""), wording=wording,
            language=get_language() or "en", network_address=request.META.get("REMOTE_ADDR", ""), now=timezone.now(),
        )  # fmt: skip
    except Refused:
        context |= {"stamp": make_stamp(), "email": address, "error": _("That was too quick. Try again in a moment.")}
        return render(request, "campaigns/sign_up.html", context, status=429)
    except ValidationError as error:
        words = " ".join(filter(None, error.messages)) or _("This is no e-mail address.")
        context |= {"stamp": make_stamp(), "email": address, "error": words}
        return render(request, "campaigns/sign_up.html", context, status=422)
    return render(request, "campaigns/sign_up.html", context | {"is_done": True})
