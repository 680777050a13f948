"""The reports as files and through the API: the same numbers as on the page, for the same people."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from campaigns.models import Campaign, CampaignResult
from campaigns.outcomes.attribution import measure_campaign
from campaigns.outcomes.lift import estimate_lift
from customers.models import Customer
from tests.campaigns import arrange
from tests.campaigns.arrange import NOW
from tests.campaigns.outcomes.test_reports import DAY, _measured, _send, _use, countries  # noqa: F401

pytestmark = pytest.mark.django_db
LATER = NOW + dt.timedelta(days=75)
REPORTS = ("retention", "lift", "cost", "fairness")


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: LATER)


@pytest.fixture
def api(analyst: User) -> APIClient:
    client = APIClient()
    client.force_login(analyst)
    return client


@pytest.fixture
def shop(countries: list[Customer]) -> Campaign:  # noqa: F811
    """One campaign that was measured to the end, and one whose orders are still counted."""
    campaign = _send(countries[:40], countries[40:])
    for place, customer in enumerate(countries[:30] + countries[40:50]):
        _use(customer, 5 if place < 30 else 0, NOW + 3 * DAY)
    figures = measure_campaign(campaign, as_of=LATER)
    CampaignResult.objects.create(campaign=campaign, day=LATER.date(), figures=figures, measured_at=LATER)
    _measured("Open", 900, 90, 300, 31, is_complete=False)
    return campaign


def _read_file(client: Client, address: str) -> list[dict[str, str]]:
    answer = client.get(address)
    assert answer.status_code == 200
    text = b"".join(answer).decode()
    return list(csv.DictReader(io.StringIO(text.lstrip("\ufeff"))))


def _same(cell: str, value: Any) -> bool:
    """A cell of the file and a value of the API's JSON."""
    if value is None or isinstance(value, bool):
        return cell == ("" if value is None else str(value))
    return float(cell) == value if isinstance(value, int | float) else cell == str(value)


def _compare(rows: list[dict[str, str]], told: list[dict[str, Any]]) -> None:
    assert len(rows) == len(told) > 0
    for row, answer in zip(rows, told, strict=True):
        assert set(row) == set(answer)
        assert [name for name in row if not _same(row[name], answer[name])] == []


@pytest.mark.parametrize("name", REPORTS)
def test_the_api_answers_what_the_file_says(name: str, shop: Campaign, api: APIClient) -> None:
    answer = api.get(f"/api/v1/reports/{name}/")
    assert answer.status_code == 200
    _compare(_read_file(api, reverse(f"campaigns:report-{name}-file")), answer.json()["rows"])  # type: ignore[arg-type]


def test_a_campaigns_file_and_the_api_say_what_its_page_says(shop: Campaign, api: APIClient) -> None:
    told = api.get(f"/api/v1/reports/campaigns/{shop.pk}/").json()
    _compare(_read_file(api, reverse("campaigns:result-file", args=[shop.pk])), told["rows"])  # type: ignore[arg-type]
    page = api.get(reverse("campaigns:result", args=[shop.pk])).content.decode()
    found = {(row["part"], row["name"], row["how"]): row for row in told["rows"]}
    lift = estimate_lift(40, 30, 40, 10)
    points = found["all", "points", "counted"]
    assert [points[end] for end in ("value", "low", "high")] == pytest.approx(
        [lift.points, lift.low, lift.high], abs=1e-5
    )
    assert (told["verdict"], points["written_to"], points["held_out"]) == ("positive", 40, 40)
    for end in ("value", "low", "high"):
        assert f"{points[end]:+.1f}" in page
    assert f"€{found['cost', 'discounts', 'counted']['value']:,.2f}" in page
    each = found["all", "treated_revenue_each", "counted"]["value"]
    assert f"€{each:,.2f}" in page
    assert found["draw", "holdout_reached_by_others", "counted"]["value"] == told["held_out_reached_by_others"] == 0
    assert "alarm" not in found["draw", "expected_holdout", "counted"]["verdict"]
    past_out = found["all", "kept", "past_out"]
    assert f"{past_out['low']:+.1f}" in page.replace("\u2212", "-")
    assert found["text", "Any reason · all interests · English · A", "ordered"]["value"] == 30
    assert "Why does this number differ from that one?" in page
    assert reverse("campaigns:result-file", args=[shop.pk]) in page


