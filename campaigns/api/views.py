"""Campaigns over the API: reading, creating, editing, and the same state nouns as the pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from campaigns.approval import workflow
from campaigns.approval.editing import (
    create_campaign,
    edit_campaign,
    forget_shapes,
    merge_archetypes,
    refreeze_audience,
    take_out_part,
)
from campaigns.approval.texts import ask_for_drafts, stop_drafting
from campaigns.audience.cards import build_cards
from campaigns.audience.send_preview import SendPreview, preview_times
from campaigns.delivery import control
from campaigns.delivery.retrying import retry_messages
from campaigns.models import Archetype, Campaign, CampaignResult
from customers.ingest.currency import read_shop_currency

from .errors import carry_out, read_body
from .live import LiveActions
from .review_serializers import OutlookSerializer, ThreadRequestSerializer, ThreadSerializer
from .reviewing import MaySeeReviews, begin_thread, read_outlook
from .serializers import (
    ApprovalSerializer,
    ArchetypeSerializer,
    CampaignSerializer,
    CommentSerializer,
    DraftRequestSerializer,
    MergerSerializer,
    ReasonSerializer,
    RemovalSerializer,
    ResultSerializer,
    RetrySerializer,
    SendTimesSerializer,
)


class MayViewCampaigns(BasePermission):
    """Who may see campaigns may ask for a change of state; the workflow then asks for its own right."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return request.user.has_perm("campaigns.view_campaign")


