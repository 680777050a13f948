"""Ways in which a message leaves. A channel is one module with one class that keeps this protocol.

To add a channel: a module here, its name in `customers.models.Channel`, and its choice in `choice`.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

__all__ = [
    "SMTP_ROUTE", "Cause", "Channel", "ChannelUnavailable", "Envelope", "Letter", "Outcome", "Phase", "Reply", "Route",
]  # fmt: skip


class Phase(enum.StrEnum):
    """How far a delivery had come. Up to and including BODY nothing can have arrived; from DOT on it may have.

    Over HTTP, BODY is the request and DOT the wait for its answer.
    """

    CONNECT = "connect"
    HELO = "helo"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    BODY = "body"
    DOT = "dot"


class Outcome(enum.StrEnum):
    """What the sender may conclude. RETRY: certainly not sent, may be tried again. UNKNOWN: never again by itself.

    REPEAT: nobody knows, but the server knows the message's key and will not take it twice, so it may be tried again.
    """

    ACCEPTED = "accepted"
    RETRY = "retry"
    REPEAT = "repeat"
    FAILED = "failed"
    UNKNOWN = "unknown"


class Cause(enum.StrEnum):
    """Why going on with other messages would do harm: one such answer pauses the campaign."""

    NONE = ""
    LOGIN = "login"
    REPUTATION = "reputation"


@dataclass(frozen=True)
class Letter:
    """One message in parts, for servers that put the MIME together themselves. Headers but for From, To, Subject, Date."""

    sender_name: str
    sender: str
    subject: str
    text: str
    html: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Envelope:
    """One message on its way: addresses as the wire takes them, `content` with CRLF line ends.

    `name` is of `campaigns.delivery.names`: the key by which a server knows that it has the message already.
    """

    sender: str
    recipient: str
    content: bytes
    name: str = ""
    letter: Letter | None = None


@dataclass(frozen=True)
class Reply:
    """How one delivery ended: `code` and `text` are the server's, code 0 where it said nothing.

    `wait_s` is how long the server asked to be left alone.
    """

    outcome: Outcome
    phase: Phase
    code: int = 0
    text: str = ""
    cause: Cause = Cause.NONE
    wait_s: float = 0.0

    @property
    def summary(self) -> str:
        """For the row and for staff: "rcpt: 550 no such user". Never holds an address of ours."""
        answer = f"{self.code} {self.text}".strip() if self.code else self.text or "no answer"
        return f"{self.phase}: {answer}"[:300]


@dataclass(frozen=True)
class Route:
    """By which door messages leave. `name` is kept in the row: a message in doubt may go again by the same door only.

    `key_window_s` is how long, from the first try on, the server keeps a key; 0 where it knows none.
    """

    name: str
    key_window_s: float = 0.0

    @property
    def has_keys(self) -> bool:
        return self.key_window_s > 0


SMTP_ROUTE = Route("smtp")


class ChannelUnavailable(Exception):
    """No connection that could take a message: nothing was sent. `is_final` where trying again cannot help (log-in).

    `wait_s` is above 0 where the server is well and asked for patience.
    """

    def __init__(self, phase: Phase, reason: str, *, is_final: bool = False, wait_s: float = 0.0) -> None:
        super().__init__(f"{phase}: {reason}"[:300])
        self.phase = phase
        self.is_final = is_final
        self.wait_s = wait_s


class Channel(Protocol):
    """One kept connection. Not shared between threads."""

    @property
    def route(self) -> Route: ...

    def ensure_open(self) -> None:
        """Connect, or make sure that the kept connection still answers. Raises ChannelUnavailable."""

    def deliver(self, envelope: Envelope) -> Reply:
        """Hand over one message; never raises for what a server or network may do."""

    def close(self) -> None:
        """Say good-bye. Safe to call twice."""
