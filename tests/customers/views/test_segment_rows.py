"""Rule rows: what is typed becomes a tree and back, and buttons add and take rows without JavaScript."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from hypothesis import given

from customers.forms import Row, apply_action, build_tree, check_blocks, lay_out_blocks, read_blocks
from customers.segments.rules import FIELDS, Group, RuleError, parse_rule
from tests.customers.segments.test_rules import behaviours, conditions


@given(conditions() | behaviours())
def test_a_rule_laid_out_in_rows_reads_back_as_the_same_rule(tree: dict[str, Any]) -> None:
    if any("," in str(part) for part in tree.values() if isinstance(part, str | list)) and tree.get("op") == "in":
        return
    rule = parse_rule({"match": "all", "rules": [{"match": "any", "rules": [tree, tree]}]})
    if tree.get("did") == "custom" or getattr(_leaf(rule), "field", FIELDS["country"]).kind == "date":
        assert lay_out_blocks(rule) is None, "rows cannot show it"
        return
    blocks = lay_out_blocks(rule)
    assert blocks is not None
    again, checked = check_blocks(blocks)
    assert again is not None, [row.error for rows in checked for row in rows]
    first, second = (_leaf(group) for group in (rule, again))
    assert type(first) is type(second)
    assert getattr(first, "op", "") == getattr(second, "op", "")
    assert _near(getattr(first, "value", 0), getattr(second, "value", 0))


def test_percent_is_typed_and_probability_is_kept() -> None:
    rule, _rows = check_blocks([[Row(value="62.5")]])
    assert rule is not None
    assert build_tree([[Row(value="62.5 %")]])["rules"][0]["rules"][0]["value"] == pytest.approx(0.625)


def test_a_wrong_row_carries_its_own_error() -> None:
    rule, blocks = check_blocks([[Row(value="sixty")], [Row(what="did:ordered", times="2", days="30")]])
    assert rule is None
    assert blocks[0][0].error == "Enter a number."
    assert blocks[1][0].error == ""


def test_buttons_add_and_take_rows() -> None:
    blocks = read_blocks({"what-0-0": "country", "op-0-0": "is", "value-0-0": "Norway"})
    assert blocks == [[Row(what="country", op="is", value="Norway")]]
    blocks = apply_action(blocks, "or-0")
    blocks = apply_action(blocks, "and")
    assert [len(rows) for rows in blocks] == [2, 1]
    blocks = apply_action(blocks, "remove-0-0")
    assert [len(rows) for rows in blocks] == [1, 1]
    for nonsense in ("", "or-9", "remove-9-9", "remove-x-y", "drop table", "or-99999999999999999999"):
        assert apply_action(blocks, nonsense) == blocks


@pytest.mark.parametrize("name", ["what-0", "what-a-b", "what-0-0-0", "what--1-0", "what-99999999-0"])
def test_a_posted_page_of_another_shape_gives_one_empty_row(name: str) -> None:
    assert read_blocks({name: "country"}) == [[Row()]]


def test_an_operator_that_no_longer_fits_is_replaced() -> None:
    assert read_blocks({"what-0-0": "country", "op-0-0": "gte"})[0][0].op == "is"


def test_deeper_rules_are_not_squeezed_into_rows() -> None:
    leaf = {"field": "country", "op": "is", "value": "Norway"}
    deep = {"match": "any", "rules": [{"match": "all", "rules": [leaf, leaf]}, leaf]}
    assert lay_out_blocks(parse_rule(deep)) is None


def test_a_rule_that_cannot_be_parsed_is_no_rule() -> None:
    with pytest.raises(RuleError):
        parse_rule(build_tree([[Row(what="shoe_size")]]))


def _leaf(rule: Any) -> Any:
    while isinstance(rule, Group):
        rule = rule.rules[0]
    return rule


def _near(first: Any, second: Any) -> bool:
    if isinstance(first, tuple):
        return all(_near(a, b) for a, b in zip(first, second, strict=True))
    if isinstance(first, float) and not isinstance(first, bool):
        return bool(first == pytest.approx(second, rel=1e-6, abs=1e-8))
    return bool(first == second)


@pytest.mark.django_db
def test_nothing_is_judged_while_rows_are_being_written(client: Client, marketer: User) -> None:
    client.force_login(marketer)
    typed = {
        "what-0-0": "churn_probability",
        "value-0-0": "60",
        "name": "",
        "description": "For the spring",
        "action": "and",
    }
    page = client.post("/segments/new/", typed)
    assert page.status_code == 200
    assert "This field is required" not in page.content.decode()
    assert page.context["form"]["description"].value() == "For the spring"
    assert list(client.post("/segments/new/", typed | {"action": "save"}).context["form"].errors) == ["name"]
