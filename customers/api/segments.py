"""REST: segments, and how many customers a rule means."""

from __future__ import annotations

import re
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView, ListCreateAPIView, RetrieveUpdateAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from customers.ingest.clock import read_shop_clock
from customers.models import Segment
from customers.segments.archiving import SegmentIsArchived
from customers.segments.checking import check_rule
from customers.segments.editing import save_segment
from customers.segments.preview import count_matching
from customers.segments.rules import Group, RuleError, parse_rule
from customers.segments.wording import describe_error, describe_rule

from .fields import JSONObjectField
from .permissions import MayRead
from .problems import StateRefused


class SegmentSerializer(serializers.ModelSerializer[Segment]):
    """A named rule. Saving another rule makes the next revision, `number`."""

    rule = JSONObjectField()
    proposal = serializers.CharField(
        write_only=True, required=False, max_length=2_000, help_text="what came with a rule that a model proposed"
    )

    class Meta:
        model = Segment
        fields = ("id", "name", "description", "rule", "number", "is_archived", "created_at", "updated_at", "proposal")
        read_only_fields = ("number", "is_archived", "created_at", "updated_at")

    def validate_rule(self, tree: dict[str, Any]) -> dict[str, Any]:
        read_rule(tree)
        return tree

    def save(self, **kwargs: Any) -> Segment:
        """Save by the one function that pages use too."""
        user = self.context["request"].user
        if not isinstance(user, User):
            raise PermissionDenied
        present = self.instance if isinstance(self.instance, Segment) else None
        given = {name: getattr(present, name) for name in ("name", "description", "rule")} if present else {}
        try:
            with transaction.atomic():
                self.instance = save_segment(
                    user, now=timezone.now(), segment=present, **{**given, **self.validated_data}
                )
        except RuleError as error:  # segments in a circle, which only the whole set of them shows
            raise serializers.ValidationError({"rule": _refuse(error).detail}) from error
        except SegmentIsArchived as refusal:
            raise StateRefused(str(refusal)) from refusal
        except IntegrityError as error:  # another request took the name since it was checked
            raise serializers.ValidationError({"name": [_("A segment of this name exists.")]}) from error
        return self.instance


class RuleSerializer(serializers.Serializer[Any]):
    """A rule to be counted."""

    rule = JSONObjectField()

    def validate_rule(self, tree: dict[str, Any]) -> dict[str, Any]:
        read_rule(tree)
        return tree


class WarningSerializer(serializers.Serializer[Any]):
    """Something that makes no sense, or no longer, at the part of the rule at `path`."""

    path = serializers.CharField()
    code = serializers.CharField()
    sentence = serializers.CharField()


class CountSerializer(serializers.Serializer[Any]):
    """How many customers a rule means, and as of when; the rule in words, and what to look at in it."""

    count = serializers.IntegerField()
    as_of = serializers.DateTimeField()
    sentence = serializers.CharField()
    warnings = WarningSerializer(many=True)


class SegmentList(ListCreateAPIView[Segment]):
    queryset = Segment.objects.order_by("pk")
    serializer_class = SegmentSerializer
    filterset_fields = ("is_archived",)


class SegmentItem(RetrieveUpdateAPIView[Segment]):
    queryset = Segment.objects.all()
    serializer_class = SegmentSerializer


class SegmentCount(GenericAPIView[Segment]):
    """How many customers a saved segment means now."""

    queryset = Segment.objects.all()
    serializer_class = CountSerializer
    filter_backends = []
    pagination_class = None

    def get(self, request: Request, pk: int) -> Response:
        return _count(read_rule(self.get_object().rule))


class RuleCount(GenericAPIView[Segment]):
    """How many customers a rule that is not saved means now."""

    queryset = Segment.objects.all()
    serializer_class = RuleSerializer
    permission_classes = [MayRead]
    filter_backends = []
    pagination_class = None

    @extend_schema(responses={200: CountSerializer})
    def post(self, request: Request) -> Response:
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        return _count(read_rule(serializer.validated_data["rule"]))


def read_rule(tree: Any) -> Group:
    """The parsed rule; raises ValidationError with the path of the fault within it."""
    try:
        return parse_rule(tree)
    except RuleError as error:
        raise _refuse(error) from error


def _refuse(error: RuleError) -> serializers.ValidationError:
    path = re.sub(r"\.(\d+)", r"[\1]", error.path)
    message = describe_error(error)
    return serializers.ValidationError({path: [message]} if path else [message])


def _count(rule: Group) -> Response:
    as_of = read_shop_clock(timezone.now())
    try:
        count = count_matching(rule, as_of=as_of)
    except RuleError as error:  # a segment that it names is gone or names it
        raise _refuse(error) from error
    warnings = [finding for finding in check_rule(rule, as_of=as_of) if not finding.is_fault]
    told = {"count": count, "as_of": as_of, "sentence": describe_rule(rule), "warnings": warnings}
    return Response(CountSerializer(told).data)
