"""Whether sending is held back after a restored backup, and letting it go on."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campaigns.delivery.fence.confirming import CONTINUE, UNKNOWN, confirm_sending
from campaigns.delivery.fence.gate import read_fence
from campaigns.delivery.fence.risk import assess_risks
from campaigns.models import FenceCause, SendingEpoch
from customers.privacy.restoring import repeat_lost

from .errors import carry_out, read_body


class RiskSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """A campaign some of whose `waiting` messages may have been sent already."""

    campaign = serializers.IntegerField(source="campaign.pk")
    name = serializers.CharField(source="campaign.name")
    has_started = serializers.BooleanField()
    waiting = serializers.IntegerField()
    at_risk = serializers.IntegerField()


class LostSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """What people decided after the backup was taken and this database does not know yet; it is done again before anything is
    sent."""

    erasures = serializers.IntegerField()
    scheduled = serializers.IntegerField()
    spared = serializers.IntegerField()
    objections = serializers.IntegerField()
    withdrawals = serializers.IntegerField()
    addresses = serializers.IntegerField()
    domains = serializers.IntegerField()
    choices = serializers.IntegerField()


class SendingEpochSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """`held_since` null: sending is on. `is_exact`: only messages that can have been under way are counted at risk. `lost` is
    null where nothing is held back."""

    number = serializers.IntegerField()
    held_since = serializers.DateTimeField(allow_null=True)
    cause = serializers.ChoiceField(choices=FenceCause.choices, allow_blank=True)
    reason = serializers.CharField()
    is_exact = serializers.BooleanField()
    at_risk = RiskSerializer(many=True)
    lost = LostSerializer(allow_null=True)


class ConfirmationSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """A choice for each campaign at risk, by its id, and why."""

    note = serializers.CharField(max_length=500)
    choices = serializers.DictField(child=serializers.ChoiceField(choices=[CONTINUE, UNKNOWN]), required=False)

    def validate_choices(self, choices: dict[str, str]) -> dict[int, str]:
        if not all(key.isdecimal() and len(key) < 19 for key in choices):
            raise serializers.ValidationError("Keys are ids of campaigns.")
        return {int(key): value for key, value in choices.items()}


class MayViewMessages(BasePermission):
    """Who may see the outbox; confirming asks for its own right."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return request.user.has_perm("campaigns.view_message")


class SendingEpochView(APIView):
    """Restored backups do not send until a person confirms."""

    permission_classes = (MayViewMessages,)

    @extend_schema(responses=SendingEpochSerializer)
    def get(self, request: Request) -> Response:
        """Whether sending is held back, why, and what may have been sent already."""
        return Response(_describe())

    @extend_schema(request=ConfirmationSerializer, responses=SendingEpochSerializer)
    def post(self, request: Request) -> Response:
        """Let sending go on. 409 where nothing is held back."""
        body, user = read_body(ConfirmationSerializer, request), request.user
        if not isinstance(user, User):
            raise PermissionDenied
        carry_out(lambda: confirm_sending(user, note=body["note"], choices=body.get("choices", {}), now=timezone.now()))
        return Response(_describe())


def _describe() -> dict[str, Any]:
    fence = read_fence()
    newest = SendingEpoch.objects.order_by("-number").first()
    risks = assess_risks(fence, now=timezone.now()) if fence is not None else None
    return dict(
        SendingEpochSerializer(
            {
                "number": newest.number if newest else 0,
                "held_since": fence.fenced_at if fence else None,
                "cause": fence.cause if fence else "",
                "reason": fence.get_cause_display() if fence else "",
                "is_exact": risks.is_exact if risks else True,
                "at_risk": risks.rows if risks else [],
                "lost": repeat_lost(timezone.now(), is_dry=True) if fence else None,
            }
        ).data
    )
