"""A real SMTP server on loopback that misbehaves by script: at which phase, in which way, how many times."""

from __future__ import annotations

import enum
import re
import socket
import struct
import threading
from dataclasses import dataclass, field
from types import TracebackType

BODY_BYTES_BEFORE_FAULT = 1000


class At(enum.StrEnum):
    """The phases of a delivery at which the server can misbehave."""

    CONNECT = "connect"
    HELO = "helo"
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    BODY = "body"
    DOT = "dot"


class Fault(enum.StrEnum):
    """CLOSE_AFTER answers as it should and then hangs up."""

    TEMPORARY = "4xx"
    PERMANENT = "5xx"
    SLOW = "slow"
    CUT = "cut"
    RESET = "rst"
    NONSENSE = "nonsense"
    CLOSE_AFTER = "close after"


@dataclass
class ScriptedSmtpServer:
    """Serves on 127.0.0.1:`port`, one thread per connection. `times` None repeats the fault for ever.

    `taken` holds the content of every message whose final dot arrived and was not refused: what a real server
    might deliver, whether or not its answer got back.
    """

    phase: At | None = None
    fault: Fault | None = None
    times: int | None = 1
    slow_s: float = 30.0
    offers_auth: bool = False
    offers_pipelining: bool = False
    taken: list[bytes] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    connections: int = 0

    def __enter__(self) -> ScriptedSmtpServer:
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32_768)
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._listener.close()

    def message_ids(self) -> list[str]:
        """Message-ID of everything taken, in order; a doubled one shows twice."""
        found = [re.search(rb"(?mi)^Message-ID: *(<[^>]+>)", content) for content in self.taken]
        return [match.group(1).decode() if match else "" for match in found]

    def strikes(self, phase: At) -> Fault | None:
        """The fault to commit now, counted down."""
        with self._lock:
            if phase is not self.phase or self.fault is None or self.times == 0:
                return None
            self.times = self.times - 1 if self.times is not None else None
            return self.fault

    def wait(self, seconds: float) -> None:
        self._closing.wait(seconds)

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                connection, _address = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=_serve, args=(self, connection), daemon=True).start()


class _HungUp(Exception):
    pass


def _serve(server: ScriptedSmtpServer, connection: socket.socket) -> None:
    try:
        _Session(server, connection).run()
    except (OSError, _HungUp):
        pass
    finally:
        connection.close()


class _Session:
    """One connection: reads lines, answers, and strikes where the script says so."""

    def __init__(self, server: ScriptedSmtpServer, connection: socket.socket) -> None:
        self.server = server
        self.connection = connection
        self.reader = connection.makefile("rb")
        self.recipients: list[str] = []

    def run(self) -> None:
        self._answer(At.CONNECT, "220 scripted ESMTP")
        while line := self.reader.readline():
            verb = line[:4].upper().decode("ascii", "replace").strip()
            if verb in {"EHLO", "HELO"}:
                features = "250-AUTH PLAIN\r\n" if self.server.offers_auth else ""
                features += "250-PIPELINING\r\n" if self.server.offers_pipelining else ""
                self._answer(At.HELO, f"250-scripted\r\n{features}250 SIZE 50000000")
            elif verb == "AUTH":
                self._answer(At.AUTH, "235 2.7.0 welcome")
            elif verb == "MAIL":
                self._answer(At.MAIL, "250 2.1.0 sender ok")
            elif verb == "RCPT":
                if self._answer(At.RCPT, "250 2.1.5 recipient ok"):
                    self.recipients.append(line.decode().partition("<")[2].partition(">")[0])
            elif verb == "DATA":
                if self._answer(At.DATA, "354 go on"):
                    self._take_message()
            elif verb == "RSET":
                self.recipients = []
                self._say("250 2.0.0 reset")
            elif verb == "QUIT":
                self._say("221 2.0.0 bye")
                return
            else:
                self._say("250 2.0.0 ok")

    def _take_message(self) -> None:
        content = bytearray()
        fault = self.server.strikes(At.BODY)
        while True:
            line = self.reader.readline()
            if not line:
                raise _HungUp
            if line == b".\r\n":
                break
            content += line[1:] if line.startswith(b"..") else line
            if fault is not None and len(content) >= BODY_BYTES_BEFORE_FAULT:
                if fault is Fault.CLOSE_AFTER:
                    continue
                self._strike(fault)
                fault = None
        if fault is Fault.CLOSE_AFTER:
            raise _HungUp
        fault = self.server.strikes(At.DOT)
        if fault not in {Fault.TEMPORARY, Fault.PERMANENT}:
            self.server.taken.append(bytes(content))
            self.server.recipients.extend(self.recipients)
        self.recipients = []
        if fault is None:
            self._say("250 2.0.0 taken")
        elif fault is Fault.CLOSE_AFTER:
            self._say("250 2.0.0 taken")
            raise _HungUp
        else:
            self._strike(fault)

    def _answer(self, phase: At, text: str) -> bool:
        """The right answer, or the fault; True when it was the right one."""
        fault = self.server.strikes(phase)
        if fault is None or fault is Fault.CLOSE_AFTER:
            self._say(text)
            if fault is Fault.CLOSE_AFTER:
                raise _HungUp
            return True
        self._strike(fault, is_login=phase is At.AUTH)
        return False

    def _strike(self, fault: Fault, *, is_login: bool = False) -> None:
        if fault is Fault.TEMPORARY:
            self._say("454 4.7.0 log-in not now" if is_login else "451 4.3.0 not now")
        elif fault is Fault.PERMANENT:
            self._say("535 5.7.8 wrong password" if is_login else "554 5.0.0 never")
        elif fault is Fault.NONSENSE:
            self._say("hello there")
        elif fault is Fault.SLOW:
            self.server.wait(self.server.slow_s)
            raise _HungUp
        elif fault is Fault.RESET:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            raise _HungUp
        else:
            raise _HungUp

    def _say(self, text: str) -> None:
        self.connection.sendall(text.encode() + b"\r\n")
