"""Read what the mail catcher stored: one .eml file per message, named by a hash of its Message-ID."""

from __future__ import annotations

import hashlib
import heapq
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage, Message
from email.parser import BytesParser
from pathlib import Path

HEADER_LIMIT_BYTES = 64 * 1024
KEY = re.compile(r"[0-9a-f]{32}(\.[0-9]{1,6})?")


@dataclass(frozen=True)
class CaughtMessage:
    """One message as it arrived. `text` and `html` are "" in lists; `problem` says why a file could not be read.

    `headers` keep their order and repetitions; `recipients` are those of the SMTP envelope.
    """

    key: str
    message_id: str
    sender: str
    recipients: tuple[str, ...]
    subject: str
    received_at: datetime
    size_bytes: int
    headers: tuple[tuple[str, str], ...] = ()
    text: str = ""
    html: str = ""
    problem: str = ""


def list_caught(folder: Path, limit: int = 100) -> list[CaughtMessage]:
    """The newest messages first, without their bodies. A missing folder is an empty one."""
    newest = heapq.nlargest(limit, _scan(folder))
    return [_parse(folder / name, with_body=False) for _, name in newest]


def count_caught(folder: Path) -> int:
    """How many messages were stored; a message that arrived twice counts twice."""
    return sum(1 for _ in _scan(folder))


def find_caught(folder: Path, message_id: str) -> CaughtMessage | None:
    """The message with this Message-ID, with its bodies; None when it never arrived."""
    return read_caught(folder, name_for(message_id))


def find_copies(folder: Path, message_id: str) -> list[CaughtMessage]:
    """Every arrival of this Message-ID: more than one means that it was sent more than once."""
    first = name_for(message_id)
    keys = [first, *(f"{first}.{number}" for number in range(2, 1000))]
    copies = []
    for key in keys:
        caught = read_caught(folder, key)
        if caught is None:
            break
        copies.append(caught)
    return copies


def read_caught(folder: Path, key: str) -> CaughtMessage | None:
    """The message with this key (`CaughtMessage.key`), with its bodies; None for an unknown or malformed key."""
    path = folder / f"{key}.eml"
    if not KEY.fullmatch(key) or not path.is_file():
        return None
    return _parse(path, with_body=True)


def name_for(message_id: str) -> str:
    """The key of a Message-ID: angle brackets and surrounding space do not count."""
    return hashlib.sha256(message_id.strip().strip("<>").strip().encode()).hexdigest()[:32]


def _scan(folder: Path) -> Iterator[tuple[int, str]]:
    try:
        entries = os.scandir(folder)
    except OSError:
        return
    with entries:
        for entry in entries:
            if entry.name.endswith(".eml") and KEY.fullmatch(entry.name.removesuffix(".eml")):
                try:
                    yield entry.stat().st_mtime_ns, entry.name
                except OSError:  # removed meanwhile
                    continue


def _parse(path: Path, *, with_body: bool) -> CaughtMessage:
    try:
        stat = path.stat()
        with path.open("rb") as file:
            content = file.read() if with_body else _read_headers(file.read(HEADER_LIMIT_BYTES))
    except OSError as error:
        return _unreadable(path, datetime.fromtimestamp(0, UTC), 0, error)
    received_at = datetime.fromtimestamp(stat.st_mtime, UTC)
    try:
        message = BytesParser(policy=policy.default).parsebytes(content, headersonly=not with_body)
        return CaughtMessage(
            key=path.stem,
            message_id=_header(message, "Message-ID"),
            sender=_header(message, "X-Envelope-From") or _header(message, "From"),
            recipients=tuple(part.strip() for part in _header(message, "X-Envelope-To").split(",") if part.strip()),
            subject=_header(message, "Subject"),
            received_at=received_at,
            size_bytes=stat.st_size,
            headers=tuple((str(name), str(value)) for name, value in message.items()) if with_body else (),
            text=_body(message, "plain") if with_body else "",
            html=_body(message, "html") if with_body else "",
        )
    # The standard library's parser raises many kinds of errors on malformed mail; none may break a page.
    except Exception as error:
        return _unreadable(path, received_at, stat.st_size, error)


def _read_headers(start: bytes) -> bytes:
    return re.split(rb"\r?\n\r?\n", start, maxsplit=1)[0] + b"\r\n\r\n"


def _header(message: Message, name: str) -> str:
    return str(message.get(name, "")).strip()


def _body(message: EmailMessage, kind: str) -> str:
    part = message.get_body(preferencelist=(kind,))
    if part is None:
        return ""
    try:
        return str(part.get_content()).replace("\r\n", "\n")
    except (LookupError, ValueError):  # an unknown or wrong charset
        payload = part.get_payload(decode=True)
        return payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""


def _unreadable(path: Path, received_at: datetime, size_bytes: int, error: Exception) -> CaughtMessage:
    return CaughtMessage(
        key=path.stem,
        message_id="",
        sender="",
        recipients=(),
        subject="",
        received_at=received_at,
        size_bytes=size_bytes,
        problem=f"{type(error).__name__}: {error}",
    )
