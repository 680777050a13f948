"""DKIM (RFC 6376): whether the key with which the mail server signs is published, and is worth something."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Final

from .resolver import Resolver

#: Lengths in bytes of an RSA key as it is published (SubjectPublicKeyInfo): of 1024 bits, and just below 2048.
_BYTES_1024: Final = 160
_BYTES_2048: Final = 290


@dataclass(frozen=True)
class Dkim:
    """`fault` is "" for a key that receivers can use: no_selector, missing, unanswered, two_records, revoked, syntax, short."""

    name: str = ""
    record: str = ""
    fault: str = ""
    is_weak: bool = False
    is_testing: bool = False


def read_dkim(domain: str, selector: str, resolver: Resolver) -> Dkim:
    """The key at `selector`._domainkey.`domain`."""
    if not selector:
        return Dkim(fault="no_selector")
    name = f"{selector}._domainkey.{domain}"
    answer = resolver.read_texts(name)
    if answer.status == "failed":
        return Dkim(name, fault="unanswered")
    records = [text for text in answer.values if "p=" in text.replace(" ", "").lower()]
    if not records:
        return Dkim(name, fault="missing")
    if len(records) > 1:
        return Dkim(name, " / ".join(records), "two_records")
    return _judge(name, records[0])


def _judge(name: str, record: str) -> Dkim:
    pairs = (part.partition("=") for part in record.split(";"))
    tags = {key.strip().lower(): "".join(value.split()) for key, _equals, value in pairs}
    if tags.get("v", "DKIM1") != "DKIM1":
        return Dkim(name, record, "syntax")
    if not tags.get("p"):
        return Dkim(name, record, "revoked")
    try:
        key = base64.b64decode(tags["p"], validate=True)
    except binascii.Error:
        return Dkim(name, record, "syntax")
    is_rsa = tags.get("k", "rsa") == "rsa"
    if is_rsa and len(key) < _BYTES_1024:
        return Dkim(name, record, "short")
    is_testing = "y" in tags.get("t", "").split(":")
    return Dkim(name, record, "", is_rsa and len(key) < _BYTES_2048, is_testing)
