"""Keys of a shop, encrypted in the database: Fernet (AES-128-CBC and HMAC-SHA256), its key derived from SECRET_KEY.

A copy of the database alone opens nothing. A new SECRET_KEY opens what the old one closed while that stands in
SECRET_KEY_FALLBACKS; without it the keys are given again on the page of the shop.
"""

from __future__ import annotations

import base64
import json
from dataclasses import asdict, dataclass, fields

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.utils.crypto import salted_hmac

from customers.models import ShopConnection

_SALT = "customers.ingest.shops.keys"


class LostKeys(Exception):
    """What is kept cannot be opened with this SECRET_KEY: the keys have to be given again."""


@dataclass(frozen=True, repr=False)
class ShopKeys:
    """What opens a shop. `secret` signs its webhooks.

    Shopify: `key` is the client ID of an app and `secret` its client secret, from which a token for a day is asked; or
    `token` is the lasting token of an older app. WooCommerce: `key` and `token` are consumer key and consumer secret.
    """

    secret: str = ""
    key: str = ""
    token: str = ""

    def __repr__(self) -> str:
        return "ShopKeys(…)"


def keep_keys(connection: ShopConnection, keys: ShopKeys) -> None:
    """Put the keys into the row; the caller saves it."""
    connection.sealed_keys = _boxes().encrypt(json.dumps(asdict(keys)).encode()).decode()


def open_keys(connection: ShopConnection) -> ShopKeys:
    """The keys of a shop, all blank where none were given. Raises LostKeys."""
    if not connection.sealed_keys:
        return ShopKeys()
    try:
        kept = json.loads(_boxes().decrypt(connection.sealed_keys.encode()))
    except InvalidToken as error:
        raise LostKeys("the keys cannot be opened with this SECRET_KEY") from error
    return ShopKeys(**{field.name: str(kept.get(field.name, "")) for field in fields(ShopKeys)})


def _boxes() -> MultiFernet:
    return MultiFernet([_box(secret) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


def _box(secret: str | bytes) -> Fernet:
    digest = salted_hmac(_SALT, "shop", secret=str(secret), algorithm="sha256").digest()
    return Fernet(base64.urlsafe_b64encode(digest))
