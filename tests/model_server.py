"""A real HTTP server on loopback that speaks the model protocol and does as it is told.

    with ModelServer() as server:
        server.script(fault_429(), answer({"subject": "..."}))      # one step for each request, then `always`
        server.always(answer({"subject": "..."}))                   # for every request that no step was scripted for
        server.answer_with(lambda request: answer({...}))           # computed from the request's JSON

A step is a `Step` (see the functions below: `answer`, `answer_text` and one `fault_...` for each way in which servers
fail). `server.requests` holds what arrived, byte for byte; `server.count` how many chat completions were asked for.
`use_model_server(settings, server)` points the settings at it.
"""

from __future__ import annotations

import json
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

MODEL_NAME = "scripted-model"
RECORDED = Path(__file__).parent / "llm" / "recorded"


@dataclass(frozen=True)
class Received:
    """One request as it came over the wire."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        parsed: dict[str, Any] = json.loads(self.body)
        return parsed

    @property
    def raw(self) -> bytes:
        """Everything that left the client: line, headers, body."""
        head = "".join(f"{name}: {value}\r\n" for name, value in self.headers.items())
        return f"{self.method} {self.path}\r\n{head}\r\n".encode() + self.body

    @property
    def mode(self) -> str:
        """The step of the ladder: json_schema, json_object or text."""
        return str(self.json.get("response_format", {}).get("type", "text"))

    @property
    def system_turn(self) -> str:
        return str(self.json["messages"][0]["content"])

    @property
    def user_turn(self) -> str:
        return str(self.json["messages"][-1]["content"])


@dataclass(frozen=True)
class Step:
    """One reply. Pauses come before the head, and between the bytes of the body (`trickle_s`, one byte at a time).

    `send_bytes` cuts the body after so many bytes; `says_length=False` leaves the end of the body to the end of the
    connection, so that a cut cannot be told from an end. `drops` closes (with a reset) without an answer.
    """

    body: bytes = b""
    status: int = 200
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    wait_s: float = 0.0
    trickle_s: float = 0.0
    send_bytes: int | None = None
    says_length: bool = True
    drops: bool = False


Answerer = Callable[[dict[str, Any]], Step]


class ModelServer:
    """Listens on a free port of 127.0.0.1 from `start()` to `stop()`; safe to ask from many threads."""

    def __init__(self, *, models: tuple[str, ...] = (MODEL_NAME,)) -> None:
        self.models = models
        self.requests: list[Received] = []
        self._lock = threading.Lock()
        self._steps: list[Step] = []
        self._always: Answerer = lambda request: answer_for(request)
        self._stopping = threading.Event()
        self._server = _Listener(self)

    @property
    def base_url(self) -> str:
        """What LLM_BASE_URL has to be."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def chats(self) -> list[Received]:
        """The chat completions among the requests."""
        with self._lock:
            return [r for r in self.requests if r.method == "POST"]

    @property
    def count(self) -> int:
        """How many chat completions were asked for."""
        return len(self.chats)

    @property
    def modes(self) -> list[str]:
        """The steps of the ladder in the order in which they were asked."""
        return [request.mode for request in self.chats]

    @property
    def all_bytes(self) -> bytes:
        """All that ever left the client, to be searched for what must not be there."""
        with self._lock:
            return b"\n".join(r.raw for r in self.requests)

    def script(self, *steps: Step) -> None:
        """Answer the next requests with these, in order."""
        with self._lock:
            self._steps.extend(steps)

    def always(self, step: Step) -> None:
        """Answer whatever has no step of its own with this."""
        self._always = lambda request: step

    def answer_with(self, answerer: Answerer) -> None:
        """Answer whatever has no step of its own with what the function makes of the request's JSON."""
        self._always = answerer

    def forget(self) -> None:
        """Drop the requests that were received and the steps that are left."""
        with self._lock:
            self.requests.clear()
            self._steps.clear()

    def start(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def stop(self) -> None:
        """Stop listening; replies that are under way are given up."""
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()

    def pause(self, seconds: float) -> None:
        """Sleep, but not beyond the end of the server."""
        if seconds:
            self._stopping.wait(seconds)

    def take_step(self, received: Received) -> Step:
        with self._lock:
            self.requests.append(received)
            if received.method == "POST" and self._steps:
                return self._steps.pop(0)
        if received.method == "GET":
            listed = [{"id": name, "object": "model"} for name in self.models]
            return Step(json.dumps({"object": "list", "data": listed}).encode())
        return self._always(received.json)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def use_model_server(settings: Any, server: ModelServer, *, api_key: str = "key-of-the-tests") -> None:
    """Point pytest-django's `settings` at a server."""
    settings.LLM_BASE_URL = server.base_url
    settings.LLM_API_KEY = api_key
    settings.LLM_MODEL = MODEL_NAME
    settings.LLM_LABEL = "Scripted model"
    settings.LLM_TIMEOUT_S = 20.0


# --- Answers --------------------------------------------------------------------------------------------------------
def answer(data: Mapping[str, Any], **changes: Any) -> Step:
    """A well-formed completion whose content is this object."""
    return answer_text(json.dumps(data, ensure_ascii=False), **changes)


def answer_text(
    text: str | None,
    *,
    finish_reason: str | None = "stop",
    refusal: str | None = None,
    usage: Mapping[str, Any] | None = None,
    **step: Any,
) -> Step:
    """A well-formed completion whose content is this text. `usage` {} leaves the field out."""
    message: dict[str, Any] = {"role": "assistant", "content": text}
    if refusal is not None:
        message["refusal"] = refusal
    counted = {"prompt_tokens": 120, "completion_tokens": 40, "total_tokens": 160} if usage is None else dict(usage)
    envelope: dict[str, Any] = {
        "id": "chatcmpl-scripted",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": MODEL_NAME,
        "choices": [{"index": 0, "message": message, "finish_reason": finish_reason}],
    }
    if counted:
        envelope["usage"] = counted
    return Step(json.dumps(envelope, ensure_ascii=False).encode(), **step)


def answer_for(request: Mapping[str, Any], text: str = "Good to see you") -> Step:
    """An object that fits the schema that was sent with the request, or is described in its system turn."""
    return answer(fill_schema(find_schema(request), text))


def find_schema(request: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON schema of a request, at whichever step of the ladder."""
    named = request.get("response_format", {}).get("json_schema")
    if named:
        return dict(named["schema"])
    system = str(request["messages"][0]["content"])
    described: dict[str, Any] = json.loads(system[system.rindex("\n") + 1 :])
    return described


def fill_schema(schema: Mapping[str, Any], text: str) -> Any:
    """A value that fits a plain schema (objects, arrays, texts with length limits, enums, numbers)."""
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    if kind == "object":
        return {name: fill_schema(part, text) for name, part in schema.get("properties", {}).items()}
    if kind == "array":
        return [fill_schema(schema["items"], text) for _ in range(schema.get("minItems", 1))]
    if kind in ("integer", "number"):
        return schema.get("minimum", 1)
    if kind == "boolean":
        return True
    shortest = int(schema.get("minLength", 0))
    in_pattern = re.search(r",(\d+)\}\$$", str(schema.get("pattern", "")))  # where slots of drafts have their length
    longest = int(in_pattern[1]) if in_pattern else schema.get("maxLength", 10_000)
    return (text * (shortest // max(1, len(text)) + 1))[:longest]


def recorded(name: str) -> Step:
    """What a real small model really sent, byte for byte: the name of a file in tests/llm/recorded/ without .json."""
    kept = json.loads((RECORDED / f"{name}.json").read_text(encoding="utf-8"))
    return Step(kept["body"].encode(), kept["status"], kept["content_type"])


# --- Faults ---------------------------------------------------------------------------------------------------------
def fault_error(status: int, message: str, *, headers: Mapping[str, str] | None = None, **fields: Any) -> Step:
    """An HTTP status with an error body in the form that providers use."""
    return Step(json.dumps({"error": {"message": message, **fields}}).encode(), status, headers=headers or {})


def fault_429(retry_after_s: int | None = None) -> Step:
    """Too many requests at the moment."""
    headers = {} if retry_after_s is None else {"Retry-After": str(retry_after_s)}
    return fault_error(429, "Rate limit reached", type="requests", code="rate_limit_exceeded", headers=headers)


def fault_insufficient_quota() -> Step:
    """The same status, but it will not pass by itself."""
    text = "You exceeded your current quota, please check your plan and billing details."
    return fault_error(429, text, type="insufficient_quota", code="insufficient_quota")


def fault_500() -> Step:
    """The server itself fails."""
    return fault_error(500, "The server had an error while processing your request", type="server_error")


def fault_wrong_key(key: str = "") -> Step:
    """401, with the key said back as some providers do."""
    return fault_error(401, f"Incorrect API key provided: {key}.", type="invalid_request_error", code="invalid_api_key")


def fault_unknown_model() -> Step:
    return fault_error(404, "The model does not exist", type="invalid_request_error", code="model_not_found")


def fault_slow_head(seconds: float = 30.0) -> Step:
    """Accepts the request and says nothing for long."""
    return answer_text("{}", wait_s=seconds)


def fault_slow_body(pause_s: float = 0.02) -> Step:
    """A byte now and then: no pause is long enough for a time-out per read."""
    return answer_text("x" * 20_000, trickle_s=pause_s)


def fault_cut_body(*, says_length: bool = True) -> Step:
    """The connection ends in the middle of the reply; without a length that looks like its end."""
    return answer_text('{"subject": "We kept your table"}', send_bytes=120, says_length=says_length)


def fault_dropped() -> Step:
    """The connection is reset instead of answered."""
    return Step(drops=True)


def fault_bad_json() -> Step:
    """Content that begins like an object and is none."""
    return answer_text('{"subject": "We miss you", "opening": unquoted}')


def fault_bad_envelope() -> Step:
    """The reply itself is not JSON."""
    return Step(b'{"choices": [{"message": ')


def fault_doubled_keys(text: str) -> Step:
    """Content in which a key stands twice (readers disagree on which one counts)."""
    return answer_text(text)


def fault_html() -> Step:
    """A log-in or welcome page with status 200."""
    return Step(b"<!doctype html><html><body>Welcome</body></html>", content_type="text/html; charset=utf-8")


def fault_error_with_200() -> Step:
    """An error body under a good status."""
    return fault_error(200, "upstream failed")


def fault_no_choices() -> Step:
    return Step(json.dumps({"id": "x", "object": "chat.completion", "choices": None}).encode())


def fault_over_long() -> Step:
    """The answer ran into max_tokens in the middle of the object."""
    return answer_text('{"subject": "Come back to', finish_reason="length")


def fault_refusal() -> Step:
    return answer_text(None, refusal="I can't help with that.")


def fault_refusal_in_words() -> Step:
    return answer_text("I'm sorry, but I can't help with that request.")


def fault_content_filter() -> Step:
    return answer_text("", finish_reason="content_filter")


def fault_empty() -> Step:
    return answer_text("")


def fault_redirect(location: str) -> Step:
    """Sends the client elsewhere, as a moved or captured server would."""
    return Step(b"", 307, headers={"Location": location})


def fault_refuses_format(status: int = 400) -> Step:
    """A server that does not know response_format and says so."""
    return fault_error(status, "response_format is not supported", param="response_format")


def obeying(step: Callable[[dict[str, Any]], Step], *, refuses: tuple[str, ...], status: int) -> Answerer:
    """Answers like a server that refuses some steps of the ladder with a status, and the others with `step`."""

    def answer_or_refuse(request: dict[str, Any]) -> Step:
        mode = request.get("response_format", {}).get("type", "text")
        return fault_refuses_format(status) if mode in refuses else step(request)

    return answer_or_refuse


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, owner: ModelServer) -> None:
        self.owner = owner
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Listener

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        pass

    def _answer(self, body: bytes) -> None:
        owner = self.server.owner
        step = owner.take_step(Received(self.command, self.path, dict(self.headers.items()), body))
        self.close_connection = True
        owner.pause(step.wait_s)
        if step.drops:
            # Linger 0 makes close() send a reset instead of an orderly end.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            return
        self.send_response(step.status)
        self.send_header("Content-Type", step.content_type)
        if step.says_length:
            self.send_header("Content-Length", str(len(step.body)))
        for name, value in step.headers.items():
            self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()
        self._send_body(step)

    def _send_body(self, step: Step) -> None:
        body = step.body if step.send_bytes is None else step.body[: step.send_bytes]
        if not step.trickle_s:
            self.wfile.write(body)
            return
        for byte in body:
            self.wfile.write(bytes([byte]))
            self.server.owner.pause(step.trickle_s)


if __name__ == "__main__":  # an endless answerer, to try pages against by hand
    with ModelServer() as standing:
        print(standing.base_url)
        time.sleep(3600)
