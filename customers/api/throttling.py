"""How many requests a key or a person may make in a minute; more are answered 429 with Retry-After."""

from __future__ import annotations

import time
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from customers.models import ApiKey

from .counting import count_within

MINUTE_S = 60


class TooManyRequests(Throttled):  # type: ignore[misc]
    """In our own words; `Retry-After` comes from `wait`."""

    default_detail = gettext_lazy("These were too many requests for one minute.")
    extra_detail_singular = gettext_lazy("Ask again in {wait} second.")
    extra_detail_plural = gettext_lazy("Ask again in {wait} seconds.")


class PerMinute(BaseThrottle):
    """Counts by whole minutes in the key-value server: one increment a request, whatever the limit."""

    def allow_request(self, request: Request, view: Any) -> bool:
        most = int(settings.API_REQUESTS_PER_MINUTE)
        if not most or not request.user.is_authenticated:
            return True
        who = f"key:{request.auth.pk}" if isinstance(request.auth, ApiKey) else f"user:{request.user.pk}"
        if count_within(f"customers.api.throttling:{who}", MINUTE_S) > most:
            raise TooManyRequests(wait=MINUTE_S - time.time() % MINUTE_S)
        return True
