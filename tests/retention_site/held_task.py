"""Our Celery application with one more task: it is held in its middle until a file says that it may go on."""

from __future__ import annotations

import time
from pathlib import Path

from retention_site.celery import app


@app.task
def hold(folder: str, seconds: float = 60) -> None:
    """Leaves `began` in the folder, waits for `go`, leaves `ended`."""
    place = Path(folder)
    (place / "began").touch()
    end = time.monotonic() + seconds
    while not (place / "go").exists() and time.monotonic() < end:
        time.sleep(0.02)
    (place / "ended").touch()
