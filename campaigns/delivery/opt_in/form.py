"""The public sign-up form: what is believed of a post, how many are taken, and whose wish it is."""

from __future__ import annotations

import datetime as dt
from typing import Final
from uuid import uuid4

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.signing import BadSignature, TimestampSigner
from django.core.validators import validate_email

from customers.api.counting import count_within
from customers.models import Customer

from .asking import FORM_SOURCE, Asked, ask_consent

SALT: Final = "campaigns.delivery.opt_in.form"
#: A person needs longer than this to fill it in, and has it open less long than that.
QUICKEST_S: Final = 2
OLDEST_S: Final = 24 * 3600
#: So many posts in ten minutes from one network address, and from all of them.
MOST_FROM_ONE: Final = 10
MOST_FROM_ALL: Final = 600
WINDOW_S: Final = 600


class Refused(Exception):
    """A post that no person made, or one too many. The page tells both the same, and nothing of anybody."""


def make_stamp() -> str:
    """What the form carries, so that a post belongs to a page that was shown."""
    return TimestampSigner(salt=SALT).sign("form")


def take_wish(
    address: str, *, stamp: str, bait: str, wording: str, language: str, network_address: str, now: dt.datetime
) -> Asked:
    """Ask the owner of `address` by mail. Whoever has it already is asked as the customer they are; a stranger is noted as one.

    Raises Refused, and ValidationError for what is no address. What comes back must not be told: it says who is a customer.
    """
    if bait or not _is_fresh(stamp):
        raise Refused
    if not (_is_within(f"one:{network_address}", MOST_FROM_ONE) and _is_within("all", MOST_FROM_ALL)):
        raise Refused
    address = address.strip()
    validate_email(address)
    if len(address) > 254:
        raise ValidationError("")
    customer = Customer.objects.known().with_email(address).order_by("pk").first()
    if customer is None:
        customer = Customer.objects.create(
            source=FORM_SOURCE, external_id=f"s-{uuid4().hex[:24]}", email=address, language=language[:12],
            time_zone=settings.SHOP_TIME_ZONE,
        )  # fmt: skip
    return ask_consent(
        customer, source="sign-up form", wording=wording, now=now, network_address=network_address, language=language,
        is_public=True,
    )  # fmt: skip


def _is_fresh(stamp: str) -> bool:
    signer = TimestampSigner(salt=SALT)
    try:
        signer.unsign(stamp, max_age=OLDEST_S)
    except BadSignature:  # of which a signature that is too old is one
        return False
    try:
        signer.unsign(stamp, max_age=QUICKEST_S)
    except BadSignature:
        return True
    return False


def _is_within(who: str, most: int) -> bool:
    return count_within(f"campaigns.delivery.opt_in.form:{who}", WINDOW_S) <= most
