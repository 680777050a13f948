"""No text and no facts make the guard-rails fall over or take more than their share of time."""

from __future__ import annotations

import io
import json
import time
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from hypothesis import given
from hypothesis import strategies as st

from campaigns.content.guardrails import MOST_FACTS, MOST_READ, check_draft, review_draft, worst_verdict

FACTS: dict[str, Any] = {
    "shop": "Tarnside", "offer": "10% off on tents from €50", "code": "AUTUMN10", "percent": 10, "currency": "EUR",
    "valid_until": "2026-11-30", "send_date": "2026-11-23", "min_basket": "50", "language": "en",
    "products": [{"sku": "T1", "name": "Fell Tent", "price": "249", "currency": "EUR", "stock": 3, "category": "Tents"}],
    "policies": ["Free returns within 30 days", "Free shipping on orders over €80"],
}  # fmt: skip
#: What regular expressions stumble over: rows of one thing that begins a match and never ends it.
ROWS = [
    "free ", "1,", "1234567890", "一", "您", "x", " ", "you are ", "we know you your ", "{{", "[a", "<a ", "10% ", "a@", "a.",
    "not ", "two hundred and ", "save up to ", "1/1/", "women ", "http://a", "买", "\n", "- ", "every order ", "'", "of the ",
]  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
KEYS = st.sampled_from([*FACTS, "postal_address", "is_composed", "segment", "merge_tags", "allowed_domains", "channel"])
FIELDS = st.sampled_from(["subject", "preheader", "body", "opening", "story", "invitation", "anything"])


def measure(body: str) -> float:
    """Seconds of processor time, the less of two: what else the machine does is not counted."""
    found = []
    for _try in range(2):
        begun = time.process_time()
        check_draft(FACTS, {"subject": "Hello", "body": body})
        found.append(time.process_time() - begun)
    return min(found)


@pytest.mark.parametrize("row", ROWS)
def test_ten_times_the_text_takes_not_much_more_than_ten_times_the_time(row: str) -> None:
    """Squared it would be a hundred times. Measured as a ratio in one run, on the longest text that is read."""
    text = (row * MOST_READ)[: MOST_READ - 100]
    assert measure(text) < 40 * measure(text[: len(text) // 10])


def test_what_is_too_much_to_read_is_blocked_unread() -> None:
    (finding,) = check_draft(FACTS, {"subject": "Hello", "body": "a " * MOST_READ})
    assert (finding.code, finding.verdict) == ("length", "block")
    (finding,) = check_draft(FACTS | {"note": "a" * MOST_FACTS}, {"subject": "Hello", "body": "Good day."})
    assert (finding.code, finding.verdict) == ("facts", "block")


def test_lists_in_lists_in_lists_are_blocked_unread() -> None:
    deep: Any = "a"
    for _level in range(900):
        deep = [deep]
    assert worst_verdict(check_draft(FACTS, {"body": deep})) == "block"
    assert worst_verdict(check_draft({"policies": deep}, {"subject": "Hi", "body": "Hello."})) == "block"


@given(facts=st.dictionaries(KEYS, JSON, max_size=6), draft=st.dictionaries(FIELDS, JSON, max_size=5))
def test_no_json_makes_it_raise(facts: dict[str, Any], draft: dict[str, Any]) -> None:
    review = review_draft(facts, draft)
    assert list(review.findings) == check_draft(facts, draft)
    json.dumps([finding.as_json() for finding in review.findings])


@given(lines=st.lists(st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode()), max_size=6))
def test_the_command_answers_each_line_whatever_it_holds(
    lines: list[bytes], tmp_path_factory: pytest.TempPathFactory
) -> None:
    whole = b"\n".join(line.replace(b"\n", b" ") for line in lines)
    file = tmp_path_factory.mktemp("odd") / "odd.jsonl"
    file.write_bytes(whole)
    wanted = sum(bool(line.strip()) for line in whole.split(b"\n"))
    answers = read_answers(file)
    assert len(answers) == wanted
    assert {answer["verdict"] for answer in answers} <= {"pass", "warn", "block"}


@pytest.mark.parametrize(
    "line",
    [
        '{"id": 1, "facts": {"percent": NaN}, "draft": {}}',
        '{"id": 1, "facts": {}, "draft": {"body": Infinity}}',
        '{"id": 1, "facts": {}, "draft": ' + "[" * 5000 + "]" * 5000 + "}",
        '{"id": 1, "facts": {}, "draft": {"body": "' + "a " * 499_000 + '"}}',
        '{"id": 1, "facts": {}, "draft": {"body": "' + "a " * 600_000 + '"}}',
        '{"id": 1, "facts": {"amount": 1e400}, "draft": {"body": "\\ud800"}}',
        '{"id": 1, "facts": {"percent": ' + "9" * 5000 + '}, "draft": {"body": "Hello."}}',
    ],
    ids=["nan", "infinity", "deep", "large", "too large", "surrogate", "long number"],
)
def test_an_odd_line_is_blocked_and_says_why(line: str, tmp_path: Path) -> None:
    (tmp_path / "odd.jsonl").write_text(line)
    (answer,) = read_answers(tmp_path / "odd.jsonl")
    assert answer["verdict"] == "block"
    assert answer.get("error") or answer["findings"]


def read_answers(file: Path) -> list[dict[str, Any]]:
    out = io.StringIO()
    call_command("check_drafts", str(file), stdout=out)
    return [json.loads(line) for line in out.getvalue().splitlines()]
