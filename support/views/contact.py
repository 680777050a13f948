"""The public form: anybody may ask. Signed, limited by address, and no more known of the writer than they say."""

from __future__ import annotations

import hashlib
import time
from typing import Final

from django import forms
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from customers.api.counting import count_within
from support.inbox.opening import Incoming
from support.models import TicketChannel
from support.triage.deciding import receive

SALT: Final = "support.contact"
#: Of the form that was shown: younger than this no person has filled it in, older is a copy.
YOUNGEST_S, OLDEST_S = 2, 4 * 3600
MOST_PER_HOUR: Final = 8


class ContactForm(forms.Form):
    name = forms.CharField(label=_("Your name"), max_length=120, required=False)
    email = forms.EmailField(label=_("Your e-mail address"), max_length=254)
    subject = forms.CharField(label=_("What it is about"), max_length=200)
    text = forms.CharField(label=_("Your question"), max_length=5_000, widget=forms.Textarea(attrs={"rows": 7}))
    #: Nobody sees it, so nobody fills it in but a machine.
    website = forms.CharField(required=False, widget=forms.HiddenInput)


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def show_contact(request: HttpRequest) -> HttpResponse:
    """GET shows the form, POST takes one message in. The same form sent twice is one message."""
    form = ContactForm(request.POST or None)
    told = ""
    if request.method == "POST" and form.is_valid():
        token = request.POST.get("token", "")
        problem = _find_problem(request, token)
        if not problem:
            if not form.cleaned_data["website"]:
                _take_in(form.cleaned_data, token)
            return render(request, "support/contact.html", {"is_sent": True, "shop_name": settings.SHOP_NAME})
        told = str(problem)
    context = {
        "form": form,
        "told": told,
        "token": signing.dumps({"at": time.time()}, salt=SALT),
        "shop_name": settings.SHOP_NAME,
    }
    return render(request, "support/contact.html", context, status=422 if request.method == "POST" else 200)


def _find_problem(request: HttpRequest, token: str) -> object:
    try:
        age = time.time() - float(signing.loads(token, salt=SALT, max_age=OLDEST_S)["at"])
    except (signing.BadSignature, KeyError, TypeError, ValueError):
        return _("This form is too old or was changed. Send it again.")
    if age < YOUNGEST_S:
        return _("That was very quick. Send it again.")
    if _count(request) > MOST_PER_HOUR:
        return _("There were many messages from here within the hour. Try again later.")
    return ""


def _count(request: HttpRequest) -> int:
    """How many from this address in this hour; the address itself is not kept."""
    address = hashlib.sha256(f"{settings.SECRET_KEY}{request.META.get('REMOTE_ADDR', '')}".encode()).hexdigest()[:24]
    return count_within(f"support:contact:{address}", 3600)


def _take_in(data: dict[str, str], token: str) -> None:
    name = hashlib.sha256(token.encode()).hexdigest()[:40]
    now = timezone.now()
    incoming = Incoming(
        channel=TicketChannel.WEB,
        thread=name,
        external_id=name,
        text=data["text"],
        subject=data["subject"],
        email=data["email"],
        name=data["name"],
        written_at=now,
    )
    receive(incoming, now=now)
