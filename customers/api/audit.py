"""REST: the audit log, to be read."""

from __future__ import annotations

from rest_framework import serializers
from rest_framework.generics import ListAPIView

from customers.filters import AuditFilter
from customers.models import AuditEntry

from .pagination import NewestFirst


class AuditEntrySerializer(serializers.ModelSerializer[AuditEntry]):
    """One entry, with what is needed to verify the chain: `hash` seals it to `previous_hash`."""

    class Meta:
        model = AuditEntry
        fields = (
            "number", "happened_at", "actor_id", "action", "object_kind", "object_id", "details", "previous_hash", "hash",
        )  # fmt: skip
        read_only_fields = fields


class AuditList(ListAPIView[AuditEntry]):
    """Who did what, the newest first; filters as on the page Audit."""

    queryset = AuditEntry.objects.all()
    serializer_class = AuditEntrySerializer
    pagination_class = NewestFirst
    filterset_class = AuditFilter
