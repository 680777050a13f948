"""Kind, review and Live over pages and API: what is chosen, what an approver reads, who may end and renew."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from campaigns.audience.entry_wording import describe_entering
from campaigns.delivery import control
from campaigns.delivery.entering.sweep import let_people_in
from campaigns.models import Campaign
from tests.campaigns.arrange import Cast

from .live import make_live, make_people, make_recurring, make_triggered, start

DAY = dt.timedelta(days=1)
TIMING = {"send_on": "2031-03-03", "send_at": "10:00", "send_window_hours": "24", "attribution_days": "60"}
WEEKLY = {
    "kind": "recurring", "every": "week", "interval": "2", "weekdays": ["0", "3"], "recur_at": "09:30", "on": "segment",
    "again": "always", "live_until": "2031-06-30",
}  # fmt: skip


def enter(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def draft(cast: Cast) -> Campaign:
    make_people(20, now=timezone.now())
    return make_live(cast, now=timezone.now() + DAY)


def test_a_recurrence_is_chosen_under_timing(draft: Campaign, cast: Cast) -> None:
    page = enter(cast.marketer).get(f"/campaigns/{draft.pk}/timing/").content.decode()
    assert 'name="kind"' in page and 'name="weekdays"' in page
    answer = enter(cast.marketer).post(f"/campaigns/{draft.pk}/timing/", TIMING | WEEKLY)
    assert answer.status_code == 302
    draft.refresh_from_db()
    assert draft.recurrence == {"every": "week", "interval": 2, "weekdays": [0, 3], "at": "09:30"}
    assert (draft.kind, draft.re_entry_days, draft.trigger) == ("recurring", 0, {})
    assert draft.live_until is not None and f"{draft.live_until:%Y-%m-%d}" in ("2031-06-30", "2031-07-01")
    assert describe_entering(draft)[0] == "Every 2 weeks on Monday and Thursday at 09:30, everybody in the segment."
    back = enter(cast.marketer).get(f"/campaigns/{draft.pk}/timing/").content.decode()
    assert 'value="09:30"' in back and 'value="2031-06-30"' in back


@pytest.mark.parametrize(
    ("chosen", "rule", "days"),
    [
        ({"on": "segment", "includes_present": "on", "again": "never"}, {"on": "segment", "includes_present": True}, None),
        (
            {"on": "event", "event": "cart_updated", "property_name": "category", "property_value": "Tents",
             "max_age_hours": "6", "again": "after", "re_entry_days": "14"},
            {"on": "event", "event": "cart_updated", "where": {"category": "Tents"}, "max_age_hours": 6}, 14,
        ),
        ({"on": "churn", "line_percent": "60", "again": "always"}, {"on": "churn", "line": 0.6}, 0),
        ({"on": "overdue", "overdue_days": "7", "again": "never"}, {"on": "overdue", "days": 7}, None),
    ],
)  # fmt: skip
def test_a_trigger_is_chosen_under_timing(
    draft: Campaign, cast: Cast, chosen: dict[str, Any], rule: dict[str, Any], days: int | None
) -> None:
    answer = enter(cast.marketer).post(f"/campaigns/{draft.pk}/timing/", TIMING | {"kind": "triggered"} | chosen)
    assert answer.status_code == 302
    draft.refresh_from_db()
    assert (draft.kind, draft.trigger, draft.re_entry_days, draft.recurrence) == ("triggered", rule, days, {})
    assert all(describe_entering(draft))


@pytest.mark.parametrize(
    "wrong",
    [
        WEEKLY | {"weekdays": []},
        WEEKLY | {"recur_at": ""},
        WEEKLY | {"every": "month", "day_of_month": ""},
        {"kind": "triggered", "on": "event", "event": "cart_updated", "property_name": "category", "again": "never"},
        {"kind": "triggered", "on": "churn", "line_percent": "", "again": "never"},
        {"kind": "moonlight"},
    ],
)
def test_a_rule_that_is_not_whole_is_said_so_and_nothing_kept(
    draft: Campaign, cast: Cast, wrong: dict[str, Any]
) -> None:
    answer = enter(cast.marketer).post(f"/campaigns/{draft.pk}/timing/", TIMING | wrong)
    assert answer.status_code == 422 and b'class="error"' in answer.content
    draft.refresh_from_db()
    assert draft.kind == "one_off"


def test_the_api_takes_rules_and_refuses_broken_ones(draft: Campaign, cast: Cast) -> None:
    client, address = enter(cast.marketer), f"/api/v1/campaigns/{draft.pk}/"
    values = {"kind": "triggered", "trigger": {"on": "churn", "line": 0.6}, "re_entry_days": 30}
    answer = client.patch(address, values, content_type="application/json")
    assert answer.status_code == 200, answer.content
    assert answer.json()["trigger"] == {"on": "churn", "line": 0.6}
    broken = client.patch(address, {"trigger": {"on": "churn", "line": 7}}, content_type="application/json")
    assert broken.status_code == 400 and "line" in broken.content.decode()
    assert [row["id"] for row in client.get("/api/v1/campaigns/?kind=triggered").json()["results"]] == [draft.pk]


def test_an_incomplete_rule_keeps_it_from_review(draft: Campaign, cast: Cast) -> None:
    Campaign.objects.update(kind="triggered")
    page = enter(cast.marketer).get(f"/campaigns/{draft.pk}/review/").content.decode()
    assert "What lets people in is not complete" in page


def test_the_approver_reads_the_rule_and_what_to_expect(cast: Cast) -> None:
    now = timezone.now()
    make_people(20, now=now)
    campaign = make_recurring(cast, now=now + DAY, recurrence={"every": "day", "at": "09:00"})
    page = enter(cast.approver).get(f"/campaigns/{campaign.pk}/review/").content.decode()
    assert "Every day at 09:00" in page and "140 entries a week" in page


def test_live_shows_who_entered_and_may_be_ended_by_who_controls_sending(cast: Cast, analyst: User) -> None:
    now = timezone.now()
    make_people(20, now=now)
    trigger = {"on": "segment", "includes_present": True}
    campaign = start(make_triggered(cast, now=now, trigger=trigger), cast, now=now)
    let_people_in(now)
    address = f"/campaigns/{campaign.pk}"
    page = enter(cast.marketer).get(f"{address}/live/").content.decode()
    assert "<strong>20</strong>" in page and "End this campaign" in page
    assert "triggered" in enter(cast.marketer).get("/campaigns/?kind=triggered").content.decode()
    seen = enter(analyst).get(f"/api/v1/campaigns/{campaign.pk}/entries/").json()
    assert seen["entered"] == 20 and sum(seen["days"].values()) == 20 and seen["next_at"] is None

    assert enter(analyst).post(f"{address}/ending/").status_code == 403
    enter(cast.marketer).post(f"{address}/ending/", {"waiting": "drop"})
    campaign.refresh_from_db()
    assert campaign.status == "sent" and campaign.ended_at is not None


def test_a_second_person_renews_and_the_marketer_goes_on_without_the_pause(cast: Cast) -> None:
    now = timezone.now()
    make_people(20, now=now)
    campaign = start(make_triggered(cast, now=now, trigger={"on": "segment"}), cast, now=now)
    control.pause_campaign(cast.marketer, campaign, reason="", now=now)
    make_people(5, now=now, prefix="q")
    address = f"/campaigns/{campaign.pk}"
    assert enter(cast.marketer).post(f"{address}/renewal/", {"seen": campaign.content_hash}).status_code == 403
    enter(cast.approver).post(f"{address}/renewal/", {"seen": campaign.content_hash})
    assert campaign.approvals.filter(voided_at=None).count() == 4 and campaign.approvals.count() == 8
    enter(cast.marketer).post(f"{address}/resumption/", {"pause": "leave_out"})
    campaign.refresh_from_db()
    assert campaign.status == "sending"
    assert let_people_in(timezone.now() + DAY / 2).entered == 0
