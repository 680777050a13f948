"""Moments: in bodies and in filters they carry their offset, and lie where a database can keep them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.utils.dateparse import parse_datetime
from django.utils.timezone import is_naive
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import serializers

FIRST_YEAR, LAST_YEAR = 1990, 2099


class MomentField(serializers.DateTimeField):
    """A moment with its offset, from 1990 to 2099; a time without one could mean any hour, so it is refused."""

    default_error_messages = {
        "naive": gettext_lazy("Give the time with its offset, as 2026-03-01T12:00:00Z or 2026-03-01T13:00:00+01:00."),
        "range": gettext_lazy("The time has to lie from 1990 to 2099."),
    }

    def enforce_timezone(self, value: dt.datetime) -> dt.datetime:
        if is_naive(value):
            self.fail("naive")
        if not FIRST_YEAR <= value.year <= LAST_YEAR:
            self.fail("range")
        return value.astimezone(dt.UTC)

    def to_representation(self, value: Any) -> Any:
        """Old rows may lie outside the range that new ones must keep."""
        return value.astimezone(dt.UTC).isoformat().replace("+00:00", "Z") if isinstance(value, dt.datetime) else value


class _MomentFormField(forms.DateTimeField):
    def to_python(self, value: Any) -> dt.datetime | None:
        if value in self.empty_values:
            return None
        try:
            moment = parse_datetime(str(value).strip())
        except ValueError:
            moment = None
        if moment is None or is_naive(moment):
            raise ValidationError(_("Give a time with its offset, as 2026-03-01T12:00:00Z."))
        if not FIRST_YEAR <= moment.year <= LAST_YEAR:
            raise ValidationError(_("The time has to lie from 1990 to 2099."))
        return moment.astimezone(dt.UTC)


class MomentFilter(django_filters.DateTimeFilter):  # type: ignore[misc]
    """A filter by a moment. A “+” that was not escaped arrives as a blank, and is refused rather than guessed."""

    field_class = _MomentFormField
