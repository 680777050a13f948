"""What providers, mail programs and people ask of us without logging in: webhooks, links and the picture of a message."""

from __future__ import annotations

import base64
from typing import Final

import structlog
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from campaigns.delivery.answers import take_answer
from campaigns.delivery.engagement import note_click, note_open
from campaigns.delivery.links import BadLink, read_click, read_open
from campaigns.delivery.machines import Visit
from campaigns.delivery.receiver_reports import is_taking_receiver_reports, read_receiver_report
from campaigns.delivery.reports import take_in_reports
from campaigns.delivery.short_links import WAY_OUT, read_short
from campaigns.delivery.sms_hooks import Answer, is_taking_sms_hooks, read_sms_hook
from campaigns.delivery.webhooks import RefusedWebhook, is_taking_webhooks, read_webhook

log = structlog.get_logger(__name__)

#: One transparent point.
PICTURE: Final = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")


@login_not_required
@csrf_exempt
@require_http_methods(["HEAD", "POST"])
def take_webhook(request: HttpRequest) -> HttpResponse:
    """The provider's events. 400 for what is not its own; HEAD is how some see whether the address is there."""
    if not is_taking_webhooks():
        raise Http404
    if request.method == "HEAD":
        return HttpResponse()
    now = timezone.now()
    try:
        reports = read_webhook(request, now=now)
    except RefusedWebhook as error:
        return _refuse(error)
    take_in_reports(reports, now=now)
    return HttpResponse(status=200)


@login_not_required
@csrf_exempt
@require_POST
def take_sms_hook(request: HttpRequest) -> HttpResponse:
    """Receipts and answers from the provider of text messages. To an answer we say nothing back: an empty TwiML."""
    if not is_taking_sms_hooks():
        raise Http404
    now = timezone.now()
    try:
        told = read_sms_hook(request, now=now)
    except RefusedWebhook as error:
        return _refuse(error)
    if isinstance(told, Answer):
        take_answer(told, now=now)
    elif told is not None:
        take_in_reports([told], now=now)
    return HttpResponse("<Response/>", content_type="text/xml")


@login_not_required
@csrf_exempt
@require_POST
def take_receiver_report(request: HttpRequest) -> HttpResponse:
    """What the receiver of the web hook tells of a message."""
    if not is_taking_receiver_reports():
        raise Http404
    now = timezone.now()
    try:
        report = read_receiver_report(request, now=now)
    except RefusedWebhook as error:
        return _refuse(error)
    if report is not None:
        take_in_reports([report], now=now)
    return HttpResponse(status=204)


def _refuse(error: RefusedWebhook) -> HttpResponse:
    log.warning("webhook_refused", reason=str(error)[:100])
    return HttpResponse("refused\n", status=400, content_type="text/plain")


@login_not_required
@never_cache
@require_safe
def follow_link(request: HttpRequest, token: str) -> HttpResponse:
    """To the page of the shop that stands in the token, and nowhere else."""
    try:
        link = read_click(token)
    except BadLink:
        raise Http404 from None
    note_click(link, _visit_of(request))
    return _send_on(link.url)


@login_not_required
@never_cache
@require_safe
def follow_short_link(request: HttpRequest, token: str) -> HttpResponse:
    """The same from a text message; number 0 leads to our page by which one gets off the list, and counts as no click."""
    try:
        link = read_short(token)
    except BadLink:
        raise Http404 from None
    if link.number != WAY_OUT:
        note_click(link, _visit_of(request))
    return _send_on(link.url)


@login_not_required
@never_cache
@require_safe
def show_picture(request: HttpRequest, token: str) -> HttpResponse:
    """The same point for everybody; what is noted depends on consent."""
    try:
        note_open(read_open(token), _visit_of(request))
    except BadLink:
        raise Http404 from None
    return HttpResponse(PICTURE, content_type="image/gif")


def _send_on(url: str) -> HttpResponse:
    response = HttpResponseRedirect(url)
    response["Referrer-Policy"] = "no-referrer"  # the token is nobody else's business
    response["X-Robots-Tag"] = "noindex"
    return response


def _visit_of(request: HttpRequest) -> Visit:
    return Visit(request.method or "", request.headers, timezone.now())
