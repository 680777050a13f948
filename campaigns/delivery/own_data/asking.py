"""What becomes of somebody's wish for a copy of their data, or to be erased: a mail with a link to the address that we know.

The link to the preference centre comes with every message and may have been passed on. So it alone gives out and destroys
nothing: whoever confirms reads the mail of that address now.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, Sum
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from campaigns.models import OwnRequest
from customers.ingest.consent import hash_address
from customers.models import AuditAction, Customer, PrivacyRequest, record_audit
from customers.privacy.requests import ask

log = structlog.get_logger(__name__)

#: So long between two mails to one person, and so many of both kinds in a day: whoever has their link fills no mailbox.
BETWEEN_MAILS: Final = dt.timedelta(minutes=10)
MOST_MAILS: Final = 5
DAY: Final = dt.timedelta(days=1)

#: What was asked for, in the words of the person; of PrivacyRequest.Kind.
NAMES: Final[dict[str, Promise]] = {"export": _("A copy of my data"), "erasure": _("Erase my data")}


@transaction.atomic
def ask_for_own_data(customer: Customer, kind: str, *, source: str, now: dt.datetime) -> PrivacyRequest:
    """Note the wish and queue the mail with the link; staff decide where there is no address for one.

    A mail that was asked for a moment ago is not sent again, and nobody is told so: what comes back is the same. Safe to run
    twice; two at once make one request.
    """
    customer = Customer.objects.select_for_update().get(pk=customer.pk)
    request = ask(customer, kind, source=source, now=now, confirms=bool(customer.email))
    if request.asked_at == now:
        record_audit(AuditAction.PRIVACY_ASKED, actor=None, about=("privacy_request", request.pk), kind=kind)
    if customer.email and request.status != PrivacyRequest.Status.SCHEDULED:
        _queue_mail(customer, request, now)
    return request


def ask_staff(customer: Customer, kind: str, *, source: str, now: dt.datetime) -> PrivacyRequest:
    """The mail does not reach the person: staff decide, and find out themselves whether it is them."""
    return ask(customer, kind, source=source, now=now)


def waiting_kinds(customer: Customer) -> list[str]:
    """What was asked for and not confirmed yet."""
    waiting = PrivacyRequest.objects.filter(customer_number=customer.pk, status=PrivacyRequest.Status.WAITING)
    return sorted(waiting.values_list("kind", flat=True))


def close_outlived(now: dt.datetime) -> int:
    """Wishes that were not confirmed in time are over; returns how many. Where the mail cannot have reached anybody, staff
    decide. Safe to run twice."""
    waiting = OwnRequest.objects.filter(state=OwnRequest.State.WAITING)
    over = waiting.filter(Q(mail=OwnRequest.Mail.FAILED) | Q(expires_at__lte=now))
    with transaction.atomic():
        people = over.values("customer_id")  # locked as whoever asks again locks them
        list(Customer.objects.select_for_update().filter(pk__in=people).order_by("pk").values_list("pk"))
        rows = list(over.values_list("pk", "request_id", "mail"))
        closed = waiting.filter(pk__in=[pk for pk, _request, _mail in rows]).update(state=OwnRequest.State.OUTLIVED)
        arrived = [request for _pk, request, mail in rows if mail in (OwnRequest.Mail.SENT, OwnRequest.Mail.UNKNOWN)]
        asked = PrivacyRequest.objects.filter(status=PrivacyRequest.Status.WAITING)
        asked.filter(pk__in=arrived).update(status=PrivacyRequest.Status.LAPSED, decided_at=now)
        # Refused, unsent, or never mailed because the mails of a day were used up.
        asked.exclude(Exists(waiting.filter(request=OuterRef("pk")))).update(status=PrivacyRequest.Status.OPEN)
    if closed:
        log.info("own_requests_outlived", requests=closed)
    return closed


def _queue_mail(customer: Customer, request: PrivacyRequest, now: dt.datetime) -> None:
    mine = OwnRequest.objects.filter(customer=customer)
    recent = mine.filter(mail_asked_at__gt=now - DAY)
    if (recent.aggregate(mails=Sum("mails"))["mails"] or 0) >= MOST_MAILS:
        return
    hashed = hash_address(customer.email)
    waiting = mine.filter(kind=request.kind, state=OwnRequest.State.WAITING)
    standing = waiting.filter(address_hash=hashed, expires_at__gt=now, request=request).first()
    if standing is None:  # none, or of another address, or its time has passed
        waiting.update(state=OwnRequest.State.OUTLIVED)
        OwnRequest.objects.create(
            customer=customer, request=request, kind=request.kind, address_hash=hashed, language=customer.language,
            asked_at=now, expires_at=now + dt.timedelta(hours=settings.OWN_LINK_HOURS), mail_asked_at=now,
        )  # fmt: skip
        return
    done = (OwnRequest.Mail.SENT, OwnRequest.Mail.UNKNOWN)
    if standing.mail in done and standing.mail_asked_at + BETWEEN_MAILS <= now:
        standing.queue_again(now, expires_at=now + dt.timedelta(hours=settings.OWN_LINK_HOURS))
