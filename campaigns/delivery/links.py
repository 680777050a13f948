"""Signed addresses of ours in a message: one for each link, and a picture for those who agreed that we see their opening.

The address a link leads to stands in its token, so that it works for ever, needs no table, and can lead nowhere else:
whoever alters a letter of it gets no redirect at all. A token is always the same for the same message and link, so that a
replay of the body is equal to the byte.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

from django.conf import settings
from django.core.signing import BadSignature, Signer

from campaigns.content.composing import is_shop_link

from .tokens import sign_token

#: These stand in mail that was sent, so they can never change. A test holds them and the URL conf together.
CLICK_PATH = "/c/"
OPEN_PATH = "/o/"
CLICK_SALT = "campaigns.delivery.click"
OPEN_SALT = "campaigns.delivery.open"


class BadLink(Exception):
    """An address that we did not make, that was altered, or that leads to no place of the shop any more."""


@dataclass(frozen=True)
class ClickLink:
    """What a click token says: `number` is that of {{ link_1 }}."""

    message_id: int
    number: int
    url: str


def click_url(message_id: int, number: int, url: str) -> str:
    """The address that stands for link `number` of a message."""
    place = base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")
    return f"{settings.SITE_URL}{CLICK_PATH}{sign_token(f'{message_id}-{number}-{place}', salt=CLICK_SALT)}"


def read_click(token: str) -> ClickLink:
    """Which link of which message a token is, and where it leads. Raises BadLink."""
    try:
        message, number, place = _click_signer().unsign(token).split("-", 2)
        url = base64.urlsafe_b64decode(place + "=" * (-len(place) % 4)).decode()
        link = ClickLink(int(message), int(number), url)
    except (BadSignature, ValueError, binascii.Error) as error:
        raise BadLink from error
    if not is_shop_link(link.url, settings.SHOP_URL, tuple(settings.SHOP_LINK_DOMAINS)):
        raise BadLink  # signed by us once, but no longer the shop's
    return link


def open_url(message_id: int) -> str:
    """The address of the picture that tells that a message was opened."""
    return f"{settings.SITE_URL}{OPEN_PATH}{sign_token(str(message_id), salt=OPEN_SALT)}"


def read_open(token: str) -> int:
    """The message whose picture was asked for. Raises BadLink."""
    try:
        return int(_open_signer().unsign(token))
    except (BadSignature, ValueError) as error:
        raise BadLink from error


def _click_signer() -> Signer:
    return Signer(sep=".", salt=CLICK_SALT)


def _open_signer() -> Signer:
    return Signer(sep=".", salt=OPEN_SALT)
