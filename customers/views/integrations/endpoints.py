"""Endpoints of web hooks: add, change address and events, change the secret, switch, try, and the log of what was sent."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from customers.models import TEST_KIND, OutgoingAttempt, OutgoingDelivery, OutgoingEndpoint, OutgoingKind
from customers.outgoing import endpoints
from customers.outgoing.composing import compose
from customers.tasks import send_outgoing
from customers.views.privacy import read_user

PAGE_SIZE = 25


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("customers.add_outgoingendpoint", raise_exception=True)
def create_endpoint(request: HttpRequest) -> HttpResponse:
    """A form; once it is good, the page of the endpoint with its secret, which is shown this once."""
    given: dict[str, Any] = _read(request)
    context: dict[str, Any] = {"given": given, "kinds": _list_kinds(given["kinds"]), "errors": {}}
    if request.method != "POST":
        return render(request, "customers/integrations/endpoint_new.html", context)
    try:
        row = endpoints.add_endpoint(read_user(request), given["url"], given["kinds"], note=given["note"])
    except ValidationError as error:
        context["errors"] = error.message_dict if hasattr(error, "error_dict") else {"url": error.messages}
        return render(request, "customers/integrations/endpoint_new.html", context, status=422)
    return _render(request, row, new_secret=endpoints.make_secret(row, row.secret_number))


@require_safe
@permission_required("customers.view_outgoingendpoint", raise_exception=True)
def show_endpoint(request: HttpRequest, pk: int) -> HttpResponse:
    """One endpoint and its log, the newest first."""
    return _render(request, get_object_or_404(OutgoingEndpoint, pk=pk))


@require_POST
@permission_required("customers.change_outgoingendpoint", raise_exception=True)
def change_endpoint(request: HttpRequest, pk: int) -> HttpResponse:
    """Change where it leads, what it is for and what it is told from now on. What was typed stays where it is refused."""
    row, given = get_object_or_404(OutgoingEndpoint, pk=pk), _read(request)
    try:
        endpoints.change_endpoint(read_user(request), row, **given)
    except ValidationError as error:
        errors = error.message_dict if hasattr(error, "error_dict") else {"url": error.messages}
        return _render(request, row, given=given, errors=errors)
    messages.success(request, _("Saved. It counts for what happens from now on, and what waits goes there as well."))
    return redirect("customers:endpoint", pk)


@never_cache
@require_POST
@permission_required("customers.change_outgoingendpoint", raise_exception=True)
def change_secret(request: HttpRequest, pk: int) -> HttpResponse:
    """A new secret, shown once; the old one is valid for a day more."""
    row = get_object_or_404(OutgoingEndpoint, pk=pk)
    secret = endpoints.change_secret(read_user(request), row, now=timezone.now())
    row.refresh_from_db()
    return _render(request, row, new_secret=secret)


@require_POST
@permission_required("customers.change_outgoingendpoint", raise_exception=True)
def switch_endpoint(request: HttpRequest, pk: int) -> HttpResponse:
    """Switch it off or on again."""
    row, is_on = get_object_or_404(OutgoingEndpoint, pk=pk), request.POST.get("on") == "1"
    endpoints.switch_endpoint(read_user(request), row, on=is_on, now=timezone.now())
    messages.success(request, _("It is on.") if is_on else _("It is off. What happens from now on is not kept for it."))
    return redirect("customers:endpoint", pk)


@require_POST
@permission_required("customers.change_outgoingendpoint", raise_exception=True)
def try_endpoint(request: HttpRequest, pk: int) -> HttpResponse:
    """Send a test event, to this endpoint alone."""
    row = get_object_or_404(OutgoingEndpoint, pk=pk)
    if not row.is_active:
        messages.error(request, _("It is switched off."))
        return redirect("customers:endpoint", pk)
    endpoints.send_test(row, now=timezone.now())
    send_outgoing.delay()
    messages.success(request, _("A test event is on its way. Its answer stands in the log in a moment."))
    return redirect("customers:endpoint", pk)


@require_POST
@permission_required("customers.change_outgoingendpoint", raise_exception=True)
def retry_delivery(request: HttpRequest, pk: int) -> HttpResponse:
    """Send a delivery again, with the same id."""
    row = get_object_or_404(OutgoingDelivery.objects.select_related("endpoint"), pk=pk)
    if endpoints.retry_delivery(row, now=timezone.now()):
        send_outgoing.delay()
        messages.success(request, _("It is sent again, with the same id."))
    else:
        messages.error(request, _("It is being sent, or was taken already."))
    return redirect("customers:endpoint", row.endpoint_id)


def _render(
    request: HttpRequest,
    row: OutgoingEndpoint,
    *,
    new_secret: str = "",
    given: dict[str, Any] | None = None,
    errors: dict[str, list[str]] | None = None,
) -> HttpResponse:
    given = given or {"url": row.url, "note": row.note, "kinds": row.kinds}
    tries = Prefetch("tries", OutgoingAttempt.objects.order_by("-number"))
    log = OutgoingDelivery.objects.filter(endpoint=row).select_related("event").prefetch_related(tries).order_by("-pk")
    if (state := request.GET.get("state", "")) in OutgoingDelivery.Status.values:
        log = log.filter(status=state)
    page = Paginator(log, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "endpoint": row,
        "given": given,
        "errors": errors or {},
        "kinds": _list_kinds(given["kinds"]),
        "page": page,
        "rows": [(one, _name_kind(one.event.kind), _show_body(one)) for one in page],
        "states": OutgoingDelivery.Status.choices,
        "state": state,
        "new_secret": new_secret,
        "is_changing_secret": row.previous_until is not None and row.previous_until > timezone.now(),
    }
    return render(request, "customers/integrations/endpoint.html", context, status=422 if errors else 200)


def _show_body(delivery: OutgoingDelivery) -> str:
    """The request as it is sent; of a long one the beginning."""
    return json.dumps(json.loads(compose(delivery.event)), ensure_ascii=False, indent=2)[:2_000]


def _name_kind(kind: str) -> str:
    return str(
        _("test event") if kind == TEST_KIND else OutgoingKind(kind).label if kind in OutgoingKind.values else kind
    )


def _list_kinds(chosen: list[str]) -> list[tuple[str, str, bool]]:
    return [(value, str(label), value in chosen) for value, label in OutgoingKind.choices]


def _read(request: HttpRequest) -> dict[str, Any]:
    return {
        "url": request.POST.get("url", "").replace("\0", "").strip(),
        "note": request.POST.get("note", "").replace("\0", "").strip()[:80],
        "kinds": request.POST.getlist("kinds"),
    }
