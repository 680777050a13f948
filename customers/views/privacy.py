"""The rights of the people in the data: a copy of it, erasure, and how long events are kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Case, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from customers.ingest.merged import find_holders
from customers.models import Customer, ErasedPerson, PrivacyRequest
from customers.privacy.erasure import erase_customer
from customers.privacy.export import dump_export, export_customer
from customers.privacy.requests import note_export, note_objection, refuse
from customers.privacy.retention import EventsBusy, drop_old_months, first_kept_month, list_old_months

PAGE_SIZE = 25


@require_safe
@permission_required("customers.view_privacyrequest", raise_exception=True)
def show_privacy(request: HttpRequest) -> HttpResponse:
    """What people asked for and by when, how many were erased, and which events are older than the shop keeps them."""
    now = timezone.now()
    is_decided = Case(When(status__in=PrivacyRequest.UNDECIDED, then=0), default=1)
    asked = PrivacyRequest.objects.order_by(is_decided, "due_at", "pk")
    page = Paginator(asked, PAGE_SIZE).get_page(request.GET.get("page"))
    people = _find_people([row.customer_number for row in page if row.customer_number])
    old = list_old_months(now)
    context = {
        "page": page,
        "rows": [
            (row, people.get(row.customer_number or 0), row.status in PrivacyRequest.UNDECIDED and row.due_at < now)
            for row in page
        ],
        "erased": ErasedPerson.objects.count(),
        "months": settings.EVENT_RETENTION_MONTHS,
        "first_kept": first_kept_month(now),
        "old_months": old,
        "old_events": sum(month.events for month in old),
    }
    return render(request, "customers/privacy.html", context)


@never_cache
@require_POST
@permission_required("customers.export_customer", raise_exception=True)
def export_person(request: HttpRequest, pk: int) -> HttpResponse:
    """Everything that is kept of one person, as a file of JSON."""
    customer, user, now = _find(pk), read_user(request), timezone.now()
    text = dump_export(export_customer(customer, actor=user, now=now))
    note_export(customer, actor=user, now=now)
    response = HttpResponse(text, content_type="application/json; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="person-{customer.pk}.json"'
    return response


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("customers.erase_customer", raise_exception=True)
def erase_person(request: HttpRequest, pk: int) -> HttpResponse:
    """Says what goes and what stays; acts when the shop's id was typed and a reason given."""
    customer = _find(pk)
    context: dict[str, Any] = {"customer": customer, "reason": request.POST.get("reason", "").strip()}
    if request.method != "POST":
        return render(request, "customers/erase.html", context)
    is_wrong = request.POST.get("confirm", "").strip() != customer.external_id
    if is_wrong or not context["reason"]:
        context |= {"is_wrong": is_wrong, "needs_reason": not context["reason"]}
        return render(request, "customers/erase.html", context, status=422)
    report = erase_customer(customer, actor=read_user(request), reason=context["reason"], now=timezone.now())
    messages.success(
        request,
        _("Erased: %(gone)s rows are gone, %(kept)s stay without a word of the person.")
        % {"gone": f"{sum(report.deleted.values()):,}", "kept": f"{sum(report.emptied.values()):,}"},
    )
    return redirect("customers:privacy")


@require_POST
@permission_required("customers.change_preference", raise_exception=True)
def note_person_objects(request: HttpRequest, pk: int) -> HttpResponse:
    """Note that they object to being profiled, or no longer do."""
    objects = request.POST.get("objects") == "1"
    note_objection(_find(pk), objects=objects, source="staff", actor=read_user(request), now=timezone.now())
    if objects:
        messages.success(
            request, _("Noted. What was worked out about them is gone, and nothing is worked out any more.")
        )
    else:
        messages.success(request, _("Noted. The next night works out their scores again."))
    return redirect("customers:detail", pk)


@require_POST
@permission_required("customers.erase_customer", raise_exception=True)
def refuse_request(request: HttpRequest, pk: int) -> HttpResponse:
    """Refuse what a person asked for; the reason is kept."""
    get_object_or_404(PrivacyRequest, pk=pk)
    reason = request.POST.get("reason", "").strip()
    if not reason:
        messages.error(request, _("Say why: the person has a right to know."))
    elif refuse(pk, actor=read_user(request), reason=reason, now=timezone.now()):
        messages.success(request, _("Refused. Tell the person why, and that they may complain to the authority."))
    else:
        messages.warning(request, _("It was decided before."))
    return redirect("customers:privacy")


@require_POST
@permission_required("customers.drop_events", raise_exception=True)
def drop_events(request: HttpRequest) -> HttpResponse:
    """Drop the months that are older than the shop keeps; the first one that stays is typed, as the page says it."""
    now = timezone.now()
    first = first_kept_month(now)
    if first is None or request.POST.get("confirm", "").strip() != f"{first:%Y-%m}":
        messages.error(request, _("Nothing was dropped: type the first month that stays, as it stands there."))
        return redirect("customers:privacy")
    try:
        gone = drop_old_months(now, actor=read_user(request))
    except EventsBusy:
        messages.error(request, _("Events are being read or written all the time: try again later."))
        return redirect("customers:privacy")
    told = {"months": len(gone), "events": f"{sum(month.events for month in gone):,}"}
    messages.success(request, _("Dropped: %(months)s months with %(events)s events.") % told)
    return redirect("customers:privacy")


def _find_people(numbers: Sequence[int]) -> dict[int, Customer]:
    """By the number that a request names, the customer of today: who was merged is answered with whoever they are a part of."""
    holders = find_holders(numbers)
    people = Customer.objects.in_bulk({holders.get(number, number) for number in numbers})
    return {number: people[holder] for number in numbers if (holder := holders.get(number, number)) in people}


def _find(pk: int) -> Customer:
    return get_object_or_404(Customer.objects.known(), pk=pk)


def read_user(request: HttpRequest) -> User:
    """Who is logged in. Raises PermissionDenied."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user
