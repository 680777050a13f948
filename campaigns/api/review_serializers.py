"""What the API reads and writes of reviews: threads of comments, and what an approver has to know beside the texts."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from campaigns.approval.comments import LONGEST_COMMENT, LONGEST_QUOTE
from campaigns.models import CommentPlace, ReviewComment

from .serializers import MOST_ID


class BodySerializer(serializers.Serializer):  # type: ignore[type-arg]
    body = serializers.CharField(max_length=LONGEST_COMMENT)


class ThreadRequestSerializer(BodySerializer):
    """`variant` with `field` and `quote` for a comment on a text; else `place` says which part it is about."""

    place = serializers.ChoiceField(choices=CommentPlace.choices, required=False, default=CommentPlace.CAMPAIGN)
    variant = serializers.IntegerField(min_value=1, max_value=MOST_ID, required=False, allow_null=True, default=None)
    field = serializers.CharField(max_length=20, required=False, allow_blank=True, default="")
    quote = serializers.CharField(max_length=LONGEST_QUOTE, required=False, allow_blank=True, default="")


class ReplySerializer(serializers.ModelSerializer):  # type: ignore[type-arg]
    author = serializers.SlugRelatedField[Any](slug_field="username", read_only=True)

    class Meta:
        model = ReviewComment
        fields = ("id", "author", "body", "created_at")


class ThreadSerializer(ReplySerializer):
    """A thread with its answers. `about` names the text as it was called, also when it is gone."""

    resolved_by = serializers.SlugRelatedField[Any](slug_field="username", read_only=True, allow_null=True)
    replies = ReplySerializer(many=True, read_only=True)

    class Meta:
        model = ReviewComment
        fields = (
            "id", "place", "variant", "about", "field", "quote", "author", "body", "created_at", "resolved_at", "resolved_by",
            "replies",
        )  # fmt: skip


class DriftSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """How far the frozen audience has drifted."""

    frozen = serializers.IntegerField()
    left = serializers.IntegerField()
    excluded = serializers.IntegerField()
    joined = serializers.IntegerField()
    share = serializers.FloatField()


class OverlapSerializer(serializers.Serializer):  # type: ignore[type-arg]
    campaign_id = serializers.IntegerField()
    name = serializers.CharField()
    status = serializers.CharField()
    scheduled_for = serializers.DateTimeField()
    people = serializers.IntegerField()


class OfferCostSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """Money in `currency`; `expected` is null where too few people have had a code."""

    currency = serializers.CharField()
    people = serializers.IntegerField()
    most = serializers.FloatField()
    expected = serializers.FloatField(allow_null=True)
    expected_low = serializers.FloatField(allow_null=True)
    expected_high = serializers.FloatField(allow_null=True)


class OutlookSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """What an approver has to know beside the texts. `allowed_share` is how far the audience may drift. `fairness` is a report
    for each sensitive attribute: its groups with the share reached and the discount per head, each as a ratio to the others
    with a 95 % interval."""

    drift = DriftSerializer(allow_null=True)
    allowed_share = serializers.FloatField()
    valid_until = serializers.DateTimeField(allow_null=True)
    overlaps = OverlapSerializer(many=True)
    capped = serializers.IntegerField(allow_null=True)
    offer_cost = OfferCostSerializer(allow_null=True)
    fairness = serializers.ListField(child=serializers.DictField())
    needs_reason = serializers.BooleanField()
    needs_second_person = serializers.BooleanField()
