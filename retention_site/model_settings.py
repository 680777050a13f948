"""The page of the language model: whether it answers, what it costs, what went wrong, and what is left of the caps."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext
from django.views.decorators.http import require_POST, require_safe

from campaigns.models import Campaign
from llm import figures
from llm.batching import says_no_batches_since, uses_batches
from llm.breaker import read_breaker
from llm.budget import read_limits, read_overrun
from llm.configuration import ModelInfo, read_timeout_s
from llm.models import LlmCall, LlmServerMode
from llm.records import count_open_calls, read_places
from llm.status import SECONDS_BETWEEN_TRIES, configured_model, find_local_servers, try_connection, was_just_tried

#: What a model is asked for, in words; a purpose that is missing here is shown by its own name.
PURPOSES = {
    "draft_message": gettext_lazy("Drafts of messages"),
    "read_texts": gettext_lazy("Reading what customers write"),
    "connection_check": gettext_lazy("Tries of the connection"),
    "translate_message": gettext_lazy("Translations"),
    "evaluate_prompt": gettext_lazy("Evaluation of prompts"),
    "try_voice": gettext_lazy("Tries of the brand voice"),
    "support.triage": gettext_lazy("Sorting of tickets"),
    "support.answer": gettext_lazy("Drafts of answers"),
    "support.check": gettext_lazy("Second look at drafts of answers"),
    "propose_segment": gettext_lazy("Proposals of segments"),
}
LONGEST_TRY_S = 20.0


@require_safe
@permission_required("llm.view_llmcall", raise_exception=True)
def show_model(request: HttpRequest) -> HttpResponse:
    """What the model does and costs, and how its server is."""
    now = timezone.now()
    info = configured_model()
    return render(request, "settings_model.html", _tell_server(info, now) | _tell_use(request, now))


@require_POST
@permission_required("llm.view_llmcall", raise_exception=True)
def check_model(request: HttpRequest) -> HttpResponse:
    """Ask the configured model for one word and say how it went; not more often than every few seconds."""
    now = timezone.now()
    if was_just_tried(now):
        words = _("The connection was tried a moment ago. Wait %(seconds)d seconds between two tries.")
        messages.warning(request, words % {"seconds": SECONDS_BETWEEN_TRIES})
        return redirect("model-settings")
    check = try_connection(now, timeout_s=min(read_timeout_s(), LONGEST_TRY_S))
    (messages.success if check.works else messages.error)(request, capfirst(check.message))
    return redirect("model-settings")


def name_purpose(purpose: str) -> str:
    """A purpose in words."""
    return str(PURPOSES.get(purpose, purpose.replace("_", " ")))


def _tell_server(info: ModelInfo, now: datetime) -> dict[str, Any]:
    """How the server is: the breaker, its places, how it wants to be asked, what it said last."""
    sent = LlmCall.objects.filter(server_host=info.host, was_reused=False)
    sent = sent.exclude(outcome__in=[LlmCall.Outcome.OVER_BUDGET, LlmCall.Outcome.WAITING, LlmCall.Outcome.ASKED])
    return {
        "model": info,
        "servers": [] if info.is_configured else find_local_servers(skip_port=urlsplit(settings.SITE_URL).port),
        "breaker": read_breaker(info, now),
        "last": sent.first() if info.is_configured else None,
        "manner": LlmServerMode.objects.filter(address=info.address, model=info.model).first(),
        "uses_batches": uses_batches(),
        "no_batches_since": says_no_batches_since(info, now),
        "waiting": LlmCall.objects.filter(outcome=LlmCall.Outcome.WAITING).count(),
        "in_batches": LlmCall.objects.filter(outcome=LlmCall.Outcome.ASKED, batch__isnull=False).count(),
        "overrun": read_overrun(info),
        "places": read_places(),
        "open_calls": count_open_calls(info),
    }


def _tell_use(request: HttpRequest, now: datetime) -> dict[str, Any]:
    """What was asked for, what it cost, what went wrong."""
    limits = read_limits()
    days = figures.read_days(now)
    short = pgettext("date format", "j M")
    purposes = [asdict(row) | {"label": name_purpose(row.purpose), "share": row.failed_share}
                for row in figures.read_purposes(now)]  # fmt: skip
    return {
        "limits": limits,
        "caps": figures.read_day_caps(limits, now),
        "spans": [
            (_("Today"), figures.add_days(days[-1:])),
            (_("7 days"), figures.add_days(days[-7:])),
            (_("30 days"), figures.add_days(days)),
        ],
        "by_day": [(date_format(day.on, short), day.tokens) for day in days],
        "has_use": any(day.tokens or day.sent for day in days),
        "purposes": purposes,
        "troubles": [(name_purpose(row.purpose), row) for row in figures.read_troubles(now)],
        "scopes": _name_scopes(request, figures.read_scopes(now)),
        "keep_days": settings.LLM_KEEP_CALLS_DAYS,
        "reuse_hours": settings.LLM_REUSE_HOURS,
        "timeout_s": round(settings.LLM_TIMEOUT_S),
    }


def _name_scopes(request: HttpRequest, scopes: list[tuple[str, int, Any]]) -> list[dict[str, Any]]:
    """Campaigns by their names, with a link for those who may see them."""
    numbers = {scope: int(scope.removeprefix("campaign:")) for scope, *_rest in scopes if _is_campaign(scope)}
    names = dict(Campaign.objects.filter(pk__in=numbers.values()).values_list("pk", "name"))
    may_see = request.user.has_perm("campaigns.view_campaign")
    return [
        {
            "label": names.get(numbers.get(scope, 0), scope),
            "pk": numbers.get(scope) if may_see and numbers.get(scope) in names else None,
            "tokens": tokens,
            "cost": cost,
        }
        for scope, tokens, cost in scopes
    ]


def _is_campaign(scope: str) -> bool:
    return scope.startswith("campaign:") and scope.removeprefix("campaign:").isdecimal()
