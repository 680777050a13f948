"""Fields that refuse in words what PostgreSQL cannot keep."""

from __future__ import annotations

from typing import Any

from django.core.validators import URLValidator
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from customers.ingest.recorder import storable_json
from customers.ingest.schema import CURRENCIES
from customers.told import tell

MAX_JSON_LENGTH = 20_000
#: Of the address of a product: it stands in mail, behind a button.
WEB_SCHEMES = ("http", "https")


@extend_schema_field(OpenApiTypes.OBJECT)
class JSONObjectField(serializers.Field[Any, Any, Any, Any]):
    """A JSON object that jsonb can keep."""

    default_error_messages = {
        "type": _("This has to be a JSON object."),
        "unstorable": _("This cannot be kept: %(reason)s"),
        "too_long": _("This is longer than %(count)d characters."),
    }

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            self.fail("type")
        try:
            text = storable_json(data)
        except ValueError as error:
            raise serializers.ValidationError(self.error_messages["unstorable"] % {"reason": error}) from error
        if len(text) > MAX_JSON_LENGTH:
            raise serializers.ValidationError(self.error_messages["too_long"] % {"count": MAX_JSON_LENGTH})
        return dict(data)

    def to_representation(self, value: Any) -> Any:
        return value


class ToldField(serializers.CharField):
    """A sentence that a row keeps, in the language that was asked for; what a person typed is as they typed it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(read_only=True, **options)

    def to_representation(self, value: Any) -> str:
        return tell(super().to_representation(value))


class CurrencyField(serializers.CharField):
    """An ISO 4217 code; small letters are raised."""

    default_error_messages = {"unknown": _("This is no ISO currency code, such as EUR.")}

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=3, **options)

    def to_internal_value(self, data: Any) -> str:
        code = super().to_internal_value(data).upper()
        if code and code not in CURRENCIES:
            self.fail("unknown")
        return code


class WebAddressField(serializers.URLField):
    """An address that a browser opens."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.validators.append(URLValidator(WEB_SCHEMES, message=self.error_messages["invalid"]))


class KeyField(serializers.CharField):
    """An id of the shop's: 1 to `max_length` characters without blanks around them."""

    def __init__(self, *, max_length: int = 120, **options: Any) -> None:
        super().__init__(max_length=max_length, **options)


class SourceField(serializers.RegexField):
    """The shop or system that an id belongs to."""

    default_error_messages = {"invalid": _("A source is 1 to 40 small letters, digits, - and _.")}

    def __init__(self, **options: Any) -> None:
        super().__init__(r"^[a-z0-9][a-z0-9_-]{0,39}\Z", **{"default": "shop", **options})
