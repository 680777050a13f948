"""The rights of people of whom only an address is known: they wrote, and are no customers."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from customers.models import Customer
from customers.privacy.addresses import count_rows, erase_address, export_address
from customers.privacy.export import dump_export

from .privacy import read_user


@never_cache
@require_POST
@permission_required("customers.view_privacyrequest", raise_exception=True)
def show_address(request: HttpRequest) -> HttpResponse:
    """What is kept under an address. Asked by POST: an address does not belong into the log of a web server."""
    address = _read_address(request)
    if not address:
        messages.error(request, _("That is no e-mail address."))
        return redirect("customers:privacy")
    return render(request, "customers/privacy_address.html", _describe(request, address))


@never_cache
@require_POST
@permission_required("customers.export_customer", raise_exception=True)
def export_of_address(request: HttpRequest) -> HttpResponse:
    """All that is kept under an address and tied to nobody, as a file of JSON."""
    address = _read_address(request)
    if not address:
        messages.error(request, _("That is no e-mail address."))
        return redirect("customers:privacy")
    text = dump_export(export_address(address, actor=read_user(request), now=timezone.now()))
    response = HttpResponse(text, content_type="application/json; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="person.json"'
    return response


@never_cache
@require_POST
@permission_required("customers.erase_customer", raise_exception=True)
def erase_of_address(request: HttpRequest) -> HttpResponse:
    """Acts when the address was typed once more and a reason given."""
    address, reason = _read_address(request), request.POST.get("reason", "").strip()
    is_wrong = request.POST.get("confirm", "").strip().lower() != address
    if not address or is_wrong or not reason:
        context = _describe(request, address) | {"is_wrong": is_wrong, "needs_reason": not reason, "reason": reason}
        return render(request, "customers/privacy_address.html", context, status=422)
    report = erase_address(address, actor=read_user(request), reason=reason, now=timezone.now())
    messages.success(request, _("Erased: %(gone)s rows are gone.") % {"gone": f"{sum(report.deleted.values()):,}"})
    return redirect("customers:privacy")


def _read_address(request: HttpRequest) -> str:
    """In small letters; "" for what is none."""
    address = request.POST.get("address", "").strip().lower()[:254]
    try:
        validate_email(address)
    except ValidationError:
        return ""
    return address


def _describe(request: HttpRequest, address: str) -> dict[str, Any]:
    may_see = request.user.has_perm("customers.view_customer")
    return {
        "address": address,
        "conversations": next(iter(count_rows(address).values()), 0) if address else 0,
        "people": list(Customer.objects.known().with_email(address)[:10]) if address and may_see else [],
    }
