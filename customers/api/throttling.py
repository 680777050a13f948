"""How many requests a key or a person may make in a minute; more are answered 429 with Retry-After."""

from __future__ import annotations

import time
from typing import Any

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from customers.models import ApiKey

from .counting import count_within

MINUTE_S = 60


class PerMinute(BaseThrottle):
    """Counts by whole minutes in the key-value server: one increment a request, whatever the limit."""

    waits_s = 0.0

    def allow_request(self, request: Request, view: Any) -> bool:
        most = int(settings.API_REQUESTS_PER_MINUTE)
        if not most or not request.user.is_authenticated:
            return True
        who = f"key:{request.auth.pk}" if isinstance(request.auth, ApiKey) else f"user:{request.user.pk}"
        self.waits_s = MINUTE_S - time.time() % MINUTE_S
        return count_within(f"customers.api.throttling:{who}", MINUTE_S) <= most

    def wait(self) -> float:
        return self.waits_s
