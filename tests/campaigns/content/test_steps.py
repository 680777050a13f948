"""Texts of the further steps of a sequence: what their drafts know of the steps before, and that none says the same again."""

from __future__ import annotations

import json

import pytest
from django.contrib.auth.models import User

from campaigns.content.drafting import draft_archetype, request_drafts, request_text, request_translation
from campaigns.content.editing import write_variant
from campaigns.content.guardrails import check_draft
from campaigns.content.likeness import ALIKE, measure_likeness, shingle
from campaigns.content.plans import PlannedText, plan_all, plan_one, read_plan, take_back
from campaigns.content.steps import MOST_STEPS
from campaigns.content.template_phrases import CHINESE, ENGLISH
from campaigns.content.template_text import write_template_text
from campaigns.content.twins import find_twins
from campaigns.models import Angle, Archetype, Campaign, FollowUp, Variant
from customers.features.catalogue import THEMES
from tests import model_server as faults
from tests.model_server import ModelServer

from .conftest import NOW

pytestmark = pytest.mark.django_db(transaction=True)

FIRST = {"subject": "The trails are getting wet", "opening": "The paths are muddy again, and we have jackets."}
SECOND = {
    "subject": "Which one fits you?",
    "preheader": "A hand with choosing",
    "opening": "Tell us where you walk, and we will help you choose.",
    "invitation": "Just reply to this message.",
}


@pytest.fixture
def sequence(campaign: Campaign) -> Campaign:
    FollowUp.objects.create(
        campaign=campaign, number=2, wait_hours=72, only_if="not_clicked", purpose="Offer help {{ with }} choosing"
    )
    FollowUp.objects.create(campaign=campaign, number=3, wait_hours=48)
    return campaign


def write(archetype: Archetype, step: int, label: str = "A", **words: str) -> Variant:
    variant = Variant(archetype=archetype, step=step, label=label, origin=Variant.Origin.PERSON)
    return write_variant(variant, FIRST | words, user=None, now=NOW)


def places(archetype: Archetype) -> list[tuple[int, str]]:
    return list(Variant.objects.filter(archetype=archetype).order_by("step", "label").values_list("step", "label"))


def test_all_steps_are_drafted_at_once_each_with_its_texts(
    sequence: Campaign, archetype: Archetype, marketer: User, no_model: None
) -> None:
    request_drafts(sequence, user=marketer, count=2, now=NOW)
    draft_archetype(archetype.pk, now=NOW)
    assert places(archetype) == [(step, label) for step in (1, 2, 3) for label in "AB"]
    assert len(set(Variant.objects.filter(label="A").values_list("subject", flat=True))) == 3
    assert not [text for text in Variant.objects.all() if text.is_blocked]
    assert find_twins([archetype]) == {}


def test_one_step_is_drafted_again_and_the_others_stay(
    sequence: Campaign, archetype: Archetype, marketer: User, no_model: None
) -> None:
    write(archetype, 1)
    request_drafts(sequence, user=marketer, steps=[2], now=NOW)
    draft_archetype(archetype.pk, now=NOW)
    assert places(archetype) == [(1, "A"), (2, "A")]
    assert Variant.objects.get(step=1).subject == FIRST["subject"]


def test_a_follow_up_is_told_what_it_is_and_what_was_said_before(
    sequence: Campaign, archetype: Archetype, marketer: User, model_server: ModelServer
) -> None:
    write(archetype, 1)
    write(archetype, 1, label="B", subject="Another beginning")
    model_server.always(faults.answer(SECOND))
    request_text(archetype, user=marketer, step=2, now=NOW)
    variant = draft_archetype(archetype.pk, now=NOW)
    assert variant is not None
    assert (variant.step, variant.label, variant.subject) == (2, "A", SECOND["subject"])
    assert (variant.prompt_name, variant.prompt_version) == ("archetype.message.en.follow_up", "1")
    assert variant.facts["send_date"] == "2026-11-26"
    said = model_server.chats[0].user_turn
    sequence_told = json.loads(said[said.index("{") : said.rindex("}") + 1])["sequence"]
    assert sequence_told["message_number"] == 2
    assert sequence_told["of_messages"] == 3
    assert sequence_told["days_since_the_message_before"] == 3
    assert "choosing" in sequence_told["purpose"]
    assert "not clicked" in sequence_told["goes_to"]
    assert sequence_told["said_before"] == [FIRST]


