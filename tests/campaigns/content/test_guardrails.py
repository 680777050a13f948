"""Guard-rails on a corpus of our own (drafts.jsonl): false claims blocked, true ones passed, in English and Chinese."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.content.findings import Finding, worst_verdict
from campaigns.content.guardrails import check_draft

ENTRIES = [json.loads(line) for line in (Path(__file__).parent / "drafts.jsonl").read_text("utf-8").splitlines()]
TRUE = [entry for entry in ENTRIES if entry["is_true"]]
FALSE = [entry for entry in ENTRIES if not entry["is_true"]]
FACTS = TRUE[0]["facts"]
DRAFT = {"subject": "It has been a while", "preheader": "", "body": "The paths are muddy again. Come and have a look."}
FIELDS = ["subject", "preheader", "body", "opening", "anything"]
ODD = st.none() | st.integers() | st.floats() | st.text() | st.lists(st.text()) | st.dictionaries(st.text(), st.text())


def blocks(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(finding.code, finding.excerpt) for finding in findings if finding.verdict == "block"]


@pytest.mark.parametrize("entry", FALSE, ids=lambda entry: str(entry["id"]))
def test_a_false_claim_is_blocked(entry: dict[str, Any]) -> None:
    assert blocks(check_draft(entry["facts"], entry["draft"])), entry["draft"]["body"]


def test_true_claims_pass_but_for_two_in_a_hundred() -> None:
    blocked = {
        entry["draft"]["body"]: found
        for entry in TRUE
        if (found := blocks(check_draft(entry["facts"], entry["draft"])))
    }
    assert len(blocked) <= 0.02 * len(TRUE), blocked


def test_a_finding_names_field_place_and_reason() -> None:
    (finding,) = check_draft(FACTS, DRAFT | {"subject": "Enjoy 15% off"})
    assert (finding.verdict, finding.field, finding.excerpt) == ("block", "subject", "15%")
    assert finding.message.endswith(".")
    assert json.loads(json.dumps(finding.as_json()))["verdict"] == "block"


def test_a_plain_draft_has_no_findings() -> None:
    assert check_draft(FACTS, DRAFT) == []


@pytest.mark.parametrize("subject", ["x" * 300, "", "THE TRAILS ARE CALLING YOU NOW"])
def test_length_and_shouting_are_seen(subject: str) -> None:
    assert worst_verdict(check_draft(FACTS, DRAFT | {"subject": subject})) != "pass"


@pytest.mark.parametrize(
    "character",
    ["\u202e", "\u200b", "\u2066", "\x07", "\ufffd"],
    ids=["rlo", "zero width", "isolate", "bell", "broken"],
)
def test_hidden_characters_are_seen(character: str) -> None:
    assert blocks(check_draft(FACTS, DRAFT | {"body": f"Come back{character} and have a look at the jackets."}))


@pytest.mark.parametrize("way", ["15%", "１５％", "1\u200b5%", "15 percent", "fifteen per cent", "15&#37;", "𝟏𝟓%"])
def test_a_false_figure_is_seen_however_it_is_written(way: str) -> None:
    assert blocks(check_draft(FACTS, DRAFT | {"body": f"Enjoy {way} off your next order, until 14 December."}))


@given(facts=st.dictionaries(st.sampled_from(list(FACTS)), ODD), draft=st.dictionaries(st.sampled_from(FIELDS), ODD))
def test_odd_input_never_raises(facts: dict[str, Any], draft: dict[str, Any]) -> None:
    assert isinstance(check_draft(facts, draft), list)


@given(body=st.text(max_size=400))
def test_the_same_draft_has_the_same_findings(body: str) -> None:
    draft = DRAFT | {"body": body}
    assert check_draft(FACTS, draft) == check_draft(FACTS, draft)