class CampaignViewSet(
    LiveActions, mixins.CreateModelMixin, mixins.RetrieveModelMixin, mixins.UpdateModelMixin, mixins.ListModelMixin,
    viewsets.GenericViewSet[Campaign],
):  # fmt: skip
    """Campaigns. Changes of state are nouns to POST to; a lost race is 409, a missing right 403."""

    queryset = Campaign.objects.select_related("segment", "offer", "author").order_by("pk")
    serializer_class = CampaignSerializer
    filterset_fields = ("status", "segment", "kind")
    http_method_names = ("get", "post", "patch", "head", "options")

    def perform_create(self, serializer: Any) -> None:
        fields = dict(serializer.validated_data)
        offer = fields.pop("offer", {})
        terms = _with_currency(offer)

        def create() -> None:
            serializer.instance = create_campaign(self.person, fields, terms, now=timezone.now())

        carry_out(create)

    def perform_update(self, serializer: Any) -> None:
        fields = dict(serializer.validated_data)
        offer = fields.pop("offer", None)
        campaign: Campaign = serializer.instance
        carry_out(
            lambda: edit_campaign(
                self.person, campaign, fields, _with_currency(offer) if offer is not None else None, now=timezone.now()
            )
        )
        serializer.instance = self.get_queryset().get(pk=campaign.pk)

    @extend_schema(request=None, responses=CampaignSerializer)
    @action(detail=True, methods=["post"], url_path="audience/freeze")
    def freeze(self, request: Request, pk: str) -> Response:
        """Freeze the audience; the same seed puts the same people into the same arm again."""
        return self._change(lambda campaign: refreeze_audience(self.person, campaign, now=timezone.now()))

    @extend_schema(responses=ArchetypeSerializer(many=True), filters=False)
    @action(detail=True, methods=["get"], pagination_class=None)
    def archetypes(self, request: Request, pk: str) -> Response:
        """The kinds of customer in the audience with their texts."""
        campaign = self.get_object()
        found = Archetype.objects.filter(campaign=campaign).prefetch_related("variants")
        return Response(ArchetypeSerializer(found, many=True, context={"cards": build_cards(campaign)}).data)

    @extend_schema(request=MergerSerializer, responses=CampaignSerializer)
    @action(detail=True, methods=["post"], url_path="archetypes/merger")
    def merger(self, request: Request, pk: str) -> Response:
        """Put two archetypes together; a new freeze keeps them so."""
        asked = read_body(MergerSerializer, request)

        def merge(campaign: Campaign) -> None:
            first, second = (get_object_or_404(campaign.archetypes, pk=asked[name]) for name in ("first", "second"))
            merge_archetypes(self.person, campaign, first, second, now=timezone.now())

        return self._change(merge)

    @extend_schema(request=RemovalSerializer, responses=CampaignSerializer)
    @action(detail=True, methods=["post"], url_path="archetypes/removal")
    def removal(self, request: Request, pk: str) -> Response:
        """Make a part of an archetype one of its own; a new freeze keeps it so."""
        asked = read_body(RemovalSerializer, request)

        def take_out(campaign: Campaign) -> None:
            archetype = get_object_or_404(campaign.archetypes, pk=asked["archetype"])
            take_out_part(self.person, campaign, archetype, asked["side"], asked["value"], now=timezone.now())

        return self._change(take_out)

    @extend_schema(request=None, responses=CampaignSerializer)
    @action(detail=True, methods=["post"], url_path="archetypes/reset")
    def reset(self, request: Request, pk: str) -> Response:
        """Split the audience as if nobody had merged or taken out anything."""
        return self._change(lambda campaign: forget_shapes(self.person, campaign, now=timezone.now()))

    @extend_schema(responses=ResultSerializer(many=True), filters=False)
    @action(detail=True, methods=["get"], pagination_class=None)
    def results(self, request: Request, pk: str) -> Response:
        """What was measured, day by day."""
        found = CampaignResult.objects.filter(campaign=self.get_object()).order_by("day")
        return Response(ResultSerializer(found, many=True).data)

    @extend_schema(request=DraftRequestSerializer, responses=CampaignSerializer)
    @action(detail=True, methods=["post"])
    def drafts(self, request: Request, pk: str) -> Response:
        """Ask for drafts of all archetypes, `count` texts for each; they are written in the background."""
        asked = read_body(DraftRequestSerializer, request)

        def ask(campaign: Campaign) -> None:
            ask_for_drafts(self.person, campaign, **asked, now=timezone.now())

        return self._change(ask, status.HTTP_202_ACCEPTED)

    @extend_schema(request=None, responses=CampaignSerializer)
    @action(detail=True, methods=["post"], url_path="drafts/removal")
    def drafts_removal(self, request: Request, pk: str) -> Response:
        """Take back the drafts that are on their way; the texts that there are stay."""
        return self._change(lambda campaign: stop_drafting(self.person, campaign, now=timezone.now()))

    @extend_schema(request=None, responses=CampaignSerializer)
    @action(detail=True, methods=["post"])
    def submission(self, request: Request, pk: str) -> Response:
        """Submit for review."""
        return self._change(lambda campaign: workflow.submit_campaign(self.person, campaign, now=timezone.now()))

    @extend_schema(request=ApprovalSerializer, responses=CampaignSerializer)
    @action(detail=True, methods=["post"])
    def approval(self, request: Request, pk: str) -> Response:
        """Approve what `seen` names; never by somebody who wrote it."""
        asked = read_body(ApprovalSerializer, request)
        parts = sorted(asked.get("parts") or workflow.ALL_PARTS)
        return self._change(
            lambda campaign: workflow.approve_campaign(
                self.person,
                campaign,
                now=timezone.now(),
                parts=parts,
                seen_hash=asked["seen"],
                fairness_reason=asked["fairness_reason"],
            )
        )

    @extend_schema(responses=SendTimesSerializer, filters=False)
    @action(detail=True, methods=["get"], url_path="send-times", pagination_class=None)
    def send_times(self, request: Request, pk: str) -> Response:
        """When its people will be written to, and who waits for the end of their quiet hours; nobody before the audience is
        frozen and a time is set."""
        return Response(SendTimesSerializer(preview_times(self.get_object()) or SendPreview()).data)

    @extend_schema(request=CommentSerializer, responses=CampaignSerializer)
    @action(detail=True, methods=["post"])
    def changes(self, request: Request, pk: str) -> Response:
        """Ask for changes."""
        asked = read_body(CommentSerializer, request)
        return self._change(
            lambda campaign: workflow.request_changes(
                self.person, campaign, comment=asked["comment"], now=timezone.now()
            )
        )

    @extend_schema(responses=OutlookSerializer, filters=False)
    @action(detail=True, methods=["get"], pagination_class=None)
    def outlook(self, request: Request, pk: str) -> Response:
        """Drift, overlap, cap, cost and fairness, as they stand now."""
        return read_outlook(self.get_object())

    @extend_schema(request=ThreadRequestSerializer, responses={201: ThreadSerializer})
    @action(detail=True, methods=["post"])
    def comments(self, request: Request, pk: str) -> Response:
        """Comment on a text, a part, or the campaign."""
        return begin_thread(request, self.get_object())

    @extend_schema(request=None, responses=CampaignSerializer)
    @action(detail=True, methods=["post"])
    def schedule(self, request: Request, pk: str) -> Response:
        """Schedule at the approved time."""
        return self._change(lambda campaign: workflow.schedule_campaign(self.person, campaign, now=timezone.now()))

    @extend_schema(request=ReasonSerializer, responses=CampaignSerializer)
    @action(detail=True, methods=["post"])
    def pause(self, request: Request, pk: str) -> Response:
        """Pause sending."""
        asked = read_body(ReasonSerializer, request)
        return self._change(
            lambda campaign: control.pause_campaign(self.person, campaign, reason=asked["reason"], now=timezone.now())
        )

    @extend_schema(request=RetrySerializer, responses=CampaignSerializer)
    @action(detail=True, methods=["post"])
    def retries(self, request: Request, pk: str) -> Response:
        """Queue again what certainly was not sent and may be sent now."""
        asked = read_body(RetrySerializer, request)
        return self._change(
            lambda campaign: retry_messages(self.person, campaign, kind=asked["kind"], now=timezone.now())
        )

    @extend_schema(request=ReasonSerializer, responses=CampaignSerializer)
    @action(detail=True, methods=["post"])
    def cancellation(self, request: Request, pk: str) -> Response:
        """Cancel; what was sent stays sent."""
        asked = read_body(ReasonSerializer, request)
        return self._change(
            lambda campaign: workflow.cancel_campaign(self.person, campaign, reason=asked["reason"], now=timezone.now())
        )

    @property
    def person(self) -> User:
        if not isinstance(self.request.user, User):
            raise PermissionDenied
        return self.request.user

    def _change(self, act: Callable[[Campaign], Any], code: int = status.HTTP_200_OK) -> Response:
        campaign = self.get_object()
        carry_out(lambda: act(campaign))
        fresh = self.get_queryset().get(pk=campaign.pk)
        return Response(CampaignSerializer(fresh, context=self.get_serializer_context()).data, status=code)

    def get_permissions(self) -> Any:
        """A state noun needs the right that its function asks for; to see the campaign is enough to reach it."""
        if self.action in {"create", "update", "partial_update", "list", "retrieve"}:
            return super().get_permissions()
        return [MaySeeReviews()] if self.action == "outlook" else [MayViewCampaigns()]


def _with_currency(offer: dict[str, Any]) -> dict[str, Any]:
    return dict(offer) | {"currency": offer.get("currency") or read_shop_currency()}
