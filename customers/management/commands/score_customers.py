"""`score_customers`: write what the model in use says of everybody."""

from __future__ import annotations

import argparse
import datetime as dt
import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from customers.features.reader import Partition
from customers.ingest.clock import choose_as_of
from customers.scoring.runner import score_everybody
from customers.scoring.sharing import SharesFailed, share_work
from customers.scoring.working import NoModel, find_working_version


class Command(BaseCommand):
    help = "Score every customer with the model in use. A second run on the same day changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--as-of", type=_read_moment, help="a day such as 2011-12-10; default: today's midnight (UTC)"
        )
        shares = parser.add_mutually_exclusive_group()
        shares.add_argument("--partition", type=_read_partition, help="part of the customers, such as 0/4")
        shares.add_argument("--processes", type=int, default=1, help="share the customers among so many processes")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        as_of = options["as_of"] or choose_as_of(timezone.now())
        try:
            model = find_working_version()
        except NoModel as problem:
            raise CommandError(str(problem)) from problem
        if options["processes"] > 1:
            try:
                changed = share_work(options["processes"], as_of=as_of)
            except SharesFailed as problem:
                raise CommandError(str(problem)) from problem
        else:
            changed = score_everybody(model, as_of=as_of, partition=options["partition"])
        if options["json"]:
            self.stdout.write(json.dumps({"model": model.version, "as_of": as_of.isoformat(), "rows_changed": changed}))
        else:
            self.stdout.write(
                f"Scored as of {as_of:%Y-%m-%d %H:%M} UTC with model {model.version}: {changed} rows changed."
            )


def _read_moment(text: str) -> dt.datetime:
    moment = dt.datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def _read_partition(text: str) -> Partition:
    index, _, count = text.partition("/")
    try:
        return Partition(int(index), int(count))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"“{text}” is no partition; write 0/4 for the first of four") from error
