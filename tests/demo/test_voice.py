"""The demo shop's voice and policies: both languages, and nothing in them that its own texts would trip over."""

from __future__ import annotations

import datetime as dt
from itertools import product

import pytest

from campaigns.content.guardrails import check_draft, review_draft
from campaigns.content.policies import clean_policies
from campaigns.content.template_text import write_template_text
from campaigns.content.voice import LANGUAGES, clean_voice_text
from campaigns.models import Angle, BrandVoice, ShopPolicies
from customers.features.catalogue import THEMES
from retention_site.demo.people import make_people
from retention_site.demo.seeding.present import A_PERSONS_WORDS
from retention_site.demo.seeding.voice import FIRST_VOICE, POLICIES, refine_voice, second_voice, set_the_tone

NOW = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_template_text_trips_over_the_voice(language: str) -> None:
    likes = "睡袋和防潮垫" if language == "zh" else "sleeping bags and mats"
    for voice in (FIRST_VOICE[language], second_voice()[language]):
        facts = {
            "shop": "Tarnside", "language": language, "policies": clean_policies(POLICIES[language]),
            "policies_version": 1, "voice": clean_voice_text(voice, language), "percent": "10", "code": "BACK10",
            "offer": "10% off", "valid_until": "2026-12-30", "send_date": "2026-11-23",
        }  # fmt: skip
        for reason, angle in product(["", *THEMES], ["", *Angle.values]):
            words = write_template_text(reason=reason, likes=likes, language=language, angle=angle)
            found = [
                one for one in check_draft(facts, words) if one.verdict == "block" or one.code.startswith("voice-")
            ]
            assert found == [], (reason, angle)


def test_what_a_person_adds_to_a_draft_stands_in_the_policies() -> None:
    facts = {"shop": "Tarnside", "language": "en", "policies": POLICIES["en"], "policies_version": 1}
    words = write_template_text(reason="browsing", likes="tents", language="en") | A_PERSONS_WORDS
    review = review_draft(facts | {"voice": second_voice()["en"]}, words)
    assert [one for one in review.findings if one.verdict == "block" or one.code.startswith("voice-")] == []
    assert {(one.fact, one.says) for one in review.claims} == {("policy", "Free returns within 30 days")}


def test_the_voice_has_a_history(db: None) -> None:
    people = make_people()
    set_the_tone(people, now=NOW)
    refine_voice(people, now=NOW + dt.timedelta(days=90))
    assert [voice.number for voice in BrandVoice.objects.order_by("number")] == [1, 2]
    assert "hurry" in BrandVoice.objects.get(number=2).texts["en"]["banned"]
    assert ShopPolicies.objects.get().texts == POLICIES
