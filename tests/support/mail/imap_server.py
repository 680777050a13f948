"""A small real IMAP server on loopback (RFC 3501, as far as a poll goes), over TLS, that can break off where a test says."""

from __future__ import annotations

import contextlib
import datetime as dt
import ipaddress
import re
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

USER, PASSWORD = "help@tarnside.test", 'pa"ss \\w0rd-never-logged'


class BreakOff(Exception):
    """Raised by a hook: the connection is cut, and the command is not carried out."""


@dataclass
class Kept:
    """A mail in the mailbox."""

    raw: bytes
    received_at: dt.datetime
    flags: set[str] = field(default_factory=set)


Hook = Callable[[str, int], None]


@dataclass
class ImapServer:
    """`before` and `after` are called with the command and the UID that it names (0: none), around its execution.

    `after` runs before the answer goes out. `offers_tls` False: no STARTTLS on the plain port.
    """

    certificate: Path
    mails: dict[int, Kept] = field(default_factory=dict)
    archive: list[Kept] = field(default_factory=list)
    uid_validity: int = 7
    uid_next: int = 1
    password: str = PASSWORD
    starts_plain: bool = False
    offers_tls: bool = True
    offers_move: bool = True
    is_mute: bool = False
    before: Hook = lambda _command, _uid: None
    after: Hook = lambda _command, _uid: None
    commands: list[str] = field(default_factory=list)
    fetched_bytes: int = 0

    def add(self, raw: bytes, *, at: dt.datetime) -> int:
        uid, self.uid_next = self.uid_next, self.uid_next + 1
        self.mails[uid] = Kept(raw, at)
        return uid

    def renumber(self) -> None:
        """As after a restore of the server: the same mails under other numbers."""
        kept = list(self.mails.values())
        self.uid_validity, self.mails, self.uid_next = self.uid_validity + 1, {}, 1
        for mail in kept:
            self.mails[self.uid_next] = mail
            self.uid_next += 1

    def __enter__(self) -> ImapServer:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(self.certificate)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):  # wakes the thread that waits for a connection
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                plain, _address = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(plain,), daemon=True).start()

    def _talk(self, plain: socket.socket) -> None:
        with contextlib.suppress(OSError, BreakOff, ssl.SSLError), contextlib.ExitStack() as stack:
            connection = plain if self.starts_plain else self._context.wrap_socket(plain, server_side=True)
            stack.callback(connection.close)
            if self.is_mute:
                connection.recv(1)
                return
            _Talk(self, connection).run()

    @property
    def context(self) -> ssl.SSLContext:
        return self._context


