"""Says whether the audit log is whole, and names the first row that is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from customers.insights.audit_chain import verify_audit
from customers.insights.audit_witness import BadWitness, read_witnesses, sign_head


class Command(BaseCommand):
    """Exits with 1 where the log is broken. Prints the head, for somebody outside to keep."""

    help = "Verify the audit log row by row, against itself and against heads that were kept outside the database."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--witness", type=Path, default=Path(settings.AUDIT_WITNESS_FILE), help="file of kept heads"
        )
        parser.add_argument(
            "--head", action="append", default=[], metavar="NUMBER:HASH", help="a head noted elsewhere; may be repeated"
        )

    def handle(self, *args: Any, witness: Path, head: list[str], **options: Any) -> None:
        try:
            witnessed = read_witnesses(witness) | dict(_read_head(text) for text in head)
        except BadWitness as error:
            raise CommandError(str(error)) from error
        verdict = verify_audit(witnessed)
        if verdict.broken is not None:
            raise CommandError(f"broken at entry {verdict.broken.number}: {verdict.broken.sentence}")
        self.stdout.write(f"whole: {verdict.rows} entries, {len(witnessed)} witnessed heads")
        if verdict.rows:
            self.stdout.write(f"head {verdict.head.number}:{verdict.head.hash} signed {sign_head(verdict.head)}")


def _read_head(text: str) -> tuple[int, str]:
    number, _colon, hash_ = text.partition(":")
    if not number.isdecimal() or len(hash_) != 64:
        raise CommandError(f"{text}: a head is NUMBER:HASH, as this command prints it")
    return int(number), hash_