def test_the_sums_of_the_api_are_those_of_the_pages(shop: Campaign, api: APIClient) -> None:
    lift, cost = (api.get(f"/api/v1/reports/{name}/").json() for name in ("lift", "cost"))
    assert (lift["better"], lift["open"], lift["pooled"]) == (1, 1, None)
    assert (cost["campaigns"], cost["parts"]["discounts"]) == (1, 150.0)
    page = api.get(reverse("campaigns:report-cost")).content.decode()
    assert f"€{cost['parts']['discounts']:.2f}" in page
    kept = api.get("/api/v1/reports/retention/").json()["kept"]
    assert kept == {
        "value": 20.0,
        "low": pytest.approx(cost["kept"]["low"]),
        "high": pytest.approx(cost["kept"]["high"]),
    }
    fair = api.get("/api/v1/reports/fairness/").json()
    assert [each["attribute"] for each in fair["attributes"]] == ["country"]


def test_what_has_not_changed_is_not_sent_again(shop: Campaign, api: APIClient) -> None:
    for address in (*(f"/api/v1/reports/{name}/" for name in REPORTS), f"/api/v1/reports/campaigns/{shop.pk}/"):
        first = api.get(address)
        again = api.get(address, headers={"If-None-Match": first["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
    _measured("Newer", 900, 90, 300, 31)
    tag = first["ETag"]
    assert api.get("/api/v1/reports/lift/", headers={"If-None-Match": tag}).status_code == 200


def test_before_anything_was_measured_there_are_no_rows(marketer: User, api: APIClient) -> None:
    campaign = arrange.make_campaign(marketer)
    told = api.get(f"/api/v1/reports/campaigns/{campaign.pk}/").json()
    assert (told["verdict"], told["rows"], told["measured_at"]) == ("too_early", [], None)
    assert _read_file(api, reverse("campaigns:result-file", args=[campaign.pk])) == []  # type: ignore[arg-type]
    for name in REPORTS:
        assert api.get(f"/api/v1/reports/{name}/").status_code == 200
    for number in (0, 2**62, 10**30):
        assert api.get(f"/api/v1/reports/campaigns/{number}/").status_code == 404


def test_whoever_may_not_see_the_pages_may_not_ask(
    shop: Campaign, support_agent: User, outsider: User, api: APIClient
) -> None:
    for user in (support_agent, outsider):
        api.force_login(user)
        for name in REPORTS:
            assert api.get(f"/api/v1/reports/{name}/").status_code == 403
        assert api.get(f"/api/v1/reports/campaigns/{shop.pk}/").status_code == 403
        assert api.get(reverse("campaigns:result-file", args=[shop.pk])).status_code == 403
    assert APIClient().get("/api/v1/reports/lift/").status_code == 401


def test_the_files_cells_are_no_formulas(shop: Campaign, api: APIClient) -> None:
    Campaign.objects.filter(pk=shop.pk).update(name="=1+1")
    rows = _read_file(api, reverse("campaigns:report-lift-file"))  # type: ignore[arg-type]
    assert any(row["campaign"] == "'=1+1" for row in rows)
    assert not [row for row in rows for cell in row.values() if re.match(r"[=@]", cell)]


def test_before_the_end_no_file_has_an_interval_of_one_look(shop: Campaign, client: Client, api: APIClient) -> None:
    client.force_login(User.objects.get(username="ana"))
    (row,) = [one for one in _read_file(client, reverse("campaigns:report-cost-file")) if one["campaign"] == "Open"]
    assert [row[name] for name in ("kept", "kept_low", "kept_high", "net", "net_low", "net_high")] == [""] * 6
    (told,) = [one for one in api.get("/api/v1/reports/cost/").json()["rows"] if one["campaign"] == "Open"]
    assert told["kept"] is None and told["net_high"] is None
    still = Campaign.objects.get(name="Open")
    rows = _read_file(client, reverse("campaigns:result-file", args=[still.pk]))
    counted = [one for one in rows if one["how"] == "counted" and one["name"] in ("points", "kept", "net")]
    assert counted and all(one["low"] == one["high"] == "" for one in counted)
