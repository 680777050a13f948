"""The pages Brand voice and Policies: reading, trying, saving, what goes wrong, and the history."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from campaigns.approval.voice import save_policies, save_voice
from campaigns.content.policies import read_policies
from campaigns.content.voice import read_voice
from campaigns.models import Archetype, BrandVoice, Campaign, ShopPolicies, Variant
from llm.models import LlmCall
from tests.campaigns.arrange import NOW, approve, make_campaign, make_cast, make_variant
from tests.conftest import MakeUser
from tests.model_server import ModelServer, Step, answer

pytestmark = pytest.mark.django_db
VOICE, POLICIES = "/content/voice/", "/content/policies/"
TYPED = {
    "personality": "Dry", "do": "Name the thing\n\nName the thing", "dont": "", "examples": "", "banned": "cheap\nBargain",
    "avoid": "", "sentence_length": "20", "exclamation_marks": "", "emoji": "0", "note": "First", "base": "0",
}  # fmt: skip


@pytest.fixture
def ava(client: Client, approver: User, settings: Settings) -> Client:
    settings.LLM_BASE_URL = settings.LLM_MODEL = ""
    client.force_login(approver)
    return client


def typed(**changes: str) -> dict[str, str]:
    return TYPED | changes


def verdicts(response: Any) -> list[tuple[str, str, str]]:
    return [(row.finding.excerpt, row.typed, row.saved) for row in response.context["rows"]]


def test_a_voice_is_saved_language_by_language(ava: Client) -> None:
    assert "No voice is saved yet" in ava.get(VOICE).content.decode()
    page = ava.post(VOICE, typed(action="save"), follow=True)
    assert "v1 is saved" in page.content.decode()
    ava.post(f"{VOICE}?lang=zh", typed(action="save", base="1", banned="最低价", address="您", sentence_length="40"))
    voice = read_voice()
    assert voice is not None
    assert (voice.number, voice.note, voice.saved_by.username) == (2, "First", "ava")
    assert voice.texts["en"]["do"] == ["Name the thing"]
    assert voice.texts["en"]["banned"] == ["cheap", "Bargain"]
    assert voice.texts["en"]["limits"]["emoji"] == 0
    assert voice.texts["zh"]["limits"]["address"] == "您"
    assert "Bargain" in ava.get(VOICE).content.decode()
    assert "最低价" in ava.get(f"{VOICE}?lang=zh").content.decode()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"sentence_length": "many"}, "sentence_length"),
        ({"sentence_length": "3"}, "sentence_length"),
        ({"emoji": "-1"}, "emoji"),
        ({"personality": "x" * 601}, "personality"),
        ({"do": "x" * 161}, "do"),
        ({"banned": "a"}, "banned"),
        ({"examples": "Not a bargain."}, "examples"),
    ],
)
@pytest.mark.parametrize("action", ["save", "pasted"])
def test_what_is_wrong_is_said_at_its_field_and_nothing_typed_is_lost(
    ava: Client, changes: dict[str, str], field: str, action: str
) -> None:
    response = ava.post(VOICE, typed(action=action, body="Typed here", dont="Shout", **changes))
    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    page = response.content.decode()
    assert "Typed here" in page
    assert ">Shout</textarea>" in page.replace("\n", "")
    assert read_voice() is None


def test_who_saves_on_a_stale_page_keeps_what_was_typed_and_may_save_again(ava: Client, site_admin: User) -> None:
    save_voice(site_admin, {"en": {"personality": "Loud"}}, base=0, now=NOW)
    response = ava.post(VOICE, typed(action="save"))
    assert response.status_code == 409
    page = response.content.decode()
    assert "ada saved v1 meanwhile" in page
    assert "Bargain" in page
    assert response.context["base"] == 1
    assert ava.post(VOICE, typed(action="save", base="1")).status_code == 302
    assert BrandVoice.objects.count() == 2


def test_saving_what_stands_there_says_so(ava: Client) -> None:
    ava.post(VOICE, typed(action="save"))
    again = ava.post(VOICE, typed(action="save", base="1"))
    assert again.status_code == 422
    assert "Nothing was changed" in again.content.decode()
    assert BrandVoice.objects.count() == 1


def test_a_pasted_draft_is_tried_under_both_voices_and_nothing_is_saved(ava: Client, site_admin: User) -> None:
    save_voice(site_admin, {"en": {"banned": ["hills"], "avoid": ["bargain"]}}, base=0, now=NOW)
    response = ava.post(VOICE, typed(action="pasted", base="1", body="A bargain in the hills. Take 50% off. <b>x</b>"))
    assert response.status_code == 200
    assert sorted(verdicts(response)) == [("bargain", "", "warn"), ("bargain", "block", ""), ("hills", "", "block")]
    page = response.content.decode()
    assert "&lt;b&gt;x" in page
    assert "data-unsaved" in page
    assert BrandVoice.objects.count() == 1


def test_a_text_of_a_campaign_is_tried_with_its_facts(ava: Client) -> None:
    campaign = make_campaign(make_cast().marketer)
    text = Variant.objects.get()
    make_variant(text.archetype, campaign.author, opening="The harbour calls. Take 50% off.")
    response = ava.post(VOICE, typed(action="text", text=str(text.pk), banned="harbour"))
    found = verdicts(response)
    assert ("harbour", "block", "") in found
    assert any(typed == saved == "block" for _excerpt, typed, saved in found), "the facts forbid 50% off either way"
    assert found[0][1] != found[0][2], "what differs comes first"
    assert ava.post(f"{VOICE}?lang=zh", typed(action="text", text=str(text.pk))).status_code == 422
    for wrong in ("", "x", "99999999", "9" * 30):
        assert ava.post(VOICE, typed(action="text", text=wrong)).status_code == 422


def test_all_texts_that_wait_are_tried_at_once(ava: Client) -> None:
    cast = make_cast()
    approve(make_campaign(cast.marketer), cast)
    make_campaign(cast.marketer, [], name="Spring")
    response = ava.post(VOICE, typed(action="all", banned="harbour"))
    waiting = response.context["waiting"]
    assert (waiting.tried, waiting.blocked, waiting.blocked_now) == (2, 2, 0)
    assert "Autumn" in response.content.decode()
    assert {campaign.status for campaign in Campaign.objects.all()} == {"approved", "draft"}


@pytest.mark.parametrize("source", ["", "brief:none", "archetype:7", "archetype:x", "brief:zh-01"])
def test_a_draft_for_nobody_is_refused(ava: Client, source: str) -> None:
    assert ava.post(VOICE, typed(action="draft", source=source)).status_code == 422


def test_without_a_model_nothing_can_be_drafted(ava: Client) -> None:
    assert "nothing can be drafted here" in ava.get(VOICE).content.decode()
    response = ava.post(VOICE, typed(action="draft", source="brief:en-01"))
    assert response.status_code == 200
    assert response.context["trial_error"]


def test_saving_a_banned_word_sends_an_approved_campaign_back_and_says_so(ava: Client) -> None:
    cast = make_cast()
    approve(make_campaign(cast.marketer), cast)
    page = ava.post(VOICE, typed(action="save", banned="harbour"), follow=True).content.decode()
    assert "“Autumn” went back to draft" in page
    assert "1 of them is blocked" in page
    assert Campaign.objects.get().status == "draft"


@pytest.mark.parametrize("role", ["marketer", "analyst"])
def test_who_may_only_look_tries_texts_on_the_voice_that_counts(
    role: str, make_user: MakeUser, site_admin: User, client: Client
) -> None:
    save_voice(site_admin, {"en": {"banned": ["hills"]}}, base=0, now=NOW)
    client.force_login(make_user("somebody", role))
    page = client.get(VOICE).content.decode()
    assert '<fieldset class="bare stack all-optional" disabled>' in page
    assert "Save this version" not in page
    response = client.post(VOICE, typed(action="pasted", body="A bargain in the hills"))
    assert verdicts(response) == [("hills", "block", "block")]
    for address, data in (
        (VOICE, typed(action="save")),
        (VOICE, typed(action="draft", source="brief:en-01")),
        (f"{VOICE}1/restoration/", {"base": "1"}),
        (POLICIES, {"sentence": "Open daily", "base": "0"}),
        (f"{POLICIES}1/restoration/", {"base": "1"}),
    ):
        assert client.post(address, data).status_code == 403, address
    assert BrandVoice.objects.count() == 1
    assert not ShopPolicies.objects.exists()


@pytest.mark.parametrize("address", [VOICE, f"{VOICE}history/", POLICIES, f"{POLICIES}history/"])
@pytest.mark.parametrize("role", ["support", ""])
def test_nobody_else_sees_them(role: str, address: str, make_user: MakeUser, client: Client) -> None:
    client.force_login(make_user("somebody", role))
    assert client.get(address).status_code == 403


def test_the_history_shows_the_difference_word_by_word_and_restores(ava: Client, site_admin: User) -> None:
    save_voice(site_admin, {"en": {"personality": "Dry and kind", "banned": ["cheap"]}}, base=0, now=NOW)
    save_voice(
        site_admin,
        {"en": {"personality": "Dry and loud", "banned": ["cheap", "hurry"]}},
        base=1,
        note="Louder",
        now=NOW,
    )
    page = ava.get(f"{VOICE}history/").content.decode()
    assert "<del>kind</del><ins>loud</ins>" in page
    assert "Louder" in page
    assert "<ins>hurry" in page
    assert "<del>cheap" not in page, "one more word is no change of the word before it"
    assert "Rather not" not in page, "what is the same is not shown"
    assert "<ins>cheap" in ava.get(f"{VOICE}history/?from=0&to=1").content.decode()
    for odd in ("?from=x&to=-1", "?from=9&to=99", "?page=99", "?to=" + "9" * 30):
        assert ava.get(f"{VOICE}history/{odd}").status_code == 200
    restored = ava.post(f"{VOICE}1/restoration/", {"base": "2"}, follow=True).content.decode()
    assert "v3 is saved" in restored
    assert "Restored v1" in restored
    assert ava.post(f"{VOICE}2/restoration/", {"base": "2"}).status_code == 409
    assert "Nothing was changed" in ava.post(f"{VOICE}1/restoration/", {"base": "3"}, follow=True).content.decode()
    assert BrandVoice.objects.count() == 3


@pytest.mark.parametrize("address", [VOICE, POLICIES])
def test_a_longer_history_asks_no_more_questions(ava: Client, site_admin: User, address: str) -> None:
    def add(first: int, last: int) -> None:
        for number in range(first, last):
            save_voice(site_admin, {"en": {"personality": f"Number {number}"}}, base=number, now=NOW)
            save_policies(site_admin, {"en": [f"Promise {number}"]}, base=number, now=NOW)

    counts = []
    for first, last in ((0, 3), (3, 19)):
        add(first, last)
        ava.get(f"{address}history/")
        with CaptureQueriesContext(connection) as asked:
            assert ava.get(f"{address}history/").status_code == 200
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_more_promises_and_texts_ask_no_more_questions(ava: Client, site_admin: User) -> None:
    campaign = make_campaign(make_cast().marketer)
    archetype, counts = campaign.archetypes.get(), []
    for base, labels in enumerate(("A", "BCDEFGH")):
        save_policies(site_admin, {"en": [f"Promise {n}" for n in range(len(labels) * 3)]}, base=base, now=NOW)
        for label in labels:
            make_variant(archetype, campaign.author, label=label)
        ava.get(POLICIES)
        for page in (POLICIES, VOICE):
            with CaptureQueriesContext(connection) as asked:
                assert ava.get(page).status_code == 200
            counts.append(len(asked))
    assert counts[:2] == counts[2:]


def test_policies_say_how_many_texts_claim_each(ava: Client) -> None:
    cast = make_cast()
    first = ava.post(
        POLICIES, {"sentence": ["Free returns within 30 days", "", "Open daily"], "base": "0", "note": "As ever"}
    )
    assert first.status_code == 302
    policies = read_policies()
    assert policies is not None
    assert policies.texts == {"en": ["Free returns within 30 days", "Open daily"], "zh": []}
    campaign = make_campaign(cast.marketer)
    make_variant(campaign.archetypes.get(), cast.marketer, opening="You have 30 days for free returns.")
    rows = ava.get(POLICIES).context["rows"]
    uses = {row["sentence"]: row["use"].waiting for row in rows if row["sentence"]}
    assert uses == {"Free returns within 30 days": 1, "Open daily": 0}
    approve(campaign, cast)
    page = ava.post(POLICIES, {"sentence": ["Open daily"], "base": "1"}, follow=True).content.decode()
    assert "“Autumn” went back to draft" in page


@pytest.mark.parametrize("sentence", ["x" * 201, "Hello {{ first_name }}"])
def test_a_promise_that_cannot_be_one_is_refused_and_kept_on_the_page(ava: Client, sentence: str) -> None:
    response = ava.post(POLICIES, {"sentence": [sentence, "Open daily"], "base": "0", "note": "Why"})
    assert response.status_code == 422
    page = response.content.decode()
    assert "Open daily" in page
    assert "Why" in page
    assert read_policies() is None


def test_policies_on_a_stale_page_are_kept_there(ava: Client, site_admin: User) -> None:
    save_policies(site_admin, {"en": ["Open daily"]}, base=0, now=NOW + dt.timedelta(hours=1))
    response = ava.post(POLICIES, {"sentence": ["Closed on Mondays"], "base": "0"})
    assert response.status_code == 409
    assert "Closed on Mondays" in response.content.decode()
    assert response.context["base"] == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_archetype", [False, True])
def test_the_model_drafts_in_the_voice_that_is_typed(
    is_archetype: bool, model_server: ModelServer, client: Client, approver: User
) -> None:
    client.force_login(approver)
    make_campaign(make_cast().marketer)
    source = f"archetype:{Archetype.objects.get().pk}" if is_archetype else "brief:en-01"
    words = {"subject": "A bargain", "preheader": "Look", "opening": "It has been a while.", "invitation": "Look in."}
    model_server.always(answer(words))
    response = client.post(VOICE, typed(action="draft", source=source, personality="Dry as dust"))
    assert ("bargain", "block", "") in verdicts(response)
    told = json.loads(model_server.chats[-1].user_turn.partition("\n\n")[2])["voice"]
    assert told["personality"] == "Dry as dust"
    assert told["never_say"] == ["cheap", "Bargain"]
    assert told["limits"] == ["at most 20 words to a sentence", "no emoji"]
    call = LlmCall.objects.get()
    assert (call.purpose, call.scope.split(":")[0]) == ("try_voice", "voice")
    assert read_voice() is None
    assert Variant.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_model_that_fails_is_a_sentence_on_the_page(
    model_server: ModelServer, client: Client, approver: User
) -> None:
    client.force_login(approver)
    model_server.always(Step(status=400, body=b"{}"))
    response = client.post(VOICE, typed(action="draft", source="brief:en-01"))
    assert response.status_code == 200
    assert response.context["trial_error"]
    assert "Bargain" in response.content.decode()
