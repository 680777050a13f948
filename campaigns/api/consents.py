"""REST: consents, as the shop's forms and checkouts gather them. Asking is one thing, agreeing another: what a country's rule or
an earlier "no" wants confirmed by mail waits for that, whatever the request says."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from campaigns.delivery.opt_in.asking import Asked, ask_consent
from campaigns.delivery.unsubscribe import leave_channel
from customers.api.fields import JSONObjectField, KeyField, SourceField
from customers.api.moments import MomentField
from customers.api.pagination import TimePagination
from customers.ingest.consent import find_newest_consent
from customers.ingest.identity import find_people
from customers.models import Channel, ConsentRecord, Customer

ASKED_KINDS = [(member.value, member.value) for member in Asked] + [
    ("withdrawn", "withdrawn"),
    ("unchanged", "unchanged"),
]


class ConsentSerializer(serializers.ModelSerializer[ConsentRecord]):
    """One consent as it was written down. The newest of a customer and channel counts."""

    class Meta:
        model = ConsentRecord
        fields = (
            "id", "customer", "channel", "status", "legal_basis", "source", "proof", "is_test", "recorded_at", "created_at",
        )  # fmt: skip


class NewConsentSerializer(serializers.Serializer[Any]):
    """Somebody ticked the box, or took it back. `wording` is the sentence they saw; `given_at` when, now by default."""

    source = SourceField()  # type: ignore[assignment]
    customer = KeyField(help_text="The shop's id of the customer, of the same source.")
    channel = serializers.ChoiceField(choices=Channel.choices, default=Channel.EMAIL)
    status = serializers.ChoiceField(choices=[("given", "given"), ("withdrawn", "withdrawn")])
    wording = serializers.CharField(max_length=2000, required=False, default="", allow_blank=True)
    collected_by = serializers.CharField(max_length=80, help_text="Where it was given: checkout, account page, till.")
    given_at = MomentField(required=False)
    network_address = serializers.IPAddressField(required=False, default="", allow_blank=True)
    proof = JSONObjectField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["status"] == "given" and not attrs["wording"].strip():
            raise serializers.ValidationError({"wording": _("Give the sentence that the person agreed to.")})
        if (at := attrs.get("given_at")) is not None and at > timezone.now():
            raise serializers.ValidationError({"given_at": _("This lies in the future.")})
        return attrs


class ConsentOutcomeSerializer(serializers.Serializer[Any]):
    """What became of it: `pending` and `mailed_again` wait for the person's click in a mail."""

    outcome = serializers.ChoiceField(choices=ASKED_KINDS)


class ConsentFilter(django_filters.FilterSet):  # type: ignore[misc]
    """customer (our id, required), channel."""

    customer = django_filters.NumberFilter(
        field_name="customer_id", required=True, min_value=1, max_value=2**63 - 1, decimal_places=0
    )
    channel = django_filters.ChoiceFilter(choices=Channel.choices)

    class Meta:
        model = ConsentRecord
        fields = ()


class ConsentPagination(TimePagination):
    """The newest first."""

    ordering = ("-recorded_at", "-id")


class ConsentList(ListAPIView[ConsentRecord]):
    """The records of one customer, and the way in for what a form or a checkout gathered."""

    queryset = ConsentRecord.objects.all()
    serializer_class = ConsentSerializer
    filterset_class = ConsentFilter
    pagination_class = ConsentPagination

    @extend_schema(
        request=NewConsentSerializer, responses={200: ConsentOutcomeSerializer, 201: ConsentOutcomeSerializer}
    )
    def post(self, request: Request) -> Response:
        asked = NewConsentSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        given = asked.validated_data
        with transaction.atomic():
            outcome = _write(given)
        is_new = outcome in (Asked.GIVEN, Asked.PENDING, "withdrawn")
        return Response({"outcome": str(outcome)}, status=201 if is_new else 200)


def _write(given: dict[str, Any]) -> str:
    pk = find_people(given["source"], [given["customer"]]).get(given["customer"])
    customer = Customer.objects.known().filter(pk=pk or 0).first()
    if customer is None:
        raise serializers.ValidationError({"customer": [ErrorDetail(_("This customer is not known."), "unknown")]})
    at, channel = given.get("given_at") or timezone.now(), given["channel"]
    proof = dict(given.get("proof") or {})
    if given["status"] == "withdrawn":
        left = leave_channel(
            customer, channel, message_id=None, source=given["collected_by"], now=at, proof={**proof, "by": "api"}
        )
        return "withdrawn" if left else "unchanged"
    newest = find_newest_consent(customer.pk, channel)
    if newest is not None and at < newest.recorded_at:
        return "unchanged"  # something newer is known: an old yes is no answer to it
    return ask_consent(
        customer, source=given["collected_by"], wording=given["wording"], channel=channel, now=timezone.now(), given_at=at,
        network_address=given["network_address"], proof={**proof, "by": "api"},
    )  # fmt: skip
