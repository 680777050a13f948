"""SMTP with kept connections, driven phase by phase, so that it is always known whether the final dot went out.

Where the server takes several commands at once (PIPELINING, RFC 2920), a message costs two round trips instead of four.

`smtplib.sendmail` raises the same exceptions before and after DATA. Here a failure before the first byte of the
final dot is certain not to have sent anything (RFC 5321, 4.1.1.4: the server acts on the dot); from that byte on, only an
answer settles it.
"""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
from dataclasses import dataclass

from django.conf import settings

from . import SMTP_ROUTE, ChannelUnavailable, Envelope, Outcome, Phase, Reply
from .refusals import AUTHENTICATION_CODES, find_cause
from .smtp_wire import SmtpWire

FINAL_DOT = b".\r\n"
_LINE_END = re.compile(rb"\r\n|\r|\n")


@dataclass(frozen=True)
class SmtpServer:
    """Where mail is handed over. `timeout_s` is the longest silence that is borne, per reply.

    `greeting` is the name we say in EHLO: the sender's domain, because asking DNS for our own name can take long.
    """

    host: str
    port: int
    timeout_s: float
    username: str = ""
    password: str = ""
    uses_starttls: bool = False
    uses_tls: bool = False
    greeting: str = "localhost"

    @classmethod
    def from_settings(cls) -> SmtpServer:
        return cls(
            host=settings.EMAIL_HOST,
            port=settings.EMAIL_PORT,
            timeout_s=settings.EMAIL_TIMEOUT,
            username=settings.EMAIL_HOST_USER,
            password=settings.EMAIL_HOST_PASSWORD,
            uses_starttls=settings.EMAIL_USE_TLS,
            uses_tls=settings.EMAIL_USE_SSL,
            greeting=settings.SHOP_FROM_EMAIL.rpartition("@")[2] or "localhost",
        )


