"""Trains a classifier from a file or from the shop's own tickets, and appoints it only where it stands the test.

The shop's own data are the only ones that ship: none. Before there is a trained classifier the rules decide. The test are
texts that neither the new nor the former classifier has learned from (a hash of the letters holds them back for good),
what people corrected or confirmed before all others. docs/support.md says how one is appointed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max, OuterRef, Subquery
from django.utils.translation import gettext as _

from customers.models import AuditAction, record_audit
from support.models import Direction, Ticket, TicketMessage, TriageCorrection, TriageField, TriageModel

from .classifier import TextClassifier, is_held_back
from .deciding import VALUES
from .learned import load_classifier
from .rules import find_language, read_message

LEAST_TEXTS: Final = 60
LEAST_PER_LABEL: Final = 8
#: With so many held-back words of people the test is made on them alone.
LEAST_WORDS: Final = 20
#: So many new words of people, and nothing is trained before.
LEAST_NEW: Final = 40
MOST_TICKETS: Final = 50_000
LANGUAGES: Final = ("en", "zh")


@dataclass(frozen=True)
class Example:
    """A text with its label; `is_word` where a person said so, and not triage without being contradicted."""

    text: str
    label: str
    is_word: bool = False


def gather_examples(field: str, language: str) -> list[Example]:
    """What people have corrected or confirmed, and what they have answered without correcting it; the newest tickets."""
    words = dict(TriageCorrection.objects.filter(field=field).values_list("ticket_id", "becomes"))
    first = TicketMessage.objects.filter(ticket=OuterRef("pk"), direction=Direction.IN).order_by("written_at", "pk")
    known = Ticket.objects.filter(language=language).order_by("-pk").annotate(first=Subquery(first.values("text")[:1]))
    rows = known.values_list("pk", "subject", "first", "triage", "needs_look", "first_answer_at")[:MOST_TICKETS]
    examples = []
    for key, subject, text, triage, needs_look, answered_at in rows.iterator():
        if key not in words and (needs_look or answered_at is None):
            continue
        label = words.get(key) or str((triage.get(field) or {}).get("value", ""))
        if label in VALUES[field]:
            examples.append(Example(f"{subject}\n{text or ''}".strip(), label, key in words))
    return examples


def retrain_due(*, now: dt.datetime) -> list[TriageModel]:
    """Train what people have said enough about since it was last trained. Safe to run again: the next needs new words."""
    made = []
    for field in TriageField.values:
        for language in LANGUAGES:
            if count_new_words(field, language) < LEAST_NEW:
                continue
            try:
                made.append(train_classifier(field, language, gather_examples(field, language), now=now))
            except ValidationError:
                continue
    return made


def count_new_words(field: str, language: str) -> int:
    """How many corrections and confirmations came after the newest training."""
    newest = TriageModel.objects.filter(field=field, language=language).aggregate(at=Max("trained_at"))["at"]
    words = TriageCorrection.objects.filter(field=field, ticket__language=language)
    return (words.filter(corrected_at__gt=newest) if newest else words).count()


def train_classifier(
    field: str, language: str, examples: Sequence[Example], *, now: dt.datetime, user: User | None = None
) -> TriageModel:
    """A new version, measured on the fifth of the texts that it has not seen, beside the rules and the version in use.

    Raises ValidationError where there are too few texts. It is put in use where it is right more often than the rules
    and than the version that it would replace; a draw changes nothing.
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
    metrics = _measure(classifier, field, language, test)
    with transaction.atomic():
        newest = TriageModel.objects.filter(field=field, language=language).aggregate(newest=Max("version"))["newest"]
        made = TriageModel.objects.create(
            field=field,
            language=language,
            version=(newest or 0) + 1,
            artifact=classifier.to_bytes(),
            metrics=metrics,
            trained_on=len(train),
            is_used=_is_better(metrics),
            trained_at=now,
        )
        record_audit(AuditAction.TRIAGE_TRAINED, actor=user, about=("triage_model", made.pk), texts=len(train))
    return made


def _measure(classifier: TextClassifier, field: str, language: str, held_back: Sequence[Example]) -> dict[str, Any]:
    """Shares that are right: of the new one, of the rules, of the one in use; and on how many texts, of whom."""
    words = [one for one in held_back if one.is_word]
    test = words if len(words) >= LEAST_WORDS else list(held_back)
    in_use = load_classifier(field, language)
    told: dict[str, Any] = {
        "texts": len(test),
        "words": len(words),
        "accuracy": _share_right(_ask(classifier), test),
        "rules": _share_right(lambda texts: [read_message(text).verdicts[field].value for text in texts], test),
    }
    if in_use is not None:
        told["before"] = _share_right(_ask(in_use), test)
    return told


def _is_better(metrics: dict[str, Any]) -> bool:
    return bool(metrics["accuracy"] > max(metrics["rules"], metrics.get("before", -1.0)))


def _ask(classifier: TextClassifier) -> Callable[[Sequence[str]], list[str]]:
    return lambda texts: [classifier.classes_[int(at)] for at in classifier.predict_proba(texts).argmax(axis=1)]


def _share_right(say: Callable[[Sequence[str]], list[str]], test: Sequence[Example]) -> float:
    said = say([one.text for one in test])
    return round(float(np.mean([a == one.label for a, one in zip(said, test, strict=True)])), 4)
