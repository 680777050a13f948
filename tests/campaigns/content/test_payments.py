"""When the money is taken: what the facts say of it, in other words and as its false twin."""

from __future__ import annotations

import pytest

from campaigns.content.guardrails import check_draft


def judge(policy: str, body: str, language: str = "en") -> bool:
    """Whether the text is blocked for the moment of the payment."""
    facts = {"shop": "Quill", "policies": [policy], "send_date": "2026-06-01", "language": language}
    found = check_draft(facts, {"subject": "", "preheader": "", "body": body})
    return any(finding.code == "finance" and finding.verdict == "block" for finding in found)


ON_DISPATCH = "Pre-orders are charged on dispatch."
AT_CHECKOUT = "We charge your card at checkout."


@pytest.mark.parametrize(
    ("policy", "body"),
    [
        (ON_DISPATCH, "We'll charge your card when you place the order."),
        (ON_DISPATCH, "Your card is charged today."),
        (ON_DISPATCH, "You'll only be charged when it arrives."),
        (ON_DISPATCH, "We take payment at checkout, and you can cancel until then."),
        (AT_CHECKOUT, "You won't be charged until your order ships."),
        (AT_CHECKOUT, "Your card is charged once the parcel has been dispatched."),
        ("预售商品在发货时扣款。", "下单后立即扣款。"),
    ],
)
def test_another_moment_is_blocked(policy: str, body: str) -> None:
    assert judge(policy, body, "zh-hans" if policy[0] > "z" else "en")


@pytest.mark.parametrize(
    ("policy", "body"),
    [
        (ON_DISPATCH, "You won't be charged today, only once your game ships."),
        (ON_DISPATCH, "Your card isn't charged until it leaves us, so order today."),
        (ON_DISPATCH, "You're charged when we dispatch it, so pre-order today."),
        (ON_DISPATCH, "You can cancel at no charge today."),
        (ON_DISPATCH, "Charge it once today and ride for a week."),
        (AT_CHECKOUT, "Your card is charged when you place the order."),
        ("Delivery takes three days.", "Your card is charged today."),
        ("预售商品在发货时扣款。", "现在下单,发货时才扣款。"),
    ],
)
def test_the_same_moment_in_other_words_and_silent_facts_are_not(policy: str, body: str) -> None:
    assert not judge(policy, body, "zh-hans" if policy[0] > "z" else "en")
