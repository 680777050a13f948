"""Puts a campaign's figures into words and shares, the same on the list, the result page and Home."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.delivery.progress import Progress
from campaigns.models import CampaignResult, MessageStatus, SkipReason
from campaigns.outcomes.responses import Responses


@dataclass(frozen=True)
class ToldLift:
    """A lift as shares (0 to 1), with its sentence. `verdict` is of campaigns.outcomes.lift.

    `look` bounds it however often one looks, as (low, difference, high): it has a difference of its own, with the past taken
    out. None where too few have ordered for it.
    """

    verdict: str
    sentence: str
    points: float
    low: float
    high: float
    kept: float
    kept_low: float
    kept_high: float
    treated: int
    holdout: int
    treated_rate: float
    holdout_rate: float
    true_effect: float | None
    covers_truth: bool | None
    look: tuple[float, float, float] | None = None

    @property
    def bounds(self) -> tuple[float, float]:
        """What may be shown of a day: before the end only an interval that allows looking every day."""
        return (self.look[0], self.look[2]) if self.is_early and self.look else (self.low, self.high)

    @property
    def shown(self) -> float:
        """The difference that `bounds` are around."""
        return self.look[1] if self.is_early and self.look else self.points

    @property
    def is_bounded(self) -> bool:
        """Whether `bounds` may be shown: before the end they may not as long as too few have ordered for a sequence."""
        return not self.is_early or self.look is not None

    @property
    def is_early(self) -> bool:
        return self.verdict == "too_early"

    @property
    def lost(self) -> tuple[float, float]:
        """The limits of a negative result: so many customers fewer."""
        return -self.kept_high, -self.kept_low

    @property
    def reach(self) -> float:
        """How far an axis has to go to show the whole interval, rounded up to 5 points."""
        most = max(abs(self.low), abs(self.high), *map(abs, self.bounds), abs(self.true_effect or 0))
        return max(0.05, -(-most // 0.05) * 0.05)


def tell_lift(result: CampaignResult | None) -> ToldLift | None:
    """The words and shares of a stored result; None while nothing was measured."""
    retention: dict[str, Any] = (result.figures.get("retention") or {}) if result else {}
    if result is None or "points" not in retention:
        return None
    truth = result.true_effect_points
    is_told = truth is not None and retention["verdict"] != "too_early"  # the truth is of the whole time of counting
    covers = retention["low"] <= truth <= retention["high"] if is_told else None
    look = result.figures.get("any_look")
    plain = {name: retention[name] for name in ("kept", "kept_low", "kept_high", "treated", "holdout")}
    return ToldLift(
        verdict=retention["verdict"],
        sentence=_tell_sentence(retention, result.figures),
        points=retention["points"] / 100,
        low=retention["low"] / 100,
        high=retention["high"] / 100,
        treated_rate=retention["treated_rate"],
        holdout_rate=retention["holdout_rate"],
        true_effect=None if truth is None else truth / 100,
        covers_truth=covers,
        look=(look["low"] / 100, look["points"] / 100, look["high"] / 100) if look else None,
        **plain,
    )


def tell_progress(progress: Progress) -> dict[str, list[tuple[str, int]]]:
    """Messages as (label, number): `states` in the order a message goes through them, `read` what people did with them,
    `skips` with the most first."""
    states = [(str(state.label), progress.by_status.get(state.value, 0)) for state in MessageStatus]
    labels = dict(SkipReason.choices)
    skips = [(str(labels.get(reason, reason)), number) for reason, number in progress.by_skip_reason.items()]
    read = [(_("opened"), progress.opened), (_("clicked"), progress.clicked)]
    return {
        "states": [(label, number) for label, number in states if number],
        "read": [(label, number) for label, number in read if number],
        "skips": sorted(skips, key=lambda row: -row[1]),
    }


def tell_responses(responses: Responses) -> list[dict[str, Any]]:
    """The way from the hand-over to the click, each step with the people it is a share of."""
    sent, known = responses.handed_over, responses.reported
    steps = [
        (_("Accepted by the mail server"), sent, sent, "faint"),
        (_("Delivered"), responses.delivered, sent if known else 0, "kept"),
        (_("Came back"), responses.bounced, sent if known else 0, "stop"),
        (_("Reported as spam"), responses.complained, sent if known else 0, "stop"),
        (_("Opened, of those who agreed that it is seen"), responses.opened, responses.followed, "held"),
        (_("Clicked"), responses.clicked, sent, "ember"),
        (_("Unsubscribed"), responses.unsubscribed, sent, "warn"),
    ]
    return [
        {"label": label, "people": people, "of": of, "share": people / of if of else None, "tone": tone}
        for label, people, of, tone in steps
    ]


def tell_remaining(progress: Progress) -> str:
    """The rate of the last minute and what it leaves to wait; "" while nothing moves."""
    rest = progress.remaining
    if rest is None:
        return ""
    minutes = round(rest.total_seconds() / 60)
    left = (
        ngettext("about %(n)d minute left", "about %(n)d minutes left", minutes) % {"n": minutes}
        if minutes
        else _("less than a minute left")
    )
    return _("%(rate)d a second, %(left)s") % {"rate": max(1, round(progress.per_second)), "left": left}


def _tell_sentence(retention: dict[str, Any], figures: dict[str, Any]) -> str:
    verdict, kept = retention["verdict"], round(retention["kept"])
    if verdict == "too_early":
        look = figures.get("any_look") or {}
        if look.get("verdict"):
            return _tell_clear(look["verdict"])
        if look.get("weeks"):
            sentence = ngettext(
                "Too early to say: it may take %(weeks)d more week of people entering.",
                "Too early to say: it may take %(weeks)d more weeks of people entering.",
                look["weeks"],
            )
            return sentence % {"weeks": look["weeks"]}
        days = int(figures.get("days_left") or 0)
        if days > 0:
            sentence = ngettext(
                "Too early to say: orders are counted for %(days)d more day.",
                "Too early to say: orders are counted for %(days)d more days.",
                days,
            )
            return sentence % {"days": days}
        return _("Too few people to say anything.")
    if verdict == "positive":
        sentence = ngettext(
            "%(kept)s customer stayed who would have left.", "%(kept)s customers stayed who would have left.", kept
        )
        return sentence % {"kept": f"{kept:,}"}
    if verdict == "negative":
        sentence = ngettext(
            "%(lost)s customer fewer ordered than would have without the message.",
            "%(lost)s customers fewer ordered than would have without the message.",
            -kept,
        )
        return sentence % {"lost": f"{-kept:,}"}
    return _("No effect can be shown: the interval includes zero.")


def _tell_clear(verdict: str) -> str:
    """Before the end, by the interval that holds however often one looks."""
    if verdict == "positive":
        return _("Clear before the end: more of those who were written to ordered. Orders are still being counted.")
    return _("Clear before the end: fewer of those who were written to ordered. Orders are still being counted.")
