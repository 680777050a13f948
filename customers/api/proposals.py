"""REST: a rule that a language model proposes for a sentence. Nothing is saved by it."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from customers.ingest.clock import read_shop_clock
from customers.models import Segment
from customers.segments.in_words.prompt import LONGEST_REQUEST
from customers.segments.in_words.proposing import CannotPropose, propose_rule


class WordsSerializer(serializers.Serializer[Any]):
    """Which customers are meant, in a sentence."""

    words = serializers.CharField(max_length=LONGEST_REQUEST)


class ProposalSerializer(serializers.Serializer[Any]):
    """A rule proposed by a model: to be looked at and saved by a person, or not. `left_out` is what it does not say."""

    name = serializers.CharField()
    rule = serializers.JSONField(source="tree")
    sentence = serializers.CharField(source="told.sentence")
    count = serializers.IntegerField(source="told.size", allow_null=True)
    left_out = serializers.ListField(child=serializers.CharField())
    is_proposed_by_model = serializers.SerializerMethodField()
    proposed_by = serializers.CharField(source="model")
    call = serializers.UUIDField()
    proposal = serializers.CharField(source="token", help_text="give it back when the rule is saved as a segment")

    def get_is_proposed_by_model(self, _proposal: Any) -> bool:
        return True


class RefusalSerializer(serializers.Serializer[Any]):
    """Why there is no proposal."""

    detail = serializers.CharField()


class RuleProposal(GenericAPIView[Segment]):
    """Have the language model propose a rule for a sentence; 422 with a sentence where it cannot. It costs money, so it takes
    the right to make segments."""

    queryset = Segment.objects.all()
    serializer_class = WordsSerializer
    filter_backends = []
    pagination_class = None

    @extend_schema(responses={200: ProposalSerializer, 422: RefusalSerializer})
    def post(self, request: Request) -> Response:
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        now = timezone.now()
        try:
            proposal = propose_rule(serializer.validated_data["words"], now=now, as_of=read_shop_clock(now))
        except CannotPropose as error:
            return Response({"detail": str(error)}, status=status.HTTP_422_UNPROCESSABLE_ENTITY)
        return Response(ProposalSerializer(proposal).data)
