"""Trains a classifier from a file or from the shop's own tickets, and puts it in use only where it beats the rules.

The shop's own data are the only ones that ship: none. Before there is a trained classifier the rules decide.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from customers.models import AuditAction, record_audit
from support.models import Ticket, TriageCorrection, TriageModel

from .classifier import TextClassifier, is_held_back
from .deciding import VALUES, read_open_text
from .rules import find_language, read_message

LEAST_TEXTS: Final = 60
LEAST_PER_LABEL: Final = 8


@dataclass(frozen=True)
class Example:
    text: str
    label: str


def gather_corrected(field: str, language: str) -> list[Example]:
    """What people have corrected, and what they have answered without correcting it."""
    corrected = dict(TriageCorrection.objects.filter(field=field).values_list("ticket_id", "becomes"))
    examples = []
    for ticket in Ticket.objects.filter(language=language).exclude(first_answer_at=None):
        label = corrected.get(ticket.pk) or str((ticket.triage.get(field) or {}).get("value", ""))
        if label in VALUES[field] and not ticket.needs_look:
            examples.append(Example(_first_text(ticket), label))
    return examples


def train_classifier(
    field: str, language: str, examples: Sequence[Example], *, now: dt.datetime, user: User | None = None
) -> TriageModel:
    """A new version, measured on the fifth of the texts that it has not seen, beside the rules on the same.

    Raises ValidationError where there are too few texts. It is put in use where it is right more often than the rules.
    """
    kept = [one for one in examples if one.text.strip() and find_language(one.text) == language]
    counts = {label: sum(one.label == label for one in kept) for label in {one.label for one in kept}}
    kept = [one for one in kept if counts[one.label] >= LEAST_PER_LABEL]
    train = [one for one in kept if not is_held_back(one.text)]
    test = [one for one in kept if is_held_back(one.text)]
    if len(kept) < LEAST_TEXTS or len({one.label for one in train}) < 2 or not test:
        raise ValidationError(
            _("There are %(n)d texts to learn from; %(least)d with two labels or more are needed.")
            % {"n": len(kept), "least": LEAST_TEXTS}
        )
    classifier = TextClassifier(language).fit([one.text for one in train], [one.label for one in train])
    metrics = _measure(classifier, field, test)
    with transaction.atomic():
        newest = TriageModel.objects.filter(field=field, language=language).aggregate(newest=Max("version"))["newest"]
        made = TriageModel.objects.create(
            field=field,
            language=language,
            version=(newest or 0) + 1,
            artifact=classifier.to_bytes(),
            metrics=metrics,
            trained_on=len(train),
            is_used=metrics["accuracy"] > metrics["rules"],
            trained_at=now,
        )
        record_audit(AuditAction.TRIAGE_TRAINED, actor=user, about=("triage_model", made.pk), texts=len(train))
    return made


def _measure(classifier: TextClassifier, field: str, test: Sequence[Example]) -> dict[str, Any]:
    shares = classifier.predict_proba([one.text for one in test])
    said = [classifier.classes_[int(at)] for at in shares.argmax(axis=1)]
    rules = [read_message(one.text).verdicts[field].value for one in test]
    return {
        "texts": len(test),
        "accuracy": round(float(np.mean([a == one.label for a, one in zip(said, test, strict=True)])), 4),
        "rules": round(float(np.mean([a == one.label for a, one in zip(rules, test, strict=True)])), 4),
    }


def _first_text(ticket: Ticket) -> str:
    first = ticket.messages.filter(direction="in").order_by("written_at", "pk").values_list("text", flat=True).first()
    return f"{ticket.subject}\n{first}".strip() if first else read_open_text(ticket)
