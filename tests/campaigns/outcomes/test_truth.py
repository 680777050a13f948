"""Measured beside true: what counts towards the coverage, and that the page is only where the truth is known."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from campaigns.models import CampaignResult, KnownTruth
from campaigns.outcomes.reports.truth import read_truth_report
from tests.campaigns.outcomes.test_reports import _measured

pytestmark = pytest.mark.django_db


def _know(name: str, truth: float, *, is_complete: bool = True, days: int = 0) -> None:
    campaign = _measured(name, 2_000, 440, 1_000, 200, days=days, is_complete=is_complete)
    CampaignResult.objects.filter(campaign=campaign).update(true_effect_points=truth)
    for kind, counts, effect in (
        ("persuadable", (1_000, 300, 500, 100), 2.0),
        ("sure_thing", (980, 140, 480, 100), 0.0),
        ("sleeping_dog", (20, 0, 20, 0), -4.0),
    ):
        treated, treated_kept, holdout, holdout_kept = counts
        KnownTruth.objects.create(
            campaign=campaign, kind=kind, treated=treated, treated_kept=treated_kept, holdout=holdout,
            holdout_kept=holdout_kept, true_effect_points=effect,
        )  # fmt: skip


def test_the_coverage_counts_what_is_over_and_large_enough() -> None:
    _know("Hit", 2.1)
    _know("Missed", 9.0, days=1)
    _know("Open", 30.0, days=2, is_complete=False)
    report = read_truth_report()
    assert (report.covered, report.intervals) == (1, 2)
    # Persuadables measured +10 against +2; sure things -6.5 against 0; too few sleeping dogs to count.
    assert (report.kinds_covered, report.kinds_intervals) == (0, 4)
    assert [kind.kind for kind in report.lines[0].kinds] == ["persuadable", "sure_thing", "sleeping_dog"]


def test_before_the_end_no_interval_of_one_look_is_shown(marketer: User, client: Client) -> None:
    _know("Open", 30.0, days=2, is_complete=False)
    (line,) = read_truth_report().lines
    assert line.whole.points is not None and line.whole.points.low == -9.0  # of the interval that holds at every look
    assert [kind.points for kind in line.kinds] == [None, None, None]
    client.force_login(marketer)
    assert "still counted" in client.get(reverse("campaigns:report-truth")).content.decode()
    rows = b"".join(client.get(reverse("campaigns:report-truth-file"))).decode().splitlines()
    assert rows[1].startswith("Open,everybody,2000,1000,1.0,-9.0,11.0,30.0,")
    assert rows[2].startswith("Open,persuadable,1000,500,,,,2.0,")


def test_where_too_few_ordered_before_the_end_nothing_is_measured(marketer: User, client: Client) -> None:
    _know("Open", 30.0, days=2, is_complete=False)
    result = CampaignResult.objects.get()
    result.figures["any_look"] = None
    result.save(update_fields=["figures"])
    (line,) = read_truth_report().lines
    assert (line.whole.points, line.whole.covers) == (None, False)
    client.force_login(marketer)
    page = client.get(reverse("campaigns:report-truth")).content.decode()
    assert "still counted" in page and page.count('data-label="In points">–</td>') == 4
    rows = b"".join(client.get(reverse("campaigns:report-truth-file"))).decode().splitlines()
    assert rows[1].startswith("Open,everybody,2000,1000,,,,30.0,")


def test_the_page_says_how_many_cover_and_no_real_shop_has_it(marketer: User, client: Client) -> None:
    client.force_login(marketer)
    url = reverse("campaigns:report-truth")
    assert client.get(url).status_code == 404
    assert url not in client.get(reverse("campaigns:report-lift")).content.decode()
    _know("Hit", 2.1)
    page = client.get(url).content.decode()
    assert "1 of 1 interval covers the truth." in page
    assert "missed" in page
    assert url in client.get(reverse("campaigns:report-lift")).content.decode()
    lines = b"".join(client.get(reverse("campaigns:report-truth-file"))).decode().splitlines()
    assert lines[1].startswith("Hit,everybody,2000,1000,2.0,")
