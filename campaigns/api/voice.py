"""Brand voice and policies over the API: what counts, every version, saving a new one, restoring an older one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campaigns.approval.voice import Saved, restore_policies, restore_voice, save_policies, save_voice
from campaigns.content.policies import read_policies
from campaigns.content.voice import LANGUAGES, LONGEST_NOTE, make_empty_voice, read_voice
from campaigns.models import BrandVoice, ShopPolicies
from customers.api.pagination import KeyPagination

from .errors import carry_out, read_body
from .reviewing import person_of


class LimitsSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """Limits of the tone; null is none. `address` is 您, 你 or empty, in Chinese only."""

    sentence_length = serializers.IntegerField(allow_null=True, required=False)
    exclamation_marks = serializers.IntegerField(allow_null=True, required=False)
    emoji = serializers.IntegerField(allow_null=True, required=False)
    address = serializers.CharField(allow_blank=True, required=False)


class VoiceTextSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """How the shop speaks in one language."""

    personality = serializers.CharField(allow_blank=True, required=False)
    do = serializers.ListField(child=serializers.CharField(), required=False)
    dont = serializers.ListField(child=serializers.CharField(), required=False)
    examples = serializers.ListField(child=serializers.CharField(), required=False)
    banned = serializers.ListField(child=serializers.CharField(), required=False)
    avoid = serializers.ListField(child=serializers.CharField(), required=False)
    limits = LimitsSerializer(required=False)


class RevisionSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """One version: its number, who saved it, when and why. Number 0 is: nothing was saved yet."""

    number = serializers.IntegerField(read_only=True)
    note = serializers.CharField(read_only=True)
    saved_by = serializers.CharField(source="saved_by.username", read_only=True, allow_null=True)
    saved_at = serializers.DateTimeField(read_only=True, allow_null=True)


class BrandVoiceSerializer(RevisionSerializer):
    """A version of the voice, by language."""

    texts = serializers.DictField(child=VoiceTextSerializer(), read_only=True)
    restored_from = serializers.IntegerField(source="restored_from.number", read_only=True, allow_null=True)


class PoliciesSerializer(RevisionSerializer):
    """A version of the policies: sentences by language."""

    texts = serializers.DictField(child=serializers.ListField(child=serializers.CharField()), read_only=True)


class NewVoiceSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """A language that is left out stays as it is. `base` is the number that you read: 409 where it is not the newest."""

    texts = serializers.DictField(child=VoiceTextSerializer())
    base = serializers.IntegerField(min_value=0)
    note = serializers.CharField(max_length=LONGEST_NOTE, allow_blank=True, required=False)


class NewPoliciesSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """As for the voice; the sentences of a language replace those that there are."""

    texts = serializers.DictField(child=serializers.ListField(child=serializers.CharField()))
    base = serializers.IntegerField(min_value=0)
    note = serializers.CharField(max_length=LONGEST_NOTE, allow_blank=True, required=False)


class BaseSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """The number of the newest version that you read."""

    base = serializers.IntegerField(min_value=0)


class SavedVoiceSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """What was saved, how many texts were checked again and how many of them are blocked, which campaigns went back."""

    revision = BrandVoiceSerializer()
    checked = serializers.IntegerField()
    blocked = serializers.IntegerField()
    returned_campaigns = serializers.ListField(child=serializers.IntegerField())


class SavedPoliciesSerializer(SavedVoiceSerializer):
    """The same for policies."""

    revision = PoliciesSerializer()  # type: ignore[assignment]


class MayViewVoice(BasePermission):
    """Who may read it may ask to save it; saving then asks for its own right."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return request.user.has_perm("campaigns.view_brandvoice")


class MayViewPolicies(BasePermission):
    def has_permission(self, request: Request, view: Any) -> bool:
        return request.user.has_perm("campaigns.view_shoppolicies")


class NewestFirst(KeyPagination):
    """A cursor over the number of the version."""

    ordering = "-number"