def test_the_first_message_is_asked_for_as_before_there_were_steps(
    sequence: Campaign, archetype: Archetype, marketer: User, model_server: ModelServer
) -> None:
    model_server.always(faults.answer(SECOND))
    request_text(archetype, user=marketer, step=1, now=NOW)
    variant = draft_archetype(archetype.pk, now=NOW)
    assert variant is not None
    assert variant.prompt_name == "archetype.message.en"
    assert "sequence" not in model_server.chats[0].user_turn


def test_a_follow_up_is_translated_into_the_same_step(
    sequence: Campaign, archetype: Archetype, chinese_archetype: Archetype, marketer: User, model_server: ModelServer
) -> None:
    write(archetype, 1)
    write(chinese_archetype, 1)
    source = write(archetype, 2, **SECOND)
    model_server.always(
        faults.answer(
            {"lines": ["哪一款适合您？", "帮您挑选", "告诉我们您去哪里走走，我们帮您挑选。", "直接回复即可。"]}
        )
    )
    assert request_translation(source, chinese_archetype, user=marketer, now=NOW)
    variant = draft_archetype(chinese_archetype.pk, now=NOW)
    assert variant is not None
    assert (variant.step, variant.label, variant.translated_from_id) == (2, "A", source.pk)


def test_a_draft_of_one_step_is_taken_back_and_that_of_another_stays(
    sequence: Campaign, archetype: Archetype, marketer: User
) -> None:
    request_drafts(sequence, user=marketer, now=NOW)
    assert take_back(archetype, "A", 2)
    archetype.refresh_from_db()
    assert [text.place for text in read_plan(archetype)] == [(1, "A"), (3, "A")]


def test_plans_keep_to_the_steps_that_there_are(sequence: Campaign, archetype: Archetype) -> None:
    assert [text.step for text in plan_all(archetype)] == [1, 2, 3]
    assert plan_one(archetype, step=4) == []
    assert plan_one(archetype, step=3) == [PlannedText("A", "likes", step=3)]


def test_a_follow_up_that_says_the_same_again_is_told_so(archetype: Archetype) -> None:
    first = write(archetype, 1)
    again = write(archetype, 2, subject="The trails are getting very wet")
    other = write(archetype, 3, subject="Make a list", opening="What is worn out by now? Go through it at your ease.")
    told = find_twins([archetype])
    assert set(told) == {again.pk}
    assert "step 1" in told[again.pk].message
    assert {first.pk, other.pk}.isdisjoint(told)


def test_other_archetypes_are_compared_at_the_same_step_alone(archetype: Archetype, campaign: Campaign) -> None:
    other = Archetype.objects.create(
        campaign=campaign, cell="returns|Jackets|en", reason="returns", language="en", size=9
    )
    write(archetype, 1)
    late = write(other, 2)
    assert find_twins([archetype, other]) == {}
    twin = write(other, 1)
    assert twin.pk in find_twins([archetype, other])
    assert "step 1" in find_twins([archetype, other])[late.pk].message


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("angle", ["", *Angle.values])
def test_no_template_of_a_follow_up_has_a_finding_or_repeats_another(language: str, angle: str) -> None:
    facts = {
        "shop": "Tarnside", "offer": "10% off", "percent": "10", "code": "BACK10", "products": [], "policies": [],
        "send_date": "2026-11-28", "language": language,
    }  # fmt: skip
    likes = {"en": "tents", "zh": "帐篷"}[language]
    for reason in ("", *THEMES):
        texts = [
            write_template_text(reason=reason, likes=likes, language=language, angle=angle, step=step)
            for step in range(1, MOST_STEPS + 1)
        ]
        for text in texts:
            assert not check_draft(facts, text), text
        sets = [
            shingle("\n".join(text[part] for part in ("subject", "opening", "story", "invitation"))) for text in texts
        ]
        alike = [(i, j) for i, one in enumerate(sets) for j in range(i) if measure_likeness(one, sets[j]) >= ALIKE]
        assert not alike, (reason, alike)


def test_both_languages_have_a_text_for_every_step() -> None:
    assert len(ENGLISH.follow_ups) == len(CHINESE.follow_ups) == MOST_STEPS - 1
