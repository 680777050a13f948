"""Puts what was measured beyond the plain shares into words: the past taken out, kinds of customer, alarms of the draw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.audience.archetypes import label_archetype
from campaigns.models import Archetype

#: How likely people were to leave when they were drawn, as `campaigns.outcomes.sums` tells them apart.
RISK_LABELS = {
    "leaves": gettext_lazy("likely to leave"),
    "may_leave": gettext_lazy("may leave"),
    "stays": gettext_lazy("likely to stay"),
}
#: A corrected p-value below it leaves nought out.
ALPHA = 0.05


@dataclass(frozen=True)
class ToldEstimate:
    """One outcome as (effect, low, high), plainly and with the past taken out. `style` says how its numbers are written: points
    (then they are shares), count, money. `narrowing` is a share of the interval's width. `look` bounds it however often one
    looks; None before enough people ordered, and in results of an earlier version."""

    label: str
    style: str
    plain: tuple[float, float, float]
    adjusted: tuple[float, float, float]
    narrowing: float
    is_adjusted: bool
    look: tuple[float, float] | None = None


@dataclass(frozen=True)
class ToldArchetype:
    """A kind of customer: shares from -1 to 1. `verdict` is more, fewer or "" for no clear difference."""

    label: str
    treated: int
    holdout: int
    points: float
    low: float
    high: float
    verdict: str


def tell_estimates(figures: Mapping[str, Any]) -> dict[str, Any]:
    """For the page: `estimates`, `by_archetype`, `by_archetype_now`, `by_risk`, `by_segment` and `alarms`; empty where a result
    of an earlier version has none. Before the end kinds of customer are told by the intervals that hold at every look."""
    archetypes = figures.get("archetypes") or []
    return {
        "estimates": _tell_outcomes(figures),
        "by_archetype": _tell_archetypes(archetypes),
        "by_archetype_now": []
        if archetypes
        else _tell_looks(_label_archetypes(figures), figures.get("any_look_archetypes")),
        "by_risk": _tell_looks({key: str(label) for key, label in RISK_LABELS.items()}, figures.get("risks")),
        "by_segment": _tell_looks(
            {key: look["name"] for key, look in (figures.get("segments") or {}).items()}, figures.get("segments")
        ),
        "alarms": _tell_alarms(figures),
    }


def _tell_outcomes(figures: Mapping[str, Any]) -> list[ToldEstimate]:
    found = figures.get("estimates") or {}
    looks = {"kept": figures.get("any_look"), **(figures.get("any_look_amounts") or {})}
    rows = {"kept": (_("Ordered, in points"), "points"), "orders": (_("Orders a person"), "count")}
    rows["paid"] = (_("Paid a person"), "money")
    return [_tell_outcome(*rows[name], found[name], looks.get(name)) for name in rows if name in found]


def _tell_outcome(label: str, style: str, found: Mapping[str, Any], look: Mapping[str, Any] | None) -> ToldEstimate:
    scale = 0.01 if style == "points" else 1.0

    def take(each: Mapping[str, float]) -> tuple[float, float, float]:
        return scale * each["effect"], scale * each["low"], scale * each["high"]

    return ToldEstimate(
        label, style, take(found["plain"]), take(found["adjusted"]), found["narrowing"], found["is_adjusted"],
        (scale * look["low"], scale * look["high"]) if look else None,
    )  # fmt: skip


def _label_archetypes(figures: Mapping[str, Any]) -> dict[str, str]:
    known = Archetype.objects.filter(pk__in=[int(place) for place in figures.get("any_look_archetypes") or {}])
    return {str(each.pk): label_archetype(each) for each in known.order_by("-size", "pk")}


def _tell_looks(labels: Mapping[str, str], looks: Mapping[str, Any] | None) -> list[ToldArchetype]:
    """Kinds of customer in the order of their labels, by the interval that holds for all of them and at all times."""
    words = {"positive": "more", "negative": "fewer", "": ""}
    return [
        ToldArchetype(
            label=label,
            treated=look["treated"],
            holdout=look["holdout"],
            points=look["points"] / 100,
            low=look["low"] / 100,
            high=look["high"] / 100,
            verdict=words[look["verdict"]],
        )
        for key, label in labels.items()
        if (look := (looks or {}).get(key))
    ]


def _tell_archetypes(rows: list[dict[str, Any]]) -> list[ToldArchetype]:
    if not rows:
        return []
    labels = {
        each.pk: label_archetype(each) for each in Archetype.objects.filter(pk__in=[r["archetype"] for r in rows])
    }
    return [
        ToldArchetype(
            label=labels.get(row["archetype"], "–"),
            treated=row["treated"],
            holdout=row["holdout"],
            points=row["points"] / 100,
            low=row["low"] / 100,
            high=row["high"] / 100,
            verdict=("more" if row["points"] > 0 else "fewer") if row["p_holm"] < ALPHA else "",
        )
        for row in rows
    ]


def _tell_alarms(figures: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(heading, sentence) of what makes the comparison doubtful."""
    alarms = []
    ratio, retention = figures.get("sample_ratio") or {}, figures.get("retention") or {}
    if ratio.get("is_alarming"):
        alarms.append((
            _("The two arms are not as large as they were drawn"),
            _("%(found)s people were held out where the draw says about %(expected)s. Chance does that less than once in a"
              " thousand times: people were lost from one arm, and the difference below may be of that.")
            % {"found": f"{retention.get('holdout', 0):,}", "expected": f"{round(ratio['expected_holdout']):,}"},
        ))  # fmt: skip
    reached = (figures.get("reached_by_others") or {}).get("holdout", 0)
    if reached and retention.get("holdout"):
        alarms.append((
            _("Other campaigns wrote to people who are held out"),
            _("%(n)s of the %(of)s people held out (%(share).1f%%) got a message of another campaign while their orders were"
              " counted. What is measured is this campaign on top of the others.")
            % {
                "n": f"{reached:,}", "of": f"{retention['holdout']:,}", "share": 100 * reached / retention["holdout"],
            },
        ))  # fmt: skip
    return alarms
