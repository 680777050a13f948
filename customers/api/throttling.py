"""How many requests a key or a person may make in a minute; more are answered 429 with Retry-After."""

from __future__ import annotations

import math
import time
from typing import Any

from django.conf import settings
from django.utils.translation import ngettext
from rest_framework.exceptions import ErrorDetail, Throttled
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from customers.models import ApiKey

from .counting import count_within

MINUTE_S = 60


class TooManyRequests(Throttled):
    """429 in our own words; `Retry-After` is written from `wait`."""

    def __init__(self, *, waits_s: float) -> None:
        super().__init__()
        self.wait = math.ceil(waits_s)
        said = ngettext(
            "These were too many requests for one minute. Ask again in %(n)d second.",
            "These were too many requests for one minute. Ask again in %(n)d seconds.",
            self.wait,
        )
        self.detail = ErrorDetail(said % {"n": self.wait}, code=self.default_code)


class PerMinute(BaseThrottle):
    """Counts by whole minutes in the key-value server: one increment a request, whatever the limit."""

    def allow_request(self, request: Request, view: Any) -> bool:
        most = int(settings.API_REQUESTS_PER_MINUTE)
        if not most or not request.user.is_authenticated:
            return True
        who = f"key:{request.auth.pk}" if isinstance(request.auth, ApiKey) else f"user:{request.user.pk}"
        if count_within(f"customers.api.throttling:{who}", MINUTE_S) > most:
            raise TooManyRequests(waits_s=MINUTE_S - time.time() % MINUTE_S)
        return True
