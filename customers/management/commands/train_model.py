"""`train_model`: learn from the shop's orders and events, and put the result to use."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from customers.scoring.runner import train_model_version
from customers.scoring.snapshots import NotEnoughHistory


class Command(BaseCommand):
    help = "Train the churn model on this shop, back-test it, and put it to use."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--horizon-days", type=int, help="default: proposed from the shop's own time between orders"
        )
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            model = train_model_version(now=timezone.now(), horizon_days=options["horizon_days"], seed=options["seed"])
        except NotEnoughHistory as problem:
            raise CommandError(str(problem)) from problem
        figures = model.metrics["estimators"]
        if options["json"]:
            kept = {"version": model.version, "estimator": model.estimator, "beats_rule": model.beats_rule}
            self.stdout.write(json.dumps({**kept, "horizon_days": model.horizon_days, "estimators": figures}))
            return
        rule, used = figures["plain_rule"], figures[model.estimator]
        low, high = used["intervals"]["auc"]
        self.stdout.write(
            f"Model {model.version} ({model.estimator}) is in use: no order in {model.horizon_days} days, tested from"
            f" {model.metrics['cutoff']} on {model.metrics['customers']} customers. AUC {used['auc']:.3f} ({low:.3f} to"
            f" {high:.3f}) against {rule['auc']:.3f} for “no order in {model.metrics['rule_days']:.0f} days”."
        )