class _Refused(Exception):
    """An answer that ends the delivery in an orderly way; the connection can be used again after RSET."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


class SmtpChannel:
    """One connection to one server."""

    route = SMTP_ROUTE

    def __init__(self, server: SmtpServer) -> None:
        self.server = server
        self._smtp: smtplib.SMTP | None = None
        self._wire: SmtpWire | None = None
        self._pipelines = False

    def ensure_open(self) -> None:
        """Connect, greet, secure and log in unless a kept connection is still there."""
        if self._wire is not None and not self._wire.has_spoken():
            return
        self._drop()
        phase = Phase.CONNECT
        try:
            self._smtp = _connect(self.server)
            phase = Phase.HELO
            _greet(self._smtp, self.server)
            self._wire = SmtpWire(_send_at_once(self._smtp))
            self._pipelines = self._smtp.has_extn("pipelining")
        except smtplib.SMTPResponseException as error:
            self._drop()
            raise ChannelUnavailable(
                phase, _say(error.smtp_code, error.smtp_error), is_final=_is_about_login(error)
            ) from error
        except (smtplib.SMTPException, OSError, UnicodeError) as error:
            self._drop()
            raise ChannelUnavailable(phase, str(error) or type(error).__name__) from error

    def deliver(self, envelope: Envelope) -> Reply:
        phase = Phase.MAIL
        try:
            wire = self._require_open()
            steps = (
                (Phase.MAIL, f"MAIL FROM:<{envelope.sender}>", (250,)),
                (Phase.RCPT, f"RCPT TO:<{envelope.recipient}>", (250, 251)),
                (Phase.DATA, "DATA", (354,)),
            )
            if self._pipelines:
                wire.command(*(command for _phase, command, _codes in steps))
            for step, command, codes in steps:
                phase = step
                if not self._pipelines:
                    wire.command(command)
                _expect(wire.read_answer(), *codes)
            phase = Phase.BODY
            wire.send(quote_content(envelope.content))
            if wire.has_spoken():
                raise smtplib.SMTPServerDisconnected("the server did not wait for the end of the message")
            phase = Phase.DOT
            wire.send(FINAL_DOT)
            return self._read_verdict(wire)
        except _Refused as refusal:
            return self._refuse(phase, refusal)
        except (smtplib.SMTPException, OSError, ValueError) as error:
            self._drop()
            outcome = Outcome.UNKNOWN if phase is Phase.DOT else Outcome.RETRY
            return Reply(outcome, phase, 0, _name_failure(error))

    def close(self) -> None:
        smtp, self._smtp, self._wire = self._smtp, None, None
        if smtp is None:
            return
        try:
            smtp.quit()
        except (smtplib.SMTPException, OSError):
            smtp.close()

    def _require_open(self) -> SmtpWire:
        if self._wire is None:
            raise smtplib.SMTPServerDisconnected("not connected")
        return self._wire

    def _read_verdict(self, wire: SmtpWire) -> Reply:
        """The one answer that counts. What is no clear yes or no leaves it unknown."""
        code, text = wire.read_answer()
        if 200 <= code <= 299:
            return Reply(Outcome.ACCEPTED, Phase.DOT, code, decode_answer(text))
        if 400 <= code <= 599:
            self._drop_if_closing(code)
            said, outcome = decode_answer(text), Outcome.RETRY if code <= 499 else Outcome.FAILED
            return Reply(outcome, Phase.DOT, code, said, cause=find_cause(code, said))
        self._drop()
        return Reply(Outcome.UNKNOWN, Phase.DOT, 0, f"not understood: {decode_answer(text)}")

    def _refuse(self, phase: Phase, refusal: _Refused) -> Reply:
        """A refusal before the dot. 5xx is for good, but for those that mean our log-in; all else may be tried again."""
        is_final = 500 <= refusal.code <= 599 and refusal.code not in AUTHENTICATION_CODES
        if self._pipelines and not self._is_in_step_after(phase):
            self._drop()
        elif 400 <= refusal.code <= 599 and refusal.code != 421 and phase is not Phase.DATA:
            self._reset()
        else:
            self._drop()  # out of step, closing, or half-way into DATA: a new connection is the clean way
        outcome = Outcome.FAILED if is_final else Outcome.RETRY
        code = refusal.code if refusal.code > 0 else 0
        return Reply(outcome, phase, code, refusal.text, cause=find_cause(code, refusal.text))

    def _is_in_step_after(self, phase: Phase) -> bool:
        """Read the answers to the commands that went out with a refused one. A server that waits for a message all the same
        must not get one, not even an empty one."""
        left = {Phase.MAIL: 2, Phase.RCPT: 1}.get(phase, 0)
        answers = self._require_open().read_answers(left)
        return len(answers) == left and all(400 <= code <= 599 or code == 250 for code, _text in answers)

    def _reset(self) -> None:
        try:
            wire = self._require_open()
            wire.command("RSET")
            if wire.read_answer()[0] != 250:
                self._drop()
        except (smtplib.SMTPException, OSError):
            self._drop()

    def _drop_if_closing(self, code: int) -> None:
        if code == 421:
            self._drop()

    def _drop(self) -> None:
        smtp, self._smtp, self._wire = self._smtp, None, None
        if smtp is not None:
            smtp.close()


def quote_content(content: bytes) -> bytes:
    """The content as it goes over the wire before the final dot: CRLF line ends, leading dots doubled (RFC 5321, 4.5.2)."""
    has_crlf_only = content.count(b"\r\n") == content.count(b"\n") == content.count(b"\r")
    wire = content if has_crlf_only else _LINE_END.sub(b"\r\n", content)
    wire = wire.replace(b"\n.", b"\n..")
    wire = b"." + wire if wire.startswith(b".") else wire
    return wire if wire.endswith(b"\r\n") else wire + b"\r\n"


def _connect(server: SmtpServer) -> smtplib.SMTP:
    if server.uses_tls:
        context = ssl.create_default_context()
        return smtplib.SMTP_SSL(server.host, server.port, server.greeting, timeout=server.timeout_s, context=context)
    return smtplib.SMTP(server.host, server.port, server.greeting, timeout=server.timeout_s)


def _greet(smtp: smtplib.SMTP, server: SmtpServer) -> None:
    smtp.ehlo_or_helo_if_needed()
    if server.uses_starttls:
        smtp.starttls(context=ssl.create_default_context())
        smtp.ehlo_or_helo_if_needed()
    if server.username:
        smtp.login(server.username, server.password)


def _send_at_once(smtp: smtplib.SMTP) -> socket.socket:
    """Without this the system holds the final dot back until the server's system confirms the body: 40 ms a message."""
    if smtp.sock is None:
        raise smtplib.SMTPServerDisconnected("not connected")
    smtp.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return smtp.sock


def _is_about_login(error: smtplib.SMTPResponseException) -> bool:
    """A wrong name or password; smtplib raises the same for 454, which means "not now"."""
    refused = isinstance(error, smtplib.SMTPAuthenticationError) and 500 <= error.smtp_code <= 599
    return refused or error.smtp_code in AUTHENTICATION_CODES


def _expect(answer: tuple[int, bytes], *codes: int) -> None:
    code, text = answer
    if code not in codes:
        raise _Refused(code, decode_answer(text))


def _say(code: int, text: bytes | str) -> str:
    return f"{code} {decode_answer(text)}".strip() if code > 0 else f"not understood: {decode_answer(text)}"


def decode_answer(text: bytes | str) -> str:
    """One printable line; addresses are blotted out, because answers are kept and logged."""
    plain = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    plain = "".join(c if c.isprintable() else " " for c in plain)
    return re.sub(r"[^\s<>:;,]+@[^\s<>:;,]+", "…@…", plain)[:240]


def _name_failure(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return f"not understood: {decode_answer(error.smtp_error)}"
    return decode_answer(str(error)) or type(error).__name__
