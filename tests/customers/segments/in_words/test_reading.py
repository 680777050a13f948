"""What becomes of a model's answer: a rule, small faults mended, and everything else named and left out."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from customers.segments.in_words.prompt import AFTERWARDS, ASKABLE, OPERATORS, PROMPT
from customers.segments.in_words.reading import Known, read_answer
from customers.segments.rules import parse_rule

KNOWN = Known(
    ["Germany", "China"], ["Tents", "Jackets"], ["Hoar"], {"tier": "text", "points": "number", "born": "date"}
)


def part(what: str, op: str = "gte", *values: str, **more: Any) -> dict[str, Any]:
    plain = {"times": 0, "days": 0, "category": "", "attribute": "", "each_product": False, "afterwards": "any"}
    return {"what": what, "op": op, "values": list(values), **plain, **more}


def answer(*parts: dict[str, Any], match: str = "all", not_said: tuple[str, ...] = ()) -> dict[str, Any]:
    found = {"name": "Some", "groups": [{"match": match, "parts": list(parts)}], "not_said": list(not_said)}
    Draft202012Validator(PROMPT.schema).validate(found)
    return found


def test_a_sentence_in_parts_becomes_a_tree() -> None:
    read = read_answer(
        answer(
            part("country", "is", "germany"),
            part("did:ordered", "gte", times=2, category="tents"),
            part("recency_days", "gte", "90"),
        ),
        KNOWN,
    )
    assert read.tree == {
        "version": 2, "match": "all", "rules": [{"match": "all", "rules": [
            {"field": "country", "op": "is", "value": "Germany"},
            {"did": "ordered", "op": "gte", "times": 2, "window": {"ever": True}, "category": "Tents"},
            {"field": "recency_days", "op": "gte", "value": 90.0},
        ]}],
    }  # fmt: skip
    assert read.left_out == read.faults == ()


@pytest.mark.parametrize(
    ("given_part", "expected"),
    [
        (part("churn_probability", "gte", "60%"), {"field": "churn_probability", "op": "gte", "value": 0.6}),
        (part("churn_probability", "gte", "60"), {"field": "churn_probability", "op": "gte", "value": 0.6}),
        (part("country", "gte", "China"), {"field": "country", "op": "is", "value": "China"}),
        (part("country", "is", "China", "GERMANY"), {"field": "country", "op": "in", "value": ["China", "Germany"]}),
        (part("total_spent", "between", "1,000", "200"), {"field": "total_spent", "op": "between", "value": [200, 1000]}),
        (part("joined_on", "gte", "2026-01-01"), {"field": "joined_on", "op": "from", "value": "2026-01-01"}),
        (part("has_open_complaint", "is", "no"), {"field": "has_open_complaint", "op": "is", "value": False}),
        (part("channel:sms:reachable", "is"), {"channel": "sms", "is": "reachable", "value": True}),
        (part("attribute", "is", "gold", attribute="Tier"), {"attribute": "tier", "type": "text", "op": "is", "value": "gold"}),
        (part("attribute", "known", attribute="born"), {"attribute": "born", "type": "date", "op": "known"}),
        (
            part("did:viewed_product", "gte", times=3, days=14, category="Jackets", each_product=True, afterwards="not_ordered"),
            {"did": "viewed_product", "op": "gte", "times": 3, "within_days": 14, "category": "Jackets", "each_product": True,
             "then": {"did": "ordered", "happened": False}},
        ),
        (
            part("orders:sum", "gte", "200", days=365),
            {"orders": "sum", "op": "gte", "value": 200, "within_days": 365},
        ),
    ],
)  # fmt: skip
def test_small_faults_are_mended(given_part: dict[str, Any], expected: dict[str, Any]) -> None:
    read = read_answer(answer(given_part), KNOWN)
    assert read.tree is not None and read.tree["rules"][0] == expected
    assert parse_rule(read.tree)


@pytest.mark.parametrize(
    "wrong",
    [
        part("country", "is", "Narnia"),
        part("did:ordered", "gte", times=2, category="Shoes"),
        part("attribute", "is", "x", attribute="password"),
    ],
)
def test_what_the_shop_does_not_have_is_named_and_left_out(wrong: dict[str, Any]) -> None:
    read = read_answer(answer(wrong, part("recency_days", "gte", "90")), KNOWN)
    assert read.tree is not None and read.tree["rules"] == [{"field": "recency_days", "op": "gte", "value": 90.0}]
    assert read.left_out in (("Narnia",), ("Shoes",), ("password",))


def test_what_is_no_rule_is_a_fault_and_never_a_rule() -> None:
    read = read_answer(answer(part("recency_days", "gte", "soon"), part("expected_value", "gte", "1e999")), KNOWN)
    assert read.tree is None
    assert [fault.code for fault in read.faults] == ["not_a_number", "not_a_number"]


def test_sql_of_a_model_stays_a_value() -> None:
    evil = "x'); DROP TABLE customers_customer; --"
    read = read_answer(answer(part("interest", "is", evil), part("main_reason", "is", evil)), KNOWN)
    assert read.left_out == (evil,)
    assert read.tree is not None and read.tree["rules"][0] == {"field": "main_reason", "op": "is", "value": evil}


def test_an_empty_answer_says_what_cannot_be_said() -> None:
    read = read_answer({"name": "", "groups": [], "not_said": ["their shoe size", "\x00\ud800"]}, KNOWN)
    assert (read.tree, read.left_out) == (None, ("their shoe size", ""))


_PARTS = st.fixed_dictionaries(
    {
        "what": st.sampled_from(ASKABLE), "op": st.sampled_from(OPERATORS), "values": st.lists(st.text(max_size=9), max_size=3),
        "times": st.integers(-9, 10**7), "days": st.integers(-9, 10**7), "category": st.sampled_from(["", "Tents", "x"]),
        "attribute": st.sampled_from(["", "tier", "points", "born"]), "each_product": st.booleans(),
        "afterwards": st.sampled_from(AFTERWARDS),
    }
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)  # a busy machine says nothing of the rule
@given(st.lists(_PARTS, max_size=4), st.sampled_from(["all", "any", "none"]))
def test_whatever_fits_the_schema_gives_a_rule_or_says_why_not(parts: list[dict[str, Any]], match: str) -> None:
    read = read_answer(answer(*parts, match=match), KNOWN)
    if read.tree is not None:
        assert parse_rule(read.tree)
    elif parts:
        assert read.left_out or read.faults
