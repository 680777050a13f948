"""What a person wrote is never replaced by a draft that they did not ask for: not by a race, and not by a click on "all"."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from campaigns.approval.editing import edit_variant
from campaigns.approval.texts import ask_for_drafts, ask_for_text, remove_text, stop_drafting
from campaigns.approval.workflow import NotReady, submit_campaign
from campaigns.content.drafting import archetypes_waiting, draft_archetype, request_drafts
from campaigns.models import Archetype, Campaign, DraftStatus, Variant
from tests import model_server as faults
from tests.campaigns.arrange import NOW, make_campaign, make_cast, make_customers, make_variant
from tests.model_server import ModelServer, Step

pytestmark = pytest.mark.django_db(transaction=True)

DRAFT = {
    "subject": "The trails are getting wet",
    "preheader": "And your jacket is waiting",
    "opening": "It has been a while since you were here, and the paths are muddy again.",
    "invitation": "Come and have a look at what is new.",
}
OURS = "Our own words, which took an afternoon."


@pytest.fixture
def campaign(settings: Settings) -> Campaign:
    return make_campaign(make_cast().marketer, make_customers(3))


@pytest.fixture
def mara(campaign: Campaign) -> User:
    return campaign.author


@pytest.fixture
def text(campaign: Campaign) -> Variant:
    return Variant.objects.select_related("archetype__campaign").get(archetype__campaign=campaign)


def test_words_saved_while_the_model_writes_stay(text: Variant, mara: User, model_server: ModelServer) -> None:
    def edit_meanwhile(request: object) -> Step:
        edit_variant(mara, text, {"opening": OURS}, now=NOW)
        return faults.answer(DRAFT)

    model_server.answer_with(edit_meanwhile)
    ask_for_text(mara, text.archetype, label="A", now=NOW)
    draft_archetype(text.archetype_id, now=NOW)
    text.refresh_from_db()
    assert (text.opening, text.edited_by) == (OURS, mara)
    archetype = Archetype.objects.get()
    assert (archetype.draft_status, archetype.draft_plan) == (DraftStatus.DRAFTED, [])
    assert archetypes_waiting(NOW) == []


def test_words_saved_while_the_draft_still_waits_stay_and_cost_nothing(
    text: Variant, mara: User, model_server: ModelServer
) -> None:
    ask_for_text(mara, text.archetype, label="A", now=NOW)
    edit_variant(mara, text, {"opening": OURS}, now=NOW)
    assert draft_archetype(text.archetype_id, now=NOW) is None
    text.refresh_from_db()
    assert (text.opening, model_server.count) == (OURS, 0)


def test_the_other_texts_of_the_archetype_are_drafted_all_the_same(
    text: Variant, mara: User, model_server: ModelServer
) -> None:
    second = make_variant(text.archetype, mara, label="B")
    third = make_variant(text.archetype, mara, label="C")

    def edit_meanwhile(request: object) -> Step:
        edit_variant(mara, second, {"opening": OURS}, now=NOW)
        return faults.answer(DRAFT)

    model_server.answer_with(edit_meanwhile)
    request_drafts([text.archetype], user=mara, also_edited=True, now=NOW)
    draft_archetype(text.archetype_id, now=NOW)
    openings = dict(Variant.objects.values_list("label", "opening"))
    assert openings == {"A": DRAFT["opening"], "B": OURS, "C": DRAFT["opening"]}
    assert third.pk and model_server.count == 2
    assert Archetype.objects.get().draft_status == DraftStatus.DRAFTED


def test_a_text_that_was_removed_does_not_come_back(text: Variant, mara: User, model_server: ModelServer) -> None:
    second = make_variant(text.archetype, mara, label="B")

    def remove_meanwhile(request: object) -> Step:
        remove_text(mara, second, now=NOW)
        return faults.answer(DRAFT)

    model_server.answer_with(remove_meanwhile)
    ask_for_text(mara, text.archetype, label="B", now=NOW)
    draft_archetype(text.archetype_id, now=NOW)
    assert list(Variant.objects.values_list("label", flat=True)) == ["A"]


def test_drafting_all_again_leaves_out_what_a_person_edited(
    text: Variant, mara: User, campaign: Campaign, model_server: ModelServer
) -> None:
    model_server.always(faults.answer(DRAFT))
    Variant.objects.update(edited_at=None, edited_by=None, origin=Variant.Origin.MODEL)
    written = make_variant(text.archetype, mara, label="B", opening=OURS)
    assert ask_for_drafts(mara, campaign, now=NOW) == 1
    draft_archetype(text.archetype_id, now=NOW)
    written.refresh_from_db()
    text.refresh_from_db()
    assert (text.opening, written.opening) == (DRAFT["opening"], OURS)
    ask_for_drafts(mara, campaign, also_edited=True, now=NOW)
    draft_archetype(text.archetype_id, now=NOW)
    written.refresh_from_db()
    assert written.opening == DRAFT["opening"]


def test_nothing_waits_where_people_wrote_all_texts(text: Variant, mara: User, campaign: Campaign) -> None:
    assert ask_for_drafts(mara, campaign, now=NOW) == 0
    assert Archetype.objects.get().draft_status == DraftStatus.NONE
    assert ask_for_drafts(mara, campaign, count=2, now=NOW) == 1
    assert [planned["label"] for planned in Archetype.objects.get().draft_plan] == ["B"]


def test_a_campaign_is_not_submitted_with_texts_that_are_about_to_change(
    text: Variant, mara: User, campaign: Campaign, model_server: ModelServer
) -> None:
    ask_for_text(mara, text.archetype, label="A", now=NOW)
    with pytest.raises(NotReady, match="still being drafted"):
        submit_campaign(mara, campaign, now=NOW)
    assert stop_drafting(mara, campaign, now=NOW) == 1
    assert stop_drafting(mara, campaign, now=NOW) == 0
    submit_campaign(mara, campaign, now=NOW)
    assert model_server.count == 0


def test_a_worker_whose_drafts_were_stopped_writes_nothing(
    text: Variant, mara: User, campaign: Campaign, model_server: ModelServer
) -> None:
    def stop_meanwhile(request: object) -> Step:
        stop_drafting(mara, campaign, now=NOW)
        return faults.answer(DRAFT)

    model_server.answer_with(stop_meanwhile)
    before = text.opening
    ask_for_text(mara, text.archetype, label="A", now=NOW)
    draft_archetype(text.archetype_id, now=NOW)
    text.refresh_from_db()
    assert text.opening == before
