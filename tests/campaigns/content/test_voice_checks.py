"""What the brand voice bans is found however it is written; what only looks like it is left alone."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.content.findings import Finding
from campaigns.content.guardrails import check_draft, review_draft
from campaigns.content.prompts.voices import describe_voice

FACTS: dict[str, Any] = {
    "shop": "Tarnside",
    "products": [{"sku": "MT-1", "name": "Miracle Tent", "price": "249", "currency": "EUR", "stock": 9}],
    "merge_tags": ["first_name"],
}


def voice_findings(body: str, language: str = "en", **voice: Any) -> list[Finding]:
    facts = FACTS | {"language": language, "voice": {"version": 3, **voice}}
    found = check_draft(facts, {"subject": "", "body": body})
    return [finding for finding in found if finding.code.startswith("voice-")]


@pytest.mark.parametrize(
    ("banned", "body"),
    [
        ("cheap", "Our cheap tents"),
        ("Cheap", "CHEAP tents"),
        ("cheap", "ｃｈｅａｐ tents"),
        ("cheap", "ch\u00adeap and che\u200bap"),
        ("cheap", "The cheap, and cheap's"),
        ("best seller", "Our Best-Seller is back"),
        ("best-seller", "our best\nseller"),
        ("one of a kind", "Each is one of a kind."),
        ("can't miss", "You can’t miss it"),
        ("cheap", 'Hello {{ first_name | default: "cheap friend" }}'),
        ("全网第一", "全网 第一的帐篷"),
        ("百里挑一", "百里挑一件"),
        ("史上最低", "这是史上最低价"),
        ("VIP", "VIP会员"),
    ],
)
def test_a_banned_word_is_found_however_it_is_written(banned: str, body: str) -> None:
    language = "zh" if any("\u4e00" <= sign <= "\u9fff" for sign in body) else "en"
    assert [(one.code, one.verdict) for one in voice_findings(body, language, banned=[banned])][:1] == [
        ("voice-banned", "block")
    ]


@pytest.mark.parametrize(
    ("banned", "body"),
    [
        ("cheap", "A cheaper tent, the cheapest of all, from Cheapside"),
        ("win", "Winter winds"),
        ("best seller", "A bestseller"),
        ("name", "Hello {{ first_name }}"),
        ("first", "Hello {{ first_name }}"),
        ("première", "premier"),
        ("第一", "第 二"),
    ],
)
def test_what_only_looks_like_a_banned_word_is_left_alone(banned: str, body: str) -> None:
    assert voice_findings(body, banned=[banned]) == []


def test_a_banned_word_in_the_name_of_a_product_is_shown_and_blocks_nothing() -> None:
    found = voice_findings("The Miracle Tent is a miracle.", banned=["miracle"])
    assert [(one.verdict, one.excerpt) for one in found] == [("warn", "Miracle"), ("block", "miracle")]


def test_a_word_to_avoid_only_warns() -> None:
    assert [one.verdict for one in voice_findings("Hurry, hurry", avoid=["hurry"])] == ["warn", "warn"]


@pytest.mark.parametrize(
    ("language", "body", "limits", "told"),
    [
        ("en", "One two three four five six. Seven.", {"sentence_length": 5}, "6 words"),
        ("en", "One two, three 4. Five-and-a-half six", {"sentence_length": 4}, ""),
        ("zh", "我们的帐篷又到了许多新款。来看看", {"sentence_length": 11}, "12 characters"),
        ("zh", "我们的 iPhone 到了", {"sentence_length": 6}, ""),
        ("en", "Great! Good！", {"exclamation_marks": 1}, "Exclamation marks: 2"),
        ("en", "{% if first_name != 'x' %}Great!{% endif %}", {"exclamation_marks": 1}, ""),
        ("en", "👨‍👩‍👧 🇬🇧 ❤️", {"emoji": 2}, "Emoji: 3"),
        ("en", "👨‍👩‍👧 🇬🇧 ❤️ © ™ →", {"emoji": 3}, ""),
        ("en", "Great!", {"exclamation_marks": 0}, "allows 0"),
        ("zh", "你来看看", {"address": "您"}, "您"),
        ("zh", "您来看看", {"address": "你"}, "你"),
        ("zh", "您来看看", {"address": "您"}, ""),
        ("en", "Great!!! 🎉🎉 " + "word " * 90, {}, ""),
    ],
)
def test_the_tone_has_limits(language: str, body: str, limits: dict[str, Any], told: str) -> None:
    found = [one.message for one in voice_findings(body, language, limits=limits)]
    assert all(told and told in message for message in found)
    assert bool(found) == bool(told)


def test_the_voice_bears_no_promise_out() -> None:
    """A banned promise, or one in an example, is no fact."""
    voice = {"version": 30, "banned": ["lifetime warranty"], "examples": ["Free returns within 30 days."]}
    draft = {"subject": "Hello", "body": "A lifetime warranty, and free returns within 30 days."}
    for facts in (FACTS | {"language": "en"}, FACTS | {"language": "en", "voice": voice, "policies_version": 30}):
        found = {one.code for one in check_draft(facts, draft) if one.verdict == "block"}
        assert {"guarantee", "returns"} <= found


def test_a_promise_of_the_policies_is_true_and_names_its_revision() -> None:
    facts = FACTS | {"language": "en", "policies": ["Free returns within 30 days"], "policies_version": 4}
    review = review_draft(facts, {"subject": "Hello", "body": "You have 30 days for free returns."})
    assert [one for one in review.findings if one.verdict == "block"] == []
    assert {(claim.fact, claim.says, claim.version) for claim in review.claims} == {
        ("policy", "Free returns within 30 days", "4")
    }


@pytest.mark.parametrize(
    ("language", "policy", "body"),
    [
        ("en", "Free returns within 30 days", "As ever: free returns within 30 days."),
        ("en", "Free returns within 30 days", "You have thirty days for free returns."),
        ("en", "Repairs in our own workshop", "And repairs in our own workshop, too."),
        ("zh", "30 天内免费退货", "请放心，30天内免费退货。"),
        ("zh", "自有工坊提供维修", "我们的自有工坊提供维修。"),
    ],
)
def test_a_policy_is_claimed_word_for_word_or_in_other_words(language: str, policy: str, body: str) -> None:
    facts = FACTS | {"language": language, "policies": [policy, "Open daily"], "policies_version": 4}
    review = review_draft(facts, {"subject": "", "body": body})
    assert {(claim.fact, claim.says, claim.version) for claim in review.claims} == {("policy", policy, "4")}
    assert len({claim.text for claim in review.claims}) == len(review.claims)


def test_a_banned_word_does_not_make_a_true_claim_false() -> None:
    facts = FACTS | {
        "language": "en",
        "policies": ["Free returns within 30 days"],
        "voice": {"banned": ["free returns"]},
    }
    review = review_draft(facts, {"subject": "Hello", "body": "You have free returns."})
    assert [one.code for one in review.findings if one.verdict == "block"] == ["voice-banned"]
    assert all(claim.is_true and claim.fact == "policy" for claim in review.claims)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(
    st.sampled_from(["banned", "avoid", "limits", "address", "emoji", "sentence_length"]), inner)))  # fmt: skip
def test_odd_json_in_place_of_a_voice_is_no_rule_and_no_error(voice: Any) -> None:
    check_draft(FACTS | {"language": "en", "voice": voice}, {"subject": "Hello", "body": "A plain text!"})


@given(st.text(min_size=1, max_size=30))
def test_every_phrase_that_can_be_typed_can_be_looked_for(phrase: str) -> None:
    voice_findings(f"before {phrase} after", banned=[phrase])


def test_a_small_model_is_told_less_and_every_model_in_its_language() -> None:
    voice = {
        "version": 3, "personality": "Dry", "do": [f"do {n}" for n in range(9)], "dont": [], "examples": ["a", "b"],
        "banned": [f"word{n}" for n in range(50)], "avoid": ["hurry"],
        "limits": {"sentence_length": 20, "exclamation_marks": 0, "emoji": 1, "address": "您"},
    }  # fmt: skip
    short, whole = describe_voice(voice, "zh", is_short=True), describe_voice(voice, "en", is_short=False)
    assert len(short["do"]) == 4
    assert len(short["never_say"]) == 20
    assert len(whole["never_say"]) == 50
    assert "dont" not in whole
    assert "version" not in whole
    assert whole["limits"] == ["at most 20 words to a sentence", "no exclamation marks", "at most 1 emoji"]
    assert short["limits"][0] == "每句不超过20个字"
    assert len(short["limits"]) == 4
    assert describe_voice({}, "en", is_short=False) == {}
