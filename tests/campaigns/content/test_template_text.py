"""Texts without a model: none claims anything, and each kind of customer reads words of its own."""

from __future__ import annotations

import itertools

import pytest

from campaigns.content.guardrails import check_draft
from campaigns.content.template_phrases import CHINESE, ENGLISH
from campaigns.content.template_text import write_template_text
from campaigns.models import Angle
from customers.features.catalogue import THEMES

REASONS = ["", *THEMES]
ANGLES = ["", *Angle.values]
FACTS = {"shop": "Tarnside Outdoor", "offer": "", "products": [], "policies": [], "send_date": "2026-11-28"}
LIKES = {"en": "tents", "zh": "帐篷"}


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("angle", ANGLES)
@pytest.mark.parametrize("has_offer", [False, True])
def test_no_template_text_has_a_finding(language: str, angle: str, has_offer: bool) -> None:
    if angle == Angle.OFFER and not has_offer:
        return  # is never planned where there is no offer
    offer = {"offer": "10% off", "percent": "10", "code": "BACK10"} if has_offer else {}
    for reason, likes in itertools.product(REASONS, ["", LIKES[language]]):
        text = write_template_text(reason=reason, likes=likes, language=language, angle=angle)
        findings = check_draft(FACTS | offer | {"language": language}, text)
        assert not findings, (reason, likes, text, findings)
        assert "{" not in "".join(text.values())


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_reason_is_told_in_words_of_its_own_under_any_angle_that_has_room(language: str) -> None:
    for angle in ("", Angle.LIKES, Angle.OFFER, Angle.HELP):
        texts = [write_template_text(reason=reason, likes="", language=language, angle=angle) for reason in REASONS]
        assert len({(text["subject"], text["opening"], text["story"]) for text in texts}) == len(REASONS)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_angle_of_one_reason_has_another_text(language: str) -> None:
    alike = {"", Angle.LIKES.value}  # to lead with what they like is what a template does by itself
    texts = {
        angle: str(write_template_text(reason="rhythm", likes=LIKES[language], language=language, angle=angle))
        for angle in ANGLES
        if angle not in alike
    }
    assert len(set(texts.values())) == len(texts)


def test_both_languages_know_every_reason_and_angle() -> None:
    assert set(ENGLISH.reasons) == set(CHINESE.reasons) == set(REASONS)
    assert set(ENGLISH.angles) == set(CHINESE.angles)


def test_what_is_not_known_is_any_reason() -> None:
    known = write_template_text(reason="", likes="", language="en")
    assert write_template_text(reason="moon", likes="", language="de", angle="sideways") == known
