"""`makemessages`: Django's, told what to leave out, and without lines that change with every run or machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.core.management.commands import makemessages

LEFT_OUT = (".venv", "var", "tests", "benchmarks")
#: Header lines that say when and where the file was made.
NOISE = ('"POT-Creation-Date:',)


class Command(makemessages.Command):
    """Without options it brings the Chinese catalogue up to date."""

    msgmerge_options = [*makemessages.Command.msgmerge_options, "--no-fuzzy-matching"]

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.set_defaults(locale=["zh_Hans"], no_location=True, no_wrap=True, no_obsolete=True)

    def handle(self, *args: Any, **options: Any) -> None:
        options["ignore_patterns"] = [*(options.get("ignore_patterns") or ()), *LEFT_OUT]
        super().handle(*args, **options)

    def write_po_file(self, potfile: str, locale: str) -> None:
        super().write_po_file(potfile, locale)
        path = Path(potfile).parent / locale / "LC_MESSAGES" / f"{self.domain}.po"
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        path.write_text("".join(line for line in lines if not line.startswith(NOISE)), encoding="utf-8")
