"""Changes to running campaigns over the API: begun, written, submitted and decided by the same nouns as on the pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from campaigns.approval.staging import deciding, preparing
from campaigns.audience.exits import EXIT_LABELS
from campaigns.content.editing import LONGEST_PART
from campaigns.models import Campaign, StagedChange, Variant
from customers.api.fields import ToldField

from .errors import carry_out, read_body
from .reviewing import person_of
from .serializers import MOST_ID, ReasonSerializer


class StagedChangeSerializer(serializers.ModelSerializer):  # type: ignore[type-arg]
    """`changes` are the values wanted, with those that stood under "was"; `outcome` what came of them when they were tried out:
    each text before and after with its findings, and the parts touched. `affected` was counted at the submission."""

    author = serializers.SlugRelatedField[Any](slug_field="username", read_only=True)
    decision_reason = ToldField()
    decided_by = serializers.SlugRelatedField[Any](slug_field="username", read_only=True, allow_null=True)

    class Meta:
        model = StagedChange
        fields = (
            "id", "campaign", "number", "status", "reason", "changes", "outcome", "affected", "change_hash", "author",
            "created_at", "submitted_at", "decided_by", "decided_at", "decision_reason",
        )  # fmt: skip


class BeginningSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """`like` is an earlier change of the same campaign whose values are taken up again."""

    campaign = serializers.IntegerField(min_value=1, max_value=MOST_ID)
    reason = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")
    like = serializers.IntegerField(min_value=1, max_value=MOST_ID, required=False, allow_null=True, default=None)


class StagedTextSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """The slots of one text; those left out stay."""

    variant = serializers.IntegerField(min_value=1, max_value=MOST_ID)
    subject = serializers.CharField(max_length=200, required=False, allow_blank=True)
    preheader = serializers.CharField(max_length=200, required=False, allow_blank=True)
    opening = serializers.CharField(max_length=LONGEST_PART, required=False, allow_blank=True)
    story = serializers.CharField(max_length=LONGEST_PART, required=False, allow_blank=True)
    invitation = serializers.CharField(max_length=LONGEST_PART, required=False, allow_blank=True)
    button_label = serializers.CharField(max_length=60, required=False, allow_blank=True)
    shows_products = serializers.BooleanField(required=False)


class StagedOfferSerializer(serializers.Serializer):  # type: ignore[type-arg]
    valid_until = serializers.DateField(required=False, allow_null=True)
    code = serializers.CharField(max_length=40, required=False, allow_blank=True)
    url = serializers.URLField(max_length=500, required=False, allow_blank=True)


class StagedFieldsSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """`live_until`, `re_entry_days` and `exit_on` are of campaigns that people enter one by one."""

    live_until = serializers.DateTimeField(required=False, allow_null=True)
    re_entry_days = serializers.IntegerField(min_value=1, max_value=3650, required=False, allow_null=True)
    exit_on = serializers.ListField(child=serializers.ChoiceField(choices=list(EXIT_LABELS.items())), required=False)
    send_window_hours = serializers.IntegerField(min_value=1, max_value=8760, required=False)
    allowed_drift_share = serializers.FloatField(min_value=0, max_value=1, required=False, allow_null=True)
    approval_valid_days = serializers.IntegerField(min_value=1, max_value=365, required=False, allow_null=True)


class WantedSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """What is to be different; what is left out stays as the change has it. `follow_ups` are hours by number of the step."""

    reason = serializers.CharField(max_length=500, required=False, allow_blank=True)
    texts = StagedTextSerializer(many=True, required=False)
    offer = StagedOfferSerializer(required=False)
    fields_ = StagedFieldsSerializer(required=False)
    follow_ups = serializers.DictField(child=serializers.IntegerField(min_value=1, max_value=8760), required=False)

    def get_fields(self) -> dict[str, Any]:
        found = super().get_fields()
        found["fields"] = found.pop("fields_")
        return found

    def validate_follow_ups(self, hours: dict[str, int]) -> dict[int, int]:
        if not all(number.isdecimal() and len(number) < 5 for number in hours):
            raise serializers.ValidationError("The keys are numbers of steps.")
        return {int(number): wait for number, wait in hours.items()}


class SeenSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """`seen` is the `change_hash` that the approver read."""

    seen = serializers.CharField(max_length=64)


class MaySeeChanges(BasePermission):
    """Who may see changes may ask for one; the function then asks for its own right."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return request.user.has_perm("campaigns.view_stagedchange")


class StagedChangeViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[StagedChange]):
    """Changes to campaigns that run. The campaign goes on as it is until a second person approves one."""

    queryset = StagedChange.objects.select_related("campaign", "author", "decided_by").order_by("pk")
    serializer_class = StagedChangeSerializer
    permission_classes = (MaySeeChanges,)
    filterset_fields = ("campaign", "status")
    http_method_names = ("get", "post", "patch", "head", "options")

    @extend_schema(request=BeginningSerializer, responses={201: StagedChangeSerializer})
    def create(self, request: Request) -> Response:
        """Begin a change; 409 where one waits already."""
        asked = read_body(BeginningSerializer, request)
        campaign = get_object_or_404(Campaign, pk=asked["campaign"])
        like = asked["like"] and get_object_or_404(StagedChange, pk=asked["like"], campaign=campaign)
        user, reason = person_of(request), asked["reason"]
        change = carry_out(lambda: preparing.open_change(user, campaign, reason=reason, like=like, now=timezone.now()))
        return Response(StagedChangeSerializer(change).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=WantedSerializer, responses=StagedChangeSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Write what is to be different; the guard-rails read each text."""
        asked, user = read_body(WantedSerializer, request), person_of(request)
        texts = [dict(text) for text in asked.get("texts", [])]
        standing = {text["variant"]: get_object_or_404(Variant.everything, pk=text["variant"]) for text in texts}

        def write(change: StagedChange) -> None:
            preparing.stage_fields(
                user, change, offer=asked.get("offer"), fields=asked.get("fields"), follow_ups=asked.get("follow_ups"),
                reason=asked.get("reason"), now=timezone.now(),
            )  # fmt: skip
            for words in texts:
                variant, shows = standing[words.pop("variant")], words.pop("shows_products", None)
                preparing.stage_text(user, change, variant, words, shows_products=shows, now=timezone.now())

        return self._change(write)

    @extend_schema(request=None, responses=StagedChangeSerializer)
    @action(detail=True, methods=["post"])
    def submission(self, request: Request, pk: str) -> Response:
        """Submit for review."""
        user = person_of(request)
        return self._change(lambda change: deciding.submit_change(user, change, now=timezone.now()))

    @extend_schema(request=SeenSerializer, responses=StagedChangeSerializer)
    @action(detail=True, methods=["post"])
    def approval(self, request: Request, pk: str) -> Response:
        """Approve what `seen` names and put it in force; never by somebody who wrote it."""
        seen, user = read_body(SeenSerializer, request)["seen"], person_of(request)
        return self._change(
            lambda change: deciding.approve_change(user, change, seen_hash=seen, now=timezone.now())
        )  # fmt: skip

    @extend_schema(request=ReasonSerializer, responses=StagedChangeSerializer)
    @action(detail=True, methods=["post"])
    def refusal(self, request: Request, pk: str) -> Response:
        """Refuse it, and say why."""
        reason, user = read_body(ReasonSerializer, request)["reason"], person_of(request)
        return self._change(lambda change: deciding.refuse_change(user, change, reason=reason, now=timezone.now()))

    @extend_schema(request=ReasonSerializer, responses=StagedChangeSerializer)
    @action(detail=True, methods=["post"])
    def withdrawal(self, request: Request, pk: str) -> Response:
        """Give it up."""
        reason, user = read_body(ReasonSerializer, request)["reason"], person_of(request)
        return self._change(lambda change: preparing.withdraw_change(user, change, reason=reason, now=timezone.now()))

    @extend_schema(request=None, responses=StagedChangeSerializer)
    @action(detail=True, methods=["post"])
    def base(self, request: Request, pk: str) -> Response:
        """Make it from the campaign as it is now; one in review is open again."""
        user = person_of(request)
        return self._change(lambda change: preparing.bring_up_to_date(user, change, now=timezone.now()))

    def _change(self, act: Callable[[StagedChange], Any]) -> Response:
        change = self.get_object()
        with transaction.atomic():
            carry_out(lambda: act(change))
        return Response(StagedChangeSerializer(self.get_queryset().get(pk=change.pk)).data)
