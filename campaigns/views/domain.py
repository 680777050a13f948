"""The domain doctor: what mailbox providers find out about the shop's sending domain, and the record that mends each fault."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from campaigns.approval.domain_override import end_override, override_domain
from campaigns.approval.sender_domain import read_domain_state
from campaigns.delivery.domain.doctor import check_domain, sending_domain
from campaigns.models import DomainCheck, DomainOverride
from customers.views.access import current_user

from .domain_words import SENTENCES

TONES: Final = {"ok": "kept", "warn": "warn", "fail": "stop", "unknown": ""}


@require_safe
@permission_required("campaigns.view_domaincheck", raise_exception=True)
def show_domain(request: HttpRequest) -> HttpResponse:
    """The newest check, what it means, and the records to publish."""
    return render(request, "campaigns/domain.html", _describe(request))


@require_POST
@permission_required("campaigns.add_domaincheck", raise_exception=True)
def check(request: HttpRequest) -> HttpResponse:
    """Ask DNS now; half a minute at the most."""
    check_domain(timezone.now())
    messages.success(request, _("Looked up."))
    return redirect("campaigns:domain")


@require_POST
def override(request: HttpRequest) -> HttpResponse:
    """Let mail leave all the same; the reason is kept."""
    reason, user = request.POST.get("reason", ""), current_user(request)
    return _carry_out(
        request,
        lambda: override_domain(user, reason=reason, now=timezone.now()),
        _("Mail may leave although alignment fails. The audit log says that you decided so."),
    )


@require_POST
def end(request: HttpRequest) -> HttpResponse:
    """The check counts again."""
    user = current_user(request)
    return _carry_out(request, lambda: end_override(user, now=timezone.now()), _("The check counts again."))


def _carry_out(request: HttpRequest, action: Callable[[], Any], done: str) -> HttpResponse:
    try:
        action()
    except ValidationError as error:
        for sentence in error.messages:
            messages.error(request, sentence)
    else:
        messages.success(request, done)
    return redirect("campaigns:domain")


def _describe(request: HttpRequest) -> dict[str, Any]:
    state = read_domain_state()
    return {
        "domain": sending_domain(),
        "state": state,
        "rows": [_tell(row) for row in state.checks],
        "uses_catcher": settings.USES_MAIL_CATCHER,
        "may_check": request.user.has_perm("campaigns.add_domaincheck"),
        "may_override": request.user.has_perm("campaigns.add_domainoverride"),
        "overrides": DomainOverride.objects.select_related("made_by").order_by("-made_at")[:5],
    }


def _tell(row: DomainCheck) -> dict[str, Any]:
    sentence = str(SENTENCES.get((row.kind, row.code), row.code))
    return {
        "label": row.get_kind_display(),
        "verdict": row.get_verdict_display(),
        "tone": TONES[row.verdict],
        "sentence": sentence % row.details if "%(" in sentence else sentence,
        "found": row.details.get("found", ""),
        "record": row.details.get("record", "") if row.verdict != "ok" else "",
    }
