"""Short signed addresses for text messages, where every sign counts: /l/ and some 18 signs.

What a link leads to stands in the approved text, which the message refers to for ever; the token names the message and the
number of the link, and is signed, so that nobody can make one up or try others. Number 0 is the way out.
"""

from __future__ import annotations

import base64
import hmac
import re
import string
from functools import lru_cache
from typing import Final

from django.conf import settings
from django.utils.crypto import salted_hmac

from campaigns.content.composing import is_shop_link
from campaigns.content.rendering import load_source
from campaigns.models import Message

from .links import BadLink, ClickLink
from .names import list_signing_secrets
from .unsubscribe import unsubscribe_url

#: It stands in messages that were sent, so it can never change. A test holds it and the URL conf together.
SHORT_PATH: Final = "/l/"
WAY_OUT: Final = 0
#: Of the signature: 66 bits, which nobody finds by asking us.
SIGNED: Final = 11
_DIGITS: Final = string.digits + string.ascii_lowercase
_TOKEN: Final = re.compile(rf"([0-9a-z]{{1,12}})-(\d)([A-Za-z0-9_-]{{{SIGNED}}})")


def short_url(message_id: int, number: int) -> str:
    """The address of link `number` (1 to 9) of a message, or of its way out (0). The same on every try."""
    name = f"{_write_number(message_id)}-{number}"
    return f"{settings.SITE_URL}{SHORT_PATH}{name}{_sign(name, settings.SECRET_KEY)}"


def read_short(token: str) -> ClickLink:
    """Which link of which message, and where it leads: a page of the shop, or of ours for the way out. Raises BadLink."""
    found = _TOKEN.fullmatch(token)
    if found is None or not _is_signed(token[:-SIGNED], found[3]):
        raise BadLink
    number = int(found[2])
    message = Message.objects.select_related("variant").filter(pk=int(found[1], 36)).first()
    if message is None:
        raise BadLink
    if number == WAY_OUT:
        return ClickLink(message.pk, WAY_OUT, unsubscribe_url(message.pk, message.customer_id))
    links = load_source(message.variant).links
    if not 1 <= number <= len(links):
        raise BadLink
    if not is_shop_link(links[number - 1], settings.SHOP_URL, tuple(settings.SHOP_LINK_DOMAINS)):
        raise BadLink  # in an approved text once, but no longer the shop's
    return ClickLink(message.pk, number, links[number - 1])


def _is_signed(name: str, given: str) -> bool:
    return any(hmac.compare_digest(_sign(name, secret), given) for secret in list_signing_secrets())


def _sign(name: str, secret: str) -> str:
    return base64.urlsafe_b64encode(hmac.digest(_key(secret), name.encode(), "sha256")).decode()[:SIGNED]


@lru_cache(maxsize=4)
def _key(secret: str) -> bytes:
    return salted_hmac("campaigns.delivery.short_links", "key", secret=secret, algorithm="sha256").digest()


def _write_number(number: int) -> str:
    """In base 36, without leading zeros."""
    digits = ""
    while number or not digits:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits
