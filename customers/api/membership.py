"""REST: who is in a segment, who came and went, and how large it was."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.serializers import BaseSerializer

from customers.models import Segment, SegmentChange, SegmentMember, SegmentSize

from .fields import SourceField
from .pagination import KeyPagination, NewestFirst
from .permissions import MayReadSegments


class CustomerKeySerializer(serializers.Serializer[Any]):
    """A customer's number here and the shop's own key."""

    id = serializers.IntegerField()
    source = SourceField()  # type: ignore[assignment]
    external_id = serializers.CharField()


class MemberSerializer(serializers.ModelSerializer[SegmentMember]):
    """Somebody who is in; `entered_at` is null for those who were in it when it was first counted."""

    customer = CustomerKeySerializer()

    class Meta:
        model = SegmentMember
        fields = ("customer", "entered_at")


class ChangeSerializer(serializers.ModelSerializer[SegmentChange]):
    """Somebody came in or left, and what made the difference."""

    customer = CustomerKeySerializer()

    class Meta:
        model = SegmentChange
        fields = ("id", "customer", "has_entered", "cause", "happened_at")


class SizeSerializer(serializers.ModelSerializer[SegmentSize]):
    """A day of the shop's calendar: the size at its end, and how many came and went."""

    class Meta:
        model = SegmentSize
        fields = ("day", "size", "entered", "left")


class MemberPagination(KeyPagination):
    """By the customer's number."""

    ordering = "customer_id"


class _OfSegment(ListAPIView[Any]):
    """Rows of the segment in the address; reading segments is what it takes."""

    permission_classes = [MayReadSegments]

    def of_segment(self) -> Segment:
        segment: Segment = get_object_or_404(Segment, pk=self.kwargs["segment"])
        return segment


class SegmentMembers(_OfSegment):
    """Who is in, as the last sweep (once a minute) found it."""

    queryset = SegmentMember.objects.all()
    serializer_class: type[BaseSerializer[Any]] = MemberSerializer
    pagination_class = MemberPagination
    filter_backends = []

    def get_queryset(self) -> QuerySet[Any]:
        return SegmentMember.objects.filter(segment=self.of_segment()).select_related("customer")


class SegmentChanges(_OfSegment):
    """Who came in and who left, the newest first; `has_entered=true` for those who came."""

    queryset = SegmentChange.objects.all()
    serializer_class: type[BaseSerializer[Any]] = ChangeSerializer
    pagination_class = NewestFirst
    filterset_fields = ("has_entered",)

    def get_queryset(self) -> QuerySet[Any]:
        return SegmentChange.objects.filter(segment=self.of_segment()).select_related("customer")


class SegmentSizes(_OfSegment):
    """The size by day, the oldest first."""

    queryset = SegmentSize.objects.all()
    serializer_class: type[BaseSerializer[Any]] = SizeSerializer
    pagination_class = KeyPagination
    filter_backends = []

    def get_queryset(self) -> QuerySet[Any]:
        return SegmentSize.objects.filter(segment=self.of_segment())
