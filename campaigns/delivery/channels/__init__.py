"""Ways in which a message leaves. A channel is one module with one class that keeps this protocol.

To add a channel: a module here, its name in `customers.models.Channel`, and its choice in `campaigns.delivery.sender`.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Protocol

__all__ = ["Channel", "ChannelUnavailable", "Envelope", "Outcome", "Phase", "Reply"]


class Phase(enum.StrEnum):
    """How far a delivery had come. Up to and including BODY nothing can have arrived; from DOT on it may have."""

    CONNECT = "connect"
    HELO = "helo"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    BODY = "body"
    DOT = "dot"


class Outcome(enum.StrEnum):
    """What the sender may conclude. RETRY: certainly not sent, may be tried again. UNKNOWN: never again by itself."""

    ACCEPTED = "accepted"
    RETRY = "retry"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Envelope:
    """One message on its way: addresses as the wire takes them, `content` with CRLF line ends."""

    sender: str
    recipient: str
    content: bytes


@dataclass(frozen=True)
class Reply:
    """How one delivery ended: `code` and `text` are the server's, code 0 where it said nothing."""

    outcome: Outcome
    phase: Phase
    code: int = 0
    text: str = ""

    @property
    def summary(self) -> str:
        """For the row and for staff: "rcpt: 550 no such user". Never holds an address of ours."""
        answer = f"{self.code} {self.text}".strip() if self.code else self.text or "no answer"
        return f"{self.phase}: {answer}"[:300]


class ChannelUnavailable(Exception):
    """No connection that could take a message: nothing was sent. `is_final` where trying again cannot help (log-in)."""

    def __init__(self, phase: Phase, reason: str, *, is_final: bool = False) -> None:
        super().__init__(f"{phase}: {reason}"[:300])
        self.phase = phase
        self.is_final = is_final


class Channel(Protocol):
    """One kept connection. Not shared between threads."""

    def ensure_open(self) -> None:
        """Connect, or make sure that the kept connection still answers. Raises ChannelUnavailable."""

    def deliver(self, envelope: Envelope) -> Reply:
        """Hand over one message; never raises for what a server or network may do."""

    def close(self) -> None:
        """Say good-bye. Safe to call twice."""
