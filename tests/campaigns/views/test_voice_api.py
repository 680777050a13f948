"""Brand voice and policies over the API, and their read-only admin."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from campaigns.approval.voice import save_policies, save_voice
from campaigns.models import BrandVoice, ShopPolicies
from tests.campaigns.arrange import NOW, approve, make_campaign, make_cast
from tests.conftest import MakeUser

pytestmark = pytest.mark.django_db
VOICE, POLICIES = "/api/v1/brand-voice/", "/api/v1/policies/"


@pytest.fixture
def ava(client: Client, approver: User) -> Client:
    client.force_login(approver)
    return client


def post(client: Client, address: str, body: Any) -> Any:
    return client.post(address, json.dumps(body), content_type="application/json")


def test_before_the_first_version_there_is_number_zero(ava: Client) -> None:
    voice = ava.get(VOICE).json()
    assert (voice["number"], voice["saved_by"], voice["texts"]["en"]["banned"]) == (0, None, [])
    assert ava.get(POLICIES).json()["texts"] == {"en": [], "zh": []}


def test_a_version_is_saved_read_listed_and_restored(ava: Client) -> None:
    cast = make_cast()
    campaign = approve(make_campaign(cast.marketer), cast)
    first = post(ava, VOICE, {"texts": {"en": {"personality": "Dry"}}, "base": 0, "note": "First"})
    assert first.status_code == 201, first.content
    assert first.json()["returned_campaigns"] == []
    second = post(ava, VOICE, {"texts": {"en": {"banned": ["harbour"], "limits": {"emoji": 1}}}, "base": 1})
    assert second.json()["returned_campaigns"] == [campaign.pk]
    assert (second.json()["checked"], second.json()["blocked"]) == (1, 1)
    now = ava.get(VOICE).json()
    assert (now["number"], now["saved_by"], now["texts"]["en"]["limits"]["emoji"]) == (2, "ava", 1)
    assert [row["number"] for row in ava.get(f"{VOICE}versions/").json()["results"]] == [2, 1]
    assert ava.get(f"{VOICE}versions/1/").json()["texts"]["en"]["personality"] == "Dry"
    restored = post(ava, f"{VOICE}versions/1/restoration/", {"base": 2})
    assert restored.status_code == 201
    assert (restored.json()["revision"]["number"], restored.json()["revision"]["restored_from"]) == (3, 1)


def test_policies_are_saved_and_restored(ava: Client) -> None:
    assert post(ava, POLICIES, {"texts": {"en": ["Open daily"]}, "base": 0}).status_code == 201
    assert post(ava, POLICIES, {"texts": {"zh": ["每天营业"]}, "base": 1}).status_code == 201
    assert ava.get(POLICIES).json()["texts"] == {"en": ["Open daily"], "zh": ["每天营业"]}
    assert post(ava, f"{POLICIES}versions/1/restoration/", {"base": 2}).json()["revision"]["number"] == 3
    assert ava.get(f"{POLICIES}versions/3/").json()["texts"]["zh"] == []


@pytest.mark.parametrize("address", [VOICE, POLICIES])
def test_a_stale_version_is_a_conflict(ava: Client, site_admin: User, address: str) -> None:
    save_voice(site_admin, {"en": {"personality": "Dry"}}, base=0, now=NOW)
    save_policies(site_admin, {"en": ["Open daily"]}, base=0, now=NOW)
    texts = {"en": {"personality": "Loud"} if address == VOICE else ["Closed"]}
    answer = post(ava, address, {"texts": texts, "base": 0})
    assert answer.status_code == 409
    assert "ada saved v1" in answer.json()["detail"]
    assert BrandVoice.objects.count() == ShopPolicies.objects.count() == 1


@pytest.mark.parametrize(
    ("address", "body"),
    [
        (VOICE, {}),
        (VOICE, {"texts": {"en": {"banned": "cheap"}}, "base": 0}),
        (VOICE, {"texts": {"en": {"banned": ["a"]}}, "base": 0}),
        (VOICE, {"texts": {"de": {"personality": "Trocken"}}, "base": 0}),
        (VOICE, {"texts": {"en": {"limits": {"emoji": 99}}}, "base": 0}),
        (VOICE, {"texts": {"en": {}}, "base": -1}),
        (VOICE, []),
        (POLICIES, {"texts": {"en": ["x" * 201]}, "base": 0}),
        (POLICIES, {"texts": {"en": "Open daily"}, "base": 0}),
        (POLICIES, {"texts": {"de": ["Offen"]}, "base": 0}),
    ],
)
def test_bad_input_is_a_400_that_says_why(ava: Client, address: str, body: Any) -> None:
    answer = post(ava, address, body)
    assert answer.status_code == 400
    assert answer.json()["errors"]
    assert not BrandVoice.objects.exists()
    assert not ShopPolicies.objects.exists()


@pytest.mark.parametrize(("role", "reads"), [("marketer", True), ("analyst", True), ("support", False), ("", False)])
def test_who_may_not_save_is_refused(
    role: str, reads: bool, client: Client, make_user: MakeUser, site_admin: User
) -> None:
    save_voice(site_admin, {"en": {"personality": "Dry"}}, base=0, now=NOW)
    save_policies(site_admin, {"en": ["Open daily"]}, base=0, now=NOW)
    client.force_login(make_user("somebody", role))
    for address in (VOICE, POLICIES):
        texts = {"en": {"personality": "Loud"} if address == VOICE else ["Closed"]}
        assert client.get(address).status_code == (200 if reads else 403)
        assert client.get(f"{address}versions/").status_code == (200 if reads else 403)
        assert post(client, address, {"texts": texts, "base": 1}).status_code == 403
        assert post(client, f"{address}versions/1/restoration/", {"base": 1}).status_code == 403
    assert BrandVoice.objects.count() == ShopPolicies.objects.count() == 1


def test_what_is_not_there_is_a_404(ava: Client) -> None:
    assert ava.get(f"{VOICE}versions/7/").status_code == 404
    assert post(ava, f"{POLICIES}versions/7/restoration/", {"base": 0}).status_code == 404
    assert ava.get(f"{VOICE}versions/{'9' * 30}/").status_code == 404


def test_a_longer_history_asks_no_more_questions(ava: Client, site_admin: User) -> None:
    counts = []
    for first, last in ((0, 3), (3, 12)):
        for number in range(first, last):
            save_voice(site_admin, {"en": {"personality": f"Number {number}"}}, base=number, now=NOW)
        ava.get(f"{VOICE}versions/")
        with CaptureQueriesContext(connection) as asked:
            assert len(ava.get(f"{VOICE}versions/").json()["results"]) == last
        counts.append(len(asked))
    assert counts[0] == counts[1]


@pytest.mark.parametrize("model", ["brandvoice", "shoppolicies"])
def test_the_admin_shows_versions_and_changes_none(client: Client, site_admin: User, model: str) -> None:
    save_voice(site_admin, {"en": {"personality": "Dry"}}, base=0, note="How it began", now=NOW)
    save_policies(site_admin, {"en": ["Open daily"]}, base=0, note="How it began", now=NOW)
    client.force_login(site_admin)
    assert "How it began" in client.get(f"/admin/campaigns/{model}/").content.decode()
    pk = (BrandVoice if model == "brandvoice" else ShopPolicies).objects.get().pk
    assert client.get(f"/admin/campaigns/{model}/{pk}/change/").status_code == 200
    for path in ("add/", f"{pk}/delete/"):
        assert client.get(f"/admin/campaigns/{model}/{path}").status_code == 403
    assert client.post(f"/admin/campaigns/{model}/{pk}/change/", {"note": "x"}).status_code == 403
