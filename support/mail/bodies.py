"""The parts of a mail: the text that a person wrote, and the files beside it. Pure: no framework, and nothing in it
makes it raise.

Plain text comes before HTML; of an HTML-only mail the text is read out. A mail within the mail is a file, and is not looked into.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import Message
from typing import TypeVar

from .charsets import decode_bytes
from .headers import decode_words
from .html_text import make_text

MOST_PARTS = 300
LONGEST_TEXT = 200_000
_BROKEN = (ValueError, LookupError, TypeError, AttributeError)
Found = TypeVar("Found")


@dataclass(frozen=True)
class SentFile:
    """A file in a mail: its name as the sender gave it, one line without folders, and its bytes."""

    name: str
    content: bytes


@dataclass(frozen=True)
class Body:
    text: str
    is_from_html: bool
    files: tuple[SentFile, ...]


def read_body(mail: Message) -> Body:
    """The whole text, quotations included, and the files in their order."""
    plain: list[str] = []
    html: list[str] = []
    files: list[SentFile] = []
    for part in _list_leaves(mail):
        kind = part.get_content_type()
        if _is_file(part) or kind not in ("text/plain", "text/html"):
            files.append(SentFile(_find_name(part), _read_bytes(part)))
        else:
            text = decode_bytes(_read_bytes(part), _ask(part.get_content_charset, None) or "")
            (plain if kind == "text/plain" else html).append(text)
    text = "\n\n".join(part.strip("\n") for part in plain if part.strip())
    is_from_html = not text.strip() and bool(html)
    if is_from_html:
        text = "\n\n".join(make_text(part) for part in html)
    return Body(text.replace("\x00", "")[:LONGEST_TEXT], is_from_html, tuple(files))


def _list_leaves(mail: Message) -> Iterator[Message]:
    """Depth first, without recursion: a mail may be nested as deep as its sender likes."""
    waiting, seen = [mail], 0
    while waiting and seen < MOST_PARTS:
        part = waiting.pop()
        seen += 1
        payload = part.get_payload()
        if part.get_content_maintype() == "multipart" and isinstance(payload, list):
            waiting.extend(reversed([inner for inner in payload if isinstance(inner, Message)]))
        elif part.get_content_maintype() != "multipart":
            yield part


def _is_file(part: Message) -> bool:
    return _ask(part.get_content_disposition, None) == "attachment" or bool(_ask(part.get_filename, None))


def _find_name(part: Message) -> str:
    name = decode_words(str(_ask(part.get_filename, None) or ""))
    return name.replace("\\", "/").rpartition("/")[2].strip(". ")[:150]


def _read_bytes(part: Message) -> bytes:
    payload = part.get_payload()
    if isinstance(payload, list):  # a mail within the mail
        return b"".join(_ask(inner.as_bytes, b"") for inner in payload if isinstance(inner, Message))
    raw: object = _ask(lambda: part.get_payload(decode=True), None)
    return raw if isinstance(raw, bytes) else b""


def _ask(question: Callable[[], Found], otherwise: Found) -> Found:
    """The email package raises these of parts that are broken."""
    try:
        return question()
    except _BROKEN:
        return otherwise
