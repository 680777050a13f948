"""`evaluate_prompts`: the golden briefs against the configured model, figures beside those of the last version."""

from __future__ import annotations

import json
from argparse import BooleanOptionalAction
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _

from campaigns.content.evaluation import FIGURES, compare_prompts, evaluate_prompts, find_former, write_figure
from campaigns.content.golden import read_golden_briefs
from campaigns.content.measures import Trial
from campaigns.models import PromptEvaluation
from customers.models import Channel
from llm.errors import ModelError


class Command(BaseCommand):
    help = (
        "Have the configured model draft a text for each golden brief, check what it writes, and keep the figures with"
        " the version of the prompt. This asks the model up to three times per brief, under the usual caps."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--channel", choices=Channel.values, default=Channel.EMAIL)
        parser.add_argument("--language", choices=("en", "zh"), help="only the briefs of this language")
        parser.add_argument("--most", type=int, help="only so many briefs of each language")
        parser.add_argument(
            "--long", action=BooleanOptionalAction, default=None, dest="is_capable",
            help="the longer prompt for capable models, or not; otherwise by where the model runs",
        )  # fmt: skip
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        counts = dict.fromkeys(("en", "zh"), 0)
        briefs = []
        for brief in read_golden_briefs():
            counts[brief.language] += 1
            is_wanted = options["language"] in (None, brief.language)
            if is_wanted and (options["most"] is None or counts[brief.language] <= options["most"]):
                briefs.append(brief)
        if not briefs:
            raise CommandError(_("No brief is left to try."))
        tell = (lambda trial: None) if options["json"] else self._tell_trial
        try:
            found = evaluate_prompts(
                now=timezone.now(), channel=options["channel"], briefs=briefs, is_capable=options["is_capable"],
                on_trial=tell,
            )  # fmt: skip
        except ModelError as error:
            raise CommandError(error.staff_message) from error
        if options["json"]:
            self.stdout.write(json.dumps({_name(each): each.figures for each in found}, ensure_ascii=False))
            return
        for evaluation in found:
            self._tell_evaluation(evaluation)

    def _tell_trial(self, trial: Trial) -> None:
        verdict = (
            "no text" if trial.words is None else "blocked" if trial.blocked else "warned" if trial.warned else "ok"
        )
        subject = (trial.words or {}).get("subject") or (trial.words or {}).get("opening") or trial.fault
        self.stdout.write(f"{trial.brief}  {verdict:8} {trial.tries} tries {trial.tokens:6} tokens  {subject[:80]}")

    def _tell_evaluation(self, evaluation: PromptEvaluation) -> None:
        former = find_former(evaluation)
        self.stdout.write(f"\n{evaluation}, {evaluation.figures['briefs']} briefs")
        for name in FIGURES:
            value = write_figure(name, evaluation.figures.get(name))
            before = f"   v{former.prompt_version}: {write_figure(name, former.figures.get(name))}" if former else ""
            self.stdout.write(f"  {name:12} {value:>10}{before}")
        if former is not None:
            for line in compare_prompts(former.prompt_text, evaluation.prompt_text):
                self.stdout.write(f"  {line}")


def _name(evaluation: PromptEvaluation) -> str:
    return f"{evaluation.prompt_name} v{evaluation.prompt_version}"
