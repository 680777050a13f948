"""Several texts of one archetype, texts that go back to the model, texts in other channels and in other languages."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import User

from campaigns.content.drafting import draft_archetype, request_drafts, request_text, request_translation
from campaigns.content.plans import MOST_TEXTS
from campaigns.content.rendering import load_source, render_preview, source_hash
from campaigns.models import Archetype, Campaign, DraftStatus, Offer, Variant
from llm.models import LlmCall
from tests import model_server as faults
from tests.model_server import ModelServer, Step, find_schema

from .conftest import NOW

pytestmark = pytest.mark.django_db(transaction=True)

GOOD = {
    "subject": "The trails are getting wet",
    "preheader": "And your jacket is waiting",
    "opening": "It has been a while since you were here, and the paths are muddy again.",
    "invitation": "Come and have a look at what is new.",
}
BAD = GOOD | {"opening": "Our algorithm says that you will churn, so come back to us at once."}


def fit(request: dict[str, Any], words: dict[str, str]) -> Step:
    """The words that the schema asks for."""
    return faults.answer({name: words[name] for name in find_schema(request)["properties"]})


def values_of(request: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(request.user_turn[request.user_turn.index("{") :])
    return found


def test_texts_differ_in_a_named_way_and_each_is_one_call(
    archetype: Archetype, marketer: User, model_server: ModelServer
) -> None:
    model_server.always(faults.answer(GOOD))
    assert request_drafts([archetype], user=marketer, count=3, now=NOW) == 1
    draft_archetype(archetype.pk, now=NOW)
    angles = dict(archetype.variants.values_list("label", "angle"))
    assert angles == {"A": "likes", "B": "offer", "C": "short"}
    assert len({values_of(chat)["angle"] for chat in model_server.chats}) == model_server.count == 3
    archetype.refresh_from_db()
    assert (archetype.draft_status, archetype.draft_plan) == (DraftStatus.DRAFTED, [])
    assert set(LlmCall.objects.values_list("scope", flat=True)) == {f"campaign:{archetype.campaign_id}"}


def test_an_angle_that_needs_an_offer_is_left_out_where_there_is_none(
    archetype: Archetype, marketer: User, no_model: None
) -> None:
    Offer.objects.all().delete()
    request_drafts([archetype], user=marketer, count=MOST_TEXTS, now=NOW)
    draft_archetype(archetype.pk, now=NOW)
    angles = list(archetype.variants.order_by("label").values_list("angle", flat=True))
    assert angles == ["likes", "short", "opinion", "new"]
    assert len(set(archetype.variants.values_list("opening", flat=True))) == 4, "templates differ too"


def test_one_more_text_leaves_the_others_alone(archetype: Archetype, marketer: User, model_server: ModelServer) -> None:
    model_server.always(faults.answer(GOOD))
    request_drafts([archetype], user=marketer, now=NOW)
    first = draft_archetype(archetype.pk, now=NOW)
    assert first is not None
    assert request_text(archetype, user=marketer, angle="opinion", instruction="Be brief", now=NOW)
    archetype.refresh_from_db()
    second = draft_archetype(archetype.pk, now=NOW)
    assert second is not None
    assert (second.label, second.angle) == ("B", "opinion")
    assert values_of(model_server.chats[-1])["brief"]["instruction"] == "Be brief"
    created = first.created_at
    first.refresh_from_db()
    assert first.created_at == created
    assert model_server.count == 2


def test_there_are_four_texts_at_most(archetype: Archetype, marketer: User, no_model: None) -> None:
    request_drafts([archetype], user=marketer, count=9, now=NOW)
    draft_archetype(archetype.pk, now=NOW)
    assert archetype.variants.count() == MOST_TEXTS
    assert not request_text(archetype, user=marketer, now=NOW)


def test_a_failure_in_the_middle_keeps_what_was_written_and_goes_on_there(
    archetype: Archetype, marketer: User, model_server: ModelServer
) -> None:
    model_server.script(faults.answer(GOOD), faults.fault_429(retry_after_s=60))
    model_server.always(faults.answer(GOOD))
    request_drafts([archetype], user=marketer, count=2, now=NOW)
    assert draft_archetype(archetype.pk, now=NOW) is None
    assert list(archetype.variants.values_list("label", flat=True)) == ["A"]
    archetype.refresh_from_db()
    assert [text["label"] for text in archetype.draft_plan] == ["B"]
    later = archetype.draft_not_before
    assert later is not None
    assert draft_archetype(archetype.pk, now=later) is not None
    assert archetype.variants.count() == 2


def test_a_draft_that_is_blocked_goes_back_with_its_findings(
    archetype: Archetype, marketer: User, model_server: ModelServer
) -> None:
    model_server.script(faults.answer(BAD))
    model_server.always(faults.answer(GOOD))
    request_drafts([archetype], user=marketer, now=NOW)
    variant = draft_archetype(archetype.pk, now=NOW)
    assert variant is not None
    assert not variant.is_blocked
    assert model_server.count == 2
    told = values_of(model_server.chats[-1])
    assert told["previous"]["opening"] == BAD["opening"]
    assert told["faults"][0].startswith("opening:")
    assert len(variant.earlier_calls) == 1
    assert LlmCall.objects.filter(request_id=variant.earlier_calls[0]["request_id"]).exists()
    assert str(variant.llm_request_id) != variant.earlier_calls[0]["request_id"]
    archetype.refresh_from_db()
    assert archetype.draft_error == ""


def test_after_two_corrections_a_person_has_to(archetype: Archetype, marketer: User, model_server: ModelServer) -> None:
    model_server.always(faults.answer(BAD))
    request_drafts([archetype], user=marketer, now=NOW)
    variant = draft_archetype(archetype.pk, now=NOW)
    assert variant is not None
    assert variant.is_blocked
    assert model_server.count == 3
    archetype.refresh_from_db()
    assert archetype.draft_status == DraftStatus.DRAFTED
    assert "A person has to" in archetype.draft_error


def test_a_fault_during_a_correction_leaves_the_first_draft_to_a_person(
    archetype: Archetype, marketer: User, model_server: ModelServer
) -> None:
    model_server.script(faults.answer(BAD))
    model_server.always(faults.fault_wrong_key())
    request_drafts([archetype], user=marketer, now=NOW)
    variant = draft_archetype(archetype.pk, now=NOW)
    assert variant is not None
    assert variant.is_blocked
    archetype.refresh_from_db()
    assert archetype.draft_error


@pytest.mark.parametrize("channel", ["sms", "push", "webhook"])
def test_other_channels_are_drafted_checked_and_composed(
    channel: str, archetype: Archetype, marketer: User, model_server: ModelServer
) -> None:
    Archetype.objects.update(channel=channel)
    model_server.answer_with(lambda request: fit(request, GOOD))
    request_drafts([archetype], user=marketer, now=NOW)
    variant = draft_archetype(archetype.pk, now=NOW)
    assert variant is not None
    assert not variant.is_blocked, variant.findings
    assert variant.content_hash == source_hash(load_source(variant))
    assert f"archetype.{channel}.en" in variant.prompt_name
    assert "HIKE10" in render_preview(variant, None, now=NOW).text


def test_a_finished_text_is_translated_as_a_draft_of_its_own(
    archetype: Archetype, chinese_archetype: Archetype, marketer: User, model_server: ModelServer
) -> None:
    model_server.always(faults.answer(GOOD))
    request_drafts([archetype], user=marketer, now=NOW)
    source = draft_archetype(archetype.pk, now=NOW)
    assert source is not None
    model_server.answer_with(
        lambda request: faults.answer(
            {"lines": ["小路又湿了", "夹克在等您", "好久不见，小路又泥泞了。", "来看看新品吧。"]}
        )
    )
    assert request_translation(source, chinese_archetype, user=marketer, now=NOW)
    translated = draft_archetype(chinese_archetype.pk, now=NOW)
    assert translated is not None
    assert translated.translated_from == source
    assert translated.subject == "小路又湿了"
    assert (translated.prompt_name, translated.angle) == ("archetype.translation.zh", source.angle)
    assert translated.drafted_text["opening"] == translated.opening
    assert not translated.is_blocked, translated.findings
    chinese_archetype.refresh_from_db()
    assert request_translation(source, chinese_archetype, user=marketer, now=NOW)
    draft_archetype(chinese_archetype.pk, now=NOW)
    assert chinese_archetype.variants.count() == 1, "translated again, it takes the place of the first"


def test_a_translation_without_its_lines_fails_and_says_so(
    archetype: Archetype, chinese_archetype: Archetype, marketer: User, model_server: ModelServer
) -> None:
    model_server.script(faults.answer(GOOD))
    request_drafts([archetype], user=marketer, now=NOW)
    source = draft_archetype(archetype.pk, now=NOW)
    assert source is not None
    model_server.always(faults.answer({"lines": ["只有一行"]}))
    request_translation(source, chinese_archetype, user=marketer, now=NOW)
    assert draft_archetype(chinese_archetype.pk, now=NOW) is None
    assert model_server.count == 4
    chinese_archetype.refresh_from_db()
    assert chinese_archetype.draft_status == DraftStatus.FAILED
    assert chinese_archetype.draft_error
    assert not Variant.objects.filter(archetype=chinese_archetype).exists()


def test_a_translation_needs_a_model(
    archetype: Archetype, chinese_archetype: Archetype, campaign: Campaign, marketer: User, no_model: None
) -> None:
    request_drafts([archetype], user=marketer, now=NOW)
    source = draft_archetype(archetype.pk, now=NOW)
    assert source is not None
    request_translation(source, chinese_archetype, user=marketer, now=NOW)
    assert draft_archetype(chinese_archetype.pk, now=NOW) is None
    chinese_archetype.refresh_from_db()
    assert chinese_archetype.draft_status == DraftStatus.FAILED
    assert "No language model" in chinese_archetype.draft_error
