"""The steps of a sequence on their page and over the API."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from campaigns.approval.sequence import add_follow_up
from campaigns.content.steps import read_steps
from campaigns.models import Archetype, Campaign, FollowUp, Variant
from tests.campaigns.arrange import NOW, add_step, approve, make_campaign, make_cast, make_customers, submit
from tests.conftest import MakeUser

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign(settings: Settings) -> Campaign:
    settings.LLM_BASE_URL = settings.LLM_MODEL = ""
    return make_campaign(make_cast().marketer, make_customers(3))


@pytest.fixture
def mara(client: Client, campaign: Campaign) -> Client:
    client.force_login(campaign.author)
    return client


def steps(campaign: Campaign) -> list[tuple[int, int, str]]:
    return [(step.number, step.wait_hours, step.only_if) for step in read_steps(campaign.pk)][1:]


def send(client: Client, method: str, address: str, body: Any = None) -> Any:
    return client.generic(method, f"/api/v1/{address}", json.dumps(body), content_type="application/json")


def test_a_sequence_is_made_on_the_page(mara: Client, campaign: Campaign) -> None:
    pk = campaign.pk
    mara.post(f"/campaigns/{pk}/steps/", {"wait": 3, "unit": "days", "only_if": "not_opened", "purpose": "Ask again"})
    mara.post(f"/campaigns/{pk}/steps/", {"wait": 30, "unit": "hours", "only_if": "always"})
    assert steps(campaign) == [(2, 72, "not_opened"), (3, 30, "always")]
    page = mara.get(f"/campaigns/{pk}/messages/").content.decode()
    for words in ("A sequence of 3 steps", "After 3 days", "After 30 hours", "Ask again", "Opening is known only"):
        assert words in page
    mara.post(f"/campaigns/{pk}/steps/2/", {"wait": 4, "unit": "days", "only_if": "clicked", "purpose": ""})
    mara.post(f"/campaigns/{pk}/steps/3/place/", {"way": "up"})
    assert steps(campaign) == [(2, 30, "always"), (3, 96, "clicked")]
    mara.post(f"/campaigns/{pk}/exits/", {"exit_on": ["complained", "ordered"]})
    campaign.refresh_from_db()
    assert campaign.exit_on == ["ordered", "complained"]
    mara.post(f"/campaigns/{pk}/steps/2/removal/")
    assert steps(campaign) == [(2, 96, "clicked")]


def test_steps_after_the_window_are_told_where_it_is_chosen_and_approved(mara: Client, campaign: Campaign) -> None:
    for days in (20, 10):
        add_step(campaign, campaign.author, wait_hours=24 * days)
    said = "1 message of the sequence is due only when the 30 days are over"
    for window, is_said in ((30, True), (31, False)):
        Campaign.objects.filter(pk=campaign.pk).update(attribution_days=window)
        for page in ("timing", "review"):
            assert (said in mara.get(f"/campaigns/{campaign.pk}/{page}/").content.decode()) is is_said


def test_what_cannot_be_is_said_on_the_page(mara: Client, campaign: Campaign) -> None:
    address = f"/campaigns/{campaign.pk}/steps/"
    for wrong in ({"wait": 0, "unit": "days"}, {"wait": 999, "unit": "days"}, {"wait": "x", "unit": "weeks"}, {}):
        answer = mara.post(address, {"only_if": "always"} | wrong, follow=True)
        assert answer.status_code == 200
        assert [message.level_tag for message in answer.context["messages"]]
    assert not FollowUp.objects.exists()
    assert mara.post(f"/campaigns/{campaign.pk}/exits/", {"exit_on": ["full_moon"]}).status_code == 302
    campaign.refresh_from_db()
    assert campaign.exit_on == []


def test_each_step_has_its_texts_and_its_button_on_the_page(mara: Client, campaign: Campaign) -> None:
    add_follow_up(campaign.author, campaign, {"wait_hours": 72}, now=NOW)
    archetype = Archetype.objects.get()
    page = mara.get(f"/campaigns/{campaign.pk}/messages/")
    assert [(part["number"], len(part["variants"])) for part in page.context["cards"][0]["parts"]] == [(1, 1), (2, 0)]
    assert "Draft this one" in page.content.decode()
    states = {step["name"]: step["state"] for step in page.context["steps"]}
    assert states["messages"] == "open"
    mara.post(f"/archetypes/{archetype.pk}/texts/", {"step": 2, "by": "person"})
    assert Variant.objects.get(step=2).subject == Variant.objects.get(step=1).subject
    page = mara.get(f"/campaigns/{campaign.pk}/messages/")
    assert {step["name"]: step["state"] for step in page.context["steps"]}["messages"] == "done"
    assert "nearly the same as step 1" in page.content.decode()
    editor = mara.get(f"/variants/{Variant.objects.get(step=2).pk}/").content.decode()
    assert "step 2" in editor
    assert mara.post(f"/archetypes/{archetype.pk}/texts/", {"step": 9}).status_code == 422


def test_the_approver_sees_the_steps_on_the_review_page(client: Client, campaign: Campaign) -> None:
    cast = make_cast()
    add_step(campaign, cast.marketer, wait_hours=72, only_if="not_clicked", purpose="Offer help")
    submit(campaign, cast)
    client.force_login(cast.approver)
    page = client.get(f"/campaigns/{campaign.pk}/review/").content.decode()
    for words in ("After 3 days", "Offer help", "who has not clicked", "they order", "they unsubscribe (always)"):
        assert words in page
    assert "Add a follow-up" not in page


def test_the_api_makes_changes_moves_and_removes_steps(mara: Client, campaign: Campaign) -> None:
    address = f"campaigns/{campaign.pk}/steps/"
    made = send(mara, "POST", address, {"wait_hours": 72, "only_if": "not_opened", "purpose": "Ask again"})
    assert (made.status_code, made.json()["number"]) == (201, 2)
    assert send(mara, "POST", address, {"wait_hours": 24}).status_code == 201
    changed = send(mara, "PATCH", f"{address}2/", {"wait_hours": 48})
    assert changed.json() == {"number": 2, "purpose": "Ask again", "wait_hours": 48, "only_if": "not_opened"}
    moved = send(mara, "POST", f"{address}3/place/", {"up": True}).json()
    assert [row["wait_hours"] for row in moved] == [24, 48]
    assert send(mara, "DELETE", f"{address}2/").status_code == 204
    assert [row["wait_hours"] for row in mara.get(f"/api/v1/{address}").json()] == [48]
    rules = send(mara, "PATCH", f"campaigns/{campaign.pk}/", {"exit_on": ["left_segment"]})
    assert rules.json()["exit_on"] == ["left_segment"]


@pytest.mark.parametrize(
    ("method", "address", "body", "code"),
    [
        ("POST", "steps/", {"wait_hours": 0}, 400),
        ("POST", "steps/", {"only_if": "full_moon"}, 400),
        ("PATCH", "steps/2/", {"wait_hours": 24 * 181}, 400),
        ("PATCH", "steps/9/", {"wait_hours": 24}, 404),
        ("POST", "steps/2/place/", {}, 400),
        ("POST", "steps/2/place/", {"up": True}, 400),
        ("PATCH", "", {"exit_on": ["full_moon"]}, 400),
    ],
)
def test_bad_input_over_the_api_says_why(
    mara: Client, campaign: Campaign, method: str, address: str, body: Any, code: int
) -> None:
    add_follow_up(campaign.author, campaign, {"wait_hours": 72}, now=NOW)
    answer = send(mara, method, f"campaigns/{campaign.pk}/{address}", body)
    assert answer.status_code == code
    assert steps(campaign) == [(2, 72, "always")]


def test_a_text_is_asked_for_at_a_step_over_the_api(mara: Client, campaign: Campaign) -> None:
    add_follow_up(campaign.author, campaign, {"wait_hours": 72}, now=NOW)
    archetype = Archetype.objects.get()
    assert send(mara, "POST", f"archetypes/{archetype.pk}/texts/", {"step": 2}).status_code == 202
    assert [(item["step"], item["label"]) for item in Archetype.objects.get().draft_plan] == [(2, "A")]
    answer = send(mara, "POST", f"archetypes/{archetype.pk}/texts/", {"step": 3})
    assert (answer.status_code, "no step 3" in answer.content.decode()) == (400, True)


@pytest.mark.parametrize(("role", "code"), [("analyst", 403), ("", 403)])
def test_who_may_not_edit_is_refused(
    role: str, code: int, client: Client, campaign: Campaign, make_user: MakeUser
) -> None:
    add_follow_up(campaign.author, campaign, {"wait_hours": 72}, now=NOW)
    client.force_login(make_user("somebody", role))
    assert client.post(f"/campaigns/{campaign.pk}/steps/2/removal/").status_code == code
    assert send(client, "DELETE", f"campaigns/{campaign.pk}/steps/2/").status_code == code
    assert send(client, "POST", f"campaigns/{campaign.pk}/steps/", {"wait_hours": 24}).status_code == code
    assert FollowUp.objects.count() == 1


def test_steps_are_locked_once_it_is_in_review(mara: Client, campaign: Campaign) -> None:
    cast = make_cast()
    add_step(campaign, cast.marketer, wait_hours=72)
    submit(campaign, cast)
    assert mara.post(f"/campaigns/{campaign.pk}/steps/2/removal/").status_code == 409
    assert send(mara, "DELETE", f"campaigns/{campaign.pk}/steps/2/").status_code == 409
    assert FollowUp.objects.exists()


def test_a_change_over_the_api_voids_what_was_approved(mara: Client, campaign: Campaign) -> None:
    cast = make_cast()
    add_step(campaign, cast.marketer, wait_hours=72)
    approve(campaign, cast)
    send(mara, "PATCH", f"campaigns/{campaign.pk}/steps/2/", {"wait_hours": 24})
    campaign.refresh_from_db()
    assert campaign.status == "draft"


def test_the_page_asks_as_much_for_two_steps_as_for_eight(mara: Client, campaign: Campaign) -> None:
    counts = []
    for number in (2, 8):
        while FollowUp.objects.count() < number - 1:
            add_follow_up(campaign.author, campaign, {"wait_hours": 72}, now=NOW)
        mara.get(f"/campaigns/{campaign.pk}/messages/")
        with CaptureQueriesContext(
            connection,
        ) as asked:
            mara.get(f"/campaigns/{campaign.pk}/messages/")
        counts.append(len(asked))
    assert counts[0] == counts[1]
