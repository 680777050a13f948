"""A fast HTTP sink on loopback that speaks Resend's API, in a process of its own: it honours idempotency keys, and notes every
message it takes, one line each, as `sink` does.

A line is written before the message is confirmed. A key that it has seen gets the same answer again and no line; the same key
with another letter is refused, as Resend does.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import time

END = b"\r\n\r\n"


class HttpSink(asyncio.Protocol):
    """Request after request over a kept connection."""

    def __init__(self, log: int, known: dict[str, tuple[bytes, str]]) -> None:
        self.log = log
        self.known = known
        self.buffer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while self._take_request():
            pass

    def _take_request(self) -> bool:
        head_end = self.buffer.find(END)
        if head_end < 0:
            return False
        lines = bytes(self.buffer[:head_end]).decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _colon, value in (line.partition(":") for line in lines[1:])}
        end = head_end + len(END) + int(headers.get("content-length", "0"))
        if len(self.buffer) < end:
            return False
        body = bytes(self.buffer[head_end + len(END) : end])
        del self.buffer[:end]
        self._answer(*self._take(headers.get("idempotency-key", ""), body))
        return True

    def _take(self, key: str, body: bytes) -> tuple[int, dict[str, str]]:
        digest = hashlib.sha256(body).digest()
        if key in self.known:
            first, name = self.known[key]
            return (200, {"id": name}) if first == digest else (409, {"name": "invalid_idempotent_request"})
        letter, name = json.loads(body), f"id-{len(self.known)}"
        line = f"{time.monotonic():.4f} {letter['headers']['Message-ID']} {letter['to'][0]}\n"
        os.write(self.log, line.encode())
        self.known[key or name] = (digest, name)
        return 200, {"id": name}

    def _answer(self, status: int, said: dict[str, str]) -> None:
        body = json.dumps(said).encode()
        head = f"HTTP/1.1 {status} x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        self.transport.write(head.encode() + body)


async def serve(log: int) -> None:
    known: dict[str, tuple[bytes, str]] = {}
    server = await asyncio.get_running_loop().create_server(lambda: HttpSink(log, known), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--log", required=True)
    asyncio.run(serve(os.open(parser.parse_args().log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)))
