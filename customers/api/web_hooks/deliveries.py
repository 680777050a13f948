"""REST: the log of a web hook: each delivery with what was sent and each try with its answer; and one more try."""

from __future__ import annotations

import json
from typing import Any

from django.db import transaction
from django.db.models import Prefetch, QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.generics import ListAPIView, RetrieveAPIView
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from customers.api.pagination import NewestFirst
from customers.api.problems import StateRefused
from customers.models import OutgoingAttempt, OutgoingDelivery, OutgoingEndpoint
from customers.outgoing.composing import compose
from customers.outgoing.endpoints import retry_delivery
from customers.tasks import send_outgoing


class MayReadLog(BasePermission):
    """The log belongs to the endpoint: whoever may read or change endpoints may read or retry their deliveries."""

    def has_permission(self, request: Request, view: Any) -> bool:
        right = "change" if request.method == "POST" else "view"
        return bool(request.user.is_authenticated and request.user.has_perm(f"customers.{right}_outgoingendpoint"))


class AttemptSerializer(serializers.ModelSerializer[OutgoingAttempt]):
    """One try: `code` is null where nothing answered; `answer` holds the first 1,000 characters."""

    class Meta:
        model = OutgoingAttempt
        fields = ("number", "tried_at", "took_ms", "code", "answer", "error")
        read_only_fields = fields


class DeliverySerializer(serializers.ModelSerializer[OutgoingDelivery]):
    """One event for one endpoint. `webhook_id` is the same on every try."""

    webhook_id = serializers.CharField(source="event.name", read_only=True)
    kind = serializers.CharField(source="event.kind", read_only=True)
    occurred_at = serializers.DateTimeField(source="event.occurred_at", read_only=True)
    tries = AttemptSerializer(many=True, read_only=True)

    class Meta:
        model = OutgoingDelivery
        fields = (
            "id", "endpoint", "webhook_id", "kind", "occurred_at", "status", "attempts", "next_try_at", "finished_at", "tries",
        )  # fmt: skip
        read_only_fields = fields


class DeliveryDetailSerializer(DeliverySerializer):
    """The same with the `request` as it is sent."""

    request = serializers.SerializerMethodField()

    class Meta(DeliverySerializer.Meta):
        fields = (*DeliverySerializer.Meta.fields, "request")  # type: ignore[assignment]

    @extend_schema_field(OpenApiTypes.OBJECT)
    def get_request(self, delivery: OutgoingDelivery) -> Any:
        return json.loads(compose(delivery.event))


class DeliveryList(ListAPIView[OutgoingDelivery]):
    """The log of an endpoint for a month, the newest first."""

    queryset = OutgoingDelivery.objects.none()
    serializer_class = DeliverySerializer
    pagination_class = NewestFirst
    permission_classes = [MayReadLog]
    filterset_fields = ("status",)

    def get_queryset(self) -> QuerySet[OutgoingDelivery]:
        if getattr(self, "swagger_fake_view", False):
            return super().get_queryset()
        return _list_deliveries().filter(endpoint=get_object_or_404(OutgoingEndpoint, pk=self.kwargs["pk"]))


class DeliveryItem(RetrieveAPIView[OutgoingDelivery]):
    """One delivery, with what is sent."""

    queryset = OutgoingDelivery.objects.none()
    serializer_class = DeliveryDetailSerializer
    permission_classes = [MayReadLog]

    def get_queryset(self) -> QuerySet[OutgoingDelivery]:
        return _list_deliveries()


class DeliveryRetry(APIView):
    """Send it again, with the same id. It goes at once; to an endpoint that is off, when that is on again."""

    queryset = OutgoingDelivery.objects.none()
    permission_classes = [MayReadLog]

    @extend_schema(
        request=None, responses={200: DeliverySerializer}, description="409: it is being sent, or was taken already."
    )
    def post(self, request: Request, pk: int) -> Response:
        row = get_object_or_404(OutgoingDelivery, pk=pk)
        if not retry_delivery(row, now=timezone.now()):
            raise StateRefused(_("It is being sent, or was taken already."))
        transaction.on_commit(send_outgoing.delay, robust=True)
        return Response(DeliverySerializer(_list_deliveries().get(pk=pk)).data)


def _list_deliveries() -> QuerySet[OutgoingDelivery]:
    tries = Prefetch("tries", OutgoingAttempt.objects.order_by("number"))
    return OutgoingDelivery.objects.select_related("event").prefetch_related(tries)
