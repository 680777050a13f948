"""Consents that have lapsed are written down before a list of consents is read, so that no list renews one of them.

When a consent lapses only the app above can tell: the rules of countries and the messages that use a consent are there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

#: Takes SQL for the numbers of customers, with its parameters; appends a record for each consent of theirs that has lapsed.
WriteLapses = Callable[[str, Mapping[str, Any]], object]
_writers: list[WriteLapses] = []


def tell_lapses(writer: WriteLapses) -> None:
    """Let the app above write down what has lapsed by now."""
    if writer not in _writers:
        _writers.append(writer)


def write_lapses_of(stage: str, *, source: str | None = None) -> None:
    """For whom `stage` says that they gave a consent; in the caller's transaction. Safe to run twice.

    Columns: customer, status, and source unless it is given for all.
    """
    told = "s.source" if source is None else "%(list_source)s"
    people = f"""
        SELECT c.id FROM {stage} s JOIN customers_customer c ON c.source = {told} AND c.external_id = s.customer
        WHERE s.status = 'given'
        UNION ALL
        SELECT a.customer_id FROM {stage} s
        JOIN customers_customeralias a ON a.source = {told} AND a.external_id = s.customer AND NOT a.is_visitor
        WHERE s.status = 'given'"""
    for write in _writers:
        write(people, {} if source is None else {"list_source": source})
