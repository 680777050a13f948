"""`migrate`: Django's own, which makes and drops the classes of our tables some ten thousand times on its way."""

from __future__ import annotations

import gc
from typing import Any

from django.core.management.commands import migrate


class Command(migrate.Command):
    """A quarter of its time went into looking through all that was imported for what nobody holds any more."""

    def handle(self, *args: Any, **options: Any) -> None:
        gc.collect()
        gc.freeze()  # for good: the modules stay as long as the process does
        super().handle(*args, **options)
