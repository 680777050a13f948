"""Classifiers that the shop has trained: the one in use for a field and a language."""

from __future__ import annotations

from functools import lru_cache

from support.models import TriageModel

from .classifier import TextClassifier
from .rules import Verdict


def ask_classifier(field: str, language: str, text: str) -> Verdict | None:
    """What the classifier in use says, with the pieces that say so; None where none is trained."""
    classifier = load_classifier(field, language)
    if classifier is None:
        return None
    shares = classifier.predict_proba([text])[0]
    best = int(shares.argmax())
    label = classifier.classes_[best]
    return Verdict(label, float(shares[best]), tuple(classifier.explain(text, label)))


def load_classifier(field: str, language: str) -> TextClassifier | None:
    """The classifier in use: the newest version that was appointed."""
    appointed = TriageModel.objects.filter(field=field, language=language, is_used=True).order_by("-version")
    newest = appointed.values_list("pk", flat=True).first()
    return None if newest is None else _load(newest)


@lru_cache(maxsize=12)  # five fields in two languages, and the versions that were just replaced
def _load(pk: int) -> TextClassifier:
    """A version never changes, so it is read once by each process."""
    return TextClassifier.from_bytes(bytes(TriageModel.objects.get(pk=pk).artifact))
