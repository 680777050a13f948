"""The columns of the two rows themselves, and what both chose: which value holds, and what stood there before.

Values are as PostgreSQL writes them in JSON, so that they come back exactly.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any, Final

from customers.ingest.copying import Cursor
from customers.models import Customer, Preference

#: Blank ones of the survivor are filled from the loser.
FILLED: Final = ("email", "phone", "first_name", "last_name", "country")
JSON = dict[str, Any]


def read_row(cursor: Cursor, table: str, column: str, number: int) -> JSON | None:
    """One row with all its columns; None where there is none."""
    cursor.execute(f'SELECT to_jsonb(t)::text FROM "{table}" t WHERE "{column}" = %s', [number])
    found = cursor.fetchone()
    return json.loads(found[0]) if found else None


def write_row(cursor: Cursor, table: str, column: str, number: int, values: Mapping[str, Any]) -> None:
    """Set columns of one row."""
    if values:
        names = ", ".join(f'"{name}" = r."{name}"' for name in values)
        cursor.execute(
            f'UPDATE "{table}" t SET {names} FROM jsonb_populate_record(NULL::"{table}", %s) r WHERE t."{column}" = %s',
            [json.dumps(dict(values)), number],
        )


def combine_customers(loser: JSON, survivor: JSON) -> JSON:
    """Columns of the survivor that change: blanks are filled, the earlier date of joining counts, and of attributes the
    newer row's value."""
    new = {name: loser[name] for name in FILLED if not survivor[name] and loser[name]}
    joined = [row["joined_at"] for row in (loser, survivor) if row["joined_at"]]
    if joined and (first := min(joined, key=dt.datetime.fromisoformat)) != survivor["joined_at"]:
        new["joined_at"] = first
    older, newer = sorted((loser, survivor), key=lambda row: dt.datetime.fromisoformat(row["updated_at"]))
    attributes = {**_as_dict(older["attributes"]), **_as_dict(newer["attributes"])}
    if attributes != survivor["attributes"]:
        new["attributes"] = attributes
    return new


def combine_preferences(loser: JSON | None, survivor: JSON | None) -> JSON:
    """What of the survivor's choices changes: no topic that either does not want, the fewest messages, the longest pause, and
    an objection to profiling by either."""
    if loser is None:
        return {}
    mine = survivor or {"topics_off": [], "most_per_month": None, "paused_until": None, "objects_to_profiling_at": None}
    both: JSON = {
        "topics_off": sorted({*mine["topics_off"], *loser["topics_off"]}),
        "most_per_month": _least([mine["most_per_month"], loser["most_per_month"]]),
        "paused_until": max(
            (at for at in (mine["paused_until"], loser["paused_until"]) if at),
            key=dt.datetime.fromisoformat,
            default=None,
        ),
        "objects_to_profiling_at": min(
            (at for at in (mine["objects_to_profiling_at"], loser["objects_to_profiling_at"]) if at),
            key=dt.datetime.fromisoformat,
            default=None,
        ),
    }
    if set(both["topics_off"]) == set(mine["topics_off"]):
        both["topics_off"] = mine["topics_off"]
    return {name: value for name, value in both.items() if value != mine[name]}


def take_back(present: JSON, former: Mapping[str, Any], written: Mapping[str, Any]) -> JSON:
    """Columns to set so that what was written stands no more. What somebody has changed since stays; of attributes each for
    itself."""
    back: JSON = {}
    for name, value in written.items():
        if present.get(name) == value:
            back[name] = former.get(name)
        elif name == "attributes":
            back[name] = _take_back_attributes(_as_dict(present[name]), _as_dict(former.get(name)), _as_dict(value))
    return back


def save_preference_row(cursor: Cursor, customer: int, values: JSON, *, is_new: bool) -> None:
    """Write choices into the row of `customer`, made where there is none."""
    if is_new and values:
        Preference.objects.create(customer_id=customer, updated_at=dt.datetime.fromisoformat(values["updated_at"]))
    write_row(cursor, Preference._meta.db_table, "customer_id", customer, values)


def read_customer(cursor: Cursor, number: int) -> JSON:
    """The row of a customer. Raises Customer.DoesNotExist."""
    found = read_row(cursor, Customer._meta.db_table, "id", number)
    if found is None:
        raise Customer.DoesNotExist
    return found


def read_preference_row(cursor: Cursor, number: int) -> JSON | None:
    return read_row(cursor, Preference._meta.db_table, "customer_id", number)


def _take_back_attributes(present: JSON, former: JSON, written: JSON) -> JSON:
    kept = dict(present)
    for name, value in written.items():
        if name in kept and kept[name] == value and former.get(name) != value:
            kept.pop(name)
            if name in former:
                kept[name] = former[name]
    return kept


def _least(values: list[int | None]) -> int | None:
    return min((value for value in values if value is not None), default=None)


def _as_dict(value: Any) -> JSON:
    return value if isinstance(value, dict) else {}
