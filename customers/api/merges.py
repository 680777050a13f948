"""REST: which customers were merged, merging two, and undoing it."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.generics import ListAPIView
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from customers.ingest.identity import find_people
from customers.merging.merge import merge_customers
from customers.merging.plan import CannotMerge
from customers.merging.undo import undo_merge, why_not_undo
from customers.models import CustomerMerge

from .fields import KeyField, SourceField
from .pagination import NewestFirst
from .permissions import HasModelRight
from .privacy import read_user
from .problems import StateRefused


class IdentitySerializer(serializers.Serializer[Any]):
    """The shop's id of a customer."""

    source = SourceField()  # type: ignore[assignment]
    external_id = KeyField()


class NewMergeSerializer(serializers.Serializer[Any]):
    """`loser` becomes a part of `survivor`. `note` says why, and names nobody."""

    loser = IdentitySerializer()
    survivor = IdentitySerializer()
    note = serializers.CharField(max_length=200, required=False, allow_blank=True)


class MergeSerializer(serializers.ModelSerializer[CustomerMerge]):
    """One merge. `moved` counts rows by table; `held` is the answer that holds since, by channel; `contaminated` are campaigns
    in which one of the two was held out and the other was not; `no_undo` says why it cannot be undone."""

    no_undo = serializers.SerializerMethodField()

    class Meta:
        model = CustomerMerge
        fields = (
            "id", "survivor", "loser", "holder", "reason", "note", "merged_at", "merged_by", "moved", "held", "contaminated",
            "undone_at", "undone_by", "no_undo",
        )  # fmt: skip
        read_only_fields = fields

    def get_no_undo(self, merge: CustomerMerge) -> str:
        return why_not_undo(merge)


class MayMerge(BasePermission):
    """Merging and undoing is a right of its own; reading is the model's."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return bool(request.user.is_authenticated and request.user.has_perm("customers.merge_customer"))


class MergeList(ListAPIView[CustomerMerge]):
    """Merges, the newest first; and the way to merge two. What comes later for the loser's id lands on the survivor."""

    queryset = CustomerMerge.objects.select_related("survivor")
    serializer_class = MergeSerializer
    pagination_class = NewestFirst
    filter_backends = []

    def get_permissions(self) -> list[Any]:
        return [MayMerge()] if self.request.method == "POST" else [HasModelRight()]

    @extend_schema(
        request=NewMergeSerializer,
        responses={201: MergeSerializer},
        description="400: one of the two is not known. 409: they cannot be merged, and why.",
    )
    def post(self, request: Request) -> Response:
        given = NewMergeSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        who = {name: _find(given.validated_data[name], name) for name in ("loser", "survivor")}
        try:
            merge = merge_customers(
                who["loser"],
                who["survivor"],
                reason=CustomerMerge.Reason.API,
                actor=read_user(request),
                now=timezone.now(),
                note=given.validated_data.get("note", ""),
            )
        except CannotMerge as refusal:
            raise StateRefused(str(refusal)) from refusal
        return Response(MergeSerializer(merge).data, status=status.HTTP_201_CREATED)


class MergeUndo(APIView):
    """Take a merge back: each has their own again."""

    permission_classes = [MayMerge]

    @extend_schema(request=None, responses={200: MergeSerializer}, description="409: it cannot be undone, and why.")
    def post(self, request: Request, pk: int) -> Response:
        get_object_or_404(CustomerMerge, pk=pk)
        try:
            merge = undo_merge(pk, actor=read_user(request), now=timezone.now())
        except CannotMerge as refusal:
            raise StateRefused(str(refusal)) from refusal
        return Response(MergeSerializer(merge).data)


def _find(identity: dict[str, str], name: str) -> int:
    """Whom an id belongs to now, also one that was merged before."""
    external_id = identity["external_id"]
    found = find_people(identity["source"], [external_id]).get(external_id)
    if found is None:
        raise serializers.ValidationError({name: {"external_id": [_("This customer is not known; create it first.")]}})
    return found
