"""Writing by key: the same request twice changes nothing, and fields that are left out stay as they are."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import polars as pl
from django.db import models, transaction
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework import serializers, status
from rest_framework.generics import GenericAPIView, ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from customers.ingest.copying import Target, UpsertCounts
from customers.ingest.recorder import storable_json

from .permissions import MayUpsert
from .refusing import note_accepted, note_refused_rows

MAX_ITEMS = 1_000
DTYPES: dict[str, Any] = {
    "timestamptz": pl.Datetime("us", "UTC"),
    "boolean": pl.Boolean,
    "integer": pl.Int64,
    "numeric": pl.Decimal(38, 4),
}


class CountsSerializer(serializers.Serializer[Any]):
    """What a bulk write did."""

    created = serializers.IntegerField()
    updated = serializers.IntegerField()
    unchanged = serializers.IntegerField()


class KeyedView(GenericAPIView[Any]):
    """What the views of one kind of row share. `key_fields` name a row, `write` brings checked items in."""

    permission_classes = [MayUpsert]
    key_fields: ClassVar[tuple[str, ...]] = ("source", "external_id")

    def write(self, items: Sequence[Mapping[str, Any]]) -> UpsertCounts:
        raise NotImplementedError

    def find(self, key: Mapping[str, Any]) -> models.Model:
        """The row of a key; Http404 for none, also where the key holds what no key can."""
        values = {name: str(key[name]) for name in self.key_fields}
        if any("\0" in value for value in values.values()):
            raise Http404
        row: models.Model | None = self.get_queryset().filter(**values).first()
        if row is None:
            raise Http404
        return row

    def handle_exception(self, exc: Exception) -> Response:
        """What is refused is counted, so that nobody has to ask whether something was lost."""
        if isinstance(exc, serializers.ValidationError) and self.request.method in {"POST", "PUT"}:
            note_refused_rows(self.request, self.get_queryset().model, exc, now=timezone.now())
        return super().handle_exception(exc)

    def save(self, data: Mapping[str, Any]) -> Response:
        counts = self.write([data])
        note_accepted([data], now=timezone.now())
        found = self.get_serializer(self.find(data))
        return Response(found.data, status=status.HTTP_201_CREATED if counts.created else status.HTTP_200_OK)


class KeyedListView(KeyedView, ListAPIView[Any]):
    """GET: a page of rows. POST: create or change one by its key."""

    def post(self, request: Request) -> Response:
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        return self.save(serializer.validated_data)


class KeyedItemView(KeyedView):
    """GET: one row by its key. PUT: create or change it."""

    def get(self, request: Request, **key: str) -> Response:
        return Response(self.get_serializer(self.find(key)).data)

    def put(self, request: Request, **key: str) -> Response:
        body = request.data if isinstance(request.data, dict) else {}
        serializer = self.get_serializer(data={**body, **key} if isinstance(request.data, dict) else request.data)
        serializer.is_valid(raise_exception=True)
        return self.save(serializer.validated_data)


class KeyedBulkView(KeyedView):
    """POST: a list of up to 1,000, all of them or none."""

    pagination_class = None
    filter_backends = []

    def post(self, request: Request) -> Response:
        serializer = self.get_serializer(data=request.data, many=True, allow_empty=False, max_length=MAX_ITEMS)
        serializer.is_valid(raise_exception=True)
        refuse_doubles(serializer.validated_data, self.key_fields)
        counts = self.write(serializer.validated_data)
        note_accepted(serializer.validated_data, now=timezone.now())
        return Response(CountsSerializer(counts).data)


def refuse_doubles(items: Sequence[Mapping[str, Any]], key_fields: Sequence[str]) -> None:
    """Raise ValidationError where a key stands twice: which of the two is meant, nobody could say."""
    seen: dict[tuple[Any, ...], int] = {}
    for place, item in enumerate(items):
        key = tuple(item[name] for name in key_fields)
        if key in seen:
            message = _("The same key stands at [%(place)d] already.") % {"place": seen[key]}
            raise serializers.ValidationError({place: {key_fields[-1]: [message]}})  # type: ignore[dict-item]
        seen[key] = place


@transaction.atomic
def write_groups(items: Sequence[Mapping[str, Any]], target: Target, upsert: Any) -> UpsertCounts:
    """Upsert items that may name different fields: those with the same fields go together."""

    def fields(item: Mapping[str, Any]) -> tuple[str, ...]:
        return tuple(sorted(item))

    counts = UpsertCounts()
    for _names, group in itertools.groupby(sorted(items, key=fields), key=fields):
        counts += upsert(build_frame(list(group), target.types(list(_names))))
    return counts


def build_frame(items: Sequence[Mapping[str, Any]], types: Mapping[str, str]) -> pl.DataFrame:
    """A frame of the columns `types` (SQL types) from items that have them."""
    columns = {}
    for name, sql_type in types.items():
        values = [item[name] for item in items]
        if sql_type == "jsonb":
            values = [None if value is None else storable_json(value) for value in values]
        columns[name] = pl.Series(name, values, dtype=DTYPES.get(sql_type.partition("(")[0], pl.String))
    return pl.DataFrame(columns)
