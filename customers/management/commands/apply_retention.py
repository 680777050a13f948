"""Drops months of events that are older than EVENT_RETENTION_MONTHS; without --yes it only says what would go."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from customers.privacy.retention import EventsBusy, drop_old_months, first_kept_month, list_old_months


class Command(BaseCommand):
    """A dry run first: nothing is dropped without --yes."""

    help = "Drop months of events that are older than the shop keeps them (EVENT_RETENTION_MONTHS, or --months)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--months", type=int, help="keep so many whole months before this one")
        parser.add_argument("--yes", action="store_true", help="drop them; without it only say what would go")

    def handle(self, *args: Any, months: int | None, yes: bool, **options: Any) -> None:
        now = timezone.now()
        if first_kept_month(now, months) is None:
            self.stdout.write("events are kept for good: set EVENT_RETENTION_MONTHS, or give --months")
            return
        try:
            gone = drop_old_months(now, months) if yes else list_old_months(now, months)
        except EventsBusy as error:
            raise CommandError("events are being read or written all the time: try again later") from error
        for old in gone:
            self.stdout.write(f"{old.month:%Y-%m}  {old.events:>12,} events")
        total = sum(old.events for old in gone)
        self.stdout.write(f"{'dropped' if yes else 'would drop'}: {len(gone)} months, {total:,} events")
