"""Asks before each sweep whether this database may send, and says no for ever once it may not: until a person confirms."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

import structlog
from django.db import DatabaseError, connection, transaction
from django.db.models.functions import Now

from campaigns.models import Campaign, Message, SendingEpoch
from customers.models import AuditAction, record_audit

from .judge import Finding, Inside, judge
from .witness import Keeper, Unreachable, Witness, open_keepers

log = structlog.get_logger(__name__)

#: How often a sweep tells the shared keeper of its newest messages, and how long it leaves one alone that does not answer.
TELL_STORE_S: Final = 0.5
LEAVE_ALONE_S: Final = 10.0
#: One process at a time begins or closes an epoch.
EPOCH_LOCK: Final = 0x5E4F
#: Tables whose numbers stand in links of mail that was sent, and how many of them may have been given since a backup was taken.
NUMBERED: Final = ("customers_customer", "campaigns_message", "campaigns_optinrequest")
LEAP: Final = 10_000_000


class Leave:
    """One sweep's permission. Every mark asks the database whether it still holds: `epoch` in force, moved at least so far.

    `note` tells the keepers of the newest messages, before anything of them reaches the network.
    """

    def __init__(self, epoch: str, moved: int, keepers: Sequence[Keeper] = ()) -> None:
        self.epoch = epoch
        self.moved = moved
        self._keepers = keepers
        self._lock = threading.Lock()
        self._newest: dict[int, int] = {}
        self._next_at: dict[str, float] = {}

    def holds(self) -> bool:
        """As each mark asks for it."""
        return SendingEpoch.objects.filter(epoch=self.epoch, moved__gte=self.moved, fenced_at=None).exists()

    def note(self, marked: Mapping[int, int]) -> None:
        """`marked`: the highest message id by campaign. The file at once, the store at most twice a second."""
        with self._lock:
            for campaign, message in marked.items():
                self._newest[campaign] = max(message, self._newest.get(campaign, 0))
            witness = Witness(self.epoch, self.moved, dict(self._newest))
            now = time.monotonic()
            for keeper in self._keepers:
                if now >= self._next_at.get(keeper.name, 0):
                    wrote = _write(keeper, witness)
                    pause = TELL_STORE_S if keeper.name == "store" else 0.0
                    self._next_at[keeper.name] = now + (pause if wrote else LEAVE_ALONE_S)

    def close(self) -> None:
        """Tell all of them what is left to tell, and the file so that it outlasts a power cut."""
        with self._lock:
            if self._newest:
                witness = Witness(self.epoch, self.moved, dict(self._newest))
                for keeper in self._keepers:
                    _write(keeper, witness, sync=True)


@dataclass(frozen=True)
class _Seen:
    """What stands outside: by keeper, and whether all of them answered."""

    by_keeper: Mapping[str, Witness]
    all_read: bool

    @property
    def witnesses(self) -> list[Witness]:
        return list(self.by_keeper.values())

    def merge(self, epoch: str, moved: int) -> Witness:
        """What all of them together know of `epoch`."""
        merged = Witness(epoch, moved)
        for witness in self.witnesses:
            merged = witness.later(merged)
        return merged

    def tell(self) -> dict[str, Any]:
        """For the row of the fence: numbers and epochs only."""
        return {
            name: {"epoch": witness.epoch, "moved": witness.moved, "newest": dict(witness.newest)}
            for name, witness in self.by_keeper.items()
        }


def ask_leave(keepers: Sequence[Keeper] | None = None) -> Leave | None:
    """The permission to send, or None: sending is off, or nobody can tell now. Moves the epoch on, inside and then outside.

    A mismatch closes the fence in the database, and so on all machines. An ordinary crash does not: what stands outside was
    written after the database had committed it.
    """
    keepers = open_keepers() if keepers is None else keepers
    row, finding, seen = _look(keepers)
    if row is None or not finding.matches:
        return None
    if not row.moved and not _write_all(
        keepers, seen.merge(row.epoch, 0)
    ):  # or a crash now would look like a lost witness
        return None
    moved = _move_on(row)
    if moved is None or not _write_all(keepers, seen.merge(row.epoch, moved)):
        return None
    return Leave(row.epoch, moved, keepers)


def may_launch(keepers: Sequence[Keeper] | None = None) -> bool:
    """Whether campaigns may start: the same look, and nothing is moved on."""
    return _look(open_keepers() if keepers is None else keepers)[1].matches


def read_fence() -> SendingEpoch | None:
    """The epoch in force where it is fenced, for pages and the API: one row, nothing outside is asked."""
    row = SendingEpoch.objects.select_related("confirmed_by").order_by("-number").first()
    return row if row is not None and row.fenced_at is not None else None


def see_outside(keepers: Sequence[Keeper]) -> _Seen:
    """What each of them holds."""
    found: dict[str, Witness] = {}
    answered = 0
    for keeper in keepers:
        try:
            witness = keeper.read()
        except Unreachable as error:
            log.warning("sending_epoch_unreachable", keeper=keeper.name, error=str(error)[:200])
            continue
        answered += 1
        if witness is not None:
            found[keeper.name] = witness
    return _Seen(found, answered == len(keepers))


def read_place() -> str:
    """Names the cluster and the database in it: another after pg_restore into a new one, the same for ever after a restart."""
    with connection.cursor() as cursor:
        try:
            with transaction.atomic():
                cursor.execute("SELECT system_identifier FROM pg_control_system()")
                (cluster,) = cursor.fetchone()
        except DatabaseError:  # some hosts keep it to themselves
            cluster = "?"
        cursor.execute("SELECT oid FROM pg_database WHERE datname = current_database()")
        return f"{cluster}/{cursor.fetchone()[0]}"


@transaction.atomic
def begin_epoch(*, moved: int = 0, **fields: Any) -> SendingEpoch:
    """The next row; the caller holds the lock or has just taken it."""
    newest = SendingEpoch.objects.order_by("-number").first()
    number = newest.number + 1 if newest else 1
    return SendingEpoch.objects.create(number=number, epoch=uuid4().hex, place=read_place(), moved=moved, **fields)


def lock_epochs() -> None:
    """Until the end of the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [EPOCH_LOCK])


