"""Keeps what takes seconds to count of a large campaign, so that its page opens at once: counted with each result, once an hour.

A campaign of fewer people is counted whenever its page is opened, and what it shows is never old.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar, cast

from django.core.cache import cache
from django.db import connection

from campaigns.models import Campaign

T = TypeVar("T")

#: So many people were to be written to.
LARGE: Final = 100_000
#: Longer than from one result to the next.
KEPT_S: Final = 2 * 3600


def is_large(campaign: Campaign) -> bool:
    return int((campaign.audience_counts or {}).get("treatment") or 0) >= LARGE


def keep_if_large(campaign: Campaign, name: str, count: Callable[[], T], *, anew: bool = False) -> T:
    """What `count` found at most KEPT_S ago for a large campaign, else what it finds now; `anew` always counts."""
    if not is_large(campaign):
        return count()
    key = f"campaigns.kept:{connection.settings_dict['NAME']}:{campaign.pk}:{name}"
    kept = None if anew else cache.get(key)
    if kept is None:
        kept = count()
        cache.set(key, kept, KEPT_S)
    return cast("T", kept)
