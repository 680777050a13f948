"""A real HTTP server on loopback in place of a provider of text messages and of a web hook's receiver: it keeps what it is sent.

It answers as the provider's interface does (Twilio's Messages resource) and takes each id of a web hook once. Text messages it
takes only to numbers that nobody real can have, as the mail catcher does with addresses. Runs in the mail catcher's process.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import json
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

SIZE_LIMIT_BYTES = 1024 * 1024
#: Numbers for plays and films: Ofcom's, those of North America (555-01xx) and ARCEP's.
FICTIONAL = re.compile(r"\+447700900\d{3}|\+442079460\d{3}|\+1\d{3}55501\d{2}|\+3363998\d{4}")
_TWILIO = re.compile(r"/2010-04-01/Accounts/[^/]{1,64}/Messages\.json")
_WORDS = {200: "OK", 201: "Created", 202: "Accepted", 400: "Bad Request", 404: "Not Found", 409: "Conflict"}


@dataclass(frozen=True)
class Request:
    """One request, whole. Names of headers are in small letters."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class BadRequest(Exception):
    """No HTTP that is understood here; the connection ends."""


async def serve_requests(folder: Path, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """All requests of one connection, which is kept as long as the other end likes."""
    try:
        while (request := await _read_request(reader)) is not None:
            status, said = take(folder, request)
            writer.write(_write_answer(status, said))
            await writer.drain()
    except (BadRequest, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
        pass
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def take(folder: Path, request: Request) -> tuple[int, dict[str, Any]]:
    """What becomes of a request: status and answer."""
    if request.method == "POST" and _TWILIO.fullmatch(request.path):
        return _take_text(folder, request)
    if request.method == "POST" and request.path == "/webhook":
        return _take_webhook(folder, request)
    return 404, {"message": "The catcher takes text messages and web hooks alone."}


def list_messages(folder: Path) -> list[dict[str, Any]]:
    """What was caught, in the order of its names. A missing folder is an empty one."""
    found = sorted(folder.glob("*.json")) if folder.exists() else []
    return [json.loads(path.read_text(encoding="utf-8")) for path in found]


def _take_text(folder: Path, request: Request) -> tuple[int, dict[str, Any]]:
    form = dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
    to = form.get("To", "")
    if not FICTIONAL.fullmatch(to):
        said = "The message catcher takes only numbers that are made up (such as +447700900123): set SMS_URL."
        return 400, {"code": 21211, "message": said, "status": 400}
    key = _store(folder, {"kind": "sms", "to": to, "from": form.get("From", ""), "text": form.get("Body", "")})
    return 201, {"sid": f"SM{key[:32]}", "status": "queued", "to": to, "error_code": None}


def _take_webhook(folder: Path, request: Request) -> tuple[int, dict[str, Any]]:
    """A known id is taken once: the same again is a yes, something else under it is refused."""
    name, text = request.headers.get("webhook-id", ""), request.body.decode("utf-8", "replace")
    if not name:
        return 400, {"message": "no webhook-id"}
    key = hashlib.sha256(name.encode()).hexdigest()[:32]
    stored = {"kind": "webhook", "id": name, "body": text, "signature": request.headers.get("webhook-signature", "")}
    if _write(folder, key, stored):
        return 202, {}
    kept = json.loads((folder / f"{key}.json").read_text(encoding="utf-8"))
    return (202, {}) if kept["body"] == text else (409, {"message": "another message had this webhook-id"})


def _store(folder: Path, message: dict[str, Any]) -> str:
    """Under a name of its own, so that what is sent twice is there twice."""
    while True:
        key = base64.b16encode(os.urandom(16)).decode().lower()
        if _write(folder, key, message):
            return key


def _write(folder: Path, key: str, message: dict[str, Any]) -> bool:
    """All of it is on the disk under its name, or nothing is. False where the name is taken."""
    folder.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=folder, prefix=".incoming-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(message, file, ensure_ascii=False)
        os.link(draft, folder / f"{key}.json")
    except FileExistsError:
        return False
    finally:
        Path(draft).unlink(missing_ok=True)
    return True


async def _read_request(reader: asyncio.StreamReader) -> Request | None:
    """None where the other end has hung up between two requests. Raises BadRequest."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise BadRequest from error
        return None
    first, *lines = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    parts = first.split(" ")
    headers = {name.strip().lower(): value.strip() for name, _colon, value in (line.partition(":") for line in lines)}
    length = headers.get("content-length", "0")
    if len(parts) != 3 or not length.isdecimal() or int(length) > SIZE_LIMIT_BYTES:
        raise BadRequest
    return Request(parts[0], parts[1].partition("?")[0], headers, await reader.readexactly(int(length)))


def _write_answer(status: int, said: dict[str, Any]) -> bytes:
    body = json.dumps(said).encode()
    head = (
        f"HTTP/1.1 {status} {_WORDS[status]}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
