"""Reads a request of events: all of it at once where it is good, item by item where it is not."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import pydantic
from django.utils.translation import gettext as _
from pydantic_core import to_json
from rest_framework import serializers
from rest_framework.exceptions import ParseError

from customers.ingest.identity import find_identities
from customers.ingest.recorder import EventRow, storable_json
from customers.models import EventKind

MAX_EVENTS = 1_000
MAX_PROPERTIES_LENGTH = 10_000
EARLIEST = dt.datetime(1990, 1, 1, tzinfo=dt.UTC)
FUTURE_TOLERANCE = dt.timedelta(days=1)
#: Place, field and message.
Fault = tuple[int, str, str]
#: Any text that PostgreSQL can keep: no NUL.
NO_NUL = r"^[^\x00]*$"
Key = Annotated[str, pydantic.StringConstraints(strip_whitespace=True, min_length=1, max_length=160, pattern=NO_NUL)]
CustomerKey = Annotated[
    str, pydantic.StringConstraints(strip_whitespace=True, min_length=1, max_length=120, pattern=NO_NUL)
]


Source = Annotated[str, pydantic.StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]
UpToAThousand = pydantic.Field(min_length=1, max_length=MAX_EVENTS)


@pydantic.with_config(extra="forbid")
@dataclass(frozen=True, slots=True)
class Item:
    """One event as it is sent. Checked in bulk, because a serializer per row takes longer than the database."""

    external_id: Key
    customer: CustomerKey
    kind: EventKind
    occurred_at: pydantic.AwareDatetime
    properties: dict[str, Any] = field(default_factory=dict)


@pydantic.with_config(extra="forbid")
@dataclass(frozen=True, slots=True)
class Body:
    """A request: the source of all its ids, and the items unchecked."""

    events: Annotated[list[Any], UpToAThousand]
    source: Source = "shop"


@pydantic.with_config(extra="forbid")
@dataclass(frozen=True, slots=True)
class GoodBody:
    """A request in which every item is good: the usual case, read in one go."""

    events: Annotated[list[Item], UpToAThousand]
    source: Source = "shop"


BODY, GOOD_BODY, ITEM = pydantic.TypeAdapter(Body), pydantic.TypeAdapter(GoodBody), pydantic.TypeAdapter(Item)


def read_events(body: bytes) -> tuple[str, dict[int, Item], list[Fault]]:
    """The source, the good items by their place, and what is wrong with the others.

    Raises ParseError for a body that is no JSON, and ValidationError for one that holds no list of events.
    """
    try:
        good = GOOD_BODY.validate_json(body)
        return good.source, dict(enumerate(good.events)), []
    except pydantic.ValidationError:
        pass
    try:
        loose = BODY.validate_json(body)
    except pydantic.ValidationError as error:
        raise explain_body(error) from error
    items: dict[int, Item] = {}
    faults: list[Fault] = []
    for index, raw in enumerate(loose.events):
        try:
            items[index] = ITEM.validate_python(raw)
        except pydantic.ValidationError as error:
            faults += [(index, join_path(fault["loc"]), str(fault["msg"])) for fault in error.errors(include_url=False)]
    return loose.source, items, faults


def keep_possible(items: dict[int, Item], source: str, now: dt.datetime, faults: list[Fault]) -> list[EventRow]:
    """The items as the recorder takes them; those that cannot be kept go to `faults`."""
    known = find_identities(source, {item.customer for item in items.values()})
    latest = now + FUTURE_TOLERANCE
    rows: list[EventRow] = []
    for index, item in items.items():
        customer_id, properties = known.get(item.customer), dump_properties(item.properties)
        if not EARLIEST <= item.occurred_at <= latest:
            faults.append((index, "occurred_at", _("The time has to lie between 1990 and tomorrow.")))
        elif customer_id is None:
            faults.append((index, "customer", _("This customer is not known; create it first.")))
        elif properties is None:
            faults.append((index, "properties", _("The properties are too long, or hold NUL or a number without end.")))
        else:
            rows.append((item.external_id, item.occurred_at, customer_id, item.kind.value, properties))
    return rows


def index_path(index: int, path: str) -> str:
    """The path of a fault within the request."""
    return f"events[{index}].{path}" if path else f"events[{index}]"


def explain_body(error: pydantic.ValidationError) -> Exception:
    """The error of the API for a body that holds no list of items."""
    faults = error.errors(include_url=False)
    if faults[0]["type"] == "json_invalid":
        return ParseError(_("This is no JSON: %(reason)s") % {"reason": faults[0]["msg"]})
    return serializers.ValidationError({join_path(fault["loc"]): [str(fault["msg"])] for fault in faults})


def dump_properties(properties: dict[str, Any]) -> str | None:
    """The properties as JSON text; None where they cannot be kept."""
    if not properties:
        return "{}"
    try:
        text = _dump_quickly(properties) or storable_json(properties)
    except ValueError:
        return None
    return text if len(text) <= MAX_PROPERTIES_LENGTH else None


def _dump_quickly(properties: dict[str, Any]) -> str:
    """What came as JSON, as JSON again; empty where it needs a closer look, by the module that is several times slower."""
    try:
        text = to_json(properties, inf_nan_mode="constants").decode()
    except ValueError:
        return ""
    return "" if "NaN" in text or "Infinity" in text or "\\u0000" in text else text


def join_path(location: Sequence[Any]) -> str:
    """A place within JSON in the words of our errors, as lines[0].sku."""
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}"
    return path.removeprefix(".")
