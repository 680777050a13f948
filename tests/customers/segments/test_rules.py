"""A rule is read from JSON, refused with the place of its fault, and says itself back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.segments.labels import ERROR_SENTENCES
from customers.segments.rules import BEHAVIOURS, FIELDS, RuleError, dump_rule, parse_rule
from customers.segments.vocabulary import WITH_PRODUCT
from customers.segments.wording import describe_error, describe_rule

numbers = st.floats(0, 1).map(lambda x: round(x, 4))
texts = st.text("abc 雨%'\"", min_size=1, max_size=8).filter(str.strip)


@st.composite
def conditions(draw: st.DrawFn) -> dict[str, Any]:
    field = draw(st.sampled_from(sorted(FIELDS.values(), key=lambda f: f.key)))
    op = draw(st.sampled_from(field.operators))
    value: Any = draw(st.booleans()) if field.kind == "flag" else draw(texts if field.kind == "text" else numbers)
    if field.kind == "date":
        value = {"days": draw(st.integers(-90, 90))}
    if op == "in":
        value = draw(st.lists(texts, min_size=1, max_size=3))
    if op == "between":
        value = ["2026-01-31", {"days": 3}] if field.kind == "date" else sorted([draw(numbers), draw(numbers)])
    return {"field": field.key, "op": op, "value": value}


@st.composite
def behaviours(draw: st.DrawFn) -> dict[str, Any]:
    did, op = draw(st.sampled_from(sorted(BEHAVIOURS))), draw(st.sampled_from(["gte", "lte"]))
    tree: dict[str, Any] = {
        "did": did,
        "op": op,
        "times": draw(st.integers(op == "gte", 5)),
        "within_days": draw(st.integers(1, 900)),
    }
    if did == "custom":
        tree["name"] = draw(texts)
    if did in WITH_PRODUCT and draw(st.booleans()):
        tree["category"] = draw(texts)
    return tree


pytestmark = pytest.mark.django_db  # the shop's currency stands in the sentence

trees = st.recursive(
    conditions() | behaviours(),
    lambda inner: st.fixed_dictionaries(
        {"match": st.sampled_from(["all", "any"]), "rules": st.lists(inner, min_size=1, max_size=3)}
    ),
    max_leaves=6,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(trees)
def test_a_saved_rule_reads_back_as_the_same_rule(tree: dict[str, Any]) -> None:
    try:
        rule = parse_rule(tree)
    except RuleError as error:
        assert error.code == "too_deep"
        return
    assert parse_rule(dump_rule(rule)) == rule
    assert describe_rule(rule)


@pytest.mark.parametrize(
    ("tree", "path", "code"),
    [
        (None, "", "not_an_object"),
        ({}, "", "unknown_node"),
        ({"match": "all", "rules": []}, "rules", "empty"),
        ({"match": "neither", "rules": [{}]}, "match", "unknown_match"),
        (
            {"match": "all", "rules": [{"field": "shoe_size", "op": "gte", "value": 1}]},
            "rules.0.field",
            "unknown_field",
        ),
        ({"field": "churn_probability", "op": "gte", "value": 60}, "value", "not_a_probability"),
        ({"field": "churn_probability", "op": "gte", "value": "high"}, "value", "not_a_number"),
        ({"field": "churn_probability", "op": "gte", "value": float("nan")}, "value", "not_a_number"),
        ({"field": "churn_probability", "op": "gte", "value": True}, "value", "not_a_number"),
        ({"field": "recency_days", "op": "is", "value": 3}, "op", "operator_does_not_fit"),
        ({"field": "recency_days", "op": "between", "value": [9, 3]}, "value", "wrong_order"),
        ({"field": "country", "op": "in", "value": []}, "value", "not_a_list"),
        ({"field": "country", "op": "is", "value": "\x00"}, "value", "not_a_text"),
        ({"field": "has_email_consent", "op": "is", "value": "yes"}, "value", "not_yes_or_no"),
        ({"did": "danced", "within_days": 3}, "did", "unknown_behaviour"),
        ({"did": "ordered", "times": 1}, "within_days", "not_a_whole_number"),
        ({"did": "ordered", "times": 0, "within_days": 9}, "times", "not_a_whole_number"),
        ({"did": "searched", "within_days": 9, "category": "tents"}, "category", "category_does_not_fit"),
    ],
)
def test_a_fault_is_named_with_its_place_and_a_sentence(tree: Any, path: str, code: str) -> None:
    with pytest.raises(RuleError) as caught:
        parse_rule(tree)
    assert (caught.value.path, caught.value.code) == (path, code)
    assert code in ERROR_SENTENCES
    assert describe_error(caught.value)


def test_a_tree_without_end_is_refused() -> None:
    tree: dict[str, Any] = {"field": "country", "op": "is", "value": "Norway"}
    for _ in range(200):
        tree = {"match": "all", "rules": [tree]}
    with pytest.raises(RuleError, match="too_deep"):
        parse_rule(tree)


def test_a_rule_says_itself_in_a_sentence() -> None:
    rule = parse_rule(
        {
            "match": "all",
            "rules": [
                {"field": "churn_probability", "op": "gte", "value": 0.6},
                {"match": "any", "rules": [
                    {"field": "country", "op": "in", "value": ["Norway", "China"]},
                    {"did": "ordered", "op": "gte", "times": 2, "within_days": 90, "category": "tents"},
                ]},
                {"did": "complained", "op": "lte", "times": 0, "within_days": 30},
            ],
        }
    )  # fmt: skip
    assert describe_rule(rule) == (
        "churn probability at least 60% and (country is one of Norway, China or ordered in “tents” at least 2 times "
        "in the last 90 days) and never complained in the last 30 days"
    )
