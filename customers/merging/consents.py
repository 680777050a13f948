"""Which answer holds for two who are one: the stricter.

All records of both are kept. Where the two answers differ, one more record is written that says what holds, newer than all; an
undo takes it away, and each has their own again. No answer has no say, except that a consent was given for an address: it does
not count for another one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from customers.ingest.consent import find_newest_consent, hash_address
from customers.models import Channel, ConsentRecord, Suppression, TrackingConsent

SOURCE: Final = "merge"
GIVEN: Final = ConsentRecord.Status.GIVEN
WITHDRAWN: Final = ConsentRecord.Status.WITHDRAWN
ADDRESSES: Final = {Channel.EMAIL: "email", Channel.SMS: "phone"}


@dataclass(frozen=True)
class Answer:
    """The newest word of one of the two on one channel; `status` "" where they were never asked."""

    status: str = ""
    legal_basis: str = ConsentRecord.LegalBasis.CONSENT.value
    is_test: bool = False

    @property
    def strictness(self) -> int:
        """0 for a consent to be written to, more for less."""
        if self.status == WITHDRAWN:
            return 4
        if self.status != GIVEN:  # to be confirmed, or lapsed
            return 3
        if self.is_test:
            return 2
        return 0 if self.legal_basis == ConsentRecord.LegalBasis.CONSENT else 1


@dataclass(frozen=True)
class Held:
    """What holds on a channel: the answers of both, and the one that counts. `is_written` where a record has to say so."""

    channel: str
    loser: Answer
    survivor: Answer
    holds: Answer
    is_written: bool


def weigh_consents(
    loser: Mapping[str, Any], survivor: Mapping[str, Any], address_after: Mapping[str, Any]
) -> list[Held]:
    """For every channel on which either has said something. The arguments are rows of customers; `address_after` holds the
    columns of the survivor as they will be."""
    weighed = []
    for channel in Channel.values:
        theirs, mine = _read_answer(loser["id"], channel), _read_answer(survivor["id"], channel)
        if theirs.status or mine.status:
            weighed.append(_weigh(channel, theirs, mine, loser, address_after))
    return weighed


def write_consents(weighed: list[Held], survivor: int, *, now: dt.datetime) -> list[int]:
    """Write the records that say what holds; returns their numbers."""
    written = []
    for held in weighed:
        if held.is_written:
            newest = find_newest_consent(survivor, held.channel)
            record = ConsentRecord.objects.create(
                customer_id=survivor,
                channel=held.channel,
                status=held.holds.status,
                legal_basis=held.holds.legal_basis,
                is_test=held.holds.is_test,
                source=SOURCE,
                recorded_at=max(now, newest.recorded_at) if newest else now,
            )
            written.append(record.pk)
    return written


def write_tracking(loser: int, survivor: int, *, now: dt.datetime) -> list[int]:
    """The same for the question whether opens may be noted; to be asked before anything has moved."""
    said = [_read_tracking(number) for number in (loser, survivor)]
    if None in said or said[0] == said[1]:
        return []
    newest = TrackingConsent.objects.filter(customer_id__in=[loser, survivor]).order_by("-recorded_at")[0].recorded_at
    record = TrackingConsent.objects.create(
        customer_id=survivor, is_given=False, source=SOURCE, recorded_at=max(now, newest)
    )
    return [record.pk]


def carry_refusals(loser: int, survivor: int, *, since: dt.datetime, now: dt.datetime) -> None:
    """Who said no while both were one said it as both: before an undo parts them, the no is noted for the loser too."""
    for channel in Channel.values:
        newest = find_newest_consent(survivor, channel)
        if newest is None or newest.status != WITHDRAWN or newest.source == SOURCE or newest.recorded_at < since:
            continue
        if _read_answer(loser, channel).status == GIVEN:
            ConsentRecord.objects.create(
                customer_id=loser,
                channel=channel,
                status=WITHDRAWN,
                legal_basis=newest.legal_basis,
                source=SOURCE,
                proof=newest.proof,
                recorded_at=now,
            )
    tracked = TrackingConsent.objects.filter(customer_id=survivor).order_by("-recorded_at", "-pk").first()
    has_refused = tracked and not tracked.is_given and tracked.source != SOURCE and tracked.recorded_at >= since
    if has_refused and _read_tracking(loser):
        TrackingConsent.objects.create(customer_id=loser, is_given=False, source=SOURCE, recorded_at=now)


def _weigh(channel: str, theirs: Answer, mine: Answer, loser: Mapping[str, Any], after: Mapping[str, Any]) -> Held:
    refused = Answer(WITHDRAWN, (theirs if theirs.status else mine).legal_basis)
    column = ADDRESSES.get(Channel(channel))
    if column and mine.status != WITHDRAWN and _has_refused(channel, str(loser[column])):
        return Held(channel, theirs, mine, refused, is_written=True)
    if theirs.status and mine.status:
        holds = max(theirs, mine, key=lambda answer: answer.strictness)
        return Held(channel, theirs, mine, holds, is_written=theirs != mine)
    if mine.status:
        return Held(channel, theirs, mine, mine, is_written=False)
    if theirs.status == GIVEN and column and _fold(loser[column]) != _fold(after[column]):
        return Held(channel, theirs, mine, refused, is_written=True)
    return Held(channel, theirs, mine, theirs, is_written=False)


def _has_refused(channel: str, address: str) -> bool:
    """Whether the person behind an address said that they want nothing; that it came back says nothing of them."""
    reasons = [Suppression.Reason.UNSUBSCRIBED, Suppression.Reason.COMPLAINED]
    return (
        bool(address)
        and Suppression.objects.filter(channel=channel, address_hash=hash_address(address), reason__in=reasons).exists()
    )


def _read_answer(customer: int, channel: str) -> Answer:
    newest = find_newest_consent(customer, channel)
    return Answer(newest.status, newest.legal_basis, newest.is_test) if newest else Answer()


def _read_tracking(customer: int) -> bool | None:
    said = TrackingConsent.objects.filter(customer_id=customer).order_by("-recorded_at", "-pk")
    return said.values_list("is_given", flat=True).first()


def _fold(address: Any) -> str:
    return str(address).strip().lower()
