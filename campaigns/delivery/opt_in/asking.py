"""What becomes of somebody's wish to be written to: a consent at once, or one that waits until they confirm it by mail."""

from __future__ import annotations

import datetime as dt
import enum
from typing import Any, Final

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from campaigns.audience.channels import read_address
from campaigns.audience.country_rules import read_country_rules
from campaigns.models import Arm, AudienceMember, Entry, OptInRequest
from customers.ingest.consent import (
    find_newest_consent,
    hash_address,
    is_domain_suppressed,
    lift_unsubscription,
    record_consent,
)
from customers.models import Channel, ConsentRecord, Customer, CustomerEvent, Order, Suppression
from customers.models.consent import forgetting

log = structlog.get_logger(__name__)

#: So many mails of one wish, and so long between two of them: whoever types in a stranger's address fills no mailbox.
MOST_MAILS: Final = 3
BETWEEN_MAILS: Final = dt.timedelta(minutes=10)
#: After a wish that nobody confirmed, another one is mailed only so much later.
BETWEEN_WISHES: Final = dt.timedelta(days=1)

#: Of customers whom we know by the public form alone, and how long one of them is kept who never confirmed.
FORM_SOURCE: Final = "sign-up"
FORGOTTEN_AFTER: Final = dt.timedelta(days=30)


class Asked(enum.StrEnum):
    """What became of the wish. STANDING: they agreed before. TOO_SOON: a mail is on its way, or there were enough."""

    GIVEN = "given"
    STANDING = "standing"
    PENDING = "pending"
    MAILED_AGAIN = "mailed_again"
    TOO_SOON = "too_soon"
    NO_ADDRESS = "no_address"
    SUPPRESSED = "suppressed"


@transaction.atomic
def ask_consent(
    customer: Customer,
    *,
    source: str,
    wording: str,
    now: dt.datetime,
    channel: str = Channel.EMAIL,
    network_address: str = "",
    language: str = "",
    proof: dict[str, Any] | None = None,
    given_at: dt.datetime | None = None,
    is_public: bool = False,
) -> Asked:
    """Note that somebody asked with this customer's address to be written to. `wording` is what they were shown.

    By mail it waits for a confirmation where the rule of the country says so, wherever they had left, and where the wish came
    over a public form (`is_public`): anybody can type in an address. `given_at` is when, where the news of it came later.
    Bounced, complained and blocked addresses stay as they are. Safe to run twice; two at once make one request.
    """
    Customer.objects.select_for_update().get(pk=customer.pk)
    address = read_address(channel, customer)
    if not address:
        return Asked.NO_ADDRESS
    reason = _why_suppressed(address, channel)
    if reason not in ("", Suppression.Reason.UNSUBSCRIBED):
        return Asked.SUPPRESSED
    newest = find_newest_consent(customer.pk, channel)
    if newest is not None and newest.status == ConsentRecord.Status.GIVEN and not newest.is_test and not reason:
        return Asked.STANDING
    told = {"wording": wording, "asked_at": (given_at or now).isoformat(), **(proof or {})}
    if network_address and settings.CONSENT_KEEPS_IP:
        told["asked_from"] = network_address
    had_left = bool(reason) or (newest is not None and newest.status == ConsentRecord.Status.WITHDRAWN)
    if channel == Channel.EMAIL and (is_public or had_left or _needs_double_opt_in(customer)):
        return _wait_for_confirmation(customer, source, wording, now, network_address, language, told)
    record_consent(customer, source=source, channel=channel, now=given_at or now, proof=told)
    lift_unsubscription(address, channel=channel)
    return Asked.GIVEN


def _needs_double_opt_in(customer: Customer) -> bool:
    rule = read_country_rules().find(customer.country)
    return rule is not None and rule.needs_double_opt_in


def _why_suppressed(address: str, channel: str) -> str:
    found = Suppression.objects.filter(channel=channel, address_hash=hash_address(address)).first()
    reason = found.reason if found is not None else ""
    # Who unsubscribed may come back, but not at a domain to which no mail goes: that one would be promised and never leave.
    is_open = channel == Channel.EMAIL and reason in ("", Suppression.Reason.UNSUBSCRIBED)
    return Suppression.Reason.STAFF if is_open and is_domain_suppressed(address) else reason


