"""Rows that were written for somebody while they were being merged: the writer had looked them up a moment before."""

from __future__ import annotations

import structlog
from django.db import connection, transaction

from .tables import CAME_AS, list_merged_tables

log = structlog.get_logger(__name__)


def gather_strays() -> int:
    """Bring what stands with a merged row, and follows, to whoever holds the rest; returns how many rows. Safe to run twice,
    and beside a merge: only merges that stand when it begins count, and it holds on to them."""
    found = 0
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT loser_id FROM customers_customermerge WHERE undone_at IS NULL ORDER BY id FOR SHARE SKIP LOCKED"
        )
        losers = [row[0] for row in cursor.fetchall()]
        if not losers:
            return 0
        for table in list_merged_tables():
            if table.rule is not None:
                continue
            whose = f", {CAME_AS} = coalesce(t.{CAME_AS}, m.loser_id)" if table.says_whose else ""
            cursor.execute(
                f'UPDATE "{table.name}" t SET "{table.column}" = m.holder_id{whose} FROM customers_customermerge m'
                f' WHERE m.undone_at IS NULL AND m.loser_id = ANY(%s) AND t."{table.column}" = m.loser_id',
                [losers],
            )
            found += cursor.rowcount
    if found:
        log.info("strays_gathered", rows=found)
    return found
