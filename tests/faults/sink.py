"""A fast SMTP sink on loopback, in a process of its own: notes every message it takes, one line each, and keeps none.

`python -m tests.faults.sink --log FILE [--takes SECONDS]` prints its port. A line is written before the message is confirmed, so
the file is what a real server may deliver: "<monotonic seconds> <Message-ID> <recipient>".
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

MESSAGE_ID = re.compile(rb"(?mi)^message-id:\s*(<[^>\r\n]+>)")
END = b"\r\n.\r\n"


@dataclass(frozen=True)
class Arrival:
    """One message that the sink took."""

    at_s: float
    message_id: str
    recipient: str


class Sink(asyncio.Protocol):
    """Commands line by line, then the message until its final dot."""

    def __init__(self, log: int, takes_s: float = 0) -> None:
        self.log = log
        self.takes_s = takes_s
        self.buffer = bytearray()
        self.in_message = False
        self.recipient = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(b"220 sink ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while self._take_message() if self.in_message else self._take_command():
            pass

    def _take_command(self) -> bool:
        end = self.buffer.find(b"\r\n")
        if end < 0:
            return False
        line = bytes(self.buffer[:end])
        del self.buffer[: end + 2]
        verb = line[:4].upper()
        if verb == b"EHLO":
            self.transport.write(b"250-sink\r\n250-SIZE 50000000\r\n250-PIPELINING\r\n250 8BITMIME\r\n")
        elif verb == b"DATA":
            self.in_message = True
            self.transport.write(b"354 go on\r\n")
        elif verb == b"QUIT":
            self.transport.write(b"221 bye\r\n")
            self.transport.close()
        else:
            if verb == b"RCPT":
                self.recipient = line.partition(b"<")[2].partition(b">")[0]
            self.transport.write(b"250 ok\r\n")
        return True

    def _take_message(self) -> bool:
        end = self.buffer.find(END)
        if end < 0:
            return False
        found = MESSAGE_ID.search(self.buffer, 0, end)
        name = found.group(1) if found else b"?"
        del self.buffer[: end + len(END)]
        self.in_message = False
        os.write(self.log, b"%.6f %s %s\n" % (time.monotonic(), name, self.recipient))
        if self.takes_s:
            asyncio.get_running_loop().call_later(self.takes_s, self.transport.write, b"250 taken\r\n")
        else:
            self.transport.write(b"250 taken\r\n")
        return True


@contextmanager
def running_sink(log: Path, module: str = "tests.faults.sink", *options: str) -> Iterator[int]:
    """Run this sink, or the one of another module, as a child; gives its port."""
    with sink_process(log, module, *options) as (port, _pid):
        yield port


@contextmanager
def sink_process(log: Path, module: str = "tests.faults.sink", *options: str) -> Iterator[tuple[int, int]]:
    """The same; gives its port and its process number."""
    command = [sys.executable, "-m", module, "--log", os.fspath(log), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline()), process.pid
        finally:
            process.kill()


def read_arrivals(log: Path) -> list[Arrival]:
    """Everything taken so far, in order."""
    arrivals = []
    for line in log.read_text().splitlines() if log.exists() else []:
        at_s, message_id, recipient = line.split(" ")
        arrivals.append(Arrival(float(at_s), message_id, recipient))
    return arrivals


def count_arrivals(log: Path) -> int:
    return log.read_bytes().count(b"\n") if log.exists() else 0


async def serve(log: Path, takes_s: float) -> None:
    file = os.open(log, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    server = await asyncio.get_running_loop().create_server(lambda: Sink(file, takes_s), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--takes", type=float, default=0, help="seconds from the final dot to its answer")
    options = parser.parse_args()
    asyncio.run(serve(options.log, options.takes))
