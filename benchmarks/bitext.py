"""The 27 intents of bitext's requests in the words of our triage: each is one topic and one intent.

Two of theirs hold two wishes: half of the requests about the newsletter want to end it, and half of those about the time of a
delivery ask about their own. For these a text's words say which; the pair of most of them stands in the table.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from support.triage.classifier import TextClassifier
from support.triage.rules import read_message
from tests.support.golden_set import WISHES

#: The fields of triage that a request has by its name.
FIELDS: Final = ("topic", "intent")
#: A text and its label, and two such lists: those to learn from and those that are held back.
Row = tuple[str, str]
Split = tuple[Sequence[Row], Sequence[Row]]

OURS: Final[dict[str, tuple[str, str]]] = {
    "cancel_order": ("order", "cancel"),
    "change_order": ("order", "change"),
    "place_order": ("order", "start"),
    "check_cancellation_fee": ("order", "ask"),
    "delivery_options": ("delivery", "ask"),
    "delivery_period": ("delivery", "track"),
    "track_order": ("delivery", "track"),
    "change_shipping_address": ("delivery", "change"),
    "set_up_shipping_address": ("delivery", "change"),
    "check_invoice": ("payment", "document"),
    "get_invoice": ("payment", "document"),
    "check_payment_methods": ("payment", "ask"),
    "payment_issue": ("payment", "fix"),
    "check_refund_policy": ("refund", "ask"),
    "get_refund": ("refund", "refund"),
    "track_refund": ("refund", "track"),
    "create_account": ("account", "start"),
    "delete_account": ("account", "cancel"),
    "edit_account": ("account", "change"),
    "switch_account": ("account", "change"),
    "recover_password": ("account", "fix"),
    "registration_problems": ("account", "fix"),
    "newsletter_subscription": ("newsletter", "cancel"),
    "complaint": ("other", "complain"),
    "review": ("other", "feedback"),
    "contact_customer_service": ("other", "person"),
    "contact_human_agent": ("other", "person"),
}
_ENDS: Final = re.compile(r"cancel|unsubscri|stop|end ", re.IGNORECASE)
_IN_GENERAL: Final = re.compile(r"how long|period", re.IGNORECASE)


def call_ours(text: str, theirs: str) -> tuple[str, str]:
    """The topic and the intent of a request that bitext calls `theirs`."""
    if theirs == "newsletter_subscription" and not _ENDS.search(text):
        return "newsletter", "start"
    if theirs == "delivery_period" and _IN_GENERAL.search(text):
        return "delivery", "ask"
    return OURS[theirs]


def measure_ours(split: Split | None, seed: int) -> dict[str, Any]:
    """Shares right of held-back templates by the rules and by a classifier that was trained on all others, by field.

    The words of the rules were chosen on requests that are learned from; none that is held back was looked at.
    """
    figures: dict[str, Any] = {}
    for at, field in enumerate(FIELDS):
        if split is None:
            figures |= {f"our_{field}_rules": None, f"our_{field}_classifier": None}
            continue
        train, test = ([(text, call_ours(text, theirs)[at]) for text, theirs in rows] for rows in split)
        learned = TextClassifier("en", random_state=seed % 1000).fit([t for t, _label in train], [y for _t, y in train])
        shares = learned.predict_proba([text for text, _label in test])
        said = [learned.classes_[int(best)] for best in shares.argmax(axis=1)]
        figures |= {
            f"our_{field}_rules": _share_right(_ask_rules(field), test),
            f"our_{field}_classifier": round(
                float(np.mean([a == y for a, (_t, y) in zip(said, test, strict=True)])), 4
            ),
        }
    return figures


def measure_wishes() -> dict[str, Any]:
    """The rules on eighty messages that were written before the words of intents were, in both languages."""
    told = [json.loads(line) for line in WISHES.read_text(encoding="utf-8").splitlines()]
    return {
        f"wishes_{field}_{language}": _share_right(
            _ask_rules(field), [(one["text"], one[field]) for one in told if one["lang"] == language]
        )
        for language in ("en", "zh")
        for field in FIELDS
    }


def _ask_rules(field: str) -> Callable[[str], str]:
    return lambda text: read_message(text).verdicts[field].value


def _share_right(say: Callable[[str], str], rows: Sequence[Row]) -> float:
    return round(float(np.mean([say(text) == label for text, label in rows])), 4)