def _look(keepers: Sequence[Keeper]) -> tuple[SendingEpoch | None, Finding, _Seen]:
    """Twice before anything is closed: another worker may have begun between the two reads."""
    row, finding, seen = _compare(keepers)
    if finding.cause and row is not None and row.fenced_at is None:
        row, finding, seen = _compare(keepers)
        if finding.cause and row is not None and row.fenced_at is None:
            _close(row, finding.cause, seen)
    if finding.waits:
        log.warning("sending_waits_for_its_witness")
    return row, finding, seen


def _compare(keepers: Sequence[Keeper]) -> tuple[SendingEpoch | None, Finding, _Seen]:
    # Outside first: whatever stands there was committed inside before, so that the inside is the later one of the two.
    seen = see_outside(keepers)
    row = SendingEpoch.objects.order_by("-number").first() or _begin_first(seen)
    if row is None:
        return None, Finding(waits=True), seen
    if row.fenced_at is not None:
        return row, Finding(row.cause), seen
    earlier = set(SendingEpoch.objects.exclude(pk=row.pk).values_list("epoch", flat=True)) | set(row.superseded)
    inside = Inside(row.epoch, row.moved, row.place, earlier)
    ours = [witness for witness in seen.witnesses if witness.epoch == row.epoch]
    unknown = find_unknown([message for witness in ours for message in witness.newest.values()])
    return row, judge(inside, read_place(), seen.witnesses, all_read=seen.all_read, unknown_newest=unknown), seen


def _begin_first(seen: _Seen) -> SendingEpoch | None:
    """A new shop's first epoch. Where an epoch stands outside and there is something to send, it is an old backup.

    None where nobody can tell whether something stands outside.
    """
    with transaction.atomic():
        lock_epochs()
        row = SendingEpoch.objects.order_by("-number").first()
        if row is not None:
            return row
        is_empty = not Message.objects.exists() and not Campaign.objects.filter(scheduled_for__isnull=False).exists()
        if not seen.all_read and not is_empty and not seen.witnesses:
            return None
        superseded = [witness.epoch for witness in seen.witnesses] if is_empty else []
        return begin_epoch(superseded=superseded)


def find_unknown(messages: Collection[int]) -> list[int]:
    """Those that the database has not marked, or has not heard of yet. One that was erased since is no proof of anything."""
    if not messages:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT known.id FROM unnest(%s::bigint[]) AS known(id)
            LEFT JOIN campaigns_message m ON m.id = known.id
            WHERE m.attempts = 0
               OR m.id IS NULL AND known.id > (SELECT coalesce(max(id), 0) FROM campaigns_message)
            """,
            [list(messages)],
        )
        return [int(row[0]) for row in cursor.fetchall()]


@transaction.atomic
def _close(row: SendingEpoch, cause: str, seen: _Seen) -> None:
    """Once, whoever sees it first; all machines read it from the row.

    From then on no number is given that a mail of after the backup may hold: its links would name somebody else.
    """
    found = {"host": socket.gethostname()[:60], "keepers": seen.tell(), "is_complete": seen.all_read}
    closed = SendingEpoch.objects.filter(pk=row.pk, fenced_at=None).update(fenced_at=Now(), cause=cause, found=found)
    if closed:
        _leap_numbers()
        record_audit(AuditAction.SENDING_FENCED, actor=None, about=("sending_epoch", row.number), cause=str(cause))
        log.error("sending_fenced", cause=str(cause), epoch=row.number)


def _leap_numbers() -> None:
    with connection.cursor() as cursor:
        for table in NUMBERED:
            cursor.execute(
                "SELECT setval(series, nextval(series) + %s) FROM (SELECT pg_get_serial_sequence(%s, 'id')::regclass) s(series)",
                [LEAP, table],
            )


@transaction.atomic
def _move_on(row: SendingEpoch) -> int | None:
    """Committed with a sync to disk before it is told outside. None where somebody closed the fence."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = on")
        cursor.execute(
            "UPDATE campaigns_sendingepoch SET moved = moved + 1 WHERE id = %s AND fenced_at IS NULL RETURNING moved",
            [row.pk],
        )
        moved = cursor.fetchone()
    return int(moved[0]) if moved else None


def _write_all(keepers: Sequence[Keeper], witness: Witness) -> bool:
    """One of them is enough; none of them means that nobody would notice a restored backup."""
    written = [_write(keeper, witness, sync=True) for keeper in keepers]
    if not any(written):
        log.error("sending_epoch_cannot_be_kept")
    return any(written)


def _write(keeper: Keeper, witness: Witness, *, sync: bool = False) -> bool:
    try:
        keeper.write(witness, sync=sync)
    except Unreachable as error:
        log.warning("sending_epoch_not_kept", keeper=keeper.name, error=str(error)[:200])
        return False
    return True
