"""How much memory this machine has for us: of the machine, or less where a container's limit says so."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

#: Where control groups tell their limit: version 2, then version 1. "max", or a number beyond any machine, is none.
LIMITS: Final = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
MB: Final = 1024 * 1024


def count_memory_mb(limits: tuple[Path, ...] = LIMITS) -> int:
    """Megabytes of the machine, or of the container that we run in."""
    found = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for path in limits:
        try:
            found.append(int(path.read_text()))
        except (OSError, ValueError):
            continue
    return min(found) // MB
