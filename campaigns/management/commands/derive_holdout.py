"""`manage derive_holdout`: who was held out, in any round of the global hold-out or any campaign that ever was, from its salt and
the ids alone."""

from __future__ import annotations

import csv
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from campaigns.audience.global_holdout import list_held_out, read_round
from campaigns.audience.holdout import draw_position
from campaigns.models import Arm, Campaign, GlobalHoldout
from campaigns.outcomes.windows import list_drawn


class Command(BaseCommand):
    help = (
        "Derives who was held out in a round of the global hold-out, or in a campaign, again, as CSV; or says where one"
        " customer was drawn."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--round", type=int, help="its number; the one in force unless given")
        parser.add_argument(
            "--campaign", type=int, help="of a campaign instead: its people drawn anew, held against its ledger"
        )
        parser.add_argument("--customer", type=int, help="the number of one customer here, also one who is gone")
        parser.add_argument("--list", action="store_true", help="list the rounds there were")

    def handle(self, *_args: Any, **options: Any) -> None:
        if options["list"]:
            for row in GlobalHoldout.objects.order_by("number"):
                self.stdout.write(
                    f"{row.number}\t{row.begins_at:%Y-%m-%dT%H:%MZ}\t{row.share:g}\t{row.salt}\t{row.reason}"
                )
            return
        if options["campaign"] is not None:
            self._derive_campaign(options["campaign"])
            return
        holdout = self._find(options["round"])
        if options["customer"] is not None:
            position = draw_position(holdout.salt, options["customer"])
            told = "held out" if position < holdout.share else "not held out"
            self.stdout.write(
                f"{told}: drawn at {position:.6f}, of round {holdout.number} up to {holdout.share:g} are held out"
            )
            return
        rows = csv.writer(self.stdout, lineterminator="\n")
        rows.writerow(["id", "external_id"])
        rows.writerows(list_held_out(holdout))

    def _derive_campaign(self, number: int) -> None:
        """The held-out people by seed and ids alone; raises CommandError where the ledger says otherwise of anybody."""
        campaign = Campaign.objects.filter(pk=number).first()
        if campaign is None:
            raise CommandError(f"There is no campaign {number}.")
        drawn = list(list_drawn(campaign))
        rows = csv.writer(self.stdout, lineterminator="\n")
        rows.writerow(["id"])
        rows.writerows([person] for person, is_held, _arm in drawn if is_held)
        others = sum(is_held != (arm == Arm.HOLDOUT) for _person, is_held, arm in drawn)
        if others:
            raise CommandError(f"The ledger of campaign {number} says otherwise of {others} people.")

    def _find(self, number: int | None) -> GlobalHoldout:
        known = {row.number: row for row in GlobalHoldout.objects.all()}
        holdout = read_round(timezone.now()) if number is None else known.get(number)
        if holdout is None:
            raise CommandError("There is no such round of the global hold-out. --list shows those there are.")
        return holdout
