"""A second corpus (near_misses.jsonl), by another hand than the guard-rails', and what no input may do to them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.content.findings import worst_verdict
from campaigns.content.guardrails import check_draft

CORPUS = [json.loads(line) for line in Path(__file__).with_name("near_misses.jsonl").read_text("utf-8").splitlines()]
TRUE = [entry for entry in CORPUS if entry["expect"] == "pass"]
FALSE = [entry for entry in CORPUS if entry["expect"] == "block"]
FACTS = TRUE[0]["facts"]
DRAFT = {"subject": "It has been a while", "preheader": "", "body": "The paths are muddy again. Come and have a look."}
FIELDS = ["subject", "preheader", "body", "opening", "anything"]
ODD = st.none() | st.integers() | st.floats() | st.text() | st.lists(st.text()) | st.dictionaries(st.text(), st.text())


def verdict(entry: dict[str, Any]) -> str:
    return worst_verdict(check_draft(entry["facts"], entry["draft"]))


def test_every_false_claim_is_blocked() -> None:
    assert [(entry["id"], entry["draft"]["body"]) for entry in FALSE if verdict(entry) != "block"] == []


def test_at_most_two_true_drafts_in_a_hundred_are_blocked() -> None:
    blocked = [(entry["id"], entry["draft"]["body"]) for entry in TRUE if verdict(entry) == "block"]
    assert len(blocked) <= 0.02 * len(TRUE), blocked


def test_a_finding_names_field_place_and_reason() -> None:
    (finding,) = check_draft(FACTS, DRAFT | {"subject": "Enjoy 15% off"})
    assert (finding.verdict, finding.field, finding.excerpt) == ("block", "subject", "15%")
    assert finding.message.endswith(".")


@pytest.mark.parametrize(
    "character",
    ["\u202e", "\u200b", "\u2066", "\x07", "\ufffd"],
    ids=["rlo", "zero width", "isolate", "bell", "broken"],
)
def test_hidden_characters_are_blocked(character: str) -> None:
    draft = DRAFT | {"body": f"Come back{character} and have a look at the jackets."}
    assert worst_verdict(check_draft(FACTS, draft)) == "block"


@pytest.mark.parametrize("way", ["15%", "１５％", "1\u200b5%", "15 percent", "fifteen per cent", "15&#37;", "𝟏𝟓%"])
def test_a_false_figure_is_seen_however_it_is_written(way: str) -> None:
    draft = DRAFT | {"body": f"Enjoy {way} off your next order, until 14 December."}
    assert worst_verdict(check_draft(FACTS, draft)) == "block"


@given(facts=st.dictionaries(st.sampled_from(list(FACTS)), ODD), draft=st.dictionaries(st.sampled_from(FIELDS), ODD))
def test_odd_input_never_raises(facts: dict[str, Any], draft: dict[str, Any]) -> None:
    assert isinstance(check_draft(facts, draft), list)


@given(body=st.text(max_size=300))
def test_the_same_draft_has_the_same_findings(body: str) -> None:
    draft = DRAFT | {"body": body}
    assert check_draft(FACTS, draft) == check_draft(FACTS, draft)
