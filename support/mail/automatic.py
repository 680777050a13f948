"""Mail that no person wrote to us: auto-replies, bounces, lists, and our own coming back. Pure.

None of it opens a conversation and nothing answers it (RFC 3834, 2): two machines that answer each other never stop.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import Enum

from .headers import find_field

_NOT_PERSONS = ("mailer-daemon", "postmaster", "double-bounce", "mail-daemon")
_AUTO_FIELDS = ("x-autoreply", "x-autorespond", "x-autoresponder", "x-auto-reply-from")


class Automatic(Enum):
    """Why a mail is no person's. NO: it is one."""

    NO = ""
    REPLY = "auto_reply"
    BOUNCE = "bounce"
    LIST = "list"
    OURS = "ours"


def find_automatic(
    fields: list[tuple[str, str]], *, content_type: str, sender: str, our_addresses: Collection[str]
) -> Automatic:
    """`sender` is the address of From; `our_addresses` are those that we send from. The surest reason first."""
    if sender and sender in our_addresses:
        return Automatic.OURS
    if (
        find_field(fields, "return-path").strip() == "<>"
        or content_type in {"multipart/report", "message/delivery-status"}
        or sender.partition("@")[0] in _NOT_PERSONS
    ):
        return Automatic.BOUNCE
    submitted = find_field(fields, "auto-submitted").partition(";")[0].strip().lower()
    precedence = find_field(fields, "precedence").strip().lower()
    if submitted not in {"", "no"} or precedence in {"auto_reply", "auto-reply"} or _has_auto_field(fields):
        return Automatic.REPLY
    if precedence in {"bulk", "junk", "list"} or find_field(fields, "list-id"):
        return Automatic.LIST
    return Automatic.NO


def _has_auto_field(fields: list[tuple[str, str]]) -> bool:
    return any(name in _AUTO_FIELDS and value.strip().lower() not in {"no", "false", "0"} for name, value in fields)
