"""Two people at one text, and forms that ask for what cannot be: nothing that was typed is lost, nothing is done by half."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from pytest_django import Settings

from campaigns.approval.editing import StaleText, edit_variant
from campaigns.content.editing import hash_words
from campaigns.models import Archetype, Campaign, DraftStatus, TransitionConflict, Variant
from tests.campaigns.arrange import NOW, make_campaign, make_cast, make_customers
from tests.conftest import MakeUser

pytestmark = pytest.mark.django_db
PARTS = ("subject", "preheader", "opening", "story", "invitation", "button_label")


@pytest.fixture
def campaign(settings: Settings) -> Campaign:
    settings.LLM_BASE_URL = settings.LLM_MODEL = ""
    return make_campaign(make_cast().marketer, make_customers(3))


@pytest.fixture
def mara(client: Client, campaign: Campaign) -> Client:
    client.force_login(campaign.author)
    return client


@pytest.fixture
def text(campaign: Campaign) -> Variant:
    return Variant.objects.select_related("archetype__campaign").get(archetype__campaign=campaign)


def typed_into(page: Client, text: Variant, **changes: str) -> dict[str, str]:
    """What a browser sends back of the form that the page showed."""
    form = page.get(f"/variants/{text.pk}/").context["form"]
    words = {name: str(form[name].value() or "") for name in (*PARTS, "seen")}
    return words | changes


def test_the_slower_of_two_sees_both_texts_and_loses_no_word(mara: Client, text: Variant, make_user: MakeUser) -> None:
    slow = typed_into(mara, text, opening="What Mara typed, slowly.")
    edit_variant(make_user("mika", "marketer"), text, {"opening": "What Mika saved first."}, now=NOW)
    answer = mara.post(f"/variants/{text.pk}/", slow)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "changed after you opened it" in page
    assert "What Mara typed, slowly." in page and "first." in page
    text.refresh_from_db()
    assert text.opening == "What Mika saved first."
    # Saving again is a decision.
    again = slow | {"seen": answer.context["form"]["seen"].value()}
    assert mara.post(f"/variants/{text.pk}/", again).status_code == 302
    text.refresh_from_db()
    assert text.opening == "What Mara typed, slowly."


def test_the_check_holds_under_the_lock_too(text: Variant, campaign: Campaign) -> None:
    seen = hash_words(text)
    edit_variant(campaign.author, text, {"opening": "First."}, now=NOW, seen=seen)
    with pytest.raises(StaleText):
        edit_variant(campaign.author, text, {"opening": "Second."}, now=NOW, seen=seen)


def test_a_write_of_one_part_leaves_what_somebody_wrote_into_another(text: Variant, campaign: Campaign) -> None:
    """Over the API two people change two parts, each with a row that was read before the other wrote."""
    first, second = (Variant.objects.select_related("archetype__campaign").get(pk=text.pk) for _turn in range(2))
    edit_variant(campaign.author, first, {"subject": "A new subject"}, now=NOW)
    edit_variant(campaign.author, second, {"opening": "A new opening."}, now=NOW)
    text.refresh_from_db()
    assert (text.subject, text.opening) == ("A new subject", "A new opening.")


def test_a_text_that_was_removed_meanwhile_is_a_conflict(text: Variant, campaign: Campaign) -> None:
    Variant.objects.filter(pk=text.pk).delete()
    with pytest.raises(TransitionConflict):
        edit_variant(campaign.author, text, {"opening": "Too late."}, now=NOW)


def test_saving_the_same_form_twice_is_saving_it_once(mara: Client, text: Variant) -> None:
    words = typed_into(mara, text, opening="The very same.")
    codes = [mara.post(f"/variants/{text.pk}/", words).status_code for _turn in range(2)]
    assert codes == [302, 409]
    text.refresh_from_db()
    assert text.opening == "The very same."


@pytest.mark.parametrize(
    "wish", [{"instruction": "x" * 501}, {"count": "9"}, {"count": "all", "instruction": "Shorter"}]
)
def test_a_wish_that_cannot_be_fulfilled_drafts_nothing_and_is_still_there(
    wish: dict[str, str], mara: Client, campaign: Campaign
) -> None:
    answer = mara.post(f"/campaigns/{campaign.pk}/drafts/", wish)
    assert answer.status_code == 422
    assert wish.get("instruction", "") in answer.content.decode()
    assert not Archetype.objects.exclude(draft_status=DraftStatus.NONE).exists()


def test_an_instruction_that_is_too_long_for_one_text_is_still_there(mara: Client, text: Variant) -> None:
    long = "word " * 150
    answer = mara.post(f"/variants/{text.pk}/draft/", {"instruction": long})
    assert answer.status_code == 422
    assert long.strip() in answer.content.decode()
    assert mara.post(f"/archetypes/{text.archetype_id}/texts/", {"angle": "nonsense"}).status_code == 422
    assert Archetype.objects.get().draft_plan == []


@pytest.mark.parametrize("number", ["9" * 5_000, "9" * 19, "-1", "١٢٣", "1.5", "x", "0"])
def test_a_number_that_no_row_has_is_not_found(number: str, mara: Client, campaign: Campaign, text: Variant) -> None:
    for path, field in (
        (f"/variants/{text.pk}/translation/", "archetype"),
        (f"/campaigns/{campaign.pk}/archetypes/removal/", "archetype"),
        (f"/campaigns/{campaign.pk}/archetypes/merger/", "first"),
        (f"/campaigns/{campaign.pk}/drafts/", "archetype"),
    ):
        assert mara.post(path, {field: number}).status_code == 404, path


def test_words_of_people_are_replaced_only_when_that_is_ticked(mara: Client, campaign: Campaign) -> None:
    page = mara.get(f"/campaigns/{campaign.pk}/messages/").content.decode()
    assert "Also replace the text that a person wrote" in page
    told = mara.post(f"/campaigns/{campaign.pk}/drafts/", {"count": "1"}, follow=True).content.decode()
    assert "Nothing was asked for" in told
    assert Archetype.objects.get().draft_status == DraftStatus.NONE
    mara.post(f"/campaigns/{campaign.pk}/drafts/", {"count": "1", "also_edited": "on"})
    assert Archetype.objects.get().draft_status == DraftStatus.REQUESTED


def test_drafting_is_stopped_on_the_page_and_over_the_api(mara: Client, campaign: Campaign, text: Variant) -> None:
    for stop in (f"/campaigns/{campaign.pk}/drafts/removal/", f"/api/v1/campaigns/{campaign.pk}/drafts/removal/"):
        mara.post(f"/variants/{text.pk}/draft/", {})
        assert "on its way" in mara.get(f"/variants/{text.pk}/").content.decode()
        assert "Stop drafting" in mara.get(f"/campaigns/{campaign.pk}/messages/").content.decode()
        assert mara.post(stop).status_code in (200, 302)
        assert Archetype.objects.get().draft_status == DraftStatus.DRAFTED


def test_who_may_not_see_customers_gets_the_preview_of_nobody(
    client: Client, text: Variant, make_user: MakeUser
) -> None:
    reader = make_user("rita", "")
    reader.user_permissions.add(Permission.objects.get(codename="view_variant"))
    client.force_login(reader)
    shown = client.get(f"/variants/{text.pk}/preview/?whose=1").content.decode()
    assert "Kim" not in shown


def test_when_the_last_draft_has_come_the_page_says_what_comes_next(mara: Client, campaign: Campaign) -> None:
    polled = mara.get(f"/campaigns/{campaign.pk}/messages/", headers={"hx-request": "true"}).content.decode()
    assert "hx-swap-oob" in polled and "Go on to the timing" in polled
    Archetype.objects.update(draft_status=DraftStatus.DRAFTING)
    polled = mara.get(f"/campaigns/{campaign.pk}/messages/", headers={"hx-request": "true"}).content.decode()
    assert "hx-swap-oob" not in polled and "data-poll" in polled


def test_a_decision_card_says_what_a_person_vouches_for_in_words(
    mara: Client, campaign: Campaign, text: Variant
) -> None:
    Campaign.objects.update(talking_points="Repairs are free\nWe ship from Leith")
    edit_variant(campaign.author, text, {"opening": "Come and look."}, now=NOW)
    page = mara.get(f"/variants/{text.pk}/decision/").content.decode()
    assert "Repairs are free; We ship from Leith" in page
    assert f"/variants/{text.pk}/decision/" in mara.get(f"/variants/{text.pk}/").content.decode()
