"""Who else has a conversation open at the moment, so that two people do not answer it."""

from __future__ import annotations

import time
from typing import Final

from django.core.cache import cache

SEEN_FOR_S: Final = 40


def note_presence(ticket: int, user: int, name: str) -> list[str]:
    """Say that somebody looks at it; returns the names of the others who do. Forgotten after `SEEN_FOR_S`."""
    key = f"support:presence:{ticket}"
    now = time.time()
    seen: dict[int, tuple[str, float]] = cache.get(key) or {}
    others = {who: entry for who, entry in seen.items() if who != user and now - entry[1] < SEEN_FOR_S}
    cache.set(key, others | {user: (name, now)}, timeout=SEEN_FOR_S)
    return [entry[0] for entry in others.values()]
