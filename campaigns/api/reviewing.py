"""Reviewing over the API: what an approver has to know, and threads, begun by campaign and answered one by one."""

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

from campaigns.approval import comments
from campaigns.approval.group_reach import read_group_reach
from campaigns.approval.outlook import count_capped, estimate_offer_cost, list_overlaps
from campaigns.approval.policy import needs_second_person
from campaigns.approval.validity import valid_until
from campaigns.audience.drift import measure_drift
from campaigns.models import Campaign, ReviewComment, Variant

from .errors import carry_out, read_body
from .review_serializers import BodySerializer, OutlookSerializer, ThreadRequestSerializer, ThreadSerializer


class MaySeeReviews(BasePermission):
    """Who may see approvals may read; the function then asks whether they may comment."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return request.user.has_perm("campaigns.view_approval")


class ThreadViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[ReviewComment]):
    """Comments of reviews, each with its answers. They change no state of a campaign."""

    queryset = (
        ReviewComment.objects.threads()
        .select_related("campaign", "author", "resolved_by")
        .prefetch_related("replies__author")
        .order_by("pk")
    )
    serializer_class = ThreadSerializer
    permission_classes = (MaySeeReviews,)
    filterset_fields = ("campaign", "place", "variant")
    http_method_names = ("get", "post", "head", "options")

    @extend_schema(request=BodySerializer, responses={201: ThreadSerializer})
    @action(detail=True, methods=["post"])
    def replies(self, request: Request, pk: str) -> Response:
        """Answer; a resolved thread is open again."""
        body = read_body(BodySerializer, request)["body"]
        return self._change(
            lambda thread: comments.reply(person_of(request), thread, body=body, now=timezone.now()),
            status.HTTP_201_CREATED,
        )

    @extend_schema(request=None, responses=ThreadSerializer)
    @action(detail=True, methods=["post"])
    def resolution(self, request: Request, pk: str) -> Response:
        """Say that it is done."""
        return self._change(lambda thread: comments.resolve(person_of(request), thread, now=timezone.now()))

    @extend_schema(request=None, responses=ThreadSerializer)
    @action(detail=True, methods=["post"], url_path="resolution/removal")
    def reopening(self, request: Request, pk: str) -> Response:
        """Open it again."""
        return self._change(lambda thread: comments.reopen(person_of(request), thread, now=timezone.now()))

    def _change(self, act: Callable[[ReviewComment], Any], code: int = status.HTTP_200_OK) -> Response:
        thread = self.get_object()
        carry_out(lambda: act(thread))
        return Response(ThreadSerializer(self.get_queryset().get(pk=thread.pk)).data, status=code)


def begin_thread(request: Request, campaign: Campaign) -> Response:
    """Begin a thread about a text, a part or the campaign."""
    asked = read_body(ThreadRequestSerializer, request)
    found = Variant.objects.select_related("archetype").filter(archetype__campaign=campaign)
    asked["variant"] = get_object_or_404(found, pk=asked["variant"]) if asked["variant"] is not None else None
    thread = carry_out(lambda: comments.start_thread(person_of(request), campaign, **asked, now=timezone.now()))
    return Response(ThreadSerializer(thread).data, status=status.HTTP_201_CREATED)


def read_outlook(campaign: Campaign) -> Response:
    """What an approver has to know beside the texts, as things stand now."""
    now = timezone.now()
    reports = read_group_reach(campaign)
    found = {
        "drift": measure_drift(campaign, now=now),
        "allowed_share": campaign.most_drift,
        "valid_until": valid_until(campaign),
        "overlaps": list_overlaps(campaign),
        "capped": count_capped(campaign),
        "offer_cost": estimate_offer_cost(campaign, now=now),
        "fairness": [report.to_json() for report in reports],
        "needs_reason": any(report.fairness.has_low for report in reports),
        "needs_second_person": needs_second_person(),
    }
    return Response(OutlookSerializer(found).data)


def person_of(request: Request) -> User:
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user
