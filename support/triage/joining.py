"""Two opinions about one ticket, that of the rules or the trained classifier and that of a language model, made one.

The rules and the classifier are the check: a model can add doubt and urgency, and never takes a complaint back. Without a
database and without a model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from .rules import Verdict

#: Two opinions that are each at least so sure and differ are for a person.
SURE: Final = 0.6
#: Below this nobody relies on it.
LEAST_SURE: Final = 0.4
#: From here on it matters who is right about the urgency.
URGENT: Final = 3


@dataclass(frozen=True)
class Opinion:
    """What one of them says: `by` is rules, classifier or model; `quote` are the customer's words that the model goes by."""

    by: str
    verdict: Verdict
    quote: str = ""

    def describe(self) -> dict[str, Any]:
        """As it is kept with the ticket."""
        told: dict[str, Any] = {
            "by": self.by,
            "value": self.verdict.value,
            "sureness": round(self.verdict.sureness, 3),
            "reasons": list(self.verdict.reasons),
        }
        return told | {"quote": self.quote} if self.quote else told


@dataclass(frozen=True)
class Joined:
    """What comes of the opinions: the verdict, whether a person has to look, and what each of them said."""

    verdict: Verdict
    is_in_doubt: bool
    opinions: tuple[Opinion, ...]


def join_opinions(field: str, rules: Verdict, learned: Verdict | None, read: Mapping[str, Any] | None) -> Joined:
    """The rules, the trained classifier where there is one, and what a model read where one did."""
    check, differ = _join_classical(field, rules, learned)
    opinions = [Opinion("rules", rules)] + ([Opinion("classifier", learned)] if learned else [])
    if not read:
        return Joined(check, differ or check.sureness < LEAST_SURE, tuple(opinions))
    model = Verdict(str(read["value"]), float(read["sureness"]))
    opinions.append(Opinion("model", model, str(read.get("quote", ""))))
    if model.sureness < LEAST_SURE:
        return Joined(check, differ or check.sureness < LEAST_SURE, tuple(opinions))
    if model.value == check.value:
        return Joined(Verdict(check.value, max(check.sureness, model.sureness), check.reasons), differ, tuple(opinions))
    verdict, in_doubt = _settle(field, check, model)
    return Joined(verdict, in_doubt or differ, tuple(opinions))


def _join_classical(field: str, rules: Verdict, learned: Verdict | None) -> tuple[Verdict, bool]:
    """The classifier before the rules, and whether both are sure and differ."""
    if learned is None:
        return rules, False
    differ = learned.value != rules.value and min(learned.sureness, rules.sureness) >= SURE
    if field == "complaint" and differ:  # to hold too much is mended with a click, to hold too little is not
        return next(one for one in (rules, learned) if one.value == "yes"), True
    return learned, differ


def _settle(field: str, check: Verdict, model: Verdict) -> tuple[Verdict, bool]:
    """The model says something else than the check: what counts until a person has looked, and whether one has to."""
    if field == "complaint":
        return next(one for one in (check, model) if one.value == "yes"), True
    if field == "urgency":
        higher = max((check, model), key=lambda one: int(one.value))
        return higher, int(higher.value) >= URGENT
    if field == "sentiment":
        return model, False
    if field == "intent":  # a wrong one hides nothing and holds nothing: whoever answers reads what is wanted
        if model.value == "other":  # it names no wish, and no words for it
            return check, check.sureness < LEAST_SURE
        return model, min(check.sureness, model.sureness) >= SURE
    return model, check.sureness >= LEAST_SURE
