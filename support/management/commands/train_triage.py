"""`train_triage`: trains the classifiers of triage from a file, or from the shop's own answered tickets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _

from support.models import TriageField, TriageModel
from support.triage.deciding import VALUES
from support.triage.rules import find_language
from support.triage.training import Example, gather_examples, retrain_due, train_classifier


class Command(BaseCommand):
    help = (
        "Train a classifier of triage. FILE is CSV or Parquet with a column of texts and one of labels (of --field; others"
        " are left out); without FILE the shop's own answered tickets are taken, with the corrections that people made."
        " A classifier is put in use where it beats the rules and the one in use on texts that neither has seen; people's"
        " corrections are what counts first. --due does what the worker does once a day: trains every field and language"
        " with enough new corrections."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, nargs="?")
        parser.add_argument("--field", choices=TriageField.values, default="complaint")
        parser.add_argument("--text", default="text", help="the column of texts")
        parser.add_argument("--label", default="label", help="the column of labels")
        parser.add_argument("--due", action="store_true", help="only where people have corrected or confirmed enough")
        parser.add_argument("--map", default="", help="what labels of the file mean: 0=yes,1=no")

    def handle(self, *args: Any, **options: Any) -> None:
        field = options["field"]
        if options["due"]:
            for made in retrain_due(now=timezone.now()):
                self._tell(made)
            return
        examples = _read_file(options) if options["file"] else []
        for language in ("en", "zh"):
            found = examples if options["file"] else gather_examples(field, language)
            found = [one for one in found if one.label in VALUES[field] and find_language(one.text) == language]
            if not found:
                continue
            try:
                made = train_classifier(field, language, found, now=timezone.now())
            except ValidationError as error:
                self.stderr.write(f"{language}: {error.messages[0]}")
                continue
            self._tell(made)

    def _tell(self, made: TriageModel) -> None:
        told = _("in use") if made.is_used else _("kept, not in use: what decides now is as good")
        self.stdout.write(f"{made.field} {made.language} v{made.version}: {made.metrics} ({told})")


def _read_file(options: dict[str, Any]) -> list[Example]:
    import polars as pl

    path, meaning = options["file"], dict(pair.split("=", 1) for pair in options["map"].split(",") if "=" in pair)
    try:
        frame = pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_csv(path, infer_schema=False)
        rows = frame.select(options["text"], options["label"]).drop_nulls().cast(pl.String).iter_rows()
        return [Example(text, meaning.get(label, label)) for text, label in rows]
    except (OSError, pl.exceptions.PolarsError) as error:
        raise CommandError(_("%(file)s cannot be read: %(why)s") % {"file": path, "why": error}) from error
