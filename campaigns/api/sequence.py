"""The follow-ups of a campaign over the API. Its exit rules are a field of the campaign."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campaigns.approval.sequence import add_follow_up, edit_follow_up, move_follow_up, remove_follow_up
from campaigns.models import Campaign, FollowUp

from .errors import carry_out, read_body
from .reviewing import person_of
from .serializers import FollowUpSerializer, PlaceSerializer


class MayViewCampaigns(BasePermission):
    """Who may see campaigns may ask for a change; the function then asks for its own right."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return request.user.has_perm("campaigns.view_campaign")


class StepsView(APIView):
    """The follow-ups of a campaign in order, all in one answer: there are seven at most."""

    permission_classes = (MayViewCampaigns,)

    @extend_schema(responses=FollowUpSerializer(many=True))
    def get(self, request: Request, pk: int) -> Response:
        """From step 2 on."""
        return _list_steps(_get_campaign(pk))

    @extend_schema(request=FollowUpSerializer, responses={201: FollowUpSerializer})
    def post(self, request: Request, pk: int) -> Response:
        """Add a step at the end. Voids what was approved."""
        campaign, asked = _get_campaign(pk), read_body(FollowUpSerializer, request)
        follow_up = carry_out(lambda: add_follow_up(person_of(request), campaign, asked, now=timezone.now()))
        return Response(FollowUpSerializer(follow_up).data, status=status.HTTP_201_CREATED)


class StepView(APIView):
    """One follow-up, by its number."""

    permission_classes = (MayViewCampaigns,)

    @extend_schema(request=FollowUpSerializer, responses=FollowUpSerializer)
    def patch(self, request: Request, pk: int, number: int) -> Response:
        """Change wait, condition or purpose. The first two void what was approved."""
        follow_up = _get_step(pk, number)
        serializer = FollowUpSerializer(follow_up, data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        asked = dict(serializer.validated_data)
        carry_out(lambda: edit_follow_up(person_of(request), follow_up, asked, now=timezone.now()))
        return Response(FollowUpSerializer(_get_step(pk, number)).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, pk: int, number: int) -> Response:
        """Remove a step with its texts; those after it move up."""
        follow_up = _get_step(pk, number)
        carry_out(lambda: remove_follow_up(person_of(request), follow_up, now=timezone.now()))
        return Response(status=status.HTTP_204_NO_CONTENT)


class StepPlaceView(APIView):
    """Where a follow-up stands among the others."""

    permission_classes = (MayViewCampaigns,)

    @extend_schema(request=PlaceSerializer, responses=FollowUpSerializer(many=True))
    def post(self, request: Request, pk: int, number: int) -> Response:
        """Change places with the step before or after, with texts, wait and condition."""
        follow_up, asked = _get_step(pk, number), read_body(PlaceSerializer, request)
        carry_out(lambda: move_follow_up(person_of(request), follow_up, up=asked["up"], now=timezone.now()))
        return _list_steps(follow_up.campaign)


def _list_steps(campaign: Campaign) -> Response:
    found = FollowUp.objects.filter(campaign=campaign).order_by("number")
    return Response(FollowUpSerializer(found, many=True).data)


def _get_campaign(pk: int) -> Campaign:
    return get_object_or_404(Campaign, pk=pk)


def _get_step(pk: int, number: int) -> FollowUp:
    return get_object_or_404(FollowUp.objects.select_related("campaign"), campaign=pk, number=number)
