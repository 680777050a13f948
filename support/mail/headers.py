"""Header fields of mail as text, addresses and times. Pure: no framework, and nothing that a header may hold makes it raise.

The fields are read as they came (`raw_items`): the email package's own reading raises for some broken ones.
"""

from __future__ import annotations

import binascii
import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.header import decode_header
from email.message import Message
from email.utils import getaddresses, parsedate_to_datetime
from itertools import islice

from .charsets import decode_bytes, undo_surrogates

LONGEST_FIELD = 8_000
MOST_FIELDS = 500
_MESSAGE_ID = re.compile(r"<([^<>\s\x00-\x1f]{3,400})>")
_ADDRESS = re.compile(r"[^\s@<>,;:\"()\\\x00-\x1f]{1,64}@[^\s@<>,;:\"()\\\x00-\x1f]{1,255}")
#: Also what turns text around or takes no room; not the joiners that letters and emoji need.
_CONTROL = re.compile(
    r"[\x00-\x1f\x7f\u061c\u200b\u200e\u200f\u2028\u2029\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]+"
)


@dataclass(frozen=True)
class Mailbox:
    """An address as a header names it: `address` in small letters, "" where there is none that can be one."""

    address: str = ""
    name: str = ""

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2]


def list_fields(mail: Message) -> list[tuple[str, str]]:
    """(name in small letters, value unfolded but not decoded), the topmost first."""
    found = []
    for name, value in islice(mail.raw_items(), MOST_FIELDS):
        text = str(value) if isinstance(value, str) else decode_bytes(str(value).encode("utf-8", "replace"))
        found.append((str(name).lower(), re.sub(r"\r?\n[ \t]?", " ", text)[:LONGEST_FIELD]))
    return found


def find_fields(fields: list[tuple[str, str]], name: str) -> list[str]:
    return [value for key, value in fields if key == name]


def find_field(fields: list[tuple[str, str]], name: str) -> str:
    """The first of them; "" where there is none."""
    return next(iter(find_fields(fields, name)), "")


def decode_words(value: str) -> str:
    """RFC 2047's encoded words as text on one line, without signs that would turn or break it."""
    text = undo_surrogates(value)
    if "=?" in text:
        try:
            parts = decode_header(text)
        except (binascii.Error, ValueError, LookupError):
            parts = [(text, None)]
        text = "".join(part if isinstance(part, str) else decode_bytes(part, charset or "") for part, charset in parts)
    return " ".join(_CONTROL.sub(" ", text).split())


def read_mailboxes(value: str) -> list[Mailbox]:
    """The addresses of a field such as From or To."""
    try:
        pairs = getaddresses([undo_surrogates(value)[:LONGEST_FIELD]])
    except (ValueError, IndexError, TypeError):
        return []
    return [Mailbox(_clean_address(address), decode_words(name)[:120]) for name, address in pairs if address]


def read_message_ids(value: str) -> list[str]:
    """The Message-IDs in a field, without their brackets, in order."""
    return _MESSAGE_ID.findall(undo_surrogates(value))


def read_date(value: str, *, received_at: dt.datetime, trusted: dt.timedelta = dt.timedelta(days=3)) -> dt.datetime:
    """When it says it was written, where that can be: within `trusted` before it was received. Else when it was received."""
    try:
        date = parsedate_to_datetime(value)
        date = date if date.tzinfo else date.replace(tzinfo=dt.UTC)
        return date if received_at - trusted <= date <= received_at else received_at
    except (ValueError, TypeError, IndexError, OverflowError):
        return received_at


def describe_fields(mail: Message, *, longest: int) -> str:
    """The header block for people to read, decoded, a field a line."""
    lines: list[str] = []
    for name, value in _named_fields(mail):
        lines.append(f"{name}: {decode_words(value)}")
        longest -= len(lines[-1]) + 1
        if longest <= 0:
            break
    return "\n".join(lines)[: longest - 1 if longest < 0 else None]


def _named_fields(mail: Message) -> Iterator[tuple[str, str]]:
    for name, value in islice(mail.raw_items(), MOST_FIELDS):
        yield _CONTROL.sub("", str(name))[:80], re.sub(r"\r?\n[ \t]?", " ", str(value))[:LONGEST_FIELD]


def _clean_address(address: str) -> str:
    address = address.strip().lower()
    return address if len(address) <= 254 and _ADDRESS.fullmatch(address) else ""
