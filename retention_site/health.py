"""Whether the process lives, and whether it can work."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET
from redis import RedisError


@never_cache
@login_not_required
@require_GET
def alive(request: HttpRequest) -> JsonResponse:
    """200 while the process answers at all."""
    return JsonResponse({"status": "alive"})


@never_cache
@login_not_required
@require_GET
def ready(request: HttpRequest) -> JsonResponse:
    """200 where database and cache answer, else 503 that names the one that does not."""
    checks = {"database": _database_answers(), "cache": _cache_answers()}
    return JsonResponse(
        {"status": "ready" if all(checks.values()) else "not ready", "checks": checks},
        status=200 if all(checks.values()) else 503,
    )


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


def _cache_answers() -> bool:
    try:
        cache.get("readyz")
    except (RedisError, OSError):
        return False
    return True
