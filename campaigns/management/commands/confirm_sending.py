"""`manage confirm_sending`: says why nothing is sent after a backup was restored, and lets it begin again."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from campaigns.delivery.fence.confirming import CONTINUE, UNKNOWN, confirm_sending
from campaigns.delivery.fence.gate import may_launch, read_fence
from campaigns.delivery.fence.risk import Risks, assess_risks
from campaigns.models import SendingEpoch
from customers.privacy.restoring import Lost, repeat_lost


class Command(BaseCommand):
    help = "Shows whether sending is held back after a restored backup; with --by and --note, a person lets it go on."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--by", default="", help="the log-in name of the person who confirms")
        parser.add_argument("--note", default="", help="why, in a sentence; it is kept")
        parser.add_argument("--continue", type=int, nargs="*", default=[], dest="go_on", metavar="CAMPAIGN",
                            help="send what waits in these campaigns")  # fmt: skip
        parser.add_argument("--unknown", type=int, nargs="*", default=[], metavar="CAMPAIGN",
                            help="never send what may have been sent in these campaigns")  # fmt: skip

    def handle(self, *_args: Any, **options: Any) -> None:
        now = timezone.now()
        may_launch()  # looks, and closes the fence where it must be
        fence = read_fence()
        if fence is None:
            self.stdout.write("Sending is not held back.")
            return
        self._tell(fence, assess_risks(fence, now=now))
        self._tell_lost(repeat_lost(now, is_dry=True))
        if not options["by"]:
            self.stdout.write("To let it go on: --by NAME --note REASON, and a choice for each campaign above.")
            return
        user = User.objects.filter(username=options["by"]).first()
        if user is None:
            raise CommandError(f"Nobody is called {options['by']}.")
        choices = dict.fromkeys(options["go_on"], CONTINUE) | dict.fromkeys(options["unknown"], UNKNOWN)
        try:
            row = confirm_sending(user, note=options["note"], choices=choices, now=now)
        except (ValidationError, PermissionDenied) as error:
            raise CommandError(" ".join(getattr(error, "messages", [str(error)]))) from error
        self.stdout.write(f"Sending goes on: epoch {row.number}.")

    def _tell(self, fence: SendingEpoch, risks: Risks) -> None:
        self.stdout.write(f"Nothing is sent since {fence.fenced_at:%Y-%m-%d %H:%M} UTC: {fence.get_cause_display()}.")
        for risk in risks.rows:
            state = "waiting" if risk.has_started else "people, not started here"
            self.stdout.write(
                f"  campaign {risk.campaign.pk} ({risk.campaign.name}): {risk.waiting} {state},"
                f" {risk.at_risk} may have been sent already"
            )
        if risks.missing:
            self.stdout.write(f"  {risks.missing} campaigns were sent that this database does not know.")

    def _tell_lost(self, lost: Lost) -> None:
        if lost.total:
            self.stdout.write(
                f"  {lost.total} decisions of people are not known here: {lost.erasures} erasures, {lost.scheduled} to come,"
                f" {lost.spared} taken back, {lost.objections} objections, {lost.withdrawals} withdrawals,"
                f" {lost.addresses} addresses, {lost.domains} domains,"
                f" {lost.choices} people's choices. They are done again before anything is sent."
            )
