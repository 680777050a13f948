"""What the API reads and writes of campaigns. No logic: the workflow decides."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from campaigns.audience.cards import Card
from campaigns.audience.cells import SIDES
from campaigns.audience.exits import EXIT_LABELS
from campaigns.audience.looks import MOST_LOOKS
from campaigns.audience.topics import TOPICS
from campaigns.content.plans import MOST_TEXTS
from campaigns.content.steps import LONGEST_WAIT_HOURS, MOST_STEPS
from campaigns.delivery.retrying import KINDS
from campaigns.models import (
    Angle,
    ApprovalPart,
    Archetype,
    Campaign,
    CampaignResult,
    FollowUp,
    Offer,
    Variant,
)
from customers.api.fields import ToldField
from customers.models import Channel

#: The largest id that a row can have.
MOST_ID = 2**63 - 1


TRIGGER_HELP = (
    'What lets people in: {"on": "segment"}, {"on": "event", "event": "cart_updated", "where": {"category": "Tents"}, '
    '"max_age_hours": 24}, {"on": "churn", "line": 0.6} or {"on": "overdue", "days": 7}; all but events may have '
    '"includes_present": true.'
)
RECURRENCE_HELP = (
    '{"every": "day", "at": "09:00"}, {"every": "week", "weekdays": [0, 3], "at": "09:00"} (Monday is 0) or {"every": "month", '
    '"day": 31, "at": "09:00"}; "interval" for every second one and so on. Times are the shop\'s.'
)


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
    write_share = serializers.FloatField(min_value=0.05, max_value=0.95, required=False, allow_null=True)
    explore_share = serializers.FloatField(min_value=0.05, max_value=0.5, required=False)
    send_window_hours = serializers.IntegerField(min_value=1, max_value=168, required=False)
    priority = serializers.IntegerField(min_value=1, max_value=9, required=False)
    attribution_days = serializers.IntegerField(min_value=1, max_value=365, required=False)
    adapts_texts = serializers.BooleanField(required=False)
    looked_at = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**31), required=False, max_length=MOST_LOOKS,
        help_text="Numbers of saved segments by which the result is looked at besides.",
    )  # fmt: skip
    scheduled_for = serializers.DateTimeField(required=False, allow_null=True)
    channels = serializers.ListField(
        child=serializers.ChoiceField(choices=Channel.choices), max_length=len(Channel), required=False
    )
    topic = serializers.ChoiceField(choices=[(key, name) for key, (name, _meaning) in TOPICS.items()], required=False)
    max_archetypes = serializers.IntegerField(min_value=1, max_value=settings.MOST_ARCHETYPES, required=False)
    allowed_drift_share = serializers.FloatField(min_value=0, max_value=1, required=False, allow_null=True)
    approval_valid_days = serializers.IntegerField(min_value=1, max_value=365, required=False, allow_null=True)
    trigger = serializers.DictField(required=False, help_text=TRIGGER_HELP)
    recurrence = serializers.DictField(required=False, help_text=RECURRENCE_HELP)
    re_entry_days = serializers.IntegerField(min_value=0, max_value=3650, required=False, allow_null=True)
    exit_on = serializers.ListField(child=serializers.ChoiceField(choices=list(EXIT_LABELS.items())), required=False)
    author = serializers.SlugRelatedField[Any](slug_field="username", read_only=True)
    status_reason = ToldField()

    def validate_channels(self, channels: list[str]) -> list[str]:
        """An old campaign may have none, which is e-mail; a new choice names at least one."""
        if not channels:
            raise serializers.ValidationError(_("Choose at least one channel."))
        return channels

    class Meta:
        model = Campaign
        fields = (
            "id", "name", "goal", "instruction", "tone", "avoid", "talking_points", "segment", "topic", "author", "status",
            "status_reason", "offer", "holdout_share", "write_share", "explore_share", "channels", "max_archetypes",
            "is_test_audience",
            "audience_frozen_at", "audience_counts", "value_bounds", "scheduled_for", "send_window_hours",
            "send_mode", "priority", "attribution_days", "adapts_texts", "looked_at", "allowed_drift_share",
            "approval_valid_days", "content_hash",
            "submitted_at", "sending_started_at", "sending_finished_at", "created_at", "kind", "trigger",
            "recurrence", "re_entry_days", "exit_on", "live_until", "ended_at", "entered_until",
        )  # fmt: skip
        read_only_fields = (
            "status", "status_reason", "audience_frozen_at", "audience_counts", "value_bounds", "content_hash", "submitted_at",
            "sending_started_at", "sending_finished_at", "created_at", "ended_at", "entered_until",
        )  # fmt: skip


class SendTimesSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """When the people of a campaign will be written to. `skips` says how many are not, by reason."""

    people = serializers.IntegerField()
    first_at = serializers.DateTimeField(source="first.at", default=None, allow_null=True)
    first_zone = serializers.CharField(source="first.zone", default="")
    last_at = serializers.DateTimeField(source="last.at", default=None, allow_null=True)
    last_zone = serializers.CharField(source="last.zone", default="")
    waiting_for_quiet_hours = serializers.IntegerField(source="waiting")
    by_shop_clock = serializers.IntegerField()
    without_best_hour = serializers.IntegerField(source="without_hour")
    skips = serializers.DictField(child=serializers.IntegerField())


class VariantSerializer(serializers.ModelSerializer):  # type: ignore[type-arg]
    """A text. `origin_label` says "Template text, not AI" where no model wrote it."""

    origin_label = serializers.CharField(source="get_origin_display", read_only=True)
    angle = serializers.ChoiceField(choices=Angle.choices, allow_blank=True, read_only=True)

    class Meta:
        model = Variant
        fields = (
            "id", "step", "label", "angle", "origin", "origin_label", "subject", "preheader", "opening", "story", "invitation",
            "button_label", "shows_products", "findings", "claims", "content_hash", "drafted_text", "translated_from",
            "model_label", "prompt_name", "prompt_version",
        )  # fmt: skip
        read_only_fields = (
            "step", "label", "angle", "origin", "findings", "claims", "content_hash", "drafted_text", "translated_from",
            "model_label", "prompt_name", "prompt_version",
        )  # fmt: skip


class CardNumberSerializer(serializers.Serializer):  # type: ignore[type-arg]
    key = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    value = serializers.FloatField()
    average = serializers.FloatField()


class CardTruthSerializer(serializers.Serializer):  # type: ignore[type-arg]
    sentence = serializers.CharField()
    share = serializers.FloatField()
    audience_share = serializers.FloatField()


class CardPartSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """People of the archetype with one value of a side; `may_stand_alone` says that they can be taken out."""

    side = serializers.CharField()
    value = serializers.CharField(allow_blank=True)
    label = serializers.CharField()  # type: ignore[assignment]
    size = serializers.IntegerField()
    may_stand_alone = serializers.BooleanField()


class CardSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """Who the people of an archetype are, without any of them."""

    label = serializers.CharField()  # type: ignore[assignment]
    share = serializers.FloatField()
    is_sent = serializers.BooleanField()
    numbers = CardNumberSerializer(many=True)
    truths = CardTruthSerializer(many=True)
    parts = CardPartSerializer(many=True)


class ArchetypeSerializer(serializers.ModelSerializer):  # type: ignore[type-arg]
    """An archetype with its card and texts. `context["cards"]` holds the cards of the campaign by archetype id."""

    variants = VariantSerializer(many=True, read_only=True)
    card = serializers.SerializerMethodField()
    draft_error = ToldField()

    class Meta:
        model = Archetype
        fields = (
            "id", "reason", "interest", "value_band", "language", "channel", "size", "is_shaped", "card", "draft_status",
            "draft_error", "variants",
        )  # fmt: skip

    @extend_schema_field(CardSerializer)
    def get_card(self, archetype: Archetype) -> dict[str, Any]:
        cards: dict[int, Card] = self.context["cards"]
        return dict(CardSerializer(cards[archetype.pk]).data)


class MergerSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """Two archetypes of the campaign, by id."""

    first = serializers.IntegerField()
    second = serializers.IntegerField()


class RemovalSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """A part to make an archetype of its own, as the card names it."""

    archetype = serializers.IntegerField()
    side = serializers.ChoiceField(choices=SIDES)
    value = serializers.CharField(max_length=120, allow_blank=True)


class ResultSerializer(serializers.ModelSerializer):  # type: ignore[type-arg]
    class Meta:
        model = CampaignResult
        fields = ("day", "figures", "true_effect_points", "measured_at")


class DraftRequestSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """`count` is how many texts each archetype gets for each step; left out, those that there are. `also_edited` replaces the
    words of people too. `steps` are those that are meant; left out, all."""

    instruction = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")
    count = serializers.IntegerField(min_value=1, max_value=MOST_TEXTS, required=False, allow_null=True, default=None)
    also_edited = serializers.BooleanField(required=False, default=False)
    steps = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=MOST_STEPS), required=False, default=list
    )


class AngleSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """The named way in which a text differs; left out, the next one that no text has."""

    angle = serializers.ChoiceField(choices=Angle.choices, required=False, allow_blank=True, default="")


class TextRequestSerializer(AngleSerializer):
    instruction = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")


class NewTextSerializer(TextRequestSerializer):
    """`step` is which message of a sequence; left out, the first."""

    step = serializers.IntegerField(min_value=1, max_value=MOST_STEPS, required=False, default=1)


class FollowUpSerializer(serializers.ModelSerializer):  # type: ignore[type-arg]
    """A further step of a sequence, from number 2 on; step 1 is the campaign's own message. It goes out `wait_hours` after the
    step before it; whole days are days of the shop's calendar. `only_if` asks what the person did with the last message
    that reached them; opening is known only of who agreed to it."""

    wait_hours = serializers.IntegerField(min_value=1, max_value=LONGEST_WAIT_HOURS, required=False)

    class Meta:
        model = FollowUp
        fields = ("number", "purpose", "wait_hours", "only_if")
        read_only_fields = ("number",)


class PlaceSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """`up`: change places with the step before; else with the one after."""

    up = serializers.BooleanField()


class TranslationSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """`archetype` is one of the same campaign and channel with another language."""

    archetype = serializers.IntegerField(min_value=1)


class PreviewSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """A copy. `html` is of e-mails alone; `text` of push and webhook is their JSON."""

    subject = serializers.CharField()
    preheader = serializers.CharField()
    html = serializers.CharField()
    text = serializers.CharField()


class ApprovalSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """`seen` is the content_hash that the approver read; `parts` are all four where left out. `fairness_reason` is needed
    where a sensitive group gets clearly less."""

    seen = serializers.CharField(max_length=64)
    fairness_reason = serializers.CharField(max_length=1000, required=False, allow_blank=True, default="")
    parts = serializers.MultipleChoiceField(choices=ApprovalPart.choices, required=False)


class CommentSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """`comment` is about the campaign as a whole; it may be left out where a thread is open."""

    comment = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")


class ReasonSerializer(serializers.Serializer):  # type: ignore[type-arg]
    reason = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")


class RetrySerializer(serializers.Serializer):  # type: ignore[type-arg]
    """What is tried again: refused for a time until the tries were used up, or skipped for a reason that has gone."""

    kind = serializers.ChoiceField(choices=KINDS)