class _Talk:
    """One connection."""

    def __init__(self, server: ImapServer, connection: socket.socket) -> None:
        self.server, self.connection = server, connection
        self.reader = connection.makefile("rb")
        self.is_private = isinstance(connection, ssl.SSLSocket)

    def say(self, *lines: bytes) -> None:
        self.connection.sendall(b"".join(line + b"\r\n" for line in lines))

    def run(self) -> None:
        self.say(b"* OK ready")
        while line := self.reader.readline():
            tag, _blank, rest = line.decode().strip().partition(" ")
            name = (rest[4:] if rest.upper().startswith("UID ") else rest).split(" ")[0].upper()
            self.server.commands.append(rest if name != "LOGIN" else "LOGIN")
            number = re.match(r"UID \w+ (\d+)\b", rest)
            uid = int(number[1]) if number and name != "SEARCH" else 0
            self.server.before(name, uid)
            answers, status = getattr(self, f"do_{name.lower()}", self.do_unknown)(rest)
            self.server.after(name, uid)
            self.say(*answers, f"{tag} {status} done".encode())
            if name == "STARTTLS" and status.startswith("OK"):
                self.connection = self.server.context.wrap_socket(self.connection, server_side=True)
                self.reader, self.is_private = self.connection.makefile("rb"), True
            if name == "LOGOUT":
                return

    def do_unknown(self, _rest: str) -> tuple[list[bytes], str]:
        return [], "BAD unknown"

    def do_capability(self, _rest: str) -> tuple[list[bytes], str]:
        words = (
            ["IMAP4rev1"]
            + ["STARTTLS"] * (self.server.offers_tls and not self.is_private)
            + ["MOVE"] * self.server.offers_move
        )
        return [f"* CAPABILITY {' '.join(words)}".encode()], "OK"

    def do_starttls(self, _rest: str) -> tuple[list[bytes], str]:
        return [], "OK go on" if self.server.offers_tls else "NO"

    def do_login(self, rest: str) -> tuple[list[bytes], str]:
        assert self.is_private, "a password in the clear"
        match = re.fullmatch(r'LOGIN ("?)(.*?)\1 "(.*)"', rest)
        given = (match[2], re.sub(r"\\(.)", r"\1", match[3])) if match else ()
        # As careless as a server may be: it repeats what it was sent.
        return [], "OK" if given == (USER, self.server.password) else f"NO wrong: {rest}"

    def do_select(self, rest: str) -> tuple[list[bytes], str]:
        if rest.partition(" ")[2].strip('"') != "INBOX":
            return [], "NO no such folder"
        return [
            f"* {len(self.server.mails)} EXISTS".encode(),
            f"* OK [UIDVALIDITY {self.server.uid_validity}] valid".encode(),
            f"* OK [UIDNEXT {self.server.uid_next}] next".encode(),
        ], "OK [READ-WRITE]"  # fmt: skip

    def do_search(self, rest: str) -> tuple[list[bytes], str]:
        match = re.fullmatch(r"UID SEARCH UID (\d+):\* SINCE (\d+-\w{3}-\d{4})", rest)
        assert match, rest
        since = dt.datetime.strptime(match[2], "%d-%b-%Y").date()  # noqa: DTZ007
        uids = sorted(self.server.mails)
        asked = [uid for uid in uids if uid >= int(match[1])] or uids[-1:]  # n:* holds the last one in any case
        found = [uid for uid in asked if self.server.mails[uid].received_at.date() >= since]
        return [f"* SEARCH {' '.join(map(str, found))}".encode()], "OK"

    def do_fetch(self, rest: str) -> tuple[list[bytes], str]:
        match = re.match(r"UID FETCH (\d+) \((.*)\)$", rest)
        assert match, rest
        uid, mail = int(match[1]), self.server.mails.get(int(match[1]))
        if mail is None:
            return [], "OK"
        if "RFC822.SIZE" in match[2]:
            date = mail.received_at.strftime("%d-%b-%Y %H:%M:%S +0000")
            return [f'* {uid} FETCH (UID {uid} RFC822.SIZE {len(mail.raw)} INTERNALDATE "{date}")'.encode()], "OK"
        most = re.search(r"BODY\.PEEK\[\]<0\.(\d+)>", match[2])
        assert most, rest
        raw = mail.raw[: int(most[1])]
        self.server.fetched_bytes += len(raw)
        return [f"* {uid} FETCH (UID {uid} BODY[]<0> {{{len(raw)}}}".encode() + b"\r\n" + raw + b")"], "OK"

    def do_store(self, rest: str) -> tuple[list[bytes], str]:
        match = re.match(r"UID STORE ([\d,]+) \+FLAGS\.SILENT \(\\Seen\)$", rest)
        assert match, rest
        for uid in match[1].split(","):
            if mail := self.server.mails.get(int(uid)):
                mail.flags.add("seen")
        return [], "OK"

    def do_move(self, rest: str) -> tuple[list[bytes], str]:
        for uid in rest.split(" ")[2].split(","):
            if mail := self.server.mails.pop(int(uid), None):
                self.server.archive.append(mail)
        return [], "OK"

    def do_logout(self, _rest: str) -> tuple[list[bytes], str]:
        return [b"* BYE"], "OK"


def make_certificate(folder: Path, *, name: str = "127.0.0.1") -> Path:
    """A certificate for this machine that signs itself, with its key, as one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "rekindle test")])
    alternative: x509.GeneralName
    try:
        alternative = x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        alternative = x509.DNSName(name)
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=2))
        .not_valid_after(now + dt.timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{name}.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + private)
    return path
