"""The link in the mail that asks, and what pressing the button behind it does. Fetching the page does nothing."""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.db import transaction

from campaigns.delivery.tokens import sign_token
from campaigns.delivery.unsubscribe import interface_language
from campaigns.models import OptInRequest
from customers.ingest.consent import find_newest_consent, hash_address, lift_unsubscription, record_consent
from customers.models import Customer

SALT: Final = "campaigns.delivery.opt_in"
#: The address of the public page. It stands in mail that was sent, so it can never change; a test holds it to the URL conf.
CONFIRM_PATH: Final = "/y/"


class BadRequestToken(Exception):
    """A link that we did not make, or whose request is gone."""


class Standing(enum.StrEnum):
    """How a request stands for the person who followed the link."""

    WAITING = "waiting"
    CONFIRMED = "confirmed"
    TOO_LATE = "too_late"


@dataclass(frozen=True)
class Wish:
    """What the public page tells, and nothing more of the person."""

    standing: Standing
    wording: str
    interface_language: str


def confirm_url(request: OptInRequest) -> str:
    """The address in the mail: always the same for a request, so that each of its mails confirms it.

    It names the address as well: numbers come again after a backup was put back, and that row is somebody else's.
    """
    return f"{settings.SITE_URL}{CONFIRM_PATH}{sign_token(f'{request.pk}-{_bind(request)}', salt=SALT)}/"


def describe_wish(token: str, *, now: dt.datetime) -> Wish:
    """What the page behind the link shows. Raises BadRequestToken. Changes nothing."""
    pk, bound = _read_token(token)
    request = OptInRequest.objects.select_related("customer").filter(pk=pk).first()
    if request is None or _bind(request) != bound:
        raise BadRequestToken
    return Wish(_judge(request, request.customer, now), request.wording, interface_language(request.language))


@transaction.atomic
def confirm_wish(token: str, *, now: dt.datetime, network_address: str = "") -> Standing:
    """They said yes from the address itself: write the consent down with its proof, and lift an unsubscription.

    Only in time, and only while the customer still has the address that was asked. Raises BadRequestToken. Safe to run twice.
    """
    pk, bound = _read_token(token)
    # The customer first, as everywhere that consents are written.
    customer = Customer.objects.select_for_update().filter(opt_in_requests=pk).first()
    request = OptInRequest.objects.select_for_update().filter(pk=pk).first()
    if customer is None or request is None or _bind(request) != bound:
        raise BadRequestToken
    standing = _judge(request, customer, now)
    if standing is not Standing.WAITING:
        return standing
    keeps = settings.CONSENT_KEEPS_IP
    proof = {
        "by": "double opt-in",
        "request": request.pk,
        "wording": request.wording,
        "asked_at": request.asked_at.isoformat(),
        "mailed_at": request.sending_at.isoformat() if request.sending_at else None,
        "confirmed_at": now.isoformat(),
        **({"asked_from": request.asked_from, "confirmed_from": network_address} if keeps else {}),
    }
    newest = find_newest_consent(customer.pk, request.channel)
    moment = max(now, newest.recorded_at) if newest is not None else now
    record_consent(customer, source=request.source, channel=request.channel, now=moment, proof=proof)
    lift_unsubscription(customer.email, channel=request.channel)
    OptInRequest.objects.filter(pk=request.pk).update(state=OptInRequest.State.CONFIRMED, confirmed_at=now)
    return Standing.CONFIRMED


def _judge(request: OptInRequest, customer: Customer, now: dt.datetime) -> Standing:
    if request.state == OptInRequest.State.CONFIRMED:
        return Standing.CONFIRMED
    is_theirs = bool(customer.email) and hash_address(customer.email) == request.address_hash
    is_open = request.state == OptInRequest.State.WAITING and request.expires_at > now and is_theirs
    return Standing.WAITING if is_open else Standing.TOO_LATE


def _bind(request: OptInRequest) -> str:
    """Of the keyed hash of the address as much as no other row has by chance."""
    return request.address_hash[:16]


def _read_token(token: str) -> tuple[int, str]:
    try:
        pk, _dash, bound = _signer().unsign(token).partition("-")
        return int(pk), bound
    except (BadSignature, ValueError) as error:
        raise BadRequestToken from error


def _signer() -> Signer:
    return Signer(sep=".", salt=SALT)
