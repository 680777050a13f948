"""Every part of the design on one page, in development only; the data is invented."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from csp.constants import UNSAFE_INLINE
from csp.decorators import csp_update
from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

_BODY = (
    'Hi {{ customer.first_name | default: "there" }},\n\nWe hope your {{ customer.last_product }} have already seen '
    "some mud. If the paths are getting wet where you are, have a look at the jackets that other hikers chose this "
    "autumn.\n\n{{ offer.sentence }}\n{{ offer.button }}"
)


@dataclass(frozen=True)
class Person:
    name: str
    place: str
    p: float
    value: Decimal
    segment: str
    last: str


@dataclass(frozen=True)
class Reason:
    text: str
    points: float
    against: str = ""


class OfferForm(forms.Form):
    name = forms.CharField(label="Name", help_text="Only your team sees it.")
    percent = forms.IntegerField(label="Discount, %", min_value=1, max_value=90)
    code = forms.CharField(label="Code")
    until = forms.DateField(label="Valid until", widget=forms.DateInput(attrs={"type": "date"}))
    goal = forms.ChoiceField(label="Goal", choices=[("back", "Win back"), ("second", "Second order")])
    notes = forms.CharField(label="Notes for the drafts", widget=forms.Textarea, required=False)
    quiet = forms.BooleanField(
        label="Keep quiet hours", help_text="Nobody is written to between 21:00 and 08:00.", required=False
    )


def show_styleguide(request: HttpRequest) -> HttpResponse:
    """All parts; ?notices=1 adds messages at the top."""
    if request.GET.get("notices"):
        messages.success(request, "Saved. The approver has been told.")
        messages.error(request, "The file has no column named “at”. Nothing was changed.")
    return render(request, "styleguide.html", _invent_data())


@csp_update({"style-src": [UNSAFE_INLINE]})
def show_preview(request: HttpRequest) -> HttpResponse:
    """What stands in the preview frame of the style guide."""
    return render(request, "styleguide_preview.html")


def _invent_data() -> dict[str, object]:
    form = OfferForm(
        {"name": "Autumn win-back", "percent": "10", "code": "", "until": "2026-12-14", "goal": "back", "quiet": "on"}
    )
    names = ["Ingrid Solberg", "王小明", "Anneliese Hofstätter", "Tom Okafor", "李丽", "Mairi MacLeod"]
    people = [
        Person(name, place, p, Decimal(value), segment, last)
        for name, place, p, value, segment, last in zip(
            names,
            [f"{name}@example.test" for name in ("ingrid", "shanghai", "hof", "tom", "li", "mairi")],
            [0.71, 0.64, 0.44, 0.38, 0.12, 0.05],
            ["72.10", "310.00", "18.40", "95.00", "1204.50", "44.00"],
            ["overdue hikers", "likes tea", "new", "weekend", "loyal", "loyal"],
            ["20 Sep", "2 Aug", "1 Nov", "9 Oct", "18 Nov", "21 Nov"],
            strict=True,
        )
    ]  # fmt: skip
    months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov"]
    shares = [0.552, 0.561, 0.558, 0.574, 0.581, 0.579, 0.590, 0.601, 0.597, 0.608, 0.614]
    return {
        "form": form,
        "people": people,
        "page": Paginator(range(4218), 50).page(3),
        "chips": [
            {"label": "Country", "value": "United Kingdom", "without": "?"},
            {"label": "Risk", "value": "at least 60%", "without": "?"},
        ],
        "days": [date(2026, 11, day) for day in (23, 24)] + [date(2026, 12, 9), date(2027, 1, 3)],
        "spark": shares,
        "reasons": [
            Reason("64 days since the last order", 0.19, "usually orders every 41 days"),
            Reason("Opened none of the last 4 e-mails", 0.09, "the average is 1.7"),
            Reason("Sent back 1 of 3 items in the last order", 0.04),
            Reason("Looked at jackets 5 times last week", -0.07, "the average is 0.4"),
        ],
        "cohorts": [
            ("Jun", 1204, [1.0, 0.45, 0.37, 0.32, 0.26, 0.21]),
            ("Jul", 1310, [1.0, 0.46, 0.42, 0.38, 0.35, None]),
            ("Aug", 1188, [1.0, 0.45, 0.39, 0.33, None, None]),
            ("Sep", 1422, [1.0, 0.45, 0.37, None, None, None]),
            ("Oct", 1377, [1.0, 0.45, None, None, None, None]),
            ("Nov", 902, [1.0, None, None, None, None, None]),
        ],
        "bins": [520, 480, 430, 390, 340, 300, 260, 230, 200, 180, 160, 150, 140, 130, 122, 110, 96, 71, 42, 21],
        "points": [(0.05, 0.04, 900), (0.15, 0.17, 700), (0.25, 0.24, 520), (0.35, 0.38, 400), (0.45, 0.44, 300),
                   (0.55, 0.58, 240), (0.65, 0.63, 190), (0.75, 0.79, 140), (0.85, 0.83, 90), (0.95, 0.9, 30)],
        "trend": [(m, s, s - 0.012, s + 0.012) for m, s in zip(months, shares, strict=True)],
        "drivers": [("Days since last order", 9.4), ("Orders in a year", 6.1), ("Gap against usual", 5.2),
                    ("Share of returns", 2.3), ("E-mails opened", 1.1, "kept")],
        "preheader": "A dry jacket and {{ offer.percent }} for your next walk",
        "body": _BODY,
    }  # fmt: skip
