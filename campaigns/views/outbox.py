"""The outbox: every message with its state, and what the mail catcher holds."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from campaigns.audience.channels import read_address
from campaigns.content.rendering import PREVIEW_CSP, RenderedMessage, RenderError, load_source, render_message
from campaigns.delivery.browsing import COUNTED, browse_messages, count_by_status, list_campaigns_with_messages
from campaigns.delivery.unsubscribe import unsubscribe_url
from campaigns.models import Message, MessageStatus
from customers.models import Channel

from .previews import show_card

PAGE_SIZE = 25
EVENTS_SHOWN = 50


@require_safe
@permission_required("campaigns.view_message", raise_exception=True)
def list_messages(request: HttpRequest) -> HttpResponse:
    """Messages by campaign and state, newest first."""
    found = Message.objects.select_related("customer", "campaign", "variant")
    campaign, status = request.GET.get("campaign", ""), request.GET.get("status", "")
    if campaign.isdecimal() and len(campaign) < 12:
        found = found.filter(campaign=int(campaign))
    counts = count_by_status()
    page = browse_messages(
        found,
        status=status if status in MessageStatus.values else "",
        counts=counts,
        older_than=request.GET.get("after", ""),
        newer_than=request.GET.get("before", ""),
        size=PAGE_SIZE,
    )
    for message in page.messages:
        message.address = read_address(message.channel, message.customer)
    context = {
        "page": page,
        "campaigns": list_campaigns_with_messages(),
        "statuses": [
            (value, label, _say_count(counts[value])) for value, label in MessageStatus.choices if counts[value]
        ],
        "campaign": campaign,
        "status": status,
        "uses_catcher": settings.USES_MAIL_CATCHER,
        "is_all_caught": not (settings.SMS_URL or settings.WEBHOOK_URL),
    }
    return render(request, "campaigns/outbox.html", context)


def _say_count(number: int) -> str:
    return f"{number:,}" if number <= COUNTED else f"{COUNTED:,}+"


@require_safe
@permission_required("campaigns.view_message", raise_exception=True)
def show_message(request: HttpRequest, pk: int) -> HttpResponse:
    """One message: its states, and the copy, rendered again from the approved text and the kept slots."""
    message = get_object_or_404(Message.objects.select_related("customer", "campaign", "variant__archetype"), pk=pk)
    # Only of a caught mail: of a real one the page is the customer's, and nobody else should follow it.
    caught = {Channel.EMAIL: settings.USES_MAIL_CATCHER, Channel.SMS: settings.SMS_IS_CAUGHT}
    is_caught = (
        caught.get(Channel(message.channel), settings.WEBHOOK_IS_CAUGHT) and message.status == MessageStatus.ACCEPTED
    )
    page = unsubscribe_url(message.pk, message.customer_id) if is_caught else ""
    context = {
        "message": message,
        "address": read_address(message.channel, message.customer),
        "unsubscribe_page": page.removeprefix(settings.SITE_URL),
        "events": message.delivery_events.order_by("occurred_at", "pk")[:EVENTS_SHOWN],
    }
    return render(request, "campaigns/outbox_message.html", context | _render_copy(message))


@require_safe
@permission_required("campaigns.view_message", raise_exception=True)
@xframe_options_sameorigin
def show_body(request: HttpRequest, pk: int) -> HttpResponse:
    """The copy's HTML for a sandboxed frame."""
    message = get_object_or_404(Message.objects.select_related("variant"), pk=pk)
    copy = _render_copy(message)
    if message.channel != Channel.EMAIL and copy["is_rendered"]:
        return show_card(message.channel, RenderedMessage(copy["subject"], "", "", copy["text"]))
    response = HttpResponse(copy.get("html", ""))
    response["Content-Security-Policy"] = PREVIEW_CSP
    return response


def _render_copy(message: Message) -> dict[str, Any]:
    """What was or will be sent; nothing while a message has no slots yet, the reason where it cannot be rendered."""
    words = message.variant.subject or message.variant.opening
    if not message.slots:
        return {"html": "", "subject": words, "is_rendered": False}
    try:
        copy = render_message(load_source(message.variant), message.slots)
    except RenderError as error:
        return {"html": "", "subject": words, "is_rendered": False, "fault": str(error)}
    subject = copy.subject or (copy.text if message.channel == Channel.SMS else "")
    return {"html": copy.html, "text": copy.text, "subject": subject, "is_rendered": True}
