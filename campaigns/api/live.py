"""Live campaigns over the API: how they go, and the nouns that end or renew them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import User
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from campaigns.approval.renewing import renew_approval
from campaigns.audience.entry_wording import describe_entering
from campaigns.delivery import control
from campaigns.delivery.entering.figures import read_entries
from campaigns.models import Campaign

from .errors import read_body
from .serializers import CampaignSerializer

if TYPE_CHECKING:

    class Campaigns(viewsets.GenericViewSet[Campaign]):
        """What the view set that these are mixed into has."""

        @property
        def person(self) -> User: ...

        def _change(self, act: Callable[[Campaign], Any], code: int = ...) -> Response: ...
else:
    Campaigns = object


class EndingSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """`drops_waiting`: what waits is not sent any more."""

    drops_waiting = serializers.BooleanField(required=False, default=False)


class ResumptionSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """`leaves_out_pause`: what happened meanwhile lets nobody into a live campaign."""

    leaves_out_pause = serializers.BooleanField(required=False, default=False)


class RenewalSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """`seen` is the content_hash that the approver read."""

    seen = serializers.CharField(max_length=64)


class EntriesSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """Entries by arm, by reason of being left out, by why people left again, and by day. `drift_share` of those who entered
    fell into other archetypes than was expected."""

    sentences = serializers.ListField(child=serializers.CharField())
    entered = serializers.IntegerField()
    arms = serializers.DictField(child=serializers.IntegerField())
    excluded = serializers.DictField(child=serializers.IntegerField())
    left = serializers.DictField(child=serializers.IntegerField())
    days = serializers.DictField(child=serializers.IntegerField())
    waiting = serializers.IntegerField()
    next_at = serializers.DateTimeField(allow_null=True)
    drift_share = serializers.FloatField()
    has_drifted = serializers.BooleanField()


class LiveActions(Campaigns):
    """What is added to the addresses of a campaign."""

    @extend_schema(responses=EntriesSerializer, filters=False)
    @action(detail=True, methods=["get"], pagination_class=None)
    def entries(self, request: Request, pk: str) -> Response:
        """Who entered a live campaign, and when people enter next."""
        campaign = self.get_object()
        figures = read_entries(campaign, now=timezone.now())
        found: dict[str, Any] = {
            "sentences": describe_entering(campaign),
            "entered": figures.entered,
            "arms": figures.arms,
            "excluded": figures.excluded,
            "left": figures.left,
            "days": {day.isoformat(): number for day, number in figures.days},
            "waiting": figures.waiting,
            "next_at": figures.next_at,
            "drift_share": figures.drift.share,
            "has_drifted": figures.has_drifted,
        }
        return Response(EntriesSerializer(found).data)

    @extend_schema(request=EndingSerializer, responses=CampaignSerializer)
    @action(detail=True, methods=["post"])
    def ending(self, request: Request, pk: str) -> Response:
        """Let nobody enter any more; what waits still goes unless it is dropped."""
        asked = read_body(EndingSerializer, request)
        return self._change(lambda campaign: control.end_campaign(self.person, campaign, now=timezone.now(), **asked))

    @extend_schema(request=ResumptionSerializer, responses=CampaignSerializer)
    @action(detail=True, methods=["post"])
    def resumption(self, request: Request, pk: str) -> Response:
        """Go on with sending."""
        asked = read_body(ResumptionSerializer, request)
        return self._change(
            lambda campaign: control.resume_campaign(self.person, campaign, now=timezone.now(), **asked)
        )

    @extend_schema(request=RenewalSerializer, responses=CampaignSerializer)
    @action(detail=True, methods=["post"])
    def renewal(self, request: Request, pk: str) -> Response:
        """Approve a live campaign once more, unchanged."""
        seen = read_body(RenewalSerializer, request)["seen"]
        return self._change(lambda campaign: renew_approval(self.person, campaign, now=timezone.now(), seen_hash=seen))
