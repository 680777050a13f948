"""A real HTTP server on loopback that speaks the files and batches routes, besides chat completions."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from tests.model_server import answer_for

Line = dict[str, Any]


def good_line(line: Line) -> Line:
    """The result of a request that was answered as its schema wants."""
    body = json.loads(answer_for(line["body"]).body)
    return {"custom_id": line["custom_id"], "response": {"status_code": 200, "body": body}, "error": None}


@dataclass
class RemoteBatch:
    """A batch as the provider keeps it."""

    id: str
    metadata: dict[str, str]
    lines: list[Line]
    status: str = "in_progress"
    output: str | None = None

    def describe(self) -> dict[str, Any]:
        told = {"id": self.id, "object": "batch", "status": self.status, "metadata": self.metadata}
        return told | ({"output_file_id": f"out-{self.id}"} if self.output is not None else {})


@dataclass
class BatchServer:
    """`batches` is what was handed over; `finish` ends them; `broken` maps a route to the status it fails with."""

    batches: list[RemoteBatch] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    chats: list[Line] = field(default_factory=list)
    broken: dict[str, int] = field(default_factory=dict)
    loses_reply_of: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        owner = self

        class Handler(_Handler):
            server_owner = owner

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def finish(
        self, status: str = "completed", answer: Callable[[Line], Line | None] = good_line, extra: str = ""
    ) -> None:
        """End all batches that run, with a result for each line for which `answer` gives one."""
        for batch in self.batches:
            if batch.status == "in_progress":
                results = [json.dumps(result) for line in batch.lines if (result := answer(line)) is not None]
                batch.status, batch.output = status, "\n".join([*results, extra])

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def take(self, method: str, path: str, body: bytes) -> bytes:
        """The reply to a request."""
        if path == "/v1/chat/completions":
            self.chats.append(json.loads(body))
            return answer_for(json.loads(body)).body
        if path == "/v1/files":
            name = f"file-{len(self.files)}"
            self.files[name] = next(part for part in body.split(b"\r\n\r\n") if part.startswith(b'{"custom_id"'))
            return json.dumps({"id": name, "object": "file"}).encode()
        if path == "/v1/batches" and method == "POST":
            return self._start(json.loads(body))
        if path.startswith("/v1/batches?") or path == "/v1/batches":
            return json.dumps({"object": "list", "data": [b.describe() for b in reversed(self.batches)]}).encode()
        name = re.split(r"[/?]", path)[3]
        if path.startswith("/v1/files/"):
            return next(b.output or "" for b in self.batches if f"out-{b.id}" == name).encode()
        batch = next(b for b in self.batches if b.id == name)
        if path.endswith("/cancel"):
            batch.status = "cancelling"
        return json.dumps(batch.describe()).encode()

    def _start(self, asked: dict[str, Any]) -> bytes:
        content = self.files[asked["input_file_id"]].split(b"\r\n--")[0].decode()
        lines = [json.loads(line) for line in content.splitlines() if line.strip()]
        batch = RemoteBatch(f"batch-{len(self.batches)}", dict(asked.get("metadata") or {}), lines)
        self.batches.append(batch)
        return json.dumps(batch.describe()).encode()


class _Handler(BaseHTTPRequestHandler):
    server_owner: BatchServer

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        pass

    def _answer(self, body: bytes) -> None:
        owner, self.close_connection = self.server_owner, True
        route = self.path.split("?")[0]
        status = owner.broken.get(route, 200)
        reply = owner.take(self.command, self.path, body) if status == 200 else b'{"error": {"message": "no"}}'
        if route in owner.loses_reply_of and self.command == "POST":
            self.connection.close()
            return
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(reply)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(reply)
