"""A real HTTP server on loopback that speaks two providers' APIs: Resend's, which knows idempotency keys, and Postmark's,
which does not. It misbehaves by script."""

from __future__ import annotations

import contextlib
import enum
import json
import socket
import struct
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self


class Harm(enum.StrEnum):
    """What goes wrong. TAKEN ones happen after the provider has the message."""

    STATUS = "answers with `status`"
    RESET_UNREAD = "cuts the connection before it reads"
    CUT_UNTAKEN = "reads all, takes nothing, hangs up"
    CUT_TAKEN = "takes it and hangs up"
    SLOW_TAKEN = "takes it and answers too late"
    NONSENSE_TAKEN = "takes it and answers no JSON"
    GARBAGE_TAKEN = "takes it and answers no HTTP"
    STATUS_TAKEN = "takes it and answers with `status`"


TAKEN = {Harm.CUT_TAKEN, Harm.SLOW_TAKEN, Harm.NONSENSE_TAKEN, Harm.GARBAGE_TAKEN, Harm.STATUS_TAKEN}


@dataclass
class ProviderServer:
    """Serves on 127.0.0.1:`port`. `times` is how often it misbehaves, None for ever. `letters` are those it took."""

    harm: Harm | None = None
    times: int | None = 1
    status: int = 500
    headers: Mapping[str, str] = field(default_factory=dict)
    answer: str = '{"message": "no", "Message": "no"}'
    slow_s: float = 2.0
    letters: list[dict[str, Any]] = field(default_factory=list)
    requests: list[tuple[str, dict[str, str], dict[str, Any]]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    connections: int = 0

    def __enter__(self) -> Self:
        self.lock = threading.Lock()
        self.ids: dict[str, tuple[str, str]] = {}
        script = self

        class Handler(_Handler):
            server_script = script

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def next_harm(self) -> Harm | None:
        with self.lock:
            if self.harm is None or self.times == 0:
                return None
            self.times = None if self.times is None else self.times - 1
            return self.harm

    def parse(self, raw: bytes) -> dict[str, Any]:
        """A request's body as what was meant by it."""
        parsed: dict[str, Any] = json.loads(raw)
        return parsed

    def take(self, path: str, headers: Mapping[str, str], letter: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """What the provider does with a request: with a known key nothing but to say again what it said."""
        key = headers.get("Idempotency-Key", "") if path == "/emails" else ""
        body = json.dumps(letter, sort_keys=True)
        with self.lock:
            if key and key in self.ids:
                name, first = self.ids[key]
                if first != body:
                    return 409, {"name": "invalid_idempotent_request", "message": "same key, other body"}
                return 200, {"id": name}
            name = f"id-{len(self.letters)}"
            self.letters.append(letter)
            if key:
                self.ids[key] = (name, body)
        if path == "/emails":
            return 200, {"id": name}
        return 200, {"ErrorCode": 0, "Message": "OK", "MessageID": name, "To": letter.get("To", "")}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_script: ProviderServer
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.server_script.connections += 1

    def do_POST(self) -> None:
        script = self.server_script
        harm = script.next_harm()
        if harm is Harm.RESET_UNREAD:
            self._reset()
            return
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        letter = script.parse(raw)
        script.bodies.append(raw)
        headers = dict(self.headers.items())
        script.requests.append((self.path, headers, letter))
        if harm is Harm.STATUS:
            self._say(script.status, script.answer, script.headers)
            return
        if harm is Harm.CUT_UNTAKEN:
            self._hang_up()
            return
        status, said = script.take(self.path, headers, letter)
        if harm is Harm.CUT_TAKEN:
            self._hang_up()
        elif harm is Harm.SLOW_TAKEN:
            time.sleep(script.slow_s)
            with contextlib.suppress(OSError):
                self._say(status, json.dumps(said))
        elif harm is Harm.NONSENSE_TAKEN:
            self._say(200, "<html>not today</html>")
        elif harm is Harm.GARBAGE_TAKEN:
            self.wfile.write(b"\x00\x01garbage\r\n\r\n")
            self._hang_up()
        elif harm is Harm.STATUS_TAKEN:
            self._say(script.status, script.answer, script.headers)
        else:
            self._say(status, json.dumps(said))

    def _say(self, status: int, body: str, headers: Mapping[str, str] | None = None) -> None:
        data = body.encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _hang_up(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def _reset(self) -> None:
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.rfile.close()
        self.connection.close()

    def finish(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            super().finish()

    def log_message(self, *_args: Any) -> None:
        """Silent."""
