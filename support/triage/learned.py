"""Classifiers that the shop has trained: the one in use for a field and a language."""

from __future__ import annotations

from functools import lru_cache

from support.models import TriageModel

from .classifier import TextClassifier
from .rules import Verdict


def ask_classifier(field: str, language: str, text: str) -> Verdict | None:
    """What the classifier in use says, with the pieces that say so; None where none is trained."""
    newest = (
        TriageModel.objects.filter(field=field, language=language, is_used=True)
        .order_by("-version")
        .values_list("pk", flat=True)
        .first()
    )
    if newest is None:
        return None
    classifier = _load(newest)
    shares = classifier.predict_proba([text])[0]
    best = int(shares.argmax())
    label = classifier.classes_[best]
    return Verdict(label, float(shares[best]), tuple(classifier.explain(text, label)))


@lru_cache(maxsize=8)
def _load(pk: int) -> TextClassifier:
    """A version never changes, so it is read once by each process."""
    return TextClassifier.from_bytes(bytes(TriageModel.objects.get(pk=pk).artifact))
