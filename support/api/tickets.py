"""Conversations over the API: a shop's own forms and chats bring them in, and read what became of them."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import generics, serializers, status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from support.inbox.linking import find_customer
from support.inbox.opening import LONGEST_TEXT, Incoming
from support.models import Article, Direction, Ticket, TicketChannel, TicketMessage
from support.triage.deciding import receive


class TicketMessageSerializer(serializers.ModelSerializer[TicketMessage]):
    class Meta:
        model = TicketMessage
        fields = ("id", "direction", "text", "written_at", "send_status")


class TicketSerializer(serializers.ModelSerializer[Ticket]):
    class Meta:
        model = Ticket
        fields = (
            "id", "channel", "external_id", "subject", "status", "topic", "intent", "sentiment", "urgency", "is_complaint",
            "language", "tags", "opened_at", "due_at", "first_answer_at", "closed_at", "held_until",
        )  # fmt: skip


class TicketDetailSerializer(TicketSerializer):
    """A conversation as its customer may read it: notes are for colleagues."""

    messages = serializers.SerializerMethodField()

    class Meta(TicketSerializer.Meta):
        fields = (*TicketSerializer.Meta.fields, "messages")  # type: ignore[assignment]

    @extend_schema_field(TicketMessageSerializer(many=True))
    def get_messages(self, ticket: Ticket) -> Any:
        return TicketMessageSerializer(ticket.messages.exclude(direction=Direction.NOTE), many=True).data


class NewMessageSerializer(serializers.Serializer[Any]):
    """One message. `thread` names the conversation, `external_id` the message: the same two again change nothing."""

    thread = serializers.CharField(max_length=200)
    external_id = serializers.CharField(max_length=200)
    text = serializers.CharField(max_length=LONGEST_TEXT)
    subject = serializers.CharField(max_length=200, required=False, default="", allow_blank=True)
    customer_source = serializers.CharField(max_length=40, required=False, default="shop")
    customer = serializers.CharField(max_length=120, required=False, default="", allow_blank=True)
    email = serializers.EmailField(max_length=254, required=False, default="", allow_blank=True)
    name = serializers.CharField(max_length=120, required=False, default="", allow_blank=True)
    written_at = serializers.DateTimeField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs.get("customer") and not attrs.get("email"):
            raise ValidationError({"email": ["Give the customer's id or an e-mail address."]})
        return attrs


class TicketList(generics.ListAPIView[Ticket]):
    """Conversations, and taking messages in. POST answers 201 for a new message, 200 for one that is known."""

    queryset = Ticket.objects.order_by("pk")
    serializer_class = TicketSerializer
    filterset_fields = ("status", "channel", "is_complaint", "topic", "intent")

    @extend_schema(request=NewMessageSerializer, responses={201: TicketDetailSerializer, 200: TicketDetailSerializer})
    def post(self, request: Request) -> Response:
        body = NewMessageSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        told = dict(body.validated_data)
        now = timezone.now()
        customer = find_customer(told["customer_source"], told["customer"]) if told["customer"] else None
        if told["customer"] and customer is None:
            raise ValidationError({"customer": ["This customer is not known."]})
        incoming = Incoming(
            channel=TicketChannel.API,
            thread=told["thread"],
            external_id=told["external_id"],
            text=told["text"],
            subject=told["subject"],
            email=told["email"],
            name=told["name"],
            customer=customer,
            written_at=min(told.get("written_at", now), now),
        )
        taken = receive(incoming, now=now)
        taken.ticket.refresh_from_db()
        code = status.HTTP_201_CREATED if taken.is_new else status.HTTP_200_OK
        return Response(TicketDetailSerializer(taken.ticket).data, status=code)


class TicketItem(generics.RetrieveAPIView[Ticket]):
    """One conversation with its messages, notes left out."""

    queryset = Ticket.objects.all()
    serializer_class = TicketDetailSerializer


class ArticleSerializer(serializers.ModelSerializer[Article]):
    title_en = serializers.CharField(source="current.title_en", default="")
    title_zh = serializers.CharField(source="current.title_zh", default="")
    text_en = serializers.CharField(source="current.text_en", default="")
    text_zh = serializers.CharField(source="current.text_zh", default="")
    version = serializers.IntegerField(source="current.number", default=0)

    class Meta:
        model = Article
        fields = ("number", "version", "is_published", "title_en", "title_zh", "text_en", "text_zh")


class ArticleList(generics.ListAPIView[Article]):
    """The articles as they stand."""

    queryset = Article.objects.select_related("current").order_by("pk")
    serializer_class = ArticleSerializer
