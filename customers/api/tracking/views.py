"""The addresses under /v1/, as Segment's clients call them. A write key is an API key of ours, sent as the user name."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.utils import timezone
from rest_framework.exceptions import APIException
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from customers.api.authentication import ApiKeyAuthentication, find_key, read_basic_key
from customers.api.unpacking import read_unpacked
from customers.ingest.intake import Refusal, note_intake
from customers.models import ApiKey, Entrance

from .calls import Fault, read_calls
from .writing import Kept, keep_calls

RIGHTS = (
    "customers.add_customerevent", "customers.add_customer", "customers.change_customer",
    "customers.add_order", "customers.change_order", "customers.add_product", "customers.change_product",
)  # fmt: skip


class WriteKeyAuthentication(ApiKeyAuthentication):
    """`Authorization: Basic base64(KEY:)`, or Bearer as elsewhere."""

    def authenticate(self, request: Request) -> tuple[Any, ApiKey] | None:
        scheme, _space, given = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return super().authenticate(request)
        return find_key(read_basic_key(given))

    def authenticate_header(self, request: Request) -> str:
        return 'Basic realm="write key"'


class MayTrack(BasePermission):
    """Who delivers people, orders and events needs the right to write all three."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return bool(request.user.is_authenticated and request.user.has_perms(RIGHTS))


class TrackingView(APIView):
    """One verb. Good calls are kept; what is wrong with the others stands in the answer, which is 200 all the same: a client
    would send all of it again. 400 where there is nothing to keep."""

    authentication_classes = [WriteKeyAuthentication]
    permission_classes = [MayTrack]
    schema = None
    verb = "batch"

    def post(self, request: Request) -> Response:
        now = timezone.now()
        received, faults = read_calls(read_unpacked(request), self.verb, now)
        key = request.auth
        by = f"key {key.prefix}" if isinstance(key, ApiKey) else ""
        kept = keep_calls(received, faults, source=settings.TRACKING_SOURCE, by=by, now=now) if received else Kept()
        refused = len({fault.index for fault in faults})
        note_intake(
            Entrance.TRACKING, settings.TRACKING_SOURCE, accepted=len(received) + len(faults) - refused if received else 0,
            refused=refused, refusals=[Refusal(fault.path or "invalid", fault.message) for fault in faults], now=now,
        )  # fmt: skip
        return _answer(kept, faults, has_good=len(faults) == 0 or bool(received))

    def handle_exception(self, exc: Exception) -> Response:
        """Errors in the words that the clients read: a code and a message."""
        response = super().handle_exception(exc)
        if isinstance(exc, APIException):
            code = exc.get_codes() if isinstance(exc.detail, str) else "invalid"
            response.data = {"success": False, "code": str(code), "message": str(exc.detail)}
        return response


def _answer(kept: Kept, faults: list[Fault], *, has_good: bool) -> Response:
    errors = [asdict(fault) for fault in sorted(faults, key=lambda fault: fault.index)]
    if not has_good:
        first = errors[0]
        return Response(
            {"success": False, "code": "invalid", "message": first["message"], "errors": errors}, status=400
        )
    return Response({"success": not errors, **asdict(kept), "errors": errors})
