"""What the API reads and writes of campaigns. No logic: the workflow decides."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from campaigns.models import ApprovalPart, Archetype, Campaign, CampaignResult, Offer, Variant


class OfferSerializer(serializers.ModelSerializer):  # type: ignore[type-arg]
    class Meta:
        model = Offer
        fields = ("kind", "value", "currency", "code", "min_basket", "valid_from", "valid_until", "url")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        kind = attrs.get("kind", Offer.Kind.NONE)
        value = attrs.get("value")
        if kind in (Offer.Kind.PERCENT, Offer.Kind.AMOUNT) and (value is None or value <= 0):
            raise serializers.ValidationError({"value": "Say how much; more than 0."})
        if kind == Offer.Kind.PERCENT and value is not None and value > 100:
            raise serializers.ValidationError({"value": "At most 100 percent."})
        first, last = attrs.get("valid_from"), attrs.get("valid_until")
        if first and last and last < first:
            raise serializers.ValidationError({"valid_until": "The last day is before the first."})
        return attrs


class CampaignSerializer(serializers.ModelSerializer):  # type: ignore[type-arg]
    """A campaign with its offer. The state changes only through its own addresses."""

    offer = OfferSerializer(required=False)
    holdout_share = serializers.FloatField(min_value=0.01, max_value=0.5, required=False)
    send_window_hours = serializers.IntegerField(min_value=1, max_value=168, required=False)
    attribution_days = serializers.IntegerField(min_value=1, max_value=365, required=False)
    scheduled_for = serializers.DateTimeField(required=False, allow_null=True)
    author = serializers.SlugRelatedField[Any](slug_field="username", read_only=True)

    class Meta:
        model = Campaign
        fields = (
            "id", "name", "goal", "instruction", "segment", "author", "status", "status_reason", "offer", "holdout_share",
            "is_test_audience", "audience_frozen_at", "audience_counts", "scheduled_for", "send_window_hours",
            "attribution_days", "content_hash", "submitted_at", "sending_started_at", "sending_finished_at", "created_at",
        )  # fmt: skip
        read_only_fields = (
            "status", "status_reason", "audience_frozen_at", "audience_counts", "content_hash", "submitted_at",
            "sending_started_at", "sending_finished_at", "created_at",
        )  # fmt: skip


class VariantSerializer(serializers.ModelSerializer):  # type: ignore[type-arg]
    """A text. `origin_label` says "Template text, not AI" where no model wrote it."""

    origin_label = serializers.CharField(source="get_origin_display", read_only=True)

    class Meta:
        model = Variant
        fields = (
            "id", "label", "origin", "origin_label", "subject", "preheader", "opening", "story", "invitation",
            "button_label", "findings", "content_hash", "model_label", "prompt_name", "prompt_version",
        )  # fmt: skip
        read_only_fields = (
            "label", "origin", "findings", "content_hash", "model_label", "prompt_name", "prompt_version",
        )  # fmt: skip


class ArchetypeSerializer(serializers.ModelSerializer):  # type: ignore[type-arg]
    variants = VariantSerializer(many=True, read_only=True)

    class Meta:
        model = Archetype
        fields = ("id", "reason", "interest", "language", "size", "draft_status", "draft_error", "variants")


class ResultSerializer(serializers.ModelSerializer):  # type: ignore[type-arg]
    class Meta:
        model = CampaignResult
        fields = ("day", "figures", "true_effect_points", "measured_at")


class DraftRequestSerializer(serializers.Serializer):  # type: ignore[type-arg]
    instruction = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")


class ApprovalSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """`seen` is the content_hash that the approver read; `parts` are all four where left out."""

    seen = serializers.CharField(max_length=64)
    parts = serializers.MultipleChoiceField(choices=ApprovalPart.choices, required=False)


class CommentSerializer(serializers.Serializer):  # type: ignore[type-arg]
    comment = serializers.CharField(max_length=500)


class ReasonSerializer(serializers.Serializer):  # type: ignore[type-arg]
    reason = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")
