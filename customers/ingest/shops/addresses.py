"""The address of a shop: which ones we go to at all, and the look at whom a connection really reached.

What a name resolves to is in nobody's hand but its owner's, so the numeric address of each new connection is looked at
before a byte goes over it: the machines of our own network are nobody's shop.
"""

from __future__ import annotations

import re
import socket
from typing import Any
from urllib.parse import urlsplit

import requests
from django.conf import settings
from django.utils.translation import gettext as _
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection

from customers.models import ShopConnection
from customers.outgoing.addresses import AddressFault, find_fault, is_open

_SHOPIFY_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")
_SHOPIFY_ADMIN = re.compile(r"(?:https://)?admin\.shopify\.com/store/([a-z0-9-]+)(?:/.*)?")


class BadAddress(ValueError):
    """An address that no shop of the kind has; the sentence is for staff."""


class ForbiddenPeer(OSError):
    """The machine at the other end is none that we may talk to; nothing was said to it."""


def read_address(kind: str, text: str) -> str:
    """The address in the one form in which it is kept, without a slash at its end. Raises BadAddress.

    Shopify: name.myshopify.com, the name alone, or the address of its admin. WooCommerce: https://, perhaps with a folder.
    """
    text = text.strip().rstrip("/").lower() if kind == ShopConnection.Kind.SHOPIFY else text.strip().rstrip("/")
    if is_local(text):
        return text
    if kind == ShopConnection.Kind.SHOPIFY:
        return f"https://{_read_shopify_host(text)}"
    if "://" not in text:
        text = f"https://{text}"
    fault = find_fault(text, may_be_loopback=False)
    if fault is AddressFault.NOT_TLS:
        raise BadAddress(_("The address has to start with https://: keys go over it."))
    if fault in {AddressFault.INTERNAL, AddressFault.LOOPBACK}:
        raise BadAddress(_("This address leads into an internal network."))
    if fault is not None or urlsplit(text).query:
        raise BadAddress(_("Give the address of the shop, such as https://shop.example, without anything behind it."))
    return text


def make_session() -> requests.Session:
    """A session that follows no redirect, takes no proxy from the surroundings, and looks whom it reached."""
    session = _StayingSession()
    session.trust_env = False
    for scheme in ("https://", "http://"):
        session.mount(scheme, _LookingAdapter(max_retries=0))
    return session


def _read_shopify_host(text: str) -> str:
    if found := _SHOPIFY_ADMIN.fullmatch(text):
        text = found[1]
    name = text.removeprefix("https://").removesuffix(".myshopify.com")
    if not _SHOPIFY_NAME.fullmatch(name):
        raise BadAddress(_("Give the address that ends in .myshopify.com: Settings, then Domains, in Shopify's admin."))
    return f"{name}.myshopify.com"


def is_local(text: str) -> bool:
    """In development a shop may be on this machine."""
    parts = urlsplit(text)
    host = parts.hostname or ""
    return settings.SHOPS_MAY_BE_LOCAL and parts.scheme == "http" and (host == "localhost" or host.startswith("127."))


def _look_at(sock: socket.socket) -> socket.socket:
    if is_open(str(sock.getpeername()[0]), may_be_loopback=settings.SHOPS_MAY_BE_LOCAL):
        return sock
    sock.close()
    raise ForbiddenPeer("the address leads into an internal network")


class _Connection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _look_at(super()._new_conn())


class _TlsConnection(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _look_at(super()._new_conn())


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class _StayingSession(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """None, so that a redirect is an answer like others. max_redirects = 0 would raise TooManyRedirects for it, even
        with allow_redirects=False, for which requests reads where it leads all the same."""


class _LookingAdapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        manager: PoolManager = self.poolmanager
        manager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
