"""REST: events. A request brings up to 1,000; what is good is kept, what is not is named item by item."""

from __future__ import annotations

from typing import Any

import django_filters
from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from customers.ingest.recorder import record_rows
from customers.models import CustomerEvent, EventKind

from .event_items import MAX_EVENTS, index_path, keep_possible, read_events
from .fields import JSONObjectField, KeyField, SourceField
from .moments import MomentField, MomentFilter
from .pagination import TimePagination
from .refusing import note_refused_events
from .unpacking import read_unpacked


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

    source = SourceField()  # type: ignore[assignment]
    events = NewEventSerializer(many=True, allow_empty=False, max_length=MAX_EVENTS)  # type: ignore[call-arg]


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
    errors = EventFaultSerializer(many=True)  # type: ignore[assignment]


class EventFilter(django_filters.FilterSet):  # type: ignore[misc]
    """customer (our id, required: the log is read person by person), kind, occurred_after, occurred_before."""

    customer = django_filters.NumberFilter(
        field_name="customer_id", required=True, min_value=1, max_value=2**63 - 1, decimal_places=0
    )
    kind = django_filters.ChoiceFilter(choices=EventKind.choices)
    occurred_after = MomentFilter(field_name="occurred_at", lookup_expr="gte")
    occurred_before = MomentFilter(field_name="occurred_at", lookup_expr="lt")

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
        responses={200: RecordedSerializer, 207: RecordedSerializer},
        description="All good: 200. Some good: 207, and “errors” names the others. None good: 400, nothing is kept.",
    )
    def post(self, request: Request) -> Response:
        if not (request.content_type or "").startswith("application/json"):
            raise UnsupportedMediaType(request.content_type or "")
        source, items, faults = read_events(read_unpacked(request, most=settings.DATA_UPLOAD_MAX_MEMORY_SIZE))
        now = timezone.now()
        good = keep_possible(items, source, now, faults)
        counts = record_rows(good, source=source)
        note_refused_events(items, source, faults, accepted=len(good), now=now)
        if not good:
            raise serializers.ValidationError({index_path(index, path): [message] for index, path, message in faults})
        failed = len({index for index, _path, _message in faults})
        answer = {"recorded": counts.recorded, "known": counts.known, "failed": failed}
        errors = [{"index": i, "path": index_path(i, path), "message": text} for i, path, text in sorted(faults)]
        return Response({**answer, "errors": errors}, status=207 if failed else 200)
