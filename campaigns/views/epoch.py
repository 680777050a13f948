"""Why nothing is sent after a backup was restored, what may have been sent since, and the button that lets it go on."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from campaigns.delivery.fence.confirming import CONTINUE, UNKNOWN, confirm_sending
from campaigns.delivery.fence.gate import read_fence
from campaigns.delivery.fence.risk import assess_risks
from campaigns.models import SendingEpoch
from customers.ingest.outside_queue import count_unwritten
from customers.privacy.restoring import Lost, repeat_lost
from customers.views.access import current_user

PREFIX = "campaign-"
SHOWN = 10


@require_safe
@permission_required("campaigns.view_message", raise_exception=True)
def show_epoch(request: HttpRequest) -> HttpResponse:
    """The fence, the campaigns at risk, and who confirmed before."""
    return render(request, "campaigns/epoch.html", _describe(request))


@require_POST
def confirm(request: HttpRequest) -> HttpResponse:
    """Let sending go on, with a choice for each campaign at risk."""
    choices = {
        int(name.removeprefix(PREFIX)): value
        for name, value in request.POST.items()
        if name.startswith(PREFIX) and name.removeprefix(PREFIX).isdecimal() and isinstance(value, str)
    }
    note = request.POST.get("note", "")
    try:
        confirm_sending(current_user(request), note=note, choices=choices, now=timezone.now())
    except ValidationError as error:
        for sentence in error.messages:
            messages.error(request, sentence)
        context = _describe(request) | {"note": note, "chosen": choices}
        return render(request, "campaigns/epoch.html", context, status=422)
    messages.success(request, _("Sending goes on. The audit log says that you decided so."))
    return redirect("campaigns:sending-epoch")


def _describe(request: HttpRequest) -> dict[str, Any]:
    fence, now = read_fence(), timezone.now()
    return {
        "fence": fence,
        "lost": _list_lost(repeat_lost(now, is_dry=True)) if fence is not None else [],
        "unwritten": count_unwritten(now),
        "risks": assess_risks(fence, now=now) if fence is not None else None,
        "epochs": SendingEpoch.objects.select_related("confirmed_by").order_by("-number")[:SHOWN],
        "may_confirm": request.user.has_perm("campaigns.confirm_sending"),
        "choices": [
            (UNKNOWN, _("Do not send again what may have been sent"), _("It is marked as unknown. Somebody may get nothing.")),
            (CONTINUE, _("Send all that waits"), _("Right where nothing left after the backup. Somebody may get it twice.")),
        ],
    }  # fmt: skip


def _list_lost(lost: Lost) -> list[tuple[str, int]]:
    """What people decided since and this database does not know, in words, as far as there is any."""
    found = [
        (_("erased"), lost.erasures),
        (_("to be erased on a later day"), lost.scheduled),
        (_("not to be erased after all"), lost.spared),
        (_("objected to being profiled"), lost.objections),
        (_("withdrew a consent"), lost.withdrawals),
        (_("addresses not to be written to"), lost.addresses),
        (_("domains not to be written to"), lost.domains),
        (_("chose topics, a pause, how often or a language"), lost.choices),
    ]
    return [(label, number) for label, number in found if number]
