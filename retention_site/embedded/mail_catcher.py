"""A real SMTP server on loopback that keeps what it is sent, so that nothing leaves the machine by accident.

It takes recipients only at domains that nobody real can have (RFC 2606, RFC 6761) and refuses all others
with 550. `python -m retention_site.embedded.mail_catcher --folder FOLDER [--port N | --fd N] [--messages-port N]`.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Sequence
from email import policy
from email.parser import BytesParser
from functools import partial
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from .caught_mail import (
    CaughtMessage,
    count_caught,
    find_caught,
    find_copies,
    list_caught,
    name_for,
    read_caught,
)
from .message_catcher import serve_requests
from .process import Engine

__all__ = [
    "CaughtMessage",
    "MailCatcher",
    "count_caught",
    "find_caught",
    "find_copies",
    "is_reserved",
    "list_caught",
    "name_for",
    "read_caught",
    "store_message",
]

#: The folder of text messages and web hooks, below that of the mail.
MESSAGES = "messages"
SIZE_LIMIT_BYTES = 10 * 1024 * 1024
RESERVED_TOP_LEVELS = {"test", "example", "invalid", "localhost"}
RESERVED_DOMAINS = {"example.com", "example.net", "example.org", "localhost.localdomain"}


class MailCatcher(Engine):
    """The catcher as a child process. The owner keeps the listening socket, so the port outlives a restart."""

    title = "Mail catcher"

    def __init__(self, base: Path, *, folder: Path, port: int = 0) -> None:
        super().__init__(base)
        self.folder = folder
        self.listener = socket.create_server(("127.0.0.1", port))
        self.message_listener = socket.create_server(("127.0.0.1", 0))

    @property
    def log(self) -> Path:
        return self.base / "mail_catcher.log"

    @property
    def environment(self) -> dict[str, str]:
        """What the settings read."""
        host, port = self.listener.getsockname()[:2]
        return {
            "MAIL_CATCHER_HOST": str(host),
            "MAIL_CATCHER_PORT": str(port),
            "MAIL_CATCHER_DIR": str(self.folder),
            "MESSAGE_CATCHER_HOST": str(host),
            "MESSAGE_CATCHER_PORT": str(self.message_listener.getsockname()[1]),
        }

    def start(self) -> None:
        number, messages = self.listener.fileno(), self.message_listener.fileno()
        here = Path(__file__).resolve().parents[2]
        self.spawn(
            [
                *(sys.executable, "-P", "-m", "retention_site.embedded.mail_catcher"),
                *("--folder", self.folder, "--fd", str(number), "--messages-fd", str(messages)),
            ],
            env=os.environ | {"PYTHONPATH": str(here)},
            pass_fds=(number, messages),
        )
        self.wait_until(self.answers)

    def stop(self, seconds: float = 10) -> None:
        super().stop(seconds)

    def close(self) -> None:
        """Stop for good and give the port back."""
        self.stop()
        self.listener.close()
        self.message_listener.close()

    def answers(self) -> bool:
        try:
            with socket.create_connection(self.listener.getsockname()[:2], timeout=1) as connection:
                return connection.recv(4).startswith(b"220")
        except OSError:
            return False


class CatchingHandler:
    """aiosmtpd's hooks: refuse what is real, store the rest."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if not is_reserved(address):
            return "550 5.7.1 The mail catcher takes only test addresses (.test, .example, .invalid): set EMAIL_URL"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        try:
            key = store_message(self.folder, envelope.mail_from or "", envelope.rcpt_tos, content)
        except OSError as error:
            return f"452 4.3.1 Could not be stored: {error.strerror}"
        return f"250 2.0.0 Caught as {key}"


def is_reserved(address: str) -> bool:
    """Whether no real person can be behind this address."""
    domain = address.rpartition("@")[2].strip(" <>").rstrip(".").lower()
    if not domain or domain.startswith("["):
        return False
    ends_in_reserved = any(domain == name or domain.endswith(f".{name}") for name in RESERVED_DOMAINS)
    return domain.rpartition(".")[2] in RESERVED_TOP_LEVELS or ends_in_reserved


def store_message(folder: Path, sender: str, recipients: Sequence[str], content: bytes) -> str:
    """Write one message and return its key. All of it is on the disk under its name, or nothing is.

    A second arrival of the same Message-ID is kept beside the first (`key.2`): a doubled mail shows.
    """
    folder.mkdir(parents=True, exist_ok=True)
    envelope = f"X-Envelope-From: {_one_line(sender)}\r\nX-Envelope-To: {_one_line(', '.join(recipients))}\r\n"
    handle, draft = tempfile.mkstemp(dir=folder, prefix=".incoming-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(envelope.encode("utf-8", "replace") + content)
        return _give_name(folder, Path(draft), name_for(_message_id(content)))
    finally:
        Path(draft).unlink(missing_ok=True)


def _one_line(value: str) -> str:
    return "".join(" " if character in "\r\n\0" else character for character in value)


def _message_id(content: bytes) -> str:
    """The Message-ID; a message without one is known by its content."""
    head = content[: 64 * 1024]
    found = BytesParser(policy=policy.compat32).parsebytes(head, headersonly=True).get("Message-ID")
    return str(found) if found else repr(content)


def _give_name(folder: Path, draft: Path, key: str) -> str:
    """A hard link fails when the name is taken, so two arrivals never overwrite each other."""
    copy = 1
    while True:
        name = key if copy == 1 else f"{key}.{copy}"
        try:
            os.link(draft, folder / f"{name}.eml")
        except FileExistsError:
            copy += 1
            continue
        return name


async def serve(folder: Path, listener: socket.socket, messages: socket.socket | None = None) -> None:
    """Serve until SIGTERM or SIGINT: mail over `listener`, text messages and web hooks over `messages`."""
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    handler = CatchingHandler(folder)

    def make_session() -> SMTP:
        return SMTP(handler, data_size_limit=SIZE_LIMIT_BYTES, enable_SMTPUTF8=True, hostname="localhost")

    servers = [await loop.create_server(make_session, sock=listener)]
    if messages is not None:
        servers.append(await asyncio.start_server(partial(serve_requests, folder / MESSAGES), sock=messages))
    await stopping.wait()
    for server in servers:
        server.close()


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="mail_catcher", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--listen", default="127.0.0.1", help="another address only inside a container")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one, which is printed")
    parser.add_argument("--fd", type=int, help="a listening socket handed down by the owner")
    parser.add_argument("--messages-port", type=int, help="of text messages and web hooks; without it none are taken")
    parser.add_argument("--messages-fd", type=int, help="the same as a socket handed down by the owner")
    options = parser.parse_args(argv)
    given = options.fd is not None
    listener = socket.socket(fileno=options.fd) if given else socket.create_server((options.listen, options.port))
    print(f"catching mail on {listener.getsockname()[1]} into {options.folder}", flush=True)
    messages = None
    if options.messages_fd is not None:
        messages = socket.socket(fileno=options.messages_fd)
    elif options.messages_port is not None:
        messages = socket.create_server((options.listen, options.messages_port))
    asyncio.run(serve(options.folder, listener, messages))
    return 0


if __name__ == "__main__":
    sys.exit(main())
