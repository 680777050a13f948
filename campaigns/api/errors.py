"""Reads a body, and turns what staff must mend first into a 400 with its sentences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.core.exceptions import ValidationError as DjangoValidationError
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from campaigns.audience.freeze import EmptyAudience

Result = TypeVar("Result")


def read_body(serializer_class: Any, request: Request) -> dict[str, Any]:
    serializer = serializer_class(data=request.data)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


def carry_out(act: Callable[[], Result]) -> Result:
    """What `act` returns; what staff must mend first is a 400 with its sentences."""
    try:
        return act()
    except DjangoValidationError as error:
        detail = error.message_dict if hasattr(error, "error_dict") else {"detail": error.messages}
        raise ValidationError(detail) from error
    except EmptyAudience as error:
        raise ValidationError({"detail": [str(error)]}) from error
