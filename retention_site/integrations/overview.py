"""The overview: each source with what it brought and what was refused, the keys, and the endpoints."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import permission_required
from django.db.models import Count, Max, Q, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from customers.api.scopes import SCOPES, describe_scopes
from customers.models import ApiKey, Entrance, ImportRun, IntakeDay, OutgoingDelivery, OutgoingEndpoint
from customers.views.integrations.refused import DAYS

LONG_SILENT = dt.timedelta(days=3)


@dataclass(frozen=True)
class Source:
    """One source at one entrance, over the last 30 days."""

    name: str
    entrance: str
    label: str
    accepted: int
    refused: int
    last_at: dt.datetime | None
    is_silent: bool


@require_safe
@permission_required("customers.view_intakeday", raise_exception=True)
def show_integrations(request: HttpRequest) -> HttpResponse:
    """Everything that is connected, and whether it is well."""
    return render(request, "customers/integrations/overview.html", describe_integrations(request))


def describe_integrations(request: HttpRequest) -> dict[str, Any]:
    """What the page shows; for whoever makes a key it is rendered with the new key."""
    now = timezone.now()
    may_see_keys = request.user.has_perm("customers.view_apikey")
    return {
        "sources": list_sources(now),
        "days": DAYS,
        "keys": [(key, describe_scopes(key.scopes), _state_of(key, now)) for key in _list_keys()]
        if may_see_keys
        else [],
        "scopes": [(name, words) for name, (words, _test) in SCOPES.items()],
        "endpoints": _list_endpoints() if request.user.has_perm("customers.view_outgoingendpoint") else [],
    }


def list_sources(now: dt.datetime) -> list[Source]:
    """Sources of the API and the files of the last 30 days, those with refusals first."""
    days = IntakeDay.objects.filter(on__gt=now.date() - dt.timedelta(days=DAYS))
    grouped = days.values("entrance", "source").annotate(took=Sum("accepted"), left=Sum("refused"), last=Max("last_at"))
    rows = [_make_source(row["source"], row["entrance"], row["took"], row["left"], row["last"], now) for row in grouped]
    return sorted(rows + _list_files(now), key=lambda row: (-row.refused, row.name, row.entrance))


def _make_source(
    name: str, entrance: str, accepted: int, refused: int, last_at: dt.datetime | None, now: dt.datetime
) -> Source:
    is_silent = last_at is not None and now - last_at > LONG_SILENT
    return Source(name, entrance, str(Entrance(entrance).label), accepted, refused, last_at, is_silent)


def _list_files(now: dt.datetime) -> list[Source]:
    """What files brought; an import counts its lines in its report."""
    runs = ImportRun.objects.filter(created_at__gt=now - dt.timedelta(days=DAYS), status__in=["done", "failed"])
    found: dict[str, list[Any]] = {}
    for options, report, finished_at in runs.values_list("options", "report", "finished_at"):
        figures = found.setdefault(str(options.get("source", "shop")), [0, 0, None])
        left = sum(report.get("left_out", {}).values())
        figures[0] += max(int(report.get("lines_read", 0)) - left, 0)
        figures[1] += left
        figures[2] = max(filter(None, (figures[2], finished_at)), default=None)
    return [
        Source(name, Entrance.IMPORT.value, str(Entrance.IMPORT.label), accepted, refused, last, False)
        for name, (accepted, refused, last) in found.items()
    ]


def _list_keys() -> list[ApiKey]:
    return list(ApiKey.objects.select_related("user").order_by("revoked_at", "-created_at")[:50])


def _state_of(key: ApiKey, now: dt.datetime) -> str:
    if key.revoked_at:
        return "ended"
    return "expired" if key.expires_at and key.expires_at <= now else "valid"


def _list_endpoints() -> list[OutgoingEndpoint]:
    waiting = Count("deliveries", filter=Q(deliveries__status=OutgoingDelivery.Status.WAITING))
    failed = Count("deliveries", filter=Q(deliveries__status=OutgoingDelivery.Status.FAILED))
    return list(OutgoingEndpoint.objects.annotate(waiting=waiting, given_up=failed).order_by("-status", "pk"))
