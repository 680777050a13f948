"""Puts a rendered message into MIME: text and HTML, and the headers that mailbox providers ask of bulk mail.

Built from bytes rather than with `email.message`, which takes most of the time of a send. Deterministic but for Date.
RFC 5322 (format), 2047 (words outside ASCII), 2369 and 8058 (List-Unsubscribe, one click).
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import re
from dataclasses import dataclass
from email.header import Header
from email.utils import format_datetime
from functools import lru_cache

from campaigns.content.rendering import RenderedMessage

#: Longer than any real subject; a header line may have 998 characters (RFC 5322, 2.1.1).
LONGEST_HEADER = 900
_ADDRESS = re.compile(r"[!#$%&'*+/=?^_`{|}~0-9A-Za-z.\-]{1,64}@[0-9A-Za-z.\-]{1,253}")
_LINE_END = re.compile(r"\r\n|\r|\n")
_SEVEN_BITS = bytes(range(128))


class BadAddress(ValueError):
    """An address that cannot be written to by plain SMTP: empty, malformed, or one that smuggles a line end."""


@dataclass(frozen=True)
class Sender:
    """Who a message is from and how one gets off the list. `domain` is the right side of Message-IDs."""

    name: str
    address: str

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2]


def build_content(
    message: RenderedMessage,
    *,
    sender: Sender,
    recipient: str,
    message_id: str,
    unsubscribe_url: str,
    sent_at: dt.datetime,
) -> bytes:
    """The whole message as bytes with CRLF. `recipient` must have passed `normalise_address`. Without `unsubscribe_url` it is
    no bulk mail: one that answers what the recipient did, and so has no list to leave."""
    headers = unsubscribe_headers(unsubscribe_url) if unsubscribe_url else {"Auto-Submitted": "auto-generated"}
    boundary = f"=_{hashlib.sha256(message_id.encode()).hexdigest()[:32]}"
    head = "\r\n".join(
        (
            f"Date: {_write_date(sent_at)}",
            f"From: {_encode_words(sender.name)} <{sender.address}>" if sender.name else f"From: {sender.address}",
            f"To: {recipient}",
            f"Reply-To: {sender.address}",
            f"Subject: {_encode_words(message.subject, first_line=66)}",
            f"Message-ID: {message_id}",
            *(f"{name}: {value}" for name, value in headers.items()),
            "MIME-Version: 1.0",
            f'Content-Type: multipart/alternative; boundary="{boundary}"',
        )
    )
    mark = f"--{boundary}".encode()
    parts = (head.encode("ascii") + b"\r\n", mark, *_part("plain", message.text), mark, *_part("html", message.html))
    return b"\r\n".join((*parts, mark + b"--", b""))


def unsubscribe_headers(url: str) -> dict[str, str]:
    """RFC 2369 and 8058: one click by which a mailbox provider takes somebody off the list."""
    return {"List-Unsubscribe": f"<{url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


def hash_body(message: RenderedMessage) -> str:
    """SHA-256 (hex) over the rendered parts: what `Message.body_hash` keeps, and a replay must give again."""
    parts = (message.subject, message.preheader, message.html, message.text)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def normalise_address(address: str) -> str:
    """The address as SMTP takes it, its domain in ASCII (IDNA). Raises BadAddress."""
    local, at, domain = address.strip().rpartition("@")
    try:
        plain = f"{local}{at}{_write_domain(domain)}"
    except UnicodeError as error:
        raise BadAddress("the domain is not valid") from error
    if not _ADDRESS.fullmatch(plain) or ".." in plain or local.startswith(".") or local.endswith("."):
        raise BadAddress("not an address that plain SMTP can take")
    return plain


@lru_cache(maxsize=8)
def _write_date(moment: dt.datetime) -> str:
    return format_datetime(moment)


@lru_cache(maxsize=4096)
def _write_domain(domain: str) -> str:
    """In ASCII. Raises UnicodeError."""
    return domain.encode("idna").decode("ascii")


@lru_cache(maxsize=256)
def _encode_words(value: str, first_line: int = 60) -> str:
    """ASCII as it is, all else as encoded words. Line ends inside a value never start a new header."""
    line = " ".join(value.split())[:LONGEST_HEADER]
    if line.isascii() and line.isprintable() and "=?" not in line and not set(line) & set('<>",;:@()[]\\'):
        return line
    return Header(line, "utf-8", maxlinelen=75).encode(linesep="\r\n", maxlinelen=first_line)


def _part(subtype: str, body: str) -> tuple[bytes, ...]:
    """Quoted-printable for what is mostly ASCII, base64 for the rest: both keep lines short and seven bits clean."""
    data = _LINE_END.sub("\r\n", body).encode() if "\r" in body else body.replace("\n", "\r\n").encode()
    if len(data[:2000].translate(None, _SEVEN_BITS)) > 300:
        encoding, wire = "base64", base64.encodebytes(data).replace(b"\n", b"\r\n")
    else:
        encoding, wire = "quoted-printable", b"\r\n".join(map(_quote_line, data.split(b"\r\n")))
    head = f"Content-Type: text/{subtype}; charset=utf-8\r\nContent-Transfer-Encoding: {encoding}\r\n"
    return head.encode("ascii"), wire


@lru_cache(maxsize=4096)
def _quote_line(line: bytes) -> bytes:
    """Quoted-printable goes line by line, and most lines are the same in all copies of a text."""
    return binascii.b2a_qp(line, istext=True).replace(b"\n", b"\r\n")  # inside a line it knows nothing of CRLF
