"""Counts what single requests and bulks of one kind bring in and what of them is refused."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.db import models
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from customers.ingest.intake import Refusal, note_intake
from customers.ingest.schema import SOURCE_NAME
from customers.models import Entrance

from .problems import WHOLE, join_place


def note_accepted(items: Sequence[Mapping[str, Any]], *, now: dt.datetime) -> None:
    """Checked items that were written, by their source; articles belong to none and count for the shop."""
    sources = sorted(str(item.get("source", "shop")) for item in items)
    for source, group in itertools.groupby(sources):
        note_intake(Entrance.API, source, accepted=len(list(group)), now=now)


def note_refused_rows(request: Request, model: type[models.Model], error: ValidationError, *, now: dt.datetime) -> None:
    """A request that was refused: none of its items was kept."""
    try:
        sent: Any = request.data
    except Exception:  # a body that cannot be read holds no items
        return
    items = sent if isinstance(sent, list) else [sent]
    first = next((item for item in items if isinstance(item, Mapping)), {})
    given = str(first.get("source", "shop"))
    refusals = [
        Refusal(code, message, str(model._meta.model_name), field, _name_item(items, place))
        for place, field, code, message in itertools.islice(_walk(error.detail), 100)
    ]
    source = given if SOURCE_NAME.fullmatch(given) else "shop"
    note_intake(Entrance.API, source, accepted=0, refused=max(len(items), 1), refusals=refusals, now=now)


def note_refused_events(
    items: Mapping[int, Any], source: str, faults: Sequence[tuple[int, str, str]], *, accepted: int, now: dt.datetime
) -> None:
    """A request of events: those that were kept, and each fault of the others."""
    refusals = [
        Refusal(f"{path or 'item'}", message, "event", path, str(getattr(items.get(index), "external_id", "")))
        for index, path, message in faults
    ]
    refused = len({index for index, _path, _message in faults})
    note_intake(Entrance.API, source, accepted=accepted, refused=refused, refusals=refusals, now=now)


def _walk(detail: Any, path: str = "", place: int | None = None) -> Iterator[tuple[int | None, str, str, str]]:
    """Each fault as (place in the request, field, code, sentence)."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            if isinstance(name, int) and not path:
                yield from _walk(inner, path, name)
            else:
                yield from _walk(inner, path if name in WHOLE else join_place(path, name), place)
    elif isinstance(detail, list):
        for number, inner in enumerate(detail):
            if isinstance(inner, Mapping | list):
                yield from _walk(inner, f"{path}[{number}]" if path else "", number if not path else place)
            else:
                yield from _walk(inner, path, place)
    else:
        yield place, path, str(getattr(detail, "code", "invalid")), str(detail)


def _name_item(items: Sequence[Any], place: int | None) -> str:
    item = items[place or 0] if (place or 0) < len(items) else None
    return str(item.get("external_id") or item.get("sku") or "") if isinstance(item, Mapping) else ""
