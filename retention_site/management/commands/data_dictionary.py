"""`data_dictionary`: writes docs/data-dictionary.md from the models."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from retention_site.data_dictionary import PATH, write_dictionary


class Command(BaseCommand):
    """Writes the page; running it again changes nothing unless a model changed."""

    help = "Writes docs/data-dictionary.md from the models' docstrings, verbose names and help texts."

    def handle(self, *args: Any, **options: Any) -> None:
        PATH.write_text(write_dictionary(), encoding="utf-8")
        self.stdout.write(str(PATH))
