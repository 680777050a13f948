"""The editor of one text and the changes to which texts there are, on the page and over the API."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from campaigns.models import Archetype, Campaign, DraftStatus, Variant
from customers.models import Product
from llm.models import LlmCall
from tests.campaigns.arrange import NOW, approve, make_campaign, make_cast, make_customers, make_variant
from tests.conftest import MakeUser

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign(settings: Settings) -> Campaign:
    settings.LLM_BASE_URL = settings.LLM_MODEL = ""
    campaign = make_campaign(make_cast().marketer, make_customers(3))
    chinese = Archetype.objects.create(campaign=campaign, cell="overdue|jackets|zh", language="zh", size=1)
    assert chinese.pk
    return campaign


@pytest.fixture
def mara(client: Client, campaign: Campaign) -> Client:
    client.force_login(campaign.author)
    return client


def text_of(campaign: Campaign) -> Variant:
    return Variant.objects.get(archetype__campaign=campaign, label="A")


def words_of(variant: Variant) -> dict[str, str]:
    names = ("subject", "preheader", "opening", "story", "invitation", "button_label")
    return {name: getattr(variant, name) for name in names}


def test_findings_stand_beside_the_field_that_they_concern(mara: Client, campaign: Campaign) -> None:
    text = text_of(campaign)
    mara.post(f"/variants/{text.pk}/", words_of(text) | {"opening": "Take 50% off everything."})
    parts = mara.get(f"/variants/{text.pk}/").context["parts"]
    found = {part["bound"].name: [row["verdict"] for row in part["findings"]] for part in parts}
    assert "block" in found["opening"]
    assert found["subject"] == []


def test_the_preview_shows_what_was_typed_and_stores_nothing(mara: Client, campaign: Campaign) -> None:
    text = text_of(campaign)
    address = f"/variants/{text.pk}/preview/?whose=1&theme=dark"
    shown = mara.post(address, words_of(text) | {"opening": "Quite *another* opening"})
    html = shown.content.decode()
    assert "Quite <em>another</em> opening" in html
    assert "Hi Kim," in html
    assert "@media all{" in html
    assert "sandbox" in shown["Content-Security-Policy"]
    text.refresh_from_db()
    assert "another" not in text.opening
    assert "@media not all{" in mara.get(f"/variants/{text.pk}/preview/?theme=light").content.decode()


def test_a_preview_escapes_what_was_typed_into_a_text_message(mara: Client, campaign: Campaign) -> None:
    Archetype.objects.update(channel="sms")
    text = text_of(campaign)
    html = mara.post(f"/variants/{text.pk}/preview/", {"opening": "<script>x</script>"}).content.decode()
    assert "<script>" not in html
    assert "characters" in html


def test_products_are_shown_unless_a_person_says_no(mara: Client, campaign: Campaign) -> None:
    Product.objects.create(sku="J1", name="Alpine Jacket", category="Jackets", price=129, currency="EUR", stock=7)
    Archetype.objects.update(interest="Jackets")
    text = text_of(campaign)
    mara.post(f"/variants/{text.pk}/", words_of(text) | {"shows_products": "on"})
    assert "Alpine Jacket" in mara.get(f"/variants/{text.pk}/preview/").content.decode()
    assert "€129" in mara.get(f"/variants/{text.pk}/preview/").content.decode()
    mara.post(f"/variants/{text.pk}/", words_of(text))
    assert "Alpine Jacket" not in mara.get(f"/variants/{text.pk}/preview/").content.decode()


def test_a_text_is_added_copied_and_removed(mara: Client, campaign: Campaign) -> None:
    archetype = text_of(campaign).archetype
    mara.post(f"/archetypes/{archetype.pk}/texts/", {"angle": "short", "instruction": "Brief"})
    archetype.refresh_from_db()
    assert archetype.draft_status == DraftStatus.REQUESTED
    assert [(one["label"], one["angle"]) for one in archetype.draft_plan] == [("B", "short")]
    Archetype.objects.update(draft_status=DraftStatus.NONE, draft_plan=[])
    made = mara.post(f"/archetypes/{archetype.pk}/texts/", {"angle": "opinion", "by": "person"})
    copy = Variant.objects.get(archetype=archetype, label="B")
    assert made["Location"] == f"/variants/{copy.pk}/"
    assert (copy.origin, copy.angle, copy.opening) == (Variant.Origin.PERSON, "opinion", text_of(campaign).opening)
    assert mara.post(f"/variants/{copy.pk}/removal/").status_code == 302
    assert not Variant.objects.filter(pk=copy.pk).exists()


def test_there_are_four_texts_at_most(mara: Client, campaign: Campaign) -> None:
    archetype = text_of(campaign).archetype
    for label in "BCD":
        make_variant(archetype, campaign.author, label=label)
    page = mara.post(f"/archetypes/{archetype.pk}/texts/", {}, follow=True).content.decode()
    assert "at most" in page
    assert archetype.variants.count() == 4


@pytest.mark.parametrize("path", ["draft", "removal", "translation"])
def test_a_change_to_the_texts_voids_what_was_approved(path: str, campaign: Campaign, client: Client) -> None:
    Archetype.objects.filter(language="zh").update(size=0)
    cast = make_cast()
    approve(campaign, cast)
    client.force_login(cast.marketer)
    target = Archetype.objects.get(language="zh")
    text = text_of(campaign)
    assert client.post(f"/variants/{text.pk}/{path}/", {"archetype": target.pk}).status_code == 302
    campaign.refresh_from_db()
    assert campaign.status == "draft"
    assert not campaign.approvals.filter(voided_at=None).exists()


@pytest.mark.parametrize("role", ["approver", "analyst", "support", ""])
@pytest.mark.parametrize("path", ["draft", "removal", "translation"])
def test_who_may_not_edit_changes_no_text(
    role: str, path: str, campaign: Campaign, client: Client, make_user: MakeUser
) -> None:
    client.force_login(make_user("somebody", role))
    target = Archetype.objects.get(language="zh")
    text = text_of(campaign)
    assert client.post(f"/variants/{text.pk}/{path}/", {"archetype": target.pk}).status_code == 403
    assert Variant.objects.filter(pk=text.pk).exists()
    assert not Archetype.objects.exclude(draft_status=DraftStatus.NONE).exists()
    assert client.post(f"/archetypes/{target.pk}/texts/").status_code == 403


def test_a_translation_is_asked_for_in_the_other_archetype(mara: Client, campaign: Campaign) -> None:
    text, target = text_of(campaign), Archetype.objects.get(language="zh")
    page = mara.get(f"/variants/{text.pk}/").content.decode()
    assert f'value="{target.pk}"' in page
    mara.post(f"/variants/{text.pk}/translation/", {"archetype": target.pk})
    target.refresh_from_db()
    assert target.draft_plan[0]["translates"] == text.pk
    same = mara.post(f"/variants/{text.pk}/translation/", {"archetype": text.archetype_id}, follow=True)
    assert "another language" in same.content.decode()


def test_the_page_of_a_channel_that_is_not_connected_says_so(mara: Client, campaign: Campaign) -> None:
    Archetype.objects.update(channel="push")
    text = text_of(campaign)
    for path in (f"/variants/{text.pk}/", f"/campaigns/{campaign.pk}/messages/"):
        assert "sending over this channel is not connected yet" in mara.get(path).content.decode()


def test_texts_stand_side_by_side_with_the_way_in_which_they_differ(mara: Client, campaign: Campaign) -> None:
    other = make_variant(text_of(campaign).archetype, campaign.author, label="B", opening="**Bold** & {{ first_name }}")
    Variant.objects.filter(pk=other.pk).update(angle="opinion")
    page = mara.get(f"/campaigns/{campaign.pk}/messages/").content.decode()
    assert "ask for their opinion" in page
    assert '<strong>Bold</strong> &amp; <span class="slot"' in page


@pytest.mark.parametrize(
    "typed", ["<script>x</script>", "{{ '<script>x</script>' }}", "{% if '<script>' %}y{% endif %}", "*<script>*"]
)
def test_nothing_that_was_typed_becomes_markup_of_our_own_pages(typed: str, mara: Client, campaign: Campaign) -> None:
    make_variant(text_of(campaign).archetype, campaign.author, opening=typed, subject=typed[:200])
    for path in (f"/campaigns/{campaign.pk}/messages/", f"/variants/{text_of(campaign).pk}/"):
        body = mara.get(path).content.decode()
        assert "<script>" not in body[body.index("<main") :]


def test_what_the_model_saw_shows_each_try(mara: Client, campaign: Campaign) -> None:
    text = text_of(campaign)
    calls = [
        LlmCall.objects.create(
            completion_id=uuid4(),
            purpose="draft_message", prompt_name="p", prompt_version="1", model="m", created_at=NOW, keep_until=NOW,
            masked_request={"messages": [{"role": "user", "content": f"seen {number}"}]}, response=f"said {number}",
        )
        for number in (1, 2)
    ]  # fmt: skip
    Variant.objects.filter(pk=text.pk).update(
        llm_request_id=calls[1].request_id, drafted_text={"subject": "Old words"},
        earlier_calls=[{"request_id": str(calls[0].request_id), "faults": ["opening: too loud"]}],
    )  # fmt: skip
    newest = mara.get(f"/variants/{text.pk}/model-call/").content.decode()
    assert "said 2" in newest
    assert "<del>Old words" in newest or "<del>" in newest
    first = mara.get(f"/variants/{text.pk}/model-call/?try=1").content.decode()
    assert "said 1" in first
    assert "too loud" in first


def test_the_api_adds_translates_and_removes_texts(mara: Client, campaign: Campaign) -> None:
    text, target = text_of(campaign), Archetype.objects.get(language="zh")
    answer = mara.post(
        f"/api/v1/variants/{text.pk}/translation/",
        json.dumps({"archetype": target.pk}),
        content_type="application/json",
    )
    assert answer.status_code == 202, answer.content
    copy = mara.post(
        f"/api/v1/variants/{text.pk}/copy/", json.dumps({"angle": "short"}), content_type="application/json"
    )
    assert copy.status_code == 201, copy.content
    assert copy.json()["angle"] == "short"
    again = mara.post(
        f"/api/v1/variants/{text.pk}/draft/", json.dumps({"instruction": "Brief"}), content_type="application/json"
    )
    assert again.status_code == 202
    more = mara.post(
        f"/api/v1/archetypes/{target.pk}/texts/", json.dumps({"angle": "new"}), content_type="application/json"
    )
    assert more.status_code == 202
    assert mara.delete(f"/api/v1/variants/{copy.json()['id']}/").status_code == 204
    assert Variant.objects.count() == 1
    preview = mara.get(f"/api/v1/variants/{text.pk}/preview/?whose=nobody").json()
    assert "Hello," in preview["text"]
    bad = mara.post(
        f"/api/v1/variants/{text.pk}/draft/", json.dumps({"angle": "loud"}), content_type="application/json"
    )
    assert bad.status_code == 400


def test_more_archetypes_and_texts_ask_no_more_questions(mara: Client, campaign: Campaign) -> None:
    def add(numbers: range) -> None:
        for number in numbers:
            archetype = Archetype.objects.create(campaign=campaign, cell=f"cell{number}", size=1)
            for label in "AB":
                make_variant(archetype, campaign.author, label=label)

    address, counts = f"/campaigns/{campaign.pk}/messages/", []
    for numbers in (range(3), range(3, 12)):
        add(numbers)
        mara.get(address)
        with CaptureQueriesContext(connection) as asked:
            mara.get(address)
        counts.append(len(asked))
    assert counts[0] == counts[1]
