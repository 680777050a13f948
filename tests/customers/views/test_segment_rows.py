"""The builder: any rule laid out in rows reads back as the same rule, and buttons work without JavaScript."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.forms.rule_actions import act, find_focus
from customers.forms.rule_drafts import (
    Block,
    check_block,
    find_node,
    lay_out_block,
    name_path,
    new_block,
    read_block,
    read_path,
    to_tree,
)
from customers.forms.rule_properties import list_properties
from customers.forms.rule_rows import Row
from customers.models import Customer, Product, Segment
from customers.segments.rules import dump_rule, parse_rule
from customers.segments.sweep import sweep_segments
from tests.customers.segments.arrange import NOW, make_event, make_order, make_person, make_segment
from tests.customers.segments.test_rules import behaviours, conditions

RULES: list[dict[str, Any]] = [
    {"field": "country", "op": "in", "value": ["Norway", "China"]},
    {"field": "country", "op": "in", "value": ["Bonaire, Saba", "China"]},  # a row cannot say this: kept as JSON
    {"field": "joined_on", "op": "between", "value": [{"days": -30}, "2026-03-01"]},
    {"attribute": "tier", "type": "text", "op": "known"},
    {"attribute": "born", "type": "date", "op": "anniversary", "value": [0, 7]},
    {"attribute": "points", "type": "number", "op": "between", "value": [1, 2.5]},
    {"did": "custom", "name": "wish", "op": "lte", "times": 0, "window": {"days_ago": [3, 9]}},
    {"did": "viewed_product", "op": "gte", "times": 3, "within_days": 14, "category": "Tents", "each_product": True,
     "then": {"did": "ordered", "happened": False, "within_days": 5}},
    {"did": "searched", "op": "gte", "times": 1, "within_days": 7,
     "where": [{"property": "query", "type": "text", "op": "contains", "value": "tent"}]},
    {"orders": "sum", "op": "gte", "value": 100, "window": {"from": "2026-01-01"}, "kind": "returned", "brand": "Fjell"},
    {"orders": "last", "op": "before", "value": {"days": -60}, "window": {"ever": True}, "code": "SPRING"},
    {"orders": "count", "op": "gte", "value": 2, "within_days": 365, "discount": "with", "kind": "returned"},
    {"did": "viewed_product", "op": "gte", "times": 1, "within_days": 7, "where": [
        {"property": "size", "type": "number", "op": "between", "value": [1, 2.5]},
        {"property": "gift", "type": "flag", "op": "is", "value": False},
        {"property": "colour", "type": "text", "op": "in", "value": ["red", "blue"]},
        {"property": "due", "type": "date", "op": "before", "value": {"days": -30}},
        {"property": "note", "type": "text", "op": "unknown"}]},
    {"message": "opened", "op": "gte", "times": 2, "window": {"period": "last_month"}, "campaign": "12"},
    {"channel": "sms", "is": "reachable", "value": False},
    {"segment": 12, "is_member": False},
    {"bucket": [0, 12.5], "salt": "spring"},
    {"field": "has_open_ticket", "op": "is", "value": True},
]  # fmt: skip
leaves = st.one_of(conditions(), behaviours(), st.sampled_from(RULES))
trees = st.recursive(
    leaves,
    lambda inner: st.builds(
        lambda match, rules: {"match": match, "rules": rules},
        st.sampled_from(["all", "any", "none"]), st.lists(inner, min_size=1, max_size=3),
    ),
    max_leaves=8,
)  # fmt: skip


#: A busy machine draws slowly, which says nothing of the code.
unhurried = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def _post(block: Block, path: tuple[int, ...] = ()) -> dict[str, str]:
    """What a browser would send of a draft."""
    sent = {f"{name_path(path)}:match": block.match}
    for i, child in enumerate(block.children):
        place = (*path, i)
        if isinstance(child, Block):
            sent |= _post(child, place)
        else:
            typed = {"what": child.what, **child.typed}
            sent |= {f"{name_path(place)}:{key}": text for key, text in typed.items()}
    return sent


def test_a_row_says_all_of_a_part() -> None:
    """Only what separates its values by commas itself has to stay JSON."""
    kept = [tree for tree in RULES if lay_out_block(parse_rule(tree)).children[0].what == "json"]  # type: ignore[union-attr]
    assert kept == [RULES[1]]


@unhurried
@given(trees)
def test_any_rule_laid_out_in_rows_reads_back_as_the_same(tree: dict[str, Any]) -> None:
    rule = parse_rule(tree)
    block = lay_out_block(rule)
    assert parse_rule(to_tree(block)) == rule
    assert parse_rule(to_tree(read_block(_post(block)))) == rule


@unhurried
@given(
    trees,
    st.lists(st.sampled_from(["add", "or", "group", "duplicate", "up", "down", "nest", "lift", "remove"])),
    st.data(),
)
def test_whatever_is_pressed_something_that_can_be_shown_remains(
    tree: dict[str, Any], verbs: list[str], data: Any
) -> None:
    block = lay_out_block(parse_rule(tree))
    for verb in verbs:
        places = [
            key.removesuffix(":what").removesuffix(":match")
            for key in _post(block)
            if key.endswith((":what", ":match"))
        ]
        before, action = block, f"{verb}-{data.draw(st.sampled_from(places))}"
        block = act(before, action)
        place = find_focus(before, block, action)
        assert find_node(block, read_path(place) or ()) is not None, f"{action} leads to {place}"
        assert block.children
        assert to_tree(read_block(_post(block))) == to_tree(block)
    json.dumps(to_tree(block))


def _row(country: str) -> Row:
    return Row({"what": "country", "op": "is", "value": country})


def _countries(node: Block | Row) -> Any:
    if isinstance(node, Row):
        return node.value
    return [node.match, *map(_countries, node.children)]


def test_or_stands_inside_and_and_between() -> None:
    block = Block("all", (_row("A"), _row("B")))
    block = act(block, "or-r.0")
    assert _countries(block)[1][:2] == ["any", "A"]
    block = act(block, "or-r.0")
    assert len(_countries(block)[1]) == 4, "the third alternative stands beside the others"
    block = act(act(block, "remove-r.0.2"), "remove-r.0.1")
    assert _countries(block) == ["all", "A", "B"], "a block of one is a row again"


def test_another_question_keeps_no_value_of_another_kind() -> None:
    sent = {"r.0:what": "country", "r.0:was": "recency_days", "r.0:op": "gte", "r.0:value": "60"}
    row = read_block(sent).children[0]
    assert isinstance(row, Row) and (row.value, row.op) == ("", "is")
    sent |= {"r.0:what": "customer_for_days"}
    row = read_block(sent).children[0]
    assert isinstance(row, Row) and (row.value, row.op) == ("60", "gte")


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ({"op": "before", "value": "30", "day": "ago"}, {"days": -30}),
        ({"op": "from", "value": "7", "day": "ahead"}, {"days": 7}),
        ({"op": "on", "value": "2026-03-31", "day": "today"}, {"days": 0}),
        ({"op": "on", "value": "2026-03-31", "day": "on"}, "2026-03-31"),
        ({"op": "between", "value": "7", "day": "ago", "value2": "60", "day2": "ago"}, [{"days": -60}, {"days": -7}]),
        (
            {"op": "between", "value": "2026-03-31", "day": "on", "value2": "", "day2": "today"},
            ["2026-03-31", {"days": 0}],
        ),
        ({"op": "before", "value": "-30"}, {"days": -30}),  # as it was typed before there was a choice
        ({"op": "before", "value": "2026-03-31"}, "2026-03-31"),
    ],
)
def test_a_day_is_told_by_its_date_or_from_today(typed: dict[str, str], value: Any) -> None:
    tree = Row({"what": "joined_on", **typed}).to_tree()
    assert tree["value"] == value
    assert lay_out_block(parse_rule(tree)).children[0].to_tree() == tree  # type: ignore[union-attr]


def test_a_day_without_its_number_is_refused_at_the_row() -> None:
    for mode in ("ago", "ahead", "on"):
        rule, block = check_block(Block("all", (Row({"what": "joined_on", "op": "before", "value": "", "day": mode}),)))
        assert rule is None and block.children[0].error
    both = {"op": "between", "value": "x", "day": "ago", "value2": "", "day2": "ago"}
    assert check_block(Block("all", (Row({"what": "joined_on", **both}),)))[0] is None


@pytest.mark.django_db
def test_the_field_of_a_day_follows_how_it_is_told(client: Client) -> None:
    sent = {"r:match": "all", "r.0:what": "joined_on", "r.0:op": "before", "r.0:value": "-30", "action": "refresh"}
    page = client.post("/segments/rows/", sent).content.decode()
    assert (
        '<input type="number" min="0" name="r.0:value" value="30"' in page and '<option value="ago" selected>' in page
    )
    page = client.post("/segments/rows/", {**sent, "r.0:day": "on", "r.0:value": "2026-03-31"}).content.decode()
    assert '<input type="date" name="r.0:value" value="2026-03-31"' in page
    due = {"r.0:prop1": "due", "r.0:prop1_type": "date", "r.0:prop1_op": "between", "r.0:prop1_value": "2026-03-31"}
    page = client.post("/segments/rows/", {**sent, "r.0:what": "did:searched", **due}).content.decode()
    assert 'name="r.0:prop1_day2"' in page and '<input type="date" name="r.0:prop1_value" value="2026-03-31"' in page


def test_rows_move_by_arrows_and_by_dragging() -> None:
    block = Block("all", (_row("A"), Block("any", (_row("B"), _row("C"))), _row("D")))
    assert _countries(act(block, "down-r.0")) == ["all", ["any", "B", "C"], "A", "D"]
    assert _countries(act(block, "move-r.2>r.1.0")) == ["all", "A", ["any", "D", "B", "C"]]
    assert _countries(act(block, "move-r.1.0>r.0")) == ["all", "B", "A", "C", "D"]
    assert _countries(act(block, "lift-r.1.1")) == ["all", "A", "B", "C", "D"]
    assert _countries(act(block, "duplicate-r.1")) == ["all", "A", ["any", "B", "C"], ["any", "B", "C"], "D"]
    for nonsense in ("", "up-r.0", "move-r.1>r.1.0", "move-r.9>r.0", "or-r", "remove-x", "drop table", "add-r.0"):
        assert _countries(act(block, nonsense)) == _countries(block), nonsense


def test_the_keyboard_goes_on_where_something_happened() -> None:
    block = Block("all", (_row("A"), Block("any", (_row("B"), Block("all", (_row("C"), _row("D"))))), _row("E")))
    expected = {
        "add-r": "r.3", "or-r.0": "r.0.1", "or-r.1": "r.1.2", "group-r.1": "r.1.2.0", "nest-r.1.0": "r.1.0.1",
        "duplicate-r.1": "r.2", "duplicate-r.1.0": "r.1.1", "down-r.0": "r.1", "up-r.1": "r.0", "down-r.1": "r.2",
        "lift-r.1.1.0": "r.1.2", "lift-r.1.1": "r.2", "remove-r.2": "r.1", "remove-r.0": "r.0", "remove-r.1.1.1": "r.1.1",
        "move-r.2>r.1.1": "r.1.1", "move-r.0>r.3": "r.2", "refresh": "", "drop table": "",
    }  # fmt: skip
    assert {action: find_focus(block, act(block, action), action) for action in expected} == expected


def test_a_row_is_dropped_before_behind_and_at_the_end_of_a_group() -> None:
    block = Block("all", (_row("A"), Block("any", (_row("B"), _row("C"))), _row("D")))
    assert _countries(act(block, "move-r.0>r.1.2")) == ["all", ["any", "B", "C", "A"], "D"]
    assert _countries(act(block, "move-r.1>r.3")) == ["all", "A", "D", ["any", "B", "C"]]
    assert _countries(act(block, "move-r.1>r.1.2")) == _countries(block), "not into itself"


def test_each_wrong_row_carries_its_own_error() -> None:
    block = Block(
        "all",
        (
            Row({"what": "churn_probability", "op": "gte", "value": "sixty"}),
            Block("any", (_row("A"), Row({"what": "did:ordered", "times": "2", "days": "x"}))),
        ),
    )
    rule, checked = check_block(block)
    assert rule is None
    assert checked.children[0].error == "Enter a number."
    inner = checked.children[1]
    assert isinstance(inner, Block) and inner.children[0].error == "" and inner.children[1].error


NONSENSE = [{}, {"r:match": "x"}, {"r.x:what": "country"}, {"r.0.9999:what": "y"}, {"r." * 30 + "0:what": "z"}]


@pytest.mark.parametrize("data", NONSENSE)
def test_nonsense_gives_a_row_to_begin_with(data: dict[str, str]) -> None:
    assert read_block(data) == new_block()


@pytest.fixture
def client(marketer: User) -> Client:
    client = Client()
    client.force_login(marketer)
    return client


@pytest.mark.django_db
def test_a_segment_is_written_without_javascript(client: Client) -> None:
    make_person(country="Norway", external_id="anna")
    make_person(country="China")
    page = client.post("/segments/new/", {**_post(Block("all", (_row("Norway"),))), "action": "or-r.0", "name": "Mine"})
    assert page.status_code == 200 and 'name="r.0.1:what"' in page.content.decode() and "Mine" in page.content.decode()
    wrong = client.post("/segments/new/", {**_post(Block("all", (_row(""),))), "action": "save", "name": "Mine"})
    assert wrong.status_code == 422 and "Enter a text" in wrong.content.decode()
    saved = client.post("/segments/new/", {**_post(Block("all", (_row("Norway"),))), "action": "save", "name": "Mine"})
    segment = Segment.objects.get(name="Mine")
    assert saved["Location"] == f"/segments/{segment.pk}/"
    sweep_segments(NOW)
    whole = client.get(saved["Location"], {"person": "anna"}).content.decode()
    assert "is in" in whole and "Norway" in whole and "revision 1" in whole


@pytest.mark.django_db
def test_live_parts_follow_what_is_typed(client: Client) -> None:
    make_person(country="Norway")
    sent = _post(Block("all", (_row("Norway"),)))
    assert '<div class="figure">1</div>' in client.post("/segments/preview/", sent).content.decode()
    assert "Can be reached" in client.post("/segments/surroundings/", sent).content.decode()
    rows = client.post("/segments/rows/", {**sent, "action": "add-r"})
    assert json.loads(rows["HX-Trigger-After-Swap"]) == {"rule-changed": {"focus": "r.1"}}
    assert 'name="r.1:what"' in rows.content.decode()


@pytest.mark.django_db
def test_what_is_wrong_is_said_at_its_row_while_it_is_written(client: Client) -> None:
    few, many, wrong, new = (
        Row({"what": "orders_count", "op": "lte", "value": "2"}),
        Row({"what": "orders_count", "op": "gte", "value": "5"}),
        Row({"what": "churn_probability", "op": "gte", "value": "sixty"}),
        Row({"what": "country", "op": "is", "value": ""}),
    )
    page = client.post("/segments/preview/", _post(Block("all", (few, Block("any", (wrong, new)))))).content.decode()
    assert _said(page) == {"r-1-0": "Enter a number."}, "nothing is said where nothing was typed yet"
    page = client.post("/segments/preview/", _post(Block("all", (few, many)))).content.decode()
    assert _said(page) == {"r-1": "Nobody can meet this together with another condition of its group."}
    segment = make_segment("few and many", {"match": "all", "rules": [few.to_tree(), many.to_tree()]})
    assert _said(client.get(f"/segments/{segment.pk}/").content.decode()).keys() == {"r-1"}


def _said(page: str) -> dict[str, str]:
    found = re.findall(r'<div class="said-at" id="said-([r0-9-]+)"[^>]*>(?:<p [^>]*>([^<]*)</p>)?</div>', page)
    return {mark: text for mark, text in found if text}


@pytest.mark.django_db
def test_the_largest_rule_can_be_written_on_the_page(client: Client) -> None:
    where = [{"property": f"p{n}", "type": "number", "op": "between", "value": [1, 2]} for n in range(5)]
    part = {"did": "viewed_product", "op": "gte", "times": 1, "within_days": 7, "brand": "Fjell", "where": where}
    rule = parse_rule({"match": "any", "rules": [part] * 100})
    sent = _post(lay_out_block(rule))
    assert len(sent) > 3_000
    rows = client.post("/segments/rows/", {**sent, "action": "up-r.99"})
    assert rows.status_code == 200 and 'name="r.99:prop5_value2"' in rows.content.decode()
    saved = client.post("/segments/new/", {**sent, "action": "save", "name": "Large"})
    assert saved.status_code == 302 and parse_rule(Segment.objects.get().rule) == rule


@pytest.mark.django_db
def test_rows_offer_what_the_shop_has(client: Client) -> None:
    person = make_person(attributes={"tier": "gold"})
    make_event(person, "custom", NOW, name="spun the wheel", prize="mug")
    Product.objects.create(sku="T-1", name="Tent")
    page = client.get("/segments/new/").content.decode()
    for word in (
        '<option value="tier">',
        '<option value="spun the wheel">',
        '<option value="prize">',
        'value="T-1" label="Tent"',
    ):
        assert word in page, word
    asked = _post(
        Block("all", (Row({"what": "did:custom", "name": "spun the wheel", "prop1": "prize", "prop1_value": "mug"}),))
    )
    rows = client.post("/segments/rows/", {**asked, "action": "refresh"}).content.decode()
    assert 'name="r.0:prop1_value"' in rows and 'name="r.0:prop2"' in rows, "the next question is offered"


@pytest.mark.django_db
def test_a_rule_of_the_api_is_opened_and_saved_as_it_is(client: Client) -> None:
    tree = dump_rule(parse_rule({"match": "all", "rules": RULES[:12] + RULES[12:13] + RULES[14:]}))
    segment = make_segment("all of it", tree)
    page = client.get(f"/segments/{segment.pk}/")
    assert page.status_code == 200
    block = lay_out_block(parse_rule(tree))
    client.post(f"/segments/{segment.pk}/", {**_post(block), "action": "save", "name": "all of it"})
    segment.refresh_from_db()
    assert parse_rule(segment.rule) == parse_rule(tree)


@pytest.mark.django_db
def test_revisions_are_compared_in_sentences_and_people(client: Client) -> None:
    for country in ("Norway", "Norway", "China"):
        make_order(make_person(country=country), NOW)
    segment = make_segment("mine", {})
    for number, country in ((1, "Norway"), (2, "China")):
        rule = {"match": "all", "rules": [{"field": "country", "op": "is", "value": country},
                                          {"field": "orders_count", "op": "gte", "value": 1}]}  # fmt: skip
        segment.revisions.create(number=number, rule=rule, saved_at=NOW)
        segment.rule, segment.number = rule, number
        segment.save()
    page = client.get(f"/segments/{segment.pk}/revisions/")
    text = page.content.decode()
    assert "<del>Country is Norway</del>" in text and "<ins>Country is China</ins>" in text
    moved = page.context["moved"]
    assert (moved.entered, moved.left, moved.kept) == (1, 2, 0)
    assert Customer.objects.count() == 3


def test_clearing_one_question_keeps_those_after_it() -> None:
    shown = list_properties({"prop1": "", "prop2": "colour"})
    assert [(one["key"], one["name"]) for one in shown] == [("prop1", ""), ("prop2", "colour")]


def test_who_may_only_look_sees_the_count_of_the_segment_and_of_no_other_rule(client: Client) -> None:
    """Disabled fields are not sent."""
    segment = Segment.objects.create(name="From France", rule={"field": "country", "op": "in", "value": ["France"]})
    page = client.post("/segments/preview/", {"segment": segment.pk}).content.decode()
    assert "France" in page
