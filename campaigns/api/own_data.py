"""REST: what people ask for of their own data, and asking in their name, as a page of their account in the shop does."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from campaigns.delivery.own_data.asking import ask_for_own_data
from customers.api.fields import KeyField, SourceField
from customers.api.pagination import NewestFirst
from customers.ingest.identity import find_people
from customers.models import Customer, PrivacyRequest


class PrivacyRequestSerializer(serializers.ModelSerializer[PrivacyRequest]):
    """One wish. `waiting`: the person has a mail to confirm; `open`: they have no address, and staff decide; `scheduled`: the
    erasure runs at `runs_at`. `customer` is our number, null once they are erased."""

    customer = serializers.IntegerField(source="customer_number", read_only=True, allow_null=True)

    class Meta:
        model = PrivacyRequest
        fields = ("id", "customer", "kind", "status", "source", "asked_at", "due_at", "runs_at", "decided_at", "reason")
        read_only_fields = fields


class NewPrivacyRequestSerializer(serializers.Serializer[Any]):
    """Who asks for what. They are mailed a link by which they confirm it themselves; nothing happens before."""

    source = SourceField()  # type: ignore[assignment]
    external_id = KeyField()
    kind = serializers.ChoiceField(choices=PrivacyRequest.Kind.choices)


class PrivacyRequestList(ListAPIView[PrivacyRequest]):
    """What people asked for, the newest first; and a new wish. Twice is once."""

    queryset = PrivacyRequest.objects.all()
    serializer_class = PrivacyRequestSerializer
    pagination_class = NewestFirst
    filterset_fields = ("status", "kind")

    @extend_schema(request=NewPrivacyRequestSerializer, responses={202: PrivacyRequestSerializer})
    def post(self, request: Request) -> Response:
        asked = NewPrivacyRequestSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        given = asked.validated_data
        pk = find_people(given["source"], [given["external_id"]]).get(given["external_id"])
        customer = Customer.objects.known().filter(pk=pk or 0).first()
        if customer is None:
            raise Http404
        row = ask_for_own_data(customer, given["kind"], source="api", now=timezone.now())
        return Response(PrivacyRequestSerializer(row).data, status=202)
