"""`seed_demo`: put the demo shop into an empty database."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from campaigns.audience.freeze import EmptyAudience
from customers.scoring.snapshots import NotEnoughHistory
from retention_site.demo.fence import NoDemoHere
from retention_site.demo.people import make_people
from retention_site.demo.seed import (
    DEFAULT_CUSTOMERS,
    DEFAULT_SEED,
    finish_demo,
    is_shop_empty,
    seed_demo,
    stands_demo,
)
from retention_site.demo.seeding.history import NobodyReached


class Command(BaseCommand):
    help = "Fill an empty shop with the demo shop: customers, two years of orders, models, campaigns in every state."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--customers", type=int, default=DEFAULT_CUSTOMERS)
        parser.add_argument("--seed", type=int, default=DEFAULT_SEED, help="another seed is another shop")
        parser.add_argument("--if-empty", action="store_true", help="do nothing where the shop has customers")
        parser.add_argument("--with-people-only", action="store_true", help="only the log-ins, one for each role")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with _quiet_logs():
                self._seed(options)
        except NoDemoHere as problem:
            if options["if_empty"]:
                self.stdout.write(f"no demo shop: {problem}")
                return
            raise CommandError(str(problem)) from problem
        except (EmptyAudience, NobodyReached, NotEnoughHistory) as problem:
            few = f"{options['customers']:,} customers are too few for a demo shop; nothing was put in."
            raise CommandError(f"{few} {problem}") from problem

    def _seed(self, options: dict[str, Any]) -> None:
        if options["with_people_only"]:
            make_people()
            self.stdout.write("the log-ins of the demo shop are there; show_logins shows them")
        elif options["if_empty"] and not is_shop_empty() and not stands_demo():
            self.stdout.write("the shop has customers; the demo shop stays out")
        elif stands_demo():
            finish_demo(write=self._say)
            self.stdout.write("the demo shop is there already")
        else:
            if options["customers"] < 1:
                raise CommandError("A shop needs at least one customer.")
            seed_demo(now=timezone.now(), customers=options["customers"], seed=options["seed"], write=self._say)

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


@contextmanager
def _quiet_logs() -> Iterator[None]:
    """Only warnings beside the progress: a hundred lines about frozen audiences help nobody here."""
    root = logging.getLogger()
    level = root.level
    root.setLevel(max(level, logging.WARNING))
    try:
        yield
    finally:
        root.setLevel(level)
