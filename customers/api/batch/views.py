"""REST: `POST /api/v1/batch`, up to 1,000 items of any type in one request."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from customers.api.problems import MAX_ERRORS
from customers.api.unpacking import read_unpacked
from customers.ingest.intake import Refusal, note_intake
from customers.models import Entrance

from .checking import RIGHTS, check_batch, list_writable
from .describing import describe
from .items import GOOD_BODY, Batch, Fault, read_batch
from .writing import keep_batch


class ItemFaultSerializer(serializers.Serializer[Any]):
    """Why an item was not kept; `code` is a name that does not change with the language."""

    path = serializers.CharField()
    message = serializers.CharField()
    code = serializers.CharField()


class ItemResultSerializer(serializers.Serializer[Any]):
    """What became of one item."""

    index = serializers.IntegerField()
    type = serializers.CharField(allow_blank=True)
    status = serializers.ChoiceField(choices=["created", "updated", "unchanged", "failed"])
    errors = ItemFaultSerializer(many=True, required=False)  # type: ignore[assignment]


class BatchResultSerializer(serializers.Serializer[Any]):
    """How many items became what, and each of them in the order of the request."""

    created = serializers.IntegerField()
    updated = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    failed = serializers.IntegerField()
    results = ItemResultSerializer(many=True)


class MayWriteSomething(BasePermission):
    """A key that may write one type of item may ask; what it may not write is refused item by item."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return bool(request.user.is_authenticated and list_writable(request.user))


class BatchView(APIView):
    """Customers, products, orders, events and consents together; what is good is kept, what is not is named item by item.

    The order of the items does not matter: an order may come before its customer. Items of the same key count in their order.
    """

    permission_classes = [MayWriteSomething]

    @extend_schema(
        request={"application/json": describe(GOOD_BODY)},
        responses={200: BatchResultSerializer, 207: BatchResultSerializer},
        description="Up to 1,000 items and 1 MB (gzip allowed). All good: 200. Some good: 207. None good: 400, nothing is kept.",
    )
    def post(self, request: Request) -> Response:
        if not (request.content_type or "").startswith("application/json"):
            raise UnsupportedMediaType(request.content_type or "")
        now = timezone.now()
        batch = read_batch(read_unpacked(request))
        check_batch(batch, list_writable(request.user), now=now)
        outcomes = keep_batch(batch) if batch.good else {}
        note_intake(
            Entrance.BATCH, batch.source, accepted=len(outcomes), refused=len(batch.raw) - len(outcomes), now=now,
            refusals=[_refusal(batch, fault) for fault in batch.faults],
        )  # fmt: skip
        return _answer(batch, outcomes)


def _answer(batch: Batch, outcomes: dict[int, str]) -> Response:
    faults: dict[int, list[dict[str, str]]] = {}
    for fault in batch.faults:
        path = f"items[{fault.index}].{fault.path}" if fault.path else f"items[{fault.index}]"
        faults.setdefault(fault.index, []).append({"path": path, "message": fault.message, "code": fault.code})
    results: list[dict[str, Any]] = []
    for index, raw in enumerate(batch.raw):
        told = faults.get(index)
        result = {"index": index, "type": _name_type(raw), "status": "failed" if told else outcomes[index]}
        if told:
            result["errors"] = told
        results.append(result)
    counts = Counter(result["status"] for result in results)
    body = {name: counts[name] for name in ("created", "updated", "unchanged", "failed")} | {"results": results}
    if not outcomes:
        every = [{"path": fault["path"], "message": fault["message"]} for found in faults.values() for fault in found]
        sentence = _("The request was not accepted; “errors” says why.")
        return Response({"detail": sentence, "errors": every[:MAX_ERRORS]} | body, status=400)
    return Response(body, status=207 if faults else 200)


def _refusal(batch: Batch, fault: Fault) -> Refusal:
    raw = batch.raw[fault.index]
    given = (raw.get("external_id") or raw.get("sku") or "") if isinstance(raw, dict) else ""
    return Refusal(fault.code, fault.message, _name_type(raw), fault.path, str(given))


def _name_type(raw: Any) -> str:
    """The type as it was given, where it is one; what was sent is not said back."""
    given = raw.get("type") if isinstance(raw, dict) else None
    return given if isinstance(given, str) and given in RIGHTS else ""
