"""The pace of sending on the page Limits: caps, rates, and the ramp of a new sender."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any, Final

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_POST

from campaigns.audience.caps import read_caps, uncapped_topics
from campaigns.audience.connected import sent_channels
from campaigns.audience.topics import TOPICS
from campaigns.delivery.pace import editing
from campaigns.delivery.pace.families import FAMILIES
from campaigns.delivery.pace.meters import Meter, find_warm_up, sender_domain
from campaigns.delivery.pace.tokens import peek
from campaigns.delivery.pace.warm_up import allowance_on, list_days
from campaigns.models import PaceLimit, WarmUp
from customers.ingest.clock import shop_day
from customers.models import Channel
from customers.views.access import current_user

from .access import read_id

LARGEST: Final = 10**7
DAYS_SHOWN: Final = 28


@require_POST
@permission_required("campaigns.change_pacelimit", raise_exception=True)
def save_limit(request: HttpRequest) -> HttpResponse:
    """Make or change a rate."""
    user, form = current_user(request), request.POST
    scope = PaceLimit.Scope.ROUTE if form.get("scope") == PaceLimit.Scope.ROUTE else PaceLimit.Scope.DOMAIN
    domains = form.get("domains", "").replace(",", " ").split()[: editing.MOST_DOMAINS + 1]
    if scope == PaceLimit.Scope.DOMAIN and not domains:
        domains = list(FAMILIES.get(form.get("name", "").strip(), ()))

    def act() -> None:
        editing.save_pace_limit(
            user, scope, form.get("name", "")[:60], domains=domains, now=timezone.now(),
            per_minute=_read_number(form.get("per_minute", "")), per_hour=_read_number(form.get("per_hour", "")),
        )  # fmt: skip

    return _carry_out(request, act, _("Saved."))


@require_POST
@permission_required("campaigns.change_pacelimit", raise_exception=True)
def remove_limit(request: HttpRequest, pk: int) -> HttpResponse:
    user = current_user(request)
    return _carry_out(request, lambda: editing.remove_pace_limit(user, pk), _("Removed."))


@require_POST
@permission_required("campaigns.change_pacelimit", raise_exception=True)
def save_cap(request: HttpRequest) -> HttpResponse:
    """Set a cap, or take it away with empty fields."""
    user, form = current_user(request), request.POST

    def act() -> None:
        editing.save_cap(
            user, form.get("channel", ""), now=timezone.now(),
            messages=_read_number(form.get("messages", "")), days=_read_number(form.get("days", "")),
        )  # fmt: skip

    return _carry_out(request, act, _("Saved."))


@require_POST
@permission_required("campaigns.change_pacelimit", raise_exception=True)
def begin_warm_up(request: HttpRequest) -> HttpResponse:
    user, form = current_user(request), request.POST

    def act() -> None:
        editing.begin_warm_up(
            user, now=timezone.now(), first_day=_read_number(form.get("first_day", "")) or 0,
            factor=_read_factor(form.get("factor", "")), goal=_read_number(form.get("goal", "")) or 0,
        )  # fmt: skip

    return _carry_out(request, act, _("The warm-up begins today."))


@require_POST
@permission_required("campaigns.change_pacelimit", raise_exception=True)
def end_warm_up(request: HttpRequest) -> HttpResponse:
    user = current_user(request)
    return _carry_out(request, lambda: editing.end_warm_up(user, now=timezone.now()), _("The warm-up has ended."))


def describe_pace(request: HttpRequest, *, now: dt.datetime) -> dict[str, Any]:
    """What the page Limits shows of it."""
    limits, caps = list(PaceLimit.objects.select_related("updated_by")), read_caps()
    named = {limit.name for limit in limits if limit.scope == PaceLimit.Scope.DOMAIN}
    return {
        "caps": [
            {
                "channel": channel,
                "label": Channel(channel).label if channel else _("All channels together"),
                "cap": caps.get(channel),
            }
            for channel in ("", *sorted(sent_channels()))
        ],
        "limits": limits,
        "has_door": any(limit.scope == PaceLimit.Scope.ROUTE for limit in limits),
        "proposed": [(name, " ".join(domains)) for name, domains in FAMILIES.items() if name not in named],
        "sender_domain": sender_domain(),
        "look_ahead": settings.PRIORITY_LOOK_AHEAD_HOURS,
        "uncapped": ", ".join(str(TOPICS[topic][0]) for topic in uncapped_topics()),
        "may_pace": request.user.has_perm("campaigns.change_pacelimit"),
        **_describe_warm_up(find_warm_up(), now),
    }


def _describe_warm_up(ramp: WarmUp | None, now: dt.datetime) -> dict[str, Any]:
    today = shop_day(now)
    if ramp is None:
        return {"ramp": None}
    allowed = allowance_on(ramp, today)
    key = f"warm-up:{ramp.pk}:{today.isoformat()}"
    left = peek([Meter(key, allowed, 0.0, today)])[key] if allowed is not None else 0
    days = list(list_days(ramp))
    return {
        "ramp": ramp,
        "ramp_days": [
            (_name_day(day, today), number, "ember" if day == today else "faint" if day < today else "held")
            for day, number in days[:DAYS_SHOWN]
        ],
        "ramp_length": len(days),
        "ramp_number": (today - ramp.started_on).days + 1,
        "ramp_allowed": allowed,
        "ramp_used": int(allowed - left) if allowed is not None else 0,
    }


def _name_day(day: dt.date, today: dt.date) -> str:
    return _("today") if day == today else date_format(day, pgettext("date format", "j M"))


def _read_number(text: str) -> int | None:
    """None for an empty field. A word or a number beyond reason is refused like a missing one."""
    text = text.strip()
    if not text:
        return None
    if not text.isdecimal() or not 0 < int(read_id(text)) <= LARGEST:
        raise ValidationError(_("“%(text)s” is no number that can be used here.") % {"text": text[:20]})
    return int(text)


def _read_factor(text: str) -> float:
    try:
        return float(text.replace(",", "."))
    except ValueError as error:
        raise ValidationError(_("“%(text)s” is no number that can be used here.") % {"text": text[:20]}) from error


def _carry_out(request: HttpRequest, action: Callable[[], Any], done: str) -> HttpResponse:
    try:
        action()
    except ValidationError as error:
        for sentence in error.messages:
            messages.error(request, sentence)
    else:
        messages.success(request, done)
    return redirect("campaigns:limits")
