"""REST: customers, by (source, external_id)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from customers.filters import CustomerFilter
from customers.ingest.copying import UpsertCounts
from customers.ingest.customers import CUSTOMERS, upsert_customers
from customers.ingest.erased import find_erased
from customers.ingest.identity import find_people
from customers.ingest.phones import LONGEST, BadPhone, normalise_phone
from customers.models import Customer, Score
from customers.models.customer import validate_time_zone

from .fields import JSONObjectField, KeyField, SourceField
from .moments import MomentField
from .upserts import CountsSerializer, KeyedBulkView, KeyedItemView, KeyedListView, KeyedView, write_groups


class ScoreSerializer(serializers.ModelSerializer[Score]):
    """What is expected of a customer now."""

    class Meta:
        model = Score
        fields = (
            "status", "churn_probability", "expected_orders", "expected_value", "next_order_on", "main_reason",
            "interest", "as_of",
        )  # fmt: skip
        read_only_fields = fields


class CustomerSerializer(serializers.ModelSerializer[Customer]):
    """One person. Fields that a request leaves out stay as they are."""

    source = SourceField()  # type: ignore[assignment]
    external_id = KeyField()
    phone = serializers.CharField(required=False, allow_blank=True, max_length=LONGEST)
    time_zone = serializers.CharField(required=False, max_length=64, validators=[validate_time_zone])
    attributes = JSONObjectField(required=False)
    joined_at = MomentField(required=False, allow_null=True)
    score = ScoreSerializer(read_only=True, allow_null=True)

    class Meta:
        model = Customer
        fields = (
            "id", "source", "external_id", "email", "phone", "first_name", "last_name", "language", "time_zone", "country",
            "attributes", "joined_at", "score", "created_at", "updated_at",
        )  # fmt: skip
        read_only_fields = ("created_at", "updated_at")
        validators: Sequence[Any] = ()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """A telephone number is kept in E.164, read as of the customer's country where it has no +."""
        if attrs.get("phone"):
            try:
                attrs["phone"] = normalise_phone(attrs["phone"], attrs.get("country") or "")
            except BadPhone:
                raise serializers.ValidationError(
                    {"phone": _("Not a telephone number. Write it with + and the country code.")}
                ) from None
        return attrs


class CustomerWrites(KeyedView):
    """What list, item and bulk of customers share."""

    queryset = Customer.objects.known().select_related("score")
    serializer_class = CustomerSerializer

    def find(self, key: Mapping[str, Any]) -> Customer:
        """An id that was merged into another person finds that person."""
        try:
            found = super().find(key)
        except Http404:
            name = str(key["external_id"])
            pk = None if "\0" in name else find_people(str(key["source"]), [name]).get(name)
            if pk is None:
                raise
            survivor = self.get_queryset().filter(pk=pk).first()
            if survivor is None:  # the row that is left of somebody who was erased
                raise
            found = survivor
        assert isinstance(found, Customer)
        return found

    def write(self, items: Sequence[Mapping[str, Any]]) -> UpsertCounts:
        _refuse_erased(items)
        return write_groups(items, CUSTOMERS, upsert_customers)


@extend_schema_view(post=extend_schema(responses={200: CustomerSerializer, 201: CustomerSerializer}))
class CustomerList(CustomerWrites, KeyedListView):
    filterset_class = CustomerFilter


@extend_schema_view(put=extend_schema(responses={200: CustomerSerializer, 201: CustomerSerializer}))
class CustomerItem(CustomerWrites, KeyedItemView):
    pass


class CustomerBulk(CustomerWrites, KeyedBulkView):
    @extend_schema(request=CustomerSerializer(many=True), responses=CountsSerializer)
    def post(self, request: Request) -> Response:
        return super().post(request)


def _refuse_erased(items: Sequence[Mapping[str, Any]]) -> None:
    """Name everybody who was erased: they come back only under another key."""
    gone = find_erased((item["source"], item["external_id"]) for item in items)
    faults = {
        place: {"external_id": [_("This person was erased.")]}
        for place, item in enumerate(items)
        if (item["source"], item["external_id"]) in gone
    }
    if faults:
        raise serializers.ValidationError(faults[0] if len(items) == 1 else faults)  # type: ignore[arg-type]
