"""Does again what people decided after a backup was taken that is here now; without --yes it only says what that is."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from customers.privacy.restoring import repeat_lost

_WORDS = {
    "erasures": "people erased",
    "scheduled": "erasures that people confirmed for a later day",
    "spared": "erasures that are not to run",
    "objections": "objections to profiling",
    "withdrawals": "consents withdrawn",
    "addresses": "addresses not to be written to",
    "domains": "domains not to be written to",
    "choices": "people's own choices (topics, how often, pauses, language)",
}


class Command(BaseCommand):
    """A dry run first: nothing is changed without --yes. The hourly sweep does the same by itself."""

    help = "After a restored backup: do again the erasures, objections, withdrawals and suppressions that it does not know."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--yes", action="store_true", help="do it; without it only say what would be done")

    def handle(self, *args: Any, yes: bool, **options: Any) -> None:
        lost = repeat_lost(timezone.now(), is_dry=not yes)
        for name, words in _WORDS.items():
            self.stdout.write(f"{getattr(lost, name):>10,}  {words}")
        if not lost.total:
            self.stdout.write("the database knows all that stands outside it")
        else:
            self.stdout.write("done again" if yes else "not known here: --yes does them again")
