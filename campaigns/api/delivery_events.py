"""What came back about messages, to be read."""

from __future__ import annotations

import django_filters
from rest_framework import mixins, serializers, viewsets

from campaigns.models import DeliveryEvent, DeliveryKind


class DeliveryEventSerializer(serializers.ModelSerializer[DeliveryEvent]):
    """One thing that came back. `link` is the number of the link that was clicked, `detail` the mail server's words."""

    campaign = serializers.IntegerField(source="message.campaign_id", read_only=True)
    customer = serializers.IntegerField(source="message.customer_id", read_only=True)

    class Meta:
        model = DeliveryEvent
        fields = (
            "id", "message", "campaign", "customer", "kind", "provider", "occurred_at", "received_at", "link", "detail",
        )  # fmt: skip


class DeliveryEventFilter(django_filters.FilterSet):  # type: ignore[misc]
    """By campaign, message and kind."""

    campaign = django_filters.NumberFilter(field_name="message__campaign_id", min_value=1, max_value=2**63 - 1)
    message = django_filters.NumberFilter(field_name="message_id", min_value=1, max_value=2**63 - 1)
    kind = django_filters.ChoiceFilter(choices=DeliveryKind.choices)

    class Meta:
        model = DeliveryEvent
        fields = ("campaign", "message", "kind")


class DeliveryEventViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[DeliveryEvent]
):  # fmt: skip
    """What came back about messages: delivered, bounced, reported as spam, opened, clicked, unsubscribed."""

    queryset = DeliveryEvent.objects.select_related("message").only(
        "id", "message__campaign_id", "message__customer_id", "kind", "provider", "occurred_at", "received_at", "link",
        "detail",
    )  # fmt: skip
    serializer_class = DeliveryEventSerializer
    filterset_class = DeliveryEventFilter
