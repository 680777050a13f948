"""A day of the past replayed: asked for here, done by a worker, weighed with the marketer's own costs."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from customers.insights.risk import AT_RISK
from customers.models import Customer, Replay
from customers.scoring import replays
from customers.scoring.explain import describe_reason
from customers.scoring.replay import Period
from customers.scoring.replay_curves import (
    Costs,
    Weighed,
    bound_share,
    find_best_threshold,
    weigh_threshold,
)
from customers.tasks import replay_day
from customers.views.calibration import place_calibration
from customers.views.predictions import name_estimator

PEOPLE_SHOWN = 25
REASONS_SHOWN = 2
DAYS_SHOWN = 6
STEPS_DRAWN = 20


class CostForm(forms.Form):
    """What the marketer assumes. All fields have a value to begin with, so an empty one means that."""

    threshold = forms.IntegerField(label=gettext_lazy("From this risk on, in %"), min_value=0, max_value=100)
    message = forms.DecimalField(
        label=gettext_lazy("One message costs"), min_value=0, max_value=1000, decimal_places=4, max_digits=8
    )
    discount = forms.DecimalField(
        label=gettext_lazy("Money off an order"), min_value=0, max_value=100_000, decimal_places=2, max_digits=9
    )
    success = forms.FloatField(
        label=gettext_lazy("Of those who would leave, it keeps, in %"), min_value=0, max_value=100
    )


@require_safe
@permission_required("customers.view_modelversion", raise_exception=True)
def show_replay(request: HttpRequest) -> HttpResponse:
    """?on=2026-03-01 shows that day, once somebody has asked for it; the other parameters are the slider and the costs."""
    now, horizon_days = timezone.now(), replays.read_horizon()
    on = _read_day(request.GET.get("on", ""))
    context: dict[str, Any] = {
        "on": on,
        "horizon_days": horizon_days,
        "period": replays.read_period(now, horizon_days),
        "done": Replay.objects.filter(status=Replay.Status.DONE, horizon_days=horizon_days).order_by("-finished_at")
        .values_list("on", flat=True)[:DAYS_SHOWN],
    }  # fmt: skip
    if request.GET.get("on") and on is None:
        context["problem"] = _("That is not a day. Write it as 2026-03-01.")
    elif on is not None:
        context |= _find_day(request, on, context["period"], horizon_days)
    return render(request, "customers/replay.html", context)


@require_POST
@permission_required("customers.add_replay", raise_exception=True)
def request_replay(request: HttpRequest) -> HttpResponse:
    """Ask for a day; one that is known on the same data is answered at once. A bad day is said on the page."""
    text = request.POST.get("on", "")
    on, now = _read_day(text), timezone.now()
    if on is not None:
        try:
            with transaction.atomic():
                replay = replays.request_replay(request.user, on, now=now, horizon_days=replays.read_horizon())
                if replay.status == Replay.Status.WAITING:
                    transaction.on_commit(lambda: replay_day.delay(replay.pk))
        except replays.BadDay:
            pass  # the page says it, where the day stands
    elif not text:
        messages.error(request, _("Choose a day first."))
    return redirect(f"{reverse('customers:replay')}?on={on.isoformat() if on else text[:20]}")


def _read_day(text: str) -> dt.date | None:
    try:
        return parse_date(text)
    except ValueError:
        return None


def _find_day(request: HttpRequest, on: dt.date, period: Period | None, horizon_days: int) -> dict[str, Any]:
    try:
        replays.check_day(on, period, horizon_days)
    except replays.BadDay as problem:
        return {"problem": str(problem)}
    replay = replays.find_replay(on, horizon_days)
    if replay is None or replay.status != Replay.Status.DONE:
        return {"replay": replay, "step": _(replay.step) if replay and replay.step else ""}
    return {"replay": replay, "until": on + dt.timedelta(days=horizon_days)} | _tell_day(request, replay.result)


def _tell_day(request: HttpRequest, day: dict[str, Any]) -> dict[str, Any]:
    form, threshold, costs = _read_costs(request)
    weighed = weigh_threshold(day["curve"], threshold, costs)
    best = find_best_threshold(day["curve"], costs)
    return {
        "day": day,
        "form": form,
        "weighed": weighed,
        "shares": _tell_shares(day, weighed),
        "best": best if best.net > 0 and best.net > weighed.net else None,
        "best_query": _with_threshold(request, best),
        "estimator": name_estimator(day["estimator"], {"rule_days": day["rule_days"]}),
        "grade_tone": {"beats_rule": "kept", "no_better": "warn"}.get(day["grade"], "stop"),
        "grade_words": _tell_grade(day),
        "net_rows": _trace_net(day["curve"], costs),
        "currency_note": _("in %(currency)s, at these costs") % {"currency": day["currency"]},
        "calibration_points": place_calibration(day["calibration"]),
        **_tell_people(request, day["people"], threshold),
    }


def _read_costs(request: HttpRequest) -> tuple[CostForm, float, Costs]:
    """The form as filled in, and what is to be counted with: what is wrong or missing counts as it was at first."""
    usual = Costs()
    first: dict[str, Any] = {"threshold": round(AT_RISK * 100), "message": usual.message, "discount": usual.discount}
    first["success"] = round(usual.success * 100)
    given = {name: request.GET.get(name) or str(value) for name, value in first.items()}
    form = CostForm(given)
    form.is_valid()
    values = first | {name: value for name, value in form.cleaned_data.items() if value is not None}
    costs = Costs(Decimal(values["message"]), Decimal(values["discount"]), float(values["success"]) / 100)
    return form, int(values["threshold"]) / 100, costs


def _tell_shares(day: dict[str, Any], weighed: Weighed) -> dict[str, Any]:
    stayers = day["customers"] - day["left"]
    lead, reach = weighed.caught - weighed.rule_caught, weighed.lead_reach
    return {
        "caught": weighed.caught / max(day["left"], 1),
        "caught_interval": bound_share(weighed.caught, day["left"]),
        "right": weighed.caught / weighed.flagged if weighed.flagged else None,
        "bothered": weighed.bothered / max(stayers, 1),
        "bothered_interval": bound_share(weighed.bothered, stayers),
        "more_than_rule": lead,
        "lead_interval": None if reach is None else (round(lead - reach), round(lead + reach)),
    }


def _trace_net(curve: dict[str, list[float]], costs: Costs) -> list[tuple[str, float, float, float]]:
    """The net figure at every twentieth of the risk, with its interval, as `line_chart` takes them."""
    rows = []
    for place in range(STEPS_DRAWN + 1):
        weighed = weigh_threshold(curve, place / STEPS_DRAWN, costs)
        if weighed.net_interval is not None:
            low, high = weighed.net_interval
            rows.append((f"{weighed.threshold:.0%}", float(weighed.net), float(low), float(high)))
    return rows


def _tell_grade(day: dict[str, Any]) -> list[str]:
    """The grade in sentences: ranking, the first tenth, and whether the probabilities came true."""
    opening = {
        "beats_rule": _("Better than the plain rule, beyond doubt."),
        "no_better": _("Not better than the plain rule beyond doubt."),
    }.get(day["grade"], _("Worse than the plain rule, beyond doubt."))
    pairs = _(
        "Of one customer who left and one who stayed it gave the one who left the higher risk in %(ours)d of 100 such pairs,"
        " the rule in %(rule)d; a coin would in 50."
    ) % {"ours": round(100 * day["figures"]["auc"]), "rule": round(100 * day["rule_figures"]["auc"])}
    error = _("What it said was %(points)s points off what happened, on average.")
    sentences = [opening, pairs, error % {"points": number_format(100 * day["figures"]["ece"], 1)}]
    tenth = day.get("tenth")
    if tenth:
        told = _("Of the %(n)s with the highest scores %(left)s left, of as many of the quietest %(rule)s.")
        numbers = {
            key: number_format(tenth[name])
            for key, name in (("n", "customers"), ("left", "left"), ("rule", "rule_left"))
        }
        sentences.insert(2, told % numbers)
    return sentences


def _with_threshold(request: HttpRequest, weighed: Weighed) -> str:
    query = request.GET.copy()
    query["threshold"] = str(round(weighed.threshold * 100))
    return f"?{query.urlencode()}"


def _tell_people(request: HttpRequest, people: list[dict[str, Any]], threshold: float) -> dict[str, Any]:
    """Those at or above the threshold who still are customers, with their names and why; all on ?all=1."""
    flagged = [row for row in people if row["p"] >= threshold]
    shown = flagged if request.GET.get("all") else flagged[:PEOPLE_SHOWN]
    customers = Customer.objects.in_bulk([row["customer"] for row in shown])
    told = [
        row
        | {
            "person": customers[row["customer"]],
            "reasons": [describe_reason(term) for term in row["terms"][:REASONS_SHOWN]],
            "days_later": None if row["next_in_days"] is None else int(row["next_in_days"]),
        }
        for row in shown
        if row["customer"] in customers
    ]
    more = request.GET.copy()
    more["all"] = "1"
    return {
        "people": told,
        "people_known": len(flagged),
        "more_query": f"?{more.urlencode()}" if len(flagged) > len(shown) else "",
    }
