"""REST: connected shops and how they are, to be read. Keys and the address that a shop calls are not part of it."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.generics import ListAPIView, RetrieveAPIView

from customers.models import ShopConnection


class ShopConnectionSerializer(serializers.ModelSerializer[ShopConnection]):
    """A shop: since when it tells us things, how many came and were refused, and where the back-fill stands."""

    waiting = serializers.SerializerMethodField(help_text="Webhooks that are kept and not applied yet.")

    class Meta:
        model = ShopConnection
        fields = (
            "id", "kind", "name", "source", "address", "status", "currency", "tested_at", "test_error", "hooks_made_at",
            "last_hook_at", "hooks_taken", "hooks_refused", "waiting", "redaction_asked_at", "fill_status", "fill_since",
            "fill_stage", "fill_counts", "fill_totals", "fill_error", "fill_started_at", "fill_finished_at", "filled_at",
            "created_at",
        )  # fmt: skip
        read_only_fields = fields

    def get_waiting(self, shop: Any) -> int:
        return int(shop.waiting)


class ShopConnectionList(ListAPIView[ShopConnection]):
    """Every connected shop."""

    queryset = ShopConnection.objects.with_waiting().order_by("pk")
    serializer_class = ShopConnectionSerializer
    filter_backends = []


class ShopConnectionItem(RetrieveAPIView[ShopConnection]):
    """One connected shop."""

    queryset = ShopConnection.objects.with_waiting()
    serializer_class = ShopConnectionSerializer