def _wait_for_confirmation(
    customer: Customer,
    source: str,
    wording: str,
    now: dt.datetime,
    network_address: str,
    language: str,
    told: dict[str, Any],
) -> Asked:
    last = _mailed(customer).order_by("-asked_at", "-pk").first()
    expires_at = now + dt.timedelta(days=settings.OPT_IN_LINK_DAYS)
    is_same = last is not None and last.address_hash == hash_address(customer.email)
    if last is not None and last.state == OptInRequest.State.WAITING and is_same and last.expires_at > now:
        return _mail_again(last, now)
    if (
        last is not None
        and last.state == OptInRequest.State.OUTLIVED
        and is_same
        and last.expires_at + BETWEEN_WISHES > now
    ):
        return Asked.TOO_SOON
    # One whose time has passed, or that was asked of another address, is over.
    _mailed(customer).filter(state=OptInRequest.State.WAITING).update(state=OptInRequest.State.OUTLIVED)
    OptInRequest.objects.create(
        customer=customer, address_hash=hash_address(customer.email), source=source, wording=wording,
        language=language or customer.language, asked_at=now, expires_at=expires_at, mail_asked_at=now,
        asked_from=network_address if settings.CONSENT_KEEPS_IP else "",
    )  # fmt: skip
    ConsentRecord.objects.create(
        customer=customer, channel=Channel.EMAIL, status=ConsentRecord.Status.PENDING,
        legal_basis=ConsentRecord.LegalBasis.CONSENT, source=source, proof=told, recorded_at=now,
    )  # fmt: skip
    return Asked.PENDING


def _mailed(customer: Customer) -> QuerySet[OptInRequest]:
    return OptInRequest.objects.filter(customer=customer, channel=Channel.EMAIL)


def _mail_again(request: OptInRequest, now: dt.datetime) -> Asked:
    """The same link once more, with the day on which it ends as it was. Never while one is still to leave."""
    done = (OptInRequest.Mail.SENT, OptInRequest.Mail.UNKNOWN, OptInRequest.Mail.FAILED)
    if request.mails >= MOST_MAILS or request.mail not in done or request.mail_asked_at + BETWEEN_MAILS > now:
        return Asked.TOO_SOON
    request.queue_again(now)
    return Asked.MAILED_AGAIN


def close_outlived(now: dt.datetime) -> int:
    """Wishes that nobody confirmed in time are over; returns how many. Safe to run twice.

    What was written down of a customer stays; who is known by a public form alone is forgotten after FORGOTTEN_AFTER.
    """
    _forget_strangers(now)
    late = OptInRequest.objects.filter(state=OptInRequest.State.WAITING, expires_at__lte=now)
    closed = late.update(state=OptInRequest.State.OUTLIVED)
    if closed:
        log.info("opt_in_outlived", requests=closed)
    return closed


def _forget_strangers(now: dt.datetime) -> None:
    """Somebody typed an address into the public form, and nobody ever confirmed it: nothing gives us a reason to keep it."""
    told = ConsentRecord.objects.filter(customer=OuterRef("pk")).exclude(status=ConsentRecord.Status.PENDING)
    open_wish = OptInRequest.objects.filter(customer=OuterRef("pk")).exclude(state=OptInRequest.State.OUTLIVED)
    bought = Order.objects.filter(customer=OuterRef("pk"))
    did = CustomerEvent.objects.filter(customer=OuterRef("pk"))
    # Whoever once counted in a campaign, by consents that went back with a merge, stays in its ledger.
    drawn = AudienceMember.objects.filter(customer=OuterRef("pk")).exclude(arm=Arm.EXCLUDED)
    entered = Entry.objects.filter(customer=OuterRef("pk")).exclude(arm=Arm.EXCLUDED)
    strangers = Customer.objects.filter(source=FORM_SOURCE, created_at__lt=now - FORGOTTEN_AFTER).exclude(
        Exists(told) | Exists(open_wish) | Exists(bought) | Exists(did) | Exists(drawn) | Exists(entered)
    )
    if gone := [customer.pk for customer in strangers[:500]]:
        with transaction.atomic(), forgetting():
            Customer.objects.filter(pk__in=gone).delete()
        log.info("strangers_forgotten", customers=len(gone))
