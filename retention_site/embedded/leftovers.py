"""Programs that outlived a supervisor that was killed: noted while it runs, ended by the next one.

On Linux the kernel ends them with their parent; a worker may still be finishing its task, and other
systems have no such thing.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from .engines import Say
from .program import kill_group


def note_children(path: Path, children: Mapping[str, int]) -> None:
    """Write name -> process id and birth; a process id alone may belong to somebody else by tomorrow."""
    noted = {name: {"pid": pid, "born": read_birth(pid)} for name, pid in children.items()}
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps(noted))
    draft.replace(path)


def end_leftovers(path: Path, say: Say, seconds: float = 30) -> None:
    """End the noted programs that still live: first in order, then by force. The caller owns the state folder."""
    alive = {name: entry for name, entry in _read(path).items() if _is_same(entry)}
    for name, entry in alive.items():
        say(f"ending {name} (process {entry['pid']}), left over from a run that was killed")
        os.kill(int(entry["pid"]), signal.SIGTERM)
    end = time.monotonic() + seconds
    while time.monotonic() < end and any(_is_same(entry) for entry in alive.values()):
        time.sleep(0.1)
    for entry in alive.values():
        if _is_same(entry):
            kill_group(int(entry["pid"]))
    path.unlink(missing_ok=True)


def read_birth(pid: int) -> str:
    """When a process began, in the system's own words; "" when there is no such process, or only its ashes."""
    try:
        # The name, field 2, may hold spaces and brackets; the state is field 3, the start time field 22.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return "" if fields[0] == "Z" else fields[19]
    except (OSError, IndexError):
        pass
    if Path("/proc/self").exists():
        return ""
    asked = subprocess.run(["ps", "-p", str(pid), "-o", "lstart="], capture_output=True, text=True, check=False)
    return asked.stdout.strip()


def _read(path: Path) -> dict[str, dict[str, str | int]]:
    try:
        noted = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return noted if isinstance(noted, dict) else {}


def _is_same(entry: Mapping[str, str | int]) -> bool:
    return bool(entry["born"]) and read_birth(int(entry["pid"])) == entry["born"]
