"""Opens and clicks: noted when they happen, believed half a minute later, when it shows whether a machine went through all links.

The visit itself only writes a row; whether it was a person is judged by a sweep, which tells the customers' log. So a
scanner leaves no trace there that would have to be taken back.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection, transaction

from campaigns.models import DeliveryKind, Message
from customers.ingest.recorder import NewEvent, record_events
from customers.ingest.tracking import is_tracked_sql
from customers.models import Channel, EventKind

from .links import ClickLink
from .machines import BURST, Visit, find_bursts, is_machine
from .reports import advance_messages
from .sent_events import EVENT_SOURCE, describe_message, record_sent_events

PROVIDER = "rekindle"
#: Of one link, one visit of each kind is kept in so many seconds: a page that is asked for without end fills no table.
ONE_IN_S = 60
#: How long a visit waits for others that would give a machine away.
PATIENCE = BURST + dt.timedelta(seconds=20)
#: Sweeps look back so far: a stop of the workers that is longer loses clicks, and says so nowhere.
LOOK_BACK = dt.timedelta(days=7)
BATCH = 5_000


def note_click(link: ClickLink, visit: Visit) -> bool:
    """Write down that a link was followed; False where the message is gone or it was noted a moment ago."""
    kinds = DeliveryKind.CLICKED, DeliveryKind.MACHINE_CLICKED
    return _note(link.message_id, f"click:{link.message_id}:{link.number}", kinds, visit, link.number)


def note_open(message_id: int, visit: Visit) -> bool:
    """Write down that a message was opened, by one who agreed to it until now; False where it is not to be noted."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {is_tracked_sql('m.customer_id')} FROM campaigns_message m WHERE m.id = %s", [message_id]
        )
        row = cursor.fetchone()
    if row is None or not row[0]:
        return False
    kinds = DeliveryKind.OPENED, DeliveryKind.MACHINE_OPENED
    return _note(message_id, f"open:{message_id}", kinds, visit, None)


@transaction.atomic
def _note(message_id: int, name: str, kinds: tuple[DeliveryKind, DeliveryKind], visit: Visit, link: int | None) -> bool:
    left_at = Message.objects.filter(pk=message_id).values_list("sending_at", flat=True).first()
    kind = kinds[1] if is_machine(visit, left_at=left_at) else kinds[0]
    slot = int(visit.at.timestamp()) // ONE_IN_S
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO campaigns_deliveryevent"
            " (provider, provider_event_id, message_id, kind, occurred_at, link, detail)"
            " SELECT %s, %s, m.id, %s, %s, %s, '' FROM campaigns_message m WHERE m.id = %s"
            " ON CONFLICT (provider, provider_event_id) DO NOTHING",
            [PROVIDER, f"{name}:{kind}:{slot}", kind.value, visit.at, link, message_id],
        )
        is_new = bool(cursor.rowcount)
    if is_new and Message.objects.filter(pk=message_id, status="unknown").exists():
        # Who asks for a link of a message, machine or not, has the message.
        record_sent_events(advance_messages([message_id]))
    return is_new


@dataclass(frozen=True)
class Judged:
    """Visits of people that were told on, and those that turned out to be machines."""

    people: int
    machines: int


@dataclass(frozen=True)
class _Visit:
    id: int
    message_id: int
    campaign_id: int
    customer_id: int
    kind: str
    at: dt.datetime
    link: int | None
    channel: str


def judge_visits(now: dt.datetime) -> Judged:
    """Believe the visits that waited long enough, and tell the customers' log. Safe to run twice and in parallel."""
    people = machines = 0
    while True:
        with transaction.atomic():
            waiting = _read_waiting(now)
            fooled = _find_machines(waiting)
            _mark_machines(fooled)
            believed = [visit for visit in waiting if visit.id not in fooled]
            _tell(believed)
        people, machines = people + len(believed), machines + len(fooled)
        if len(waiting) < BATCH:
            return Judged(people, machines)


def _read_waiting(now: dt.datetime) -> list[_Visit]:
    """Those that the log does not know yet, and were not a moment ago."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT e.id, e.message_id, m.campaign_id, m.customer_id, e.kind, e.occurred_at, e.link, m.channel
            FROM campaigns_deliveryevent e JOIN campaigns_message m ON m.id = e.message_id
            WHERE e.kind IN ('opened', 'clicked') AND e.provider = %(provider)s
              AND e.received_at > %(since)s AND e.occurred_at <= %(until)s
              AND NOT EXISTS (
                  SELECT 1 FROM customers_customerevent k
                  WHERE k.source = %(source)s AND k.external_id = 'visit:' || e.id AND k.occurred_at = e.occurred_at
              )
            ORDER BY e.id LIMIT %(most)s FOR UPDATE OF e
            """,
            {
                "provider": PROVIDER,
                "source": EVENT_SOURCE,
                "since": now - LOOK_BACK,
                "until": now - PATIENCE,
                "most": BATCH,
            },
        )
        return [_Visit(*row) for row in cursor.fetchall()]


def _find_machines(waiting: Sequence[_Visit]) -> set[int]:
    """By all clicks of their messages, those of machines and those told on before included."""
    messages = sorted({visit.message_id for visit in waiting if visit.kind == DeliveryKind.CLICKED})
    if not messages:
        return set()
    clicks: dict[int, list[tuple[int, dt.datetime, int]]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT message_id, id, occurred_at, link FROM campaigns_deliveryevent"
            " WHERE message_id = ANY(%s) AND kind IN ('clicked', 'machine_clicked') AND link IS NOT NULL",
            [messages],
        )
        for message, pk, at, link in cursor.fetchall():
            clicks[message].append((pk, at, link))
    found = {
        rows[place][0] for rows in clicks.values() for place in find_bursts([(at, link) for _pk, at, link in rows])
    }
    return found & {visit.id for visit in waiting}


def _mark_machines(ids: set[int]) -> None:
    if ids:
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE campaigns_deliveryevent SET kind = 'machine_clicked' WHERE id = ANY(%s)", [sorted(ids)]
            )


def _tell(visits: Sequence[_Visit]) -> None:
    if not visits:
        return
    kinds = {DeliveryKind.OPENED: EventKind.EMAIL_OPENED, DeliveryKind.CLICKED: EventKind.EMAIL_CLICKED}
    record_events(
        [
            NewEvent(
                customer_id=visit.customer_id,
                kind=kinds[DeliveryKind(visit.kind)] if visit.channel == Channel.EMAIL else EventKind.MESSAGE_CLICKED,
                occurred_at=visit.at,
                external_id=f"visit:{visit.id}",
                properties=describe_message(visit.campaign_id, visit.message_id, visit.channel)
                | ({"link": visit.link} if visit.link else {}),
            )
            for visit in visits
        ],
        source=EVENT_SOURCE,
    )
    for column, kind in (("opened_at", DeliveryKind.OPENED), ("clicked_at", DeliveryKind.CLICKED)):
        _keep_first(column, [visit for visit in visits if visit.kind == kind])


def _keep_first(column: str, visits: Sequence[_Visit]) -> None:
    """The row of the message keeps the first time, whichever visit is told first."""
    if not visits:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE campaigns_message m SET {column} = least(m.{column}, seen.at) FROM ("
            " SELECT id, min(at) AS at FROM unnest(%s::bigint[], %s::timestamptz[]) AS v(id, at) GROUP BY id ORDER BY id"
            ") AS seen WHERE m.id = seen.id",
            [[visit.message_id for visit in visits], [visit.at for visit in visits]],
        )
