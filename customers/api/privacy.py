"""REST: a copy of what is kept of one person, and erasure."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.http import Http404, HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from customers.ingest.identity import find_people
from customers.models import Customer
from customers.privacy.addresses import erase_address, export_address
from customers.privacy.erasure import erase_customer
from customers.privacy.export import dump_export, export_customer
from customers.privacy.requests import note_export, note_objection

from .fields import KeyField, SourceField


class PersonSerializer(serializers.Serializer[Any]):
    """Whom it is about: the shop's id, their own or one that was merged into them."""

    source = SourceField()  # type: ignore[assignment]
    external_id = KeyField()


class EraseSerializer(PersonSerializer):
    """Whom, and why: the reason goes into the audit log, so it names nobody."""

    reason = serializers.CharField(max_length=200)


class AddressSerializer(serializers.Serializer[Any]):
    """Whom it is about, where they are no customer: who wrote from this address."""

    email = serializers.EmailField(max_length=254)


class EraseAddressSerializer(AddressSerializer):
    """Whom, and why: the reason goes into the audit log, so it names nobody."""

    reason = serializers.CharField(max_length=200)


class ErasedSerializer(serializers.Serializer[Any]):
    """How many rows went, by table, and how many stay without a word of the person."""

    deleted = serializers.DictField(child=serializers.IntegerField())
    emptied = serializers.DictField(child=serializers.IntegerField())


class _MayDo(BasePermission):
    right = ""

    def has_permission(self, request: Request, view: Any) -> bool:
        return bool(request.user.is_authenticated and request.user.has_perm(self.right))


class MayExport(_MayDo):
    right = "customers.export_customer"


class MayErase(_MayDo):
    right = "customers.erase_customer"


class PersonExport(APIView):
    """Everything that is kept of one person."""

    permission_classes = [MayExport]

    @extend_schema(request=PersonSerializer, responses={200: OpenApiTypes.OBJECT})
    def post(self, request: Request) -> HttpResponse:
        customer, now = _find(request, PersonSerializer)[0], timezone.now()
        text = dump_export(export_customer(customer, actor=read_user(request), now=now))
        note_export(customer, actor=read_user(request), now=now)
        return HttpResponse(text, content_type="application/json; charset=utf-8")


class PersonErasure(APIView):
    """Erase one person for good. They stay suppressed, and no file brings them back."""

    permission_classes = [MayErase]

    @extend_schema(request=EraseSerializer, responses={200: ErasedSerializer})
    def post(self, request: Request) -> Response:
        customer, given = _find(request, EraseSerializer)
        report = erase_customer(customer, actor=read_user(request), reason=given["reason"], now=timezone.now())
        return Response({"deleted": report.deleted, "emptied": report.emptied})


class AddressExport(APIView):
    """What is kept under an address and tied to no customer: conversations, with their files."""

    permission_classes = [MayExport]

    @extend_schema(request=AddressSerializer, responses={200: OpenApiTypes.OBJECT})
    def post(self, request: Request) -> HttpResponse:
        given = AddressSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        told = export_address(given.validated_data["email"], actor=read_user(request), now=timezone.now())
        return HttpResponse(dump_export(told), content_type="application/json; charset=utf-8")


class AddressErasure(APIView):
    """Erase what is kept under an address and tied to no customer, for good. The address stays suppressed."""

    permission_classes = [MayErase]

    @extend_schema(request=EraseAddressSerializer, responses={200: ErasedSerializer})
    def post(self, request: Request) -> Response:
        given = EraseAddressSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        told, actor = given.validated_data, read_user(request)
        report = erase_address(told["email"], actor=actor, reason=told["reason"], now=timezone.now())
        return Response({"deleted": report.deleted, "emptied": report.emptied})


class ObjectionSerializer(PersonSerializer):
    """Whom, and whether they object to being profiled (true) or no longer do (false)."""

    objects = serializers.BooleanField()


class ObjectedSerializer(serializers.Serializer[Any]):
    """Since when they object; null where they do not."""

    objects_to_profiling_at = serializers.DateTimeField(allow_null=True)


class MayObject(_MayDo):
    right = "customers.change_preference"


class PersonObjection(APIView):
    """Note that a person objects to being profiled: no score, no interest, no text by a reason for leaving from then on. Twice is
    once. Their mail still comes, as everybody's."""

    permission_classes = [MayObject]

    @extend_schema(request=ObjectionSerializer, responses={200: ObjectedSerializer})
    def post(self, request: Request) -> Response:
        customer, given = _find(request, ObjectionSerializer)
        since = note_objection(
            customer, objects=given["objects"], source="api", actor=read_user(request), now=timezone.now()
        )
        return Response(ObjectedSerializer({"objects_to_profiling_at": since}).data)


def _find(request: Request, serializer_class: type[PersonSerializer]) -> tuple[Customer, dict[str, Any]]:
    serializer = serializer_class(data=request.data)
    serializer.is_valid(raise_exception=True)
    given = serializer.validated_data
    pk = find_people(given["source"], [given["external_id"]]).get(given["external_id"])
    if pk is None:
        raise Http404
    return Customer.objects.get(pk=pk), given


def read_user(request: Request) -> User | None:
    return request.user if isinstance(request.user, User) else None
