"""`manage take_in_bounces`: what mail servers report of our messages, from standard input or a Maildir.

As the pipe of an alias (`bounces: "|/srv/rekindle/rekindle manage take_in_bounces"`), or by a timer over a Maildir.
"""

from __future__ import annotations

import mailbox
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from campaigns.delivery.dsn import LONGEST_MAIL, read_report_mail
from campaigns.delivery.report import Report, TakenIn
from campaigns.delivery.reports import take_in_reports


class Command(BaseCommand):
    help = "Takes in bounces and complaints from a mail on standard input, or from all mails of a Maildir."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--maildir", type=Path, help="read this folder instead of standard input")
        parser.add_argument("--keep", action="store_true", help="leave the mails where they are; running again is safe")
        parser.add_argument(
            "--recipient", default="", help="the address that the mail came to, where no header says so"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        taken = TakenIn()
        if options["maildir"] is None:
            raw = sys.stdin.buffer.read(LONGEST_MAIL + 1)
            reports = read_report_mail(raw, now=timezone.now(), recipient=options["recipient"])
            taken = take_in_reports(reports, now=timezone.now())
            mails, unread = 1, int(not reports)
        else:
            mails, unread, taken = self._take_in_folder(options["maildir"], options["keep"])
        self.stdout.write(
            f"{mails} mails: {taken.new} reports taken in, {taken.known} known before,"
            f" {taken.strange} of messages that are gone, {unread} mails that are no report"
        )

    def _take_in_folder(self, folder: Path, keep: bool) -> tuple[int, int, TakenIn]:
        """A mail goes only after the database has what it said."""
        if not (folder / "cur").is_dir():
            raise CommandError(f"{folder} is no Maildir: it has no folder cur.")
        box, mails, unread, taken = mailbox.Maildir(folder, create=False), 0, 0, TakenIn()
        for name, reports in _read_folder(box):
            taken += take_in_reports(reports, now=timezone.now())
            mails, unread = mails + 1, unread + (not reports)
            if not keep and reports:
                box.discard(name)
        return mails, unread, taken


def _read_folder(box: mailbox.Maildir) -> Iterator[tuple[str, list[Report]]]:
    for name in sorted(box.keys()):
        try:
            with box.get_file(name) as file:
                raw = file.read(LONGEST_MAIL + 1)
        except (KeyError, OSError):
            continue  # another run was faster
        yield name, read_report_mail(raw, now=timezone.now())
