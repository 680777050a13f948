"""REST: how long events are kept: what is older than that, and dropping it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from customers.privacy.retention import EventsBusy, OldMonth, drop_old_months, first_kept_month, list_old_months

from .privacy import read_user
from .problems import StateRefused


class MayReadOrDrop(BasePermission):
    """Who sees what people asked for may see what would go; to drop it is a right of its own."""

    def has_permission(self, request: Request, view: Any) -> bool:
        right = "view_privacyrequest" if request.method in ("GET", "HEAD", "OPTIONS") else "drop_events"
        return bool(request.user.is_authenticated and request.user.has_perm(f"customers.{right}"))


class OldMonthSerializer(serializers.Serializer[OldMonth]):
    """A month (its first day) and how many events it holds."""

    month = serializers.DateField()
    events = serializers.IntegerField()


class RetentionSerializer(serializers.Serializer[Any]):
    """The policy and what it asks for. `first_kept` is null where events are kept for good."""

    months = serializers.IntegerField(help_text="How many whole months are kept (EVENT_RETENTION_MONTHS); 0 for good.")
    first_kept = serializers.DateField(allow_null=True)
    old_months = OldMonthSerializer(many=True)
    events = serializers.IntegerField(help_text="In all of those months together.")


class DropSerializer(serializers.Serializer[Any]):
    """`first_kept` as the dry run said it: so nobody drops more than was looked at."""

    first_kept = serializers.DateField()


class Retention(APIView):
    """Events older than the shop keeps them, by month."""

    permission_classes = [MayReadOrDrop]

    @extend_schema(responses={200: RetentionSerializer})
    def get(self, request: Request) -> Response:
        """The dry run: what would be dropped. Changes nothing."""
        now = timezone.now()
        return Response(_describe(first_kept_month(now), list_old_months(now)))

    @extend_schema(
        request=DropSerializer,
        responses={200: RetentionSerializer},
        description="Drops those months for good; the answer says what went. 409: events are kept for good, the first month"
        " that stays is another one by now, or events are being read or written all the time.",
    )
    def post(self, request: Request) -> Response:
        given = DropSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        now = timezone.now()
        first = first_kept_month(now)
        if first is None:
            raise StateRefused(_("Events are kept for good: EVENT_RETENTION_MONTHS sets a limit."))
        if given.validated_data["first_kept"] != first:
            raise StateRefused(_("The first month that stays is %(first)s.") % {"first": first.isoformat()})
        try:
            gone = drop_old_months(now, actor=read_user(request))
        except EventsBusy as error:
            raise StateRefused(_("Events are being read or written all the time: try again later.")) from error
        return Response(_describe(first, gone))


def _describe(first: dt.date | None, old: list[OldMonth]) -> dict[str, Any]:
    months, events = settings.EVENT_RETENTION_MONTHS, sum(month.events for month in old)
    told = {"months": months, "first_kept": first, "old_months": old, "events": events}
    return dict(RetentionSerializer(told).data)
