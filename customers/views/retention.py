"""The Retention page: cohorts, times between orders, recency by frequency, value, and who left."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext
from django.views.decorators.http import require_safe

from customers.ingest.country_names import name_country
from customers.insights.churn import GroupChurn
from customers.insights.cohorts import Cohort, CohortTable
from customers.insights.exports import (
    ChurnRow,
    CohortRow,
    IntervalRow,
    RfmRow,
    Row,
    TenthRow,
    list_churn_rows,
    list_cohort_rows,
    list_interval_rows,
    list_rfm_rows,
    list_tenth_rows,
    write_csv,
)
from customers.insights.history import Unit, begin_period, number_period
from customers.insights.intervals import LAST_STEP, PERCENTILES, Step
from customers.insights.report import Insights, choose_insights_as_of, read_insights
from customers.insights.rfm import Band, RfmMap
from customers.models import Order
from customers.views.spreadsheets import record_export

#: So many cohorts, and so many periods after the first, stand on the page; the file has all.
COHORTS_SHOWN = 13
PERIODS_SHOWN = 12
CHURN_SHOWN = 10
DEEPEST_SHADE = 12

_FILES: dict[str, tuple[type[Row], Callable[[Insights, Unit], Sequence[Row]]]] = {
    "cohorts": (CohortRow, lambda found, unit: list_cohort_rows(found.cohorts[unit])),
    "intervals": (IntervalRow, lambda found, _unit: list_interval_rows(found.intervals)),
    "rfm": (RfmRow, lambda found, _unit: list_rfm_rows(found.rfm)),
    "value": (TenthRow, lambda found, _unit: list_tenth_rows(found.value)),
    "churn": (ChurnRow, lambda found, unit: list_churn_rows(found.churn[unit])),
}


@require_safe
@permission_required("customers.view_segment", raise_exception=True)
def show_retention(request: HttpRequest) -> HttpResponse:
    """All figures; ?by=week counts cohorts by week instead of month."""
    unit, now = _read_unit(request), timezone.now()
    found = read_insights(now)
    context: dict[str, Any] = {"unit": unit, "found": found}
    if found is None:
        as_of = _tell_moment(choose_insights_as_of(now), settings.SHOP_TIME_ZONE)
        context |= {"has_orders": Order.objects.exists(), "as_of": as_of}
    else:
        may_make = request.user.has_perm("customers.add_segment")
        context |= _describe_cohorts(found.cohorts[unit]) | _describe_churn(found, unit)
        context |= _describe_intervals(found) | _describe_value(found)
        as_of = _tell_moment(found.reading.as_of, found.reading.zone)
        context |= {"reading": found.reading, "as_of": as_of, "map": _lay_out_map(found.rfm, may_make)}
    return render(request, "customers/retention.html", context)


@require_safe
@permission_required("customers.view_segment", raise_exception=True)
def download_figures(request: HttpRequest, figure: str) -> HttpResponse:
    """One figure as CSV, with everything that the page leaves out."""
    found = read_insights(timezone.now())
    if figure not in _FILES or found is None:
        raise Http404(_("There is nothing to download yet."))
    record_export(request, "figure", figure)
    kind, list_rows = _FILES[figure]
    unit = _read_unit(request)
    response = HttpResponse(write_csv(kind, list_rows(found, unit)), content_type="text/csv; charset=utf-8")
    by = f"-by-{unit}" if figure in ("cohorts", "churn") else ""
    name = f"{figure}{by}-{found.reading.last_on:%Y-%m-%d}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _read_unit(request: HttpRequest) -> Unit:
    return "week" if request.GET.get("by") == "week" else "month"


def _tell_moment(moment: dt.datetime, zone: str) -> str:
    return date_format(moment.astimezone(ZoneInfo(zone)), pgettext("date format", "j M Y H:i"))


def _describe_cohorts(table: CohortTable) -> dict[str, Any]:
    shown = table.cohorts[-COHORTS_SHOWN:]
    pooled = table.pooled[:PERIODS_SHOWN]
    width = min(PERIODS_SHOWN, max((len(cohort.ordered) for cohort in shown), default=0))
    shares = [*pooled, *(share for cohort in shown for share in cohort.shares[:width])]
    most = max((share.value for share in shares), default=0.0)
    return {
        "cohorts": [_lay_out_cohort(cohort, table.unit, width, most) for cohort in shown],
        "cohort_total": len(table.cohorts),
        "pooled": [{"share": share, "shade": _shade(share.value, most)} for share in pooled[:width]],
        "periods": list(range(1, width + 1)),
        "most": most,
        "curves": [
            (_name_period(cohort.starts_on, table.unit), [share.value for share in cohort.shares[:width]])
            for cohort in shown
            if cohort.ordered
        ],
        "pooled_shares": pooled[:width],
    }


def _lay_out_cohort(cohort: Cohort, unit: Unit, width: int, most: float) -> dict[str, Any]:
    first = number_period(cohort.starts_on, unit)
    cells = [
        {
            "share": share,
            "shade": _shade(share.value, most),
            "period": number,
            "when": _name_period(begin_period(first + number, unit), unit),
        }
        for number, share in enumerate(cohort.shares[:width], 1)
    ]
    return {
        "label": _name_period(cohort.starts_on, unit),
        "customers": cohort.customers,
        "is_growing": cohort.is_growing,
        "cells": cells,
        "blank": range(width - len(cells)),
    }


def _shade(value: float, most: float) -> int:
    return round(value / most * DEEPEST_SHADE) if most else 0


def _describe_churn(found: Insights, unit: Unit) -> dict[str, Any]:
    known = [row for row in found.churn[unit] if row.left]
    groups = [
        (_("Country"), [(_name_group(row, name_country), row.left) for row in found.churn_by_country]),
        (_("Channel"), [(_name_group(row), row.left) for row in found.churn_by_channel]),
    ]
    return {
        "churn": [(_name_period(row.starts_on, unit), row.left) for row in known[-CHURN_SHOWN:]],
        "too_young": len(found.churn[unit]) - len(known),
        "churn_groups": [(label, members) for label, members in groups if members],
    }


def _name_group(row: GroupChurn, name: Callable[[str], str] = str) -> str:
    return _("all others") if row.is_rest else name(row.name) or _("not known")


def _describe_intervals(found: Insights) -> dict[str, Any]:
    table = found.intervals
    steps = [(_name_step(step), step) for step in (table.overall, *table.steps)]
    within = table.overall.within_horizon / table.overall.again if table.overall.again else None
    return {
        "steps": steps,
        "percentiles": PERCENTILES,
        "longest": max((step.percentiles[-1] for _name, step in steps if step.percentiles), default=1),
        "first_step": table.steps[0],
        "within_horizon": within,
    }


def _name_step(step: Step) -> str:
    if step.number == 0:
        return _("All orders")
    if step.is_open_ended:
        return _("%(number)d and later") % {"number": LAST_STEP}
    return _("%(number)d to %(next)d") % {"number": step.number, "next": step.number + 1}


def _describe_value(found: Insights) -> dict[str, Any]:
    rows = list_tenth_rows(found.value)
    names = [_("best tenth"), *(_("tenth no. %(number)d") % {"number": n} for n in range(2, 10)), _("last tenth")]
    return {
        "tenths": [(names[row.tenth - 1], row) for row in rows],
        "tenth_bars": [(names[row.tenth - 1], row.share) for row in rows if row.share is not None],
    }


def _lay_out_map(rfm: RfmMap, may_make: bool) -> dict[str, Any]:
    """Rows from the most orders down, columns from the longest ago to the latest."""
    cells = {(cell.recency, cell.frequency): cell for cell in rfm.cells}
    total = sum(cell.customers for cell in rfm.cells)
    most = max(cell.customers for cell in rfm.cells)
    columns = list(reversed(range(len(rfm.recency))))
    rows = []
    for frequency in reversed(range(len(rfm.frequency))):
        row = []
        for recency in columns:
            cell = cells.get((recency, frequency))
            row.append(
                {
                    "customers": cell.customers if cell else 0,
                    "revenue": Decimal(cell.cents).scaleb(-2) if cell else None,
                    "share": cell.customers / total if cell else 0.0,
                    "shade": _shade(cell.customers / most, 1.0) if cell else 0,
                    "url": _segment_url(rfm.rule(recency, frequency)) if cell and may_make else "",
                    "days": _name_days(rfm.recency[recency]),
                    "orders": _name_orders(rfm.frequency[frequency]),
                }
            )
        rows.append((_name_orders(rfm.frequency[frequency]), rfm.frequency[frequency].customers, row))
    heads = [(_name_days(rfm.recency[place]), rfm.recency[place].customers) for place in columns]
    return {"heads": heads, "rows": rows, "is_small": len(rfm.recency) < 2 and len(rfm.frequency) < 2}


def _segment_url(rule: dict[str, Any]) -> str:
    return f"{reverse('customers:segment-new')}?{urlencode({'rule': json.dumps(rule, separators=(',', ':'))})}"


def _name_days(band: Band) -> str:
    if band.high is None:
        return _("%(low)d days and more") % {"low": band.low} if band.low else _("any time")
    if band.low == band.high:
        return ngettext("%(low)d day", "%(low)d days", band.low) % {"low": band.low}
    return _("%(low)d to %(high)d days") % {"low": band.low, "high": band.high}


def _name_orders(band: Band) -> str:
    if band.high is None:
        return ngettext("%(low)d order and more", "%(low)d orders and more", band.low) % {"low": band.low}
    if band.low == band.high:
        return ngettext("%(low)d order", "%(low)d orders", band.low) % {"low": band.low}
    return _("%(low)d to %(high)d orders") % {"low": band.low, "high": band.high}


def _name_period(starts_on: dt.date, unit: Unit) -> str:
    form = pgettext("date format", "M Y") if unit == "month" else pgettext("date format", "j M y")
    return date_format(starts_on, form)
