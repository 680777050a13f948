"""REST: events. A request brings up to 1,000; what is good is kept, what is not is named item by item."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Annotated, Any

import django_filters
import polars as pl
import pydantic
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ParseError, UnsupportedMediaType
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from customers.ingest.recorder import record_events, storable_json
from customers.models import Customer, CustomerEvent, EventKind

from .fields import JSONObjectField, KeyField, MomentField, SourceField
from .pagination import TimePagination
from .problems import ProblemSerializer

MAX_EVENTS = 1_000
MAX_PROPERTIES_LENGTH = 10_000
EARLIEST = dt.datetime(1990, 1, 1, tzinfo=dt.UTC)
FUTURE_TOLERANCE = dt.timedelta(days=1)
#: Any text that PostgreSQL can keep: no NUL.
Text = r"^[^\x00]*$"
Key = Annotated[str, pydantic.StringConstraints(strip_whitespace=True, min_length=1, max_length=160, pattern=Text)]
CustomerKey = Annotated[
    str, pydantic.StringConstraints(strip_whitespace=True, min_length=1, max_length=120, pattern=Text)
]


class Item(TypedDict):
    """One event as it is sent. Checked in bulk, because a serializer per row takes longer than the database."""

    __pydantic_config__ = pydantic.ConfigDict(extra="forbid")  # type: ignore[misc]

    external_id: Key
    customer: CustomerKey
    kind: EventKind
    occurred_at: pydantic.AwareDatetime
    properties: Annotated[dict[str, Any], pydantic.Field(default_factory=dict)]


class Body(TypedDict):
    """A request: the source of all its ids, and the items unchecked."""

    __pydantic_config__ = pydantic.ConfigDict(extra="forbid")  # type: ignore[misc]

    source: Annotated[
        str, pydantic.StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$"), pydantic.Field(default="shop")
    ]
    events: Annotated[list[Any], pydantic.Field(min_length=1, max_length=MAX_EVENTS)]


class GoodBody(Body):
    """A request in which every item is good: the usual case, read in one go."""

    events: Annotated[list[Item], pydantic.Field(min_length=1, max_length=MAX_EVENTS)]  # type: ignore[misc]


BODY, GOOD_BODY, ITEM = (pydantic.TypeAdapter(kind) for kind in (Body, GoodBody, Item))


class EventSerializer(serializers.ModelSerializer[CustomerEvent]):
    """One thing a customer did."""

    class Meta:
        model = CustomerEvent
        fields = ("source", "external_id", "customer", "kind", "occurred_at", "properties", "recorded_at")


class NewEventSerializer(serializers.Serializer[Any]):
    """An event to record. (external_id, occurred_at) make it unique within its source: sent twice, it is kept once."""

    external_id = KeyField(max_length=160)
    customer = KeyField(help_text="The shop's id of the customer, of the same source.")
    kind = serializers.ChoiceField(choices=EventKind.choices)
    occurred_at = MomentField()
    properties = JSONObjectField(required=False)


class NewEventsSerializer(serializers.Serializer[Any]):
    """Up to 1,000 events."""

    source = SourceField()
    events = NewEventSerializer(many=True, allow_empty=False, max_length=MAX_EVENTS)


class EventFaultSerializer(serializers.Serializer[Any]):
    """Why one event was not kept."""

    index = serializers.IntegerField()
    path = serializers.CharField()
    message = serializers.CharField()


class RecordedSerializer(serializers.Serializer[Any]):
    """What became of the events: now recorded, known before, and failed, with each fault."""

    recorded = serializers.IntegerField()
    known = serializers.IntegerField()
    failed = serializers.IntegerField()
    errors = EventFaultSerializer(many=True)


class EventFilter(django_filters.FilterSet):
    """customer (our id, required: the log is read person by person), kind, occurred_after, occurred_before."""

    customer = django_filters.NumberFilter(
        field_name="customer_id", required=True, min_value=1, max_value=2**63 - 1, decimal_places=0
    )
    kind = django_filters.ChoiceFilter(choices=EventKind.choices)
    occurred_after = django_filters.IsoDateTimeFilter(field_name="occurred_at", lookup_expr="gte")
    occurred_before = django_filters.IsoDateTimeFilter(field_name="occurred_at", lookup_expr="lt")

    class Meta:
        model = CustomerEvent
        fields = ()


class EventList(ListAPIView[CustomerEvent]):
    """The log of one customer, and the way in for new events."""

    queryset = CustomerEvent.objects.all()
    serializer_class = EventSerializer
    filterset_class = EventFilter
    pagination_class = TimePagination

    @extend_schema(
        request=NewEventsSerializer,
        responses={200: RecordedSerializer, 207: RecordedSerializer, 400: ProblemSerializer},
        description="All good: 200. Some good: 207, and “errors” names the others. None good: 400, nothing is kept.",
    )
    def post(self, request: Request) -> Response:
        if not (request.content_type or "").startswith("application/json"):
            raise UnsupportedMediaType(request.content_type or "")
        source, items, faults = read_events(request.body)
        now = timezone.now()
        good = _keep_possible(items, source, now, faults)
        if not good:
            raise serializers.ValidationError({_index_path(index, path): [message] for index, path, message in faults})
        counts = record_events(_build_frame(good), source=source)
        failed = len({index for index, _path, _message in faults})
        answer = {"recorded": counts.recorded, "known": counts.known, "failed": failed}
        errors = [{"index": i, "path": _index_path(i, path), "message": text} for i, path, text in sorted(faults)]
        return Response({**answer, "errors": errors}, status=207 if failed else 200)


Fault = tuple[int, str, str]


def read_events(body: bytes) -> tuple[str, dict[int, Item], list[Fault]]:
    """The source, the good items by their place, and what is wrong with the others.

    Raises ParseError for a body that is no JSON, and ValidationError for one that holds no list of events.
    """
    try:
        good = GOOD_BODY.validate_json(body)
        return good["source"], dict(enumerate(good["events"])), []
    except pydantic.ValidationError:
        pass
    try:
        loose = BODY.validate_json(body)
    except pydantic.ValidationError as error:
        raise _explain_body(error) from error
    items: dict[int, Item] = {}
    faults: list[Fault] = []
    for index, raw in enumerate(loose["events"]):
        try:
            items[index] = ITEM.validate_python(raw)
        except pydantic.ValidationError as error:
            faults += [(index, _path(fault["loc"]), str(fault["msg"])) for fault in error.errors(include_url=False)]
    return loose["source"], items, faults


def _explain_body(error: pydantic.ValidationError) -> Exception:
    faults = error.errors(include_url=False)
    if faults[0]["type"] == "json_invalid":
        return ParseError(_("This is no JSON: %(reason)s") % {"reason": faults[0]["msg"]})
    return serializers.ValidationError({_path(fault["loc"]): [str(fault["msg"])] for fault in faults})


def _keep_possible(items: dict[int, Item], source: str, now: dt.datetime, faults: list[Fault]) -> list[dict[str, Any]]:
    """The items with their customers' ids; those that cannot be kept go to `faults`."""
    names = {item["customer"] for item in items.values()}
    known = dict(Customer.objects.filter(source=source, external_id__in=names).values_list("external_id", "id"))
    good = []
    latest = now + FUTURE_TOLERANCE
    for index, item in items.items():
        properties = _dump_properties(item["properties"])
        if not EARLIEST <= item["occurred_at"] <= latest:
            faults.append((index, "occurred_at", _("The time has to lie between 1990 and tomorrow.")))
        elif item["customer"] not in known:
            faults.append((index, "customer", _("This customer is not known; create it first.")))
        elif properties is None:
            faults.append((index, "properties", _("The properties are too long, or hold NUL or a number without end.")))
        else:
            good.append({**item, "customer_id": known[item["customer"]], "properties": properties})
    return good


def _dump_properties(properties: dict[str, Any]) -> str | None:
    if not properties:
        return "{}"
    try:
        text = storable_json(properties)
    except ValueError:
        return None
    return text if len(text) <= MAX_PROPERTIES_LENGTH else None


def _build_frame(items: Sequence[dict[str, Any]]) -> pl.DataFrame:
    columns: dict[str, Any] = {
        "external_id": pl.String,
        "occurred_at": pl.Datetime("us", "UTC"),
        "customer_id": pl.Int64,
        "kind": pl.String,
        "properties": pl.String,
    }
    values = {name: [item[name] for item in items] for name in columns}
    values["kind"] = [str(kind) for kind in values["kind"]]
    values["occurred_at"] = [moment.astimezone(dt.UTC) for moment in values["occurred_at"]]
    return pl.DataFrame(values, schema=columns)


def _path(location: Sequence[Any]) -> str:
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}"
    return path.removeprefix(".")


def _index_path(index: int, path: str) -> str:
    return f"events[{index}].{path}" if path else f"events[{index}]"
