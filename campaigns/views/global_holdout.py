"""The page Hold-out: who is left alone by all promotions, what these did to the others, and every round there was."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe

from campaigns.approval.global_holdout import change_global_holdout, find_renewal
from campaigns.audience.global_holdout import read_round
from campaigns.audience.planning import find_smallest_at_any_look
from campaigns.models import GlobalHoldout, GlobalHoldoutResult
from campaigns.models.global_holdout import MOST_HELD, USUAL_RENEW_DAYS
from campaigns.outcomes.global_effect import expect_round
from customers.views.access import current_user

#: What is shown beside each other before an administrator chooses, in per cent.
SHARES_SHOWN: Final = (2, 5, 10, 15)


@dataclass(frozen=True)
class ToldEffect:
    """One outcome per person, at any look: (effect, low, high). `style` as in `views.estimates`."""

    label: str
    style: str
    effect: float
    low: float
    high: float
    verdict: str


class GlobalHoldoutForm(forms.Form):
    """Per cent as people write them; 0 switches it off."""

    percent = forms.FloatField(
        min_value=0, max_value=100 * MOST_HELD, label=gettext_lazy("Held out of all promotions, per cent"),
        help_text=gettext_lazy("Of all customers, drawn by chance. 0 switches it off. Service mail and answers of support"
                               " still reach them."),
        widget=forms.NumberInput(attrs={"step": "0.5", "class": "short"}),
    )  # fmt: skip
    renew_days = forms.IntegerField(
        label=gettext_lazy("Drawn anew after, days"), validators=[MinValueValidator(28), MaxValueValidator(730)],
        help_text=gettext_lazy("Nobody is left alone for good. The longer the round, the smaller an effect it shows."),
        widget=forms.NumberInput(attrs={"class": "short"}),
    )  # fmt: skip
    reason = forms.CharField(
        max_length=300, label=gettext_lazy("Why"), help_text=gettext_lazy("Kept for good, with your name."),
    )  # fmt: skip


@require_safe
@permission_required("campaigns.view_campaignresult", raise_exception=True)
def show_holdout(request: HttpRequest) -> HttpResponse:
    """What stands, what it shows, and the history."""
    return _render(request, _empty_form(read_round(timezone.now())))


@require_POST
@permission_required("campaigns.add_globalholdout", raise_exception=True)
def change_holdout(request: HttpRequest) -> HttpResponse:
    """Begin a round: from now on, never for the past."""
    form = GlobalHoldoutForm(request.POST)
    if not form.is_valid():
        return _render(request, form, status=422)
    given = form.cleaned_data
    try:
        row = change_global_holdout(
            current_user(request), share=given["percent"] / 100, renew_days=given["renew_days"], reason=given["reason"],
            now=timezone.now(),
        )  # fmt: skip
    except ValidationError as error:
        form.add_error(None, error)
        return _render(request, form, status=422)
    if row is None:
        messages.warning(request, _("That was so already."))
    elif row.is_on:
        messages.success(request, _("From now on these customers get no promotions."))
    else:
        messages.success(request, _("From now on nobody is held out of all promotions."))
    return redirect("campaigns:global-holdout")


def _render(request: HttpRequest, form: GlobalHoldoutForm, status: int = 200) -> HttpResponse:
    now = timezone.now()
    current = read_round(now)
    rounds = list(GlobalHoldout.objects.select_related("changed_by").order_by("-number"))
    results = _newest_results(rounds)
    # A round that was switched off just now says nothing of those before it: the last one that measured anything is told.
    told = next((row for row in rounds if row.pk in results), None)
    result = results.get(told.pk) if told else None
    context = {
        "current": current,
        "renews_at": find_renewal(current) if current and current.is_on else None,
        "told_round": told,
        "result": result,
        "figures": result.figures if result else {},
        "form": form,
        "may_change": request.user.has_perm("campaigns.add_globalholdout"),
        "history": [(row, results.get(row.pk), _tell_effects(results[row.pk]) if row.pk in results else []) for row in rounds],
    }  # fmt: skip
    if result:
        context |= {
            "effects": _tell_effects(result),
            "sentence": _tell_sentence(result),
            "alarms": _tell_alarms(result),
        }
    if context["may_change"]:
        days = current.renew_days if current else USUAL_RENEW_DAYS
        context |= {"shares": _tell_shares(days, now), "share_days": days}
    return render(request, "campaigns/global_holdout.html", context, status=status)


def _empty_form(current: GlobalHoldout | None) -> GlobalHoldoutForm:
    share, days = (current.share, current.renew_days) if current else (0.05, USUAL_RENEW_DAYS)
    return GlobalHoldoutForm(initial={"percent": round(100 * share, 2), "renew_days": days})


def _newest_results(rounds: list[GlobalHoldout]) -> dict[int, GlobalHoldoutResult]:
    found = GlobalHoldoutResult.objects.filter(holdout__in=rounds).order_by("holdout_id", "-day").distinct("holdout_id")
    return {row.holdout_id: row for row in found}


def _tell_effects(result: GlobalHoldoutResult) -> list[ToldEffect]:
    """By the intervals that hold however often one looks; none before enough people ordered."""
    kept, amounts = result.figures.get("any_look"), result.figures.get("any_look_amounts") or {}
    told = []
    if kept:
        points = [kept[name] / 100 for name in ("points", "low", "high")]
        told.append(ToldEffect(_("Ordered, in points"), "points", points[0], points[1], points[2], kept["verdict"]))
    for name, label, style in (("orders", _("Orders a person"), "count"), ("paid", _("Paid a person"), "money")):
        if each := amounts.get(name):
            told.append(ToldEffect(label, style, each["effect"], each["low"], each["high"], each["verdict"]))
    return told


def _tell_sentence(result: GlobalHoldoutResult) -> str:
    kept = result.figures.get("any_look")
    if not kept:
        return _("Too early to say: too few people have ordered since it began.")
    treated = result.figures["retention"]["treated"]
    if kept["verdict"] == "positive":
        people = round(kept["points"] / 100 * treated)
        sentence = ngettext(
            "All campaigns together kept about %(n)d customer who would not have ordered.",
            "All campaigns together kept about %(n)d customers who would not have ordered.",
            people,
        )
        return sentence % {"n": people}
    if kept["verdict"] == "negative":
        people = round(-kept["points"] / 100 * treated)
        sentence = ngettext(
            "All campaigns together lost about %(n)d customer who would have ordered without them.",
            "All campaigns together lost about %(n)d customers who would have ordered without them.",
            people,
        )
        return sentence % {"n": people}
    return _("Too early to say: the range still includes no difference.")


def _tell_alarms(result: GlobalHoldoutResult) -> list[tuple[str, str]]:
    alarms, figures = [], result.figures
    ratio, retention = figures.get("sample_ratio") or {}, figures["retention"]
    if ratio.get("is_alarming"):
        alarms.append((
            _("The two groups are not as large as they were drawn"),
            _("%(found)d people were held out where the draw says about %(expected)d. Chance does that less than once in a"
              " thousand times: do not trust the comparison before the cause is found.")
            % {"found": retention["holdout"], "expected": round(ratio["expected_holdout"])},
        ))  # fmt: skip
    reached = (figures.get("reached") or {}).get("holdout", 0)
    if reached and retention["holdout"]:
        alarms.append((
            _("Promotions reached people who are held out"),
            _("%(n)d of the %(of)d people held out (%(share).1f%%) got a promotion since the round began: what was on its way"
              " then, or what was sent past the campaigns. The true effect is larger than what is measured.")
            % {"n": reached, "of": retention["holdout"], "share": 100 * reached / retention["holdout"]},
        ))  # fmt: skip
    return alarms


def _tell_shares(days: int, now: dt.datetime) -> list[dict[str, Any]]:
    """What each of some shares would show at the end of a round of so many days, by the intervals that this page judges with."""
    people, rate = expect_round(days, now=now)
    rows = []
    for percent in SHARES_SHOWN:
        held = round(people * percent / 100)
        smallest = find_smallest_at_any_look(people - held, held, rate)
        rows.append({"percent": percent, "held": held, "smallest": smallest if math.isfinite(smallest) else None})
    return rows
