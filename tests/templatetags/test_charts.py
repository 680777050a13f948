"""Where the marks of charts stand, and that charts fit the content policy."""

from __future__ import annotations

from datetime import date

import pytest
from django.template import Context, Template
from hypothesis import given
from hypothesis import strategies as st

from retention_site import drawing

CHARTS = [
    "{% meter 0.4 1 'kept' 'Four of ten' %}",
    "{% interval 0.014 0.026 0.038 -0.02 0.06 %}",
    "{% sparkline numbers %}",
    "{% date_reach day day day day %}",
    "{% histogram counts low=0.5 title='Scores' sliders=True %}",
    "{% calibration points title='Said and done' %}",
    "{% line_chart rows title='Retention' %}",
    "{% bar_chart bars title='Drivers' %}",
    "{% cohort_grid cohorts %}",
]
DATA = {
    "numbers": [1, 4, 2],
    "day": date(2026, 12, 9),
    "counts": [5, 0, 3, 2],
    "points": [(0.1, 0.12, 40), (0.8, 0.75, 10)],
    "rows": [("Jan", 0.5, 0.4, 0.6), ("Feb", 0.55, 0.5, 0.6)],
    "bars": [("Days", 9.4), ("Opens", -1.2, "kept")],
    "cohorts": [("Jun", 1204, [1.0, 0.45, None])],
}


@pytest.mark.parametrize("source", CHARTS)
def test_charts_need_no_inline_style_or_script(source: str) -> None:
    shown = Template("{% load charts %}" + source).render(Context(DATA))
    assert "<svg" in shown or "<table" in shown
    assert "style=" not in shown
    assert "<script" not in shown


@pytest.mark.parametrize("source", CHARTS)
def test_charts_with_nothing_to_show_do_not_break(source: str) -> None:
    empty = {name: [] for name in DATA}
    Template("{% load charts %}" + source).render(Context(empty))


def test_a_percent_sign_in_a_translated_title_stands_alone() -> None:
    source = "{% load charts %}{% line_chart rows title=_('with 95 % interval') %}"
    assert "with 95 % interval" in Template(source).render(Context(DATA))


def test_an_estimate_that_was_not_measured_says_so() -> None:
    assert "not measured yet" in Template("{% load charts %}{% interval low 0 0 %}").render(Context({"low": None}))


def test_an_interval_is_placed_on_its_axis() -> None:
    mark = drawing.place_interval(-0.01, 0.01, 0.03, -0.05, 0.05)
    assert (mark.low, mark.mid, mark.high, mark.zero) == ("40.00%", "60.00%", "80.00%", "50.00%")
    assert mark.is_unsure
    assert drawing.place_interval(-0.4, -0.3, -0.2, -0.05, 0.05).low == "0.00%"


def test_bins_inside_the_range_are_lit() -> None:
    bars = drawing.stand_bars([1, 2, 3, 4, 5], 100, 0.6, 1.0)
    assert [bar.is_inside for bar in bars] == [False, False, False, True, True]
    assert bars[-1].height == "100.0"


@given(st.floats(0.001, 1e9), st.floats(-1e6, 1e6))
def test_grid_lines_are_round_few_and_inside(span: float, least: float) -> None:
    lines = drawing.rule_lines(least + span, 180, least)
    assert 1 <= len(lines) <= 8
    assert all(-0.1 <= float(line.at) <= 180.1 for line in lines)


@given(st.integers(1, 400))
def test_at_most_five_labels_stand_under_a_plot_and_the_last_is_one(amount: int) -> None:
    shown = drawing.thin_labels(amount)
    assert sum(shown) <= 5
    assert shown[-1]


@given(st.integers(2, 400))
def test_three_days_in_chinese_stand_apart_under_the_plot_of_a_phone(amount: int) -> None:
    """Measured there: a plot of 242 pixels, "11月15日" takes 50, and the outer ones do not stand out of it."""
    shown = drawing.thin_labels(amount, 3)
    places = [242 * place / (amount - 1) for place, is_shown in enumerate(shown) if is_shown]
    ends = [place + (25 if place else 50) for place in places[:-1]]
    starts = [*(place - 25 for place in places[1:-1]), places[-1] - 50]
    assert all(start - end >= 5 for end, start in zip(ends, starts, strict=True))
