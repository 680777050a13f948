"""Which answer holds for two who are one: the stricter.

All records of both are kept. Where the two answers differ, one more record is written that says what holds, newer than all; an
undo takes it away, and each has their own again. No answer has no say, except that a consent was given for an address: it does
not count for another one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from django.db.models import QuerySet

from customers.ingest.consent import find_newest_consent, hash_address
from customers.models import Channel, ConsentRecord, CustomerMerge, PreferenceChange, Suppression, TrackingConsent

SOURCE: Final = "merge"
GIVEN: Final = ConsentRecord.Status.GIVEN
WITHDRAWN: Final = ConsentRecord.Status.WITHDRAWN
Row = TypeVar("Row", TrackingConsent, PreferenceChange)
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
            weighed.append(_weigh(channel, theirs, mine, (loser, survivor, address_after)))
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
    """Who said no while both were one said it as both: once an undo has parted them, the no is noted for whoever lacks it.

    What merges wrote is nobody's word, and what others said before they came to the survivor is theirs alone.
    """
    standing = list(CustomerMerge.objects.filter(holder_id__in=[loser, survivor], undone_at=None))
    for channel in Channel.values:
        newest = _find_said(loser, survivor, channel, standing, since)
        if newest is not None and newest.status == WITHDRAWN:
            for person in (loser, survivor):
                _note_refusal(person, newest, now)
    tracked = find_said_as_one(TrackingConsent.objects.all(), survivor, since=since)
    if tracked is not None and not tracked.is_given and _read_tracking(loser):
        TrackingConsent.objects.create(customer_id=loser, is_given=False, source=SOURCE, recorded_at=now)


def find_said_as_one(rows: QuerySet[Row], survivor: int, *, since: dt.datetime) -> Row | None:
    """The newest of such rows that came for the survivor since then: no merge brought it or wrote it."""
    with_merges = set()
    for merge in CustomerMerge.objects.filter(holder_id=survivor, undone_at=None):
        with_merges |= {int(key[0]) for key in merge.rows.get(rows.model._meta.label, [])}
        with_merges |= set(merge.kept.get("tracking", [])) if rows.model is TrackingConsent else set()
    said = rows.filter(customer_id=survivor, recorded_at__gte=since).exclude(pk__in=with_merges)
    return said.order_by("-recorded_at", "-pk").first()


def _weigh(channel: str, theirs: Answer, mine: Answer, rows: tuple[Mapping[str, Any], ...]) -> Held:
    """`rows` are the loser's, the survivor's, and the survivor's as it will be."""
    loser, survivor, after = rows
    refused = Answer(WITHDRAWN, (theirs if theirs.status else mine).legal_basis)
    column = ADDRESSES.get(Channel(channel))
    if column and mine.status != WITHDRAWN and _has_refused(channel, str(loser[column])):
        return Held(channel, theirs, mine, refused, is_written=True)
    if theirs.status and mine.status:
        holds = max(theirs, mine, key=lambda answer: answer.strictness)
        return Held(channel, theirs, mine, holds, is_written=theirs != mine)
    one, row = (theirs, loser) if theirs.status else (mine, survivor)
    if one.status == GIVEN and column and _fold(row[column]) != _fold(after[column]):
        return Held(channel, theirs, mine, refused, is_written=True)
    return Held(channel, theirs, mine, one, is_written=False)


def _find_said(
    loser: int, survivor: int, channel: str, standing: Sequence[CustomerMerge], since: dt.datetime
) -> ConsentRecord | None:
    """The newest word of either since then that no merge wrote, and that nobody said before they came to the survivor."""
    written = [number for merge in standing for number in merge.kept.get("consents", [])]
    came_at = _list_arrivals(standing)
    said = ConsentRecord.objects.filter(customer_id__in=[loser, survivor], channel=channel, recorded_at__gte=since)
    for record in said.exclude(pk__in=written).order_by("-recorded_at", "-pk"):
        if record.recorded_at >= came_at.get(record.came_as or survivor, since):
            return record
    return None


def _list_arrivals(standing: Sequence[CustomerMerge]) -> dict[int, dt.datetime]:
    """When each of those who were merged came to be a part of the holder, over however many others."""
    merges = {merge.loser_id: merge for merge in standing}
    arrivals = {}
    for person in merges:
        above, moment = person, merges[person].merged_at
        while (merge := merges.get(above)) is not None:
            above, moment = merge.survivor_id, max(moment, merge.merged_at)
        arrivals[person] = moment
    return arrivals


def _note_refusal(person: int, refusal: ConsentRecord, now: dt.datetime) -> None:
    newest = find_newest_consent(person, refusal.channel)
    if newest is not None and newest.status == GIVEN:
        ConsentRecord.objects.create(
            customer_id=person,
            channel=refusal.channel,
            status=WITHDRAWN,
            legal_basis=refusal.legal_basis,
            source=SOURCE,
            proof=refusal.proof,
            recorded_at=max(now, newest.recorded_at),
        )


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
