"""Whether this machine lets us share memory between processes: hardened containers mount /dev/shm read-only, or not at all.

Celery's pool of processes needs it for its locks, PostgreSQL for parallel queries. Both have another way.
"""

from __future__ import annotations

import multiprocessing
import os
import pwd
import subprocess
import sys

from .process import run_as

PLACE = "/dev/shm"  # noqa: S108


def find_obstacle() -> str:
    """Why no semaphore can be made here, in the system's words; "" when one can."""
    try:
        multiprocessing.get_context("fork").Lock()  # leaves no name and no helper process behind
    except OSError as error:  # no such folder, not ours, read-only, or full
        return os.strerror(error.errno) if error.errno else str(error)
    return ""


def choose_pool() -> tuple[str, ...]:
    """What Celery's worker is told of its pool: nothing, or threads where processes cannot share a lock."""
    return ("--pool", "threads") if find_obstacle() else ()


def tell_obstacle() -> str:
    """One sentence for whoever starts Rekindle; "" when there is nothing to tell."""
    obstacle = find_obstacle()
    return obstacle and (
        f"{PLACE} cannot be used ({obstacle}): background work runs in threads instead of processes, "
        "which takes longer when two tasks compute at once"
    )


def may_use_shared_memory(owner: pwd.struct_passwd | None) -> bool:
    """Whether PostgreSQL, run as `owner` (None: as we are), may make its segments in /dev/shm. Elsewhere than on Linux
    they are made in another way."""
    if sys.platform != "linux":
        return True
    asked = subprocess.run(["test", "-w", PLACE], cwd="/", check=False, **run_as(owner))
    return asked.returncode == 0
