"""`learn_people_only`: after a change of its examples, what the recogniser of "for people only" has learned is written anew."""

from __future__ import annotations

import json
from typing import Any

from django.core.management import BaseCommand

from support.triage.people_only import LANGUAGES, find_kept_file, learn_recogniser


class Command(BaseCommand):
    help = (
        "Learn from support/triage/examples_en.txt and examples_zh.txt what is for people only, and keep it beside them."
        " To be run and committed after each change of these files. Running it again changes nothing."
    )
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        for language in LANGUAGES:
            path = find_kept_file(language)
            path.write_text(
                json.dumps(learn_recogniser(language), ensure_ascii=False, separators=(",", ":")) + "\n",
                encoding="utf-8",
            )
            self.stdout.write(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")
