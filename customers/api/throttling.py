"""How many requests a key or a person may make in a minute; more are answered 429 with Retry-After."""

from __future__ import annotations

import time
from typing import Any

from django.conf import settings
from django.core.cache import cache
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from customers.models import ApiKey

MINUTE_S = 60


class PerMinute(BaseThrottle):
    """Counts by whole minutes in the key-value server: one increment a request, whatever the limit."""

    waits_s = 0.0

    def allow_request(self, request: Request, view: Any) -> bool:
        most = int(settings.API_REQUESTS_PER_MINUTE)
        if not most or not request.user.is_authenticated:
            return True
        now = time.time()
        who = f"key:{request.auth.pk}" if isinstance(request.auth, ApiKey) else f"user:{request.user.pk}"
        name = f"customers.api.throttling:{who}:{int(now // MINUTE_S)}"
        cache.add(name, 0, timeout=2 * MINUTE_S)
        try:
            count = cache.incr(name)
        except ValueError:  # forgotten between the two: the server was emptied
            return True
        self.waits_s = MINUTE_S - now % MINUTE_S
        return count <= most

    def wait(self) -> float:
        return self.waits_s