class BrandVoiceView(APIView):
    """How the shop speaks."""

    permission_classes = (MayViewVoice,)

    @extend_schema(responses=BrandVoiceSerializer)
    def get(self, request: Request) -> Response:
        """The version that counts."""
        empty = BrandVoice(number=0, texts={language: make_empty_voice() for language in LANGUAGES})
        return Response(_describe(BrandVoiceSerializer, read_voice() or empty))

    @extend_schema(request=NewVoiceSerializer, responses={201: SavedVoiceSerializer})
    def post(self, request: Request) -> Response:
        """Save a new version; texts that are not sent yet are checked against it."""
        user, given = person_of(request), read_body(NewVoiceSerializer, request)
        return _save(lambda: save_voice(user, **given, now=timezone.now()), SavedVoiceSerializer)


class PoliciesView(APIView):
    """What the shop promises to everybody."""

    permission_classes = (MayViewPolicies,)

    @extend_schema(responses=PoliciesSerializer)
    def get(self, request: Request) -> Response:
        """The version that counts."""
        empty = ShopPolicies(number=0, texts={language: [] for language in LANGUAGES})
        return Response(_describe(PoliciesSerializer, read_policies() or empty))

    @extend_schema(request=NewPoliciesSerializer, responses={201: SavedPoliciesSerializer})
    def post(self, request: Request) -> Response:
        """Save a new version; texts that are not sent yet are checked against it."""
        user, given = person_of(request), read_body(NewPoliciesSerializer, request)
        return _save(lambda: save_policies(user, **given, now=timezone.now()), SavedPoliciesSerializer)


class BrandVoiceVersionViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[BrandVoice]):
    """Every version of the voice, newest first."""

    queryset = BrandVoice.objects.select_related("saved_by", "restored_from").order_by("-number")
    serializer_class = BrandVoiceSerializer
    permission_classes = (MayViewVoice,)
    pagination_class = NewestFirst
    lookup_field = "number"
    lookup_value_regex = r"\d{1,9}"

    @extend_schema(request=BaseSerializer, responses={201: SavedVoiceSerializer})
    @action(detail=True, methods=["post"])
    def restoration(self, request: Request, number: int) -> Response:
        """Save this version again, under a new number."""
        user, given, old = person_of(request), read_body(BaseSerializer, request), self.get_object()
        return _save(lambda: restore_voice(user, old.number, **given, now=timezone.now()), SavedVoiceSerializer)


class PoliciesVersionViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[ShopPolicies]):
    """Every version of the policies, newest first."""

    queryset = ShopPolicies.objects.select_related("saved_by").order_by("-number")
    serializer_class = PoliciesSerializer
    permission_classes = (MayViewPolicies,)
    pagination_class = NewestFirst
    lookup_field = "number"
    lookup_value_regex = r"\d{1,9}"

    @extend_schema(request=BaseSerializer, responses={201: SavedPoliciesSerializer})
    @action(detail=True, methods=["post"])
    def restoration(self, request: Request, number: int) -> Response:
        """Save this version again, under a new number."""
        user, given, old = person_of(request), read_body(BaseSerializer, request), self.get_object()
        return _save(lambda: restore_policies(user, old.number, **given, now=timezone.now()), SavedPoliciesSerializer)


def _save(act: Callable[[], Saved[Any]], serializer_class: Any) -> Response:
    saved = carry_out(act)
    told = {
        "revision": saved.revision,
        "checked": saved.checked,
        "blocked": saved.blocked,
        "returned_campaigns": [campaign.pk for campaign in saved.returned],
    }
    return Response(serializer_class(told).data, status=status.HTTP_201_CREATED)


def _describe(serializer_class: Any, revision: BrandVoice | ShopPolicies) -> dict[str, Any]:
    """A version that was never saved has nobody and no time."""
    if revision.number:
        return dict(serializer_class(revision).data)
    nobody = {"number": 0, "note": "", "saved_by": None, "saved_at": None, "texts": revision.texts}
    return nobody | ({"restored_from": None} if isinstance(revision, BrandVoice) else {})
