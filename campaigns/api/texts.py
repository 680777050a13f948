"""Texts over the API: reading, editing, previewing, and the same nouns for drafts, translations and copies as the pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from campaigns.approval.editing import edit_variant
from campaigns.approval.texts import ask_for_text, ask_for_translation, copy_text, remove_text, take_back_former
from campaigns.audience.cards import build_cards
from campaigns.content.rendering import RenderError, render_preview
from campaigns.content.samples import pick_customer
from campaigns.models import Archetype, Variant

from .errors import carry_out, read_body
from .reviewing import person_of
from .serializers import (
    AngleSerializer,
    ArchetypeSerializer,
    NewTextSerializer,
    PreviewSerializer,
    TextRequestSerializer,
    TranslationSerializer,
    VariantSerializer,
)


class MayViewTexts(BasePermission):
    """Who may see texts may ask for a change; the workflow then asks for its own right."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return request.user.has_perm("campaigns.view_variant")


class VariantViewSet(
    mixins.RetrieveModelMixin, mixins.UpdateModelMixin, mixins.DestroyModelMixin, viewsets.GenericViewSet[Variant]
):
    """One text. Changing it runs the guard-rails again and voids what was approved."""

    queryset = Variant.everything.select_related("archetype__campaign").order_by("pk")
    serializer_class = VariantSerializer
    permission_classes = (MayViewTexts,)
    http_method_names = ("get", "post", "patch", "delete", "head", "options")

    def perform_update(self, serializer: Any) -> None:
        variant, fields = serializer.instance, dict(serializer.validated_data)
        shows = fields.pop("shows_products", None)
        user = person_of(self.request)
        carry_out(lambda: edit_variant(user, variant, fields, now=timezone.now(), shows_products=shows))

    def perform_destroy(self, instance: Variant) -> None:
        carry_out(lambda: remove_text(person_of(self.request), instance, now=timezone.now()))

    @extend_schema(request=TextRequestSerializer, responses={202: ArchetypeSerializer})
    @action(detail=True, methods=["post"])
    def draft(self, request: Request, pk: str) -> Response:
        """Have this text written again, with an instruction; it is done in the background."""
        variant, asked = self.get_object(), read_body(TextRequestSerializer, request)
        user = person_of(request)
        return _accept(
            variant.archetype,
            lambda: ask_for_text(
                user, variant.archetype, label=variant.label, step=variant.step, **asked, now=timezone.now()
            ),
        )

    @extend_schema(request=TranslationSerializer, responses={202: ArchetypeSerializer})
    @action(detail=True, methods=["post"])
    def translation(self, request: Request, pk: str) -> Response:
        """Have this finished text drafted in the language of another archetype."""
        variant, asked = self.get_object(), read_body(TranslationSerializer, request)
        found = Archetype.objects.filter(campaign=variant.archetype.campaign_id).select_related("campaign")
        target, user = get_object_or_404(found, pk=asked["archetype"]), person_of(request)
        return _accept(target, lambda: ask_for_translation(user, variant, target, now=timezone.now()))

    @extend_schema(request=None, responses=VariantSerializer)
    @action(detail=True, methods=["post"])
    def former(self, request: Request, pk: str) -> Response:
        """Put the text that a newer draft replaced in its place again; the newer one becomes the former."""
        variant, user = self.get_object(), person_of(request)
        carry_out(lambda: take_back_former(user, variant, now=timezone.now()))
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(request=AngleSerializer, responses={201: VariantSerializer})
    @action(detail=True, methods=["post"], url_path="copy")
    def copied(self, request: Request, pk: str) -> Response:
        """One more text of the archetype with the same words, for a person to write."""
        variant, asked = self.get_object(), read_body(AngleSerializer, request)
        user = person_of(request)
        copy = carry_out(lambda: copy_text(user, variant, **asked, now=timezone.now()))
        return Response(self.get_serializer(copy).data, status=status.HTTP_201_CREATED)

    @extend_schema(
        parameters=[OpenApiParameter("whose", OpenApiTypes.STR, description='1 to 3, or "nobody"')],
        responses=PreviewSerializer,
    )
    @action(detail=True, methods=["get"], pagination_class=None)
    def preview(self, request: Request, pk: str) -> Response:
        """The copy that one of the archetype's people would get, or somebody of whom nothing is known."""
        variant = self.get_object()
        whose = request.query_params.get("whose", "nobody")
        if whose != "nobody" and not request.user.has_perm("customers.view_customer"):
            raise PermissionDenied
        try:
            copy = render_preview(variant, pick_customer(variant, whose), now=timezone.now())
        except RenderError as error:
            raise ValidationError({"detail": [str(error)]}) from error
        return Response(PreviewSerializer(copy).data)


class ArchetypeViewSet(viewsets.GenericViewSet[Archetype]):
    """One kind of customer with its texts."""

    queryset = Archetype.objects.select_related("campaign").prefetch_related("variants").order_by("pk")
    serializer_class = ArchetypeSerializer
    permission_classes = (MayViewTexts,)
    http_method_names = ("get", "post", "head", "options")

    def retrieve(self, request: Request, pk: str) -> Response:
        """The archetype with its card and its texts."""
        return Response(_describe(self.get_object()))

    @extend_schema(request=NewTextSerializer, responses={202: ArchetypeSerializer})
    @action(detail=True, methods=["post"])
    def texts(self, request: Request, pk: str) -> Response:
        """Have one more text of a step drafted, with an angle of its own."""
        archetype, asked = self.get_object(), read_body(NewTextSerializer, request)
        user = person_of(request)
        return _accept(archetype, lambda: ask_for_text(user, archetype, **asked, now=timezone.now()))


def _accept(archetype: Archetype, act: Callable[[], Any]) -> Response:
    carry_out(act)
    fresh = ArchetypeViewSet.queryset.get(pk=archetype.pk)
    return Response(_describe(fresh), status=status.HTTP_202_ACCEPTED)


def _describe(archetype: Archetype) -> Any:
    cards = build_cards(archetype.campaign, [archetype])
    return ArchetypeSerializer(archetype, context={"cards": cards}).data
