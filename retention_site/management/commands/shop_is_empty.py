"""`shop_is_empty`: for scripts; exit code 0 where the shop has no customer yet, 1 where it has."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand

from retention_site.demo.seed import is_shop_empty


class Command(BaseCommand):
    help = "Exit with 0 where the shop has no customer yet, with 1 where it has."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        is_empty = is_shop_empty()
        self.stdout.write("the shop is empty" if is_empty else "the shop has customers")
        if not is_empty:
            sys.exit(1)
