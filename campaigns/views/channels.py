"""Which channels are connected, to what, and whether they work: each can be tried on oneself."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from campaigns.audience.connected import is_sent
from campaigns.delivery.channels import Outcome
from campaigns.delivery.channels.targets import SMS_HOOK_PATH
from campaigns.delivery.receiver_reports import HOOK_PATH
from campaigns.delivery.trying import try_channel
from campaigns.delivery.webhooks import WEBHOOK_PATH
from customers.models import Channel
from customers.views.access import current_user


@require_safe
@permission_required("campaigns.view_domaincheck", raise_exception=True)
def show_channels(request: HttpRequest) -> HttpResponse:
    """E-mail, text messages, web hook and push, each with where it leads."""
    context = {
        "rows": [_tell(channel) for channel in Channel],
        "may_try": request.user.has_perm("campaigns.control_sending"),
        "own_address": current_user(request).email,
    }
    return render(request, "campaigns/channels.html", context)


@require_POST
def try_one(request: HttpRequest, channel: str) -> HttpResponse:
    """Send a test message and say what came of it."""
    if channel not in Channel.values:
        raise Http404
    try:
        number = request.POST.get("number", "")[:60]
        reply = try_channel(current_user(request), channel, number=number, now=timezone.now())
    except ValidationError as error:
        for sentence in error.messages:
            messages.error(request, sentence)
    else:
        if reply.outcome is Outcome.ACCEPTED:
            messages.success(request, _("Taken. It should arrive within a minute.") if not _is_caught(channel) else
                             _("Caught on this machine: everything works up to here."))  # fmt: skip
        else:
            messages.error(request, _("It was not taken: %(answer)s") % {"answer": reply.summary})
    return redirect("campaigns:channels")


def _is_caught(channel: str) -> bool:
    return {
        Channel.EMAIL.value: settings.USES_MAIL_CATCHER,
        Channel.SMS.value: settings.SMS_IS_CAUGHT,
        Channel.WEBHOOK.value: settings.WEBHOOK_IS_CAUGHT,
    }.get(channel, False)


def _tell(channel: Channel) -> dict[str, Any]:
    tellers = {Channel.EMAIL: _tell_mail, Channel.SMS: _tell_sms, Channel.WEBHOOK: _tell_webhook}
    facts = tellers[channel]() if channel in tellers and is_sent(channel) else []
    return {
        "key": channel.value,
        "label": channel.label,
        "is_connected": is_sent(channel),
        "is_caught": is_sent(channel) and _is_caught(channel),
        "facts": facts,
        "setting": {Channel.SMS: "SMS_URL", Channel.WEBHOOK: "WEBHOOK_URL", Channel.EMAIL: "EMAIL_URL"}.get(
            channel, ""
        ),
    }


def _tell_mail() -> list[tuple[str, str]]:
    server = settings.EMAIL_PROVIDER or settings.EMAIL_HOST
    facts = [(_("Server"), str(server)), (_("Sender"), str(settings.SHOP_FROM_EMAIL))]
    return facts + ([(_("Reports"), settings.SITE_URL + WEBHOOK_PATH)] if settings.EMAIL_WEBHOOK_SECRET else [])


def _tell_sms() -> list[tuple[str, str]]:
    target = settings.SMS_TARGET
    assert target is not None
    replies = (
        _("STOP is taken at %(url)s") if target.takes_replies else _("This sender cannot be answered; a link ends it.")
    )
    return [
        (_("Provider"), target.provider.capitalize()),
        (_("Sender"), target.sender),
        (_("Answers"), replies % {"url": settings.SITE_URL + SMS_HOOK_PATH} if target.takes_replies else replies),
    ]


def _tell_webhook() -> list[tuple[str, str]]:
    target = settings.WEBHOOK_TARGET
    assert target is not None
    keys = (
        _("remembered by the receiver: nothing is lost")
        if target.key_window_s
        else _("not relied on: never sent twice")
    )
    return [
        (_("Receiver"), urlsplit(target.url).netloc),
        (_("Ids"), keys),
        (_("Reports"), settings.SITE_URL + HOOK_PATH),
    ]
