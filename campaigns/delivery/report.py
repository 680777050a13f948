"""What one thing that came back says, in our words, whoever told it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from campaigns.models import DeliveryKind

from .channels import Cause
from .names import MessageKey


@dataclass(frozen=True)
class Report:
    """One thing that came back. `event_id` is its own within the provider: the same for every copy of it.

    `address` is the one that was written to, "" where it is not told. `trusts_address`: it comes from somebody who cannot lie
    about it (a signed webhook); where not, another address than the customer's proves nothing about theirs.
    """

    provider: str
    event_id: str
    key: MessageKey
    kind: DeliveryKind
    occurred_at: dt.datetime
    address: str = ""
    trusts_address: bool = True
    detail: str = ""
    cause: Cause = Cause.NONE
    link: int | None = None


@dataclass(frozen=True)
class TakenIn:
    """Reports that were new, that were known already, and that are about no message of ours."""

    new: int = 0
    known: int = 0
    strange: int = 0

    def __add__(self, other: TakenIn) -> TakenIn:
        return TakenIn(self.new + other.new, self.known + other.known, self.strange + other.strange)


@dataclass(frozen=True)
class ReportedMessage:
    """The message a report is about; `address` is the customer's on its channel."""

    id: int
    campaign_id: int
    customer_id: int
    address: str
    channel: str = "email"
