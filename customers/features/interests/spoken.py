"""What customers wrote, as it stands in the event log, and what was read in it. No language model here."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import Any, Final

import polars as pl
from django.db import connection

from customers.features.reader import Partition, and_only, read_rows
from customers.ingest.preferences import may_profile_sql
from customers.models import EventKind

from .vocabulary import COUNTED, VERSION

TEXT_WINDOW_DAYS: Final = 180
TEXT_KINDS: Final = (
    EventKind.SEARCH_PERFORMED, EventKind.REVIEW_WRITTEN, EventKind.TICKET_OPENED, EventKind.COMPLAINT_OPENED,
)  # fmt: skip
SHORTEST_TEXT: Final = 2
MOST_SHOWN: Final = 200

_KINDS = ", ".join(f"'{kind.value}'" for kind in TEXT_KINDS)
#: The words of one event `e`. A topic that a shop's form sets (“delivery”) is no text that somebody wrote.
TEXT_SQL: Final = (
    "btrim(CASE e.kind WHEN 'search_performed' THEN coalesce(e.properties->>'query', '') ELSE concat_ws(chr(10),"
    " e.properties->>'subject', e.properties->>'title',"
    " coalesce(e.properties->>'text', e.properties->>'message', e.properties->>'body')) END)"
)
#: Whose spelling differs only in case and spaces is the same text.
HASH_SQL: Final = f"encode(sha256(convert_to(lower(regexp_replace({TEXT_SQL}, '\\s+', ' ', 'g')), 'UTF8')), 'hex')"
HAS_TEXT_SQL: Final = f"e.kind IN ({_KINDS}) AND length({TEXT_SQL}) >= {SHORTEST_TEXT}"


@dataclass(frozen=True)
class Said:
    """One text of a customer with what a model read in it. `topics` are those that count."""

    text: str
    kind: str
    occurred_at: dt.datetime
    topics: tuple[str, ...]
    sentiment: str
    model_label: str


def read_said(customer_id: int, *, as_of: dt.datetime) -> list[Said]:
    """What a customer wrote in the window before `as_of` and a model has read, the newest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT DISTINCT ON (e.occurred_at, e.source, e.external_id) {TEXT_SQL}, e.kind, e.occurred_at, r.topics::text,"
            " r.sentiment, r.model_label FROM customers_customerevent e JOIN customers_textreading r"
            f" ON r.text_hash = {HASH_SQL} WHERE e.customer_id = %(customer)s AND {HAS_TEXT_SQL}"
            " AND e.occurred_at >= %(since)s AND e.occurred_at < %(as_of)s"
            " AND r.status = 'read' AND r.prompt_version = %(version)s"
            " ORDER BY e.occurred_at DESC, e.source, e.external_id, r.read_at DESC LIMIT %(most)s",
            {
                "customer": customer_id,
                "since": as_of - dt.timedelta(days=TEXT_WINDOW_DAYS),
                "as_of": as_of,
                "version": VERSION,
                "most": MOST_SHOWN,
            },
        )
        return [
            Said(text, kind, at, _counted(topics), sentiment, label)
            for text, kind, at, topics, sentiment, label in cursor.fetchall()
        ]


def read_topics(*, as_of: dt.datetime, partition: Partition | None) -> pl.DataFrame:
    """How many texts of each customer a model read each topic in: customer_id, topic, times."""
    since = as_of - dt.timedelta(days=TEXT_WINDOW_DAYS)
    counted = ", ".join(f"'{word}'" for word in COUNTED)
    columns = (
        ("customer_id", "e.customer_id", pl.Int64),
        ("topic", "t.value->>'topic'", pl.String),
        ("times", "count(DISTINCT (e.source, e.external_id, e.occurred_at))", pl.Int64),
    )
    source = (
        f"FROM customers_customerevent e JOIN customers_textreading r ON r.text_hash = {HASH_SQL}"
        " CROSS JOIN LATERAL jsonb_array_elements(r.topics) t"
        f" WHERE {HAS_TEXT_SQL} AND e.occurred_at >= '{since.isoformat()}' AND e.occurred_at < '{as_of.isoformat()}'"
        f" AND {may_profile_sql('e.customer_id')}"
        f" AND r.status = 'read' AND r.prompt_version = '{VERSION}' AND t.value->>'confidence' IN ({counted})"
    )
    return read_rows(
        columns, f"{source}{and_only(partition, 'e.customer_id')} GROUP BY e.customer_id, t.value->>'topic'"
    )


def _counted(topics: str) -> tuple[str, ...]:
    listed: list[dict[str, Any]] = json.loads(topics)
    return tuple(str(item["topic"]) for item in listed if item.get("confidence") in COUNTED)
