"""What an answer of 400 looks like: one sentence, and each fault with the path of its field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import APIException, ValidationError

#: Names under which DRF puts faults that belong to no single field.
WHOLE = {"non_field_errors", "detail", "__all__"}
MAX_ERRORS = 100


class StateRefused(APIException):
    """It stands as it stands, and so cannot be done: 409, with the reason."""

    status_code = 409


def describe_problem(error: ValidationError) -> dict[str, Any]:
    """The body of a 400: a sentence and up to 100 faults with their paths."""
    faults = [{"path": path, "message": message} for path, message in _flatten(error.detail, "")]
    return {"detail": _("The request was not accepted; “errors” says why."), "errors": faults[:MAX_ERRORS]}


def _flatten(detail: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            yield from _flatten(inner, path if name in WHOLE else join_place(path, name))
    elif isinstance(detail, list):
        for place, inner in enumerate(detail):
            yield from _flatten(inner, f"{path}[{place}]" if isinstance(inner, Mapping | list) else path)
    else:
        yield path, str(detail)


def join_place(path: str, name: Any) -> str:
    """The place of a fault below another, such as lines[3].sku."""
    if isinstance(name, int):  # faults of some rows of a list are keyed by their number
        return f"{path}[{name}]"
    return f"{path}.{name}" if path else str(name)
