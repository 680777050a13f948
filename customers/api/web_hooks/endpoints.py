"""REST: endpoints of web hooks. The same functions, and so the same checks of addresses, as on the pages."""

from __future__ import annotations

import json
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.exceptions import ValidationError as Fault
from django.db import transaction
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers, status
from rest_framework.generics import ListCreateAPIView, RetrieveUpdateAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from customers.api.idempotency import KEPT_INSTEAD
from customers.api.permissions import HasModelRight
from customers.api.problems import StateRefused
from customers.models import OutgoingEndpoint, OutgoingKind
from customers.outgoing import endpoints
from customers.tasks import send_outgoing

from .deliveries import DeliverySerializer


class MayChange(HasModelRight):
    """A change of state is a change of the endpoint, whatever is POSTed for it."""

    perms_map = HasModelRight.perms_map | {"POST": ["%(app_label)s.change_%(model_name)s"]}


class WebHookSerializer(serializers.ModelSerializer[OutgoingEndpoint]):
    """An endpoint: where it leads, what it is told, and how it is. Its secret is never read again."""

    url = serializers.CharField(max_length=500, help_text="https://host/path of the open net, without a log-in.")
    note = serializers.CharField(max_length=80, required=False, allow_blank=True)
    kinds = serializers.ListField(
        child=serializers.ChoiceField(choices=OutgoingKind.choices), min_length=1, max_length=len(OutgoingKind)
    )
    disabled_why = serializers.ChoiceField(choices=OutgoingEndpoint.Why.choices, allow_blank=True, read_only=True)

    class Meta:
        model = OutgoingEndpoint
        fields = (
            "id", "url", "note", "kinds", "status", "disabled_at", "disabled_why", "previous_until", "failing_since",
            "rests_until", "last_success_at", "created_at",
        )  # fmt: skip
        read_only_fields = (
            "status", "disabled_at", "disabled_why", "previous_until", "failing_since", "rests_until", "last_success_at",
            "created_at",
        )  # fmt: skip

    def create(self, validated_data: dict[str, Any]) -> OutgoingEndpoint:
        try:
            return endpoints.add_endpoint(_read_actor(self.context["request"]), **validated_data)
        except Fault as fault:
            raise _refuse(fault) from fault

    def update(self, instance: OutgoingEndpoint, validated_data: dict[str, Any]) -> OutgoingEndpoint:
        try:
            endpoints.change_endpoint(_read_actor(self.context["request"]), instance, **validated_data)
        except Fault as fault:
            raise _refuse(fault) from fault
        return instance


class NewWebHookSerializer(WebHookSerializer):
    """An endpoint with its signing secret, which is shown this once: null where the answer is given again to the same
    Idempotency-Key, because it is kept nowhere. Then change the secret."""

    secret = serializers.SerializerMethodField(help_text="whsec_…")

    class Meta(WebHookSerializer.Meta):
        fields = (*WebHookSerializer.Meta.fields, "secret")  # type: ignore[assignment]

    def get_secret(self, row: OutgoingEndpoint) -> str | None:
        return endpoints.make_secret(row, row.secret_number)


@extend_schema_view(post=extend_schema(request=WebHookSerializer, responses={201: NewWebHookSerializer}))
class WebHookList(ListCreateAPIView[OutgoingEndpoint]):
    """Every endpoint; and a new one, whose answer holds the secret."""

    queryset = OutgoingEndpoint.objects.order_by("pk")
    serializer_class = WebHookSerializer
    filterset_fields = ("status",)

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        return show_secret(given.save(), status.HTTP_201_CREATED)


class WebHookItem(RetrieveUpdateAPIView[OutgoingEndpoint]):
    """One endpoint: read it, or change its address, note or events."""

    queryset = OutgoingEndpoint.objects.all()
    serializer_class = WebHookSerializer
    http_method_names = ["get", "patch", "head", "options"]


class _Change(APIView):
    """POST to one endpoint."""

    queryset = OutgoingEndpoint.objects.all()
    permission_classes = [MayChange]


class WebHookActivation(_Change):
    """Switch it on, with a clean slate; what waits is sent. It may be on already."""

    @extend_schema(request=None, responses={200: WebHookSerializer})
    def post(self, request: Request, pk: int) -> Response:
        return _switch(request, pk, on=True)


class WebHookDeactivation(_Change):
    """Switch it off. What happens while it is off is not kept for it. It may be off already."""

    @extend_schema(request=None, responses={200: WebHookSerializer})
    def post(self, request: Request, pk: int) -> Response:
        return _switch(request, pk, on=False)


class WebHookSecret(_Change):
    """A new secret, shown this once. Until `previous_until` (a day) each request is signed with both."""

    @extend_schema(request=None, responses={200: NewWebHookSerializer})
    def post(self, request: Request, pk: int) -> Response:
        row = get_object_or_404(OutgoingEndpoint, pk=pk)
        endpoints.change_secret(_read_actor(request), row, now=timezone.now())
        row.refresh_from_db()
        return show_secret(row, status.HTTP_200_OK)


class WebHookTest(_Change):
    """Send a test event to this endpoint alone; what came of it stands at the delivery a moment later."""

    @extend_schema(request=None, responses={201: DeliverySerializer}, description="409: it is switched off.")
    def post(self, request: Request, pk: int) -> Response:
        row = get_object_or_404(OutgoingEndpoint, pk=pk)
        if not row.is_active:
            raise StateRefused(_("It is switched off."))
        delivery = endpoints.send_test(row, now=timezone.now())
        transaction.on_commit(send_outgoing.delay, robust=True)
        return Response(DeliverySerializer(delivery).data, status=status.HTTP_201_CREATED)


def show_secret(row: OutgoingEndpoint, code: int) -> Response:
    """The endpoint with its secret. Not for caches, and what an Idempotency-Key keeps of it is without the secret."""
    told = NewWebHookSerializer(row).data
    response = Response(told, status=code, headers={"Cache-Control": "no-store"})
    setattr(response, KEPT_INSTEAD, json.dumps({**told, "secret": None}))
    return response


def _switch(request: Request, pk: int, *, on: bool) -> Response:
    row = get_object_or_404(OutgoingEndpoint, pk=pk)
    endpoints.switch_endpoint(_read_actor(request), row, on=on, now=timezone.now())
    row.refresh_from_db()
    return Response(WebHookSerializer(row).data)


def _read_actor(request: Request) -> User:
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


def _refuse(fault: Fault) -> serializers.ValidationError:
    return serializers.ValidationError(fault.message_dict if hasattr(fault, "error_dict") else fault.messages)
