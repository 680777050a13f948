"""Where a provider brings mail, without logging in: its signature is what lets it in."""

from __future__ import annotations

import structlog
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from support.mail.hook import RefusedHook, TooLargeHook, is_taking_mail, read_hook
from support.mail.taking import take_in_mail
from support.models import MailWay

log = structlog.get_logger(__name__)


@login_not_required
@csrf_exempt
@require_http_methods(["HEAD", "POST"])
def take_mail(request: HttpRequest) -> HttpResponse:
    """Mail from the provider. 400 for what is not its own, 413 for what is too large; HEAD is how some see whether the
    address is there."""
    if not is_taking_mail():
        raise Http404
    if request.method == "HEAD":
        return HttpResponse()
    now = timezone.now()
    try:
        mails = read_hook(request, now=now)
    except RefusedHook as error:
        log.warning("mail_hook_refused", reason=str(error)[:100])
        code = 413 if isinstance(error, TooLargeHook) else 400
        return HttpResponse("refused\n", status=code, content_type="text/plain")
    for mail in mails:
        take_in_mail(mail, way=MailWay.HOOK, received_at=now, now=now)
    return HttpResponse(status=200)
