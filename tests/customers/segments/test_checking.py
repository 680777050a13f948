"""What is wrong with a rule is said at its row: broken parts, segments in a circle, things that are gone, contradictions."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.models import Customer, Product, Segment
from customers.segments.checking import Finding, check_rule
from customers.segments.compiler import compile_rule
from customers.segments.editing import save_segment
from customers.segments.labels import ERROR_SENTENCES, WARNING_SENTENCES
from customers.segments.preview import count_matching
from customers.segments.rules import RuleError, dump_rule, parse_rule, read_gently
from customers.segments.telling import tell_rule

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
GERMAN = {"field": "country", "op": "is", "value": "Germany"}


def check(*parts: dict[str, Any]) -> list[tuple[str, str]]:
    findings = check_rule(read_gently({"match": "all", "rules": list(parts)}).rule, as_of=NOW)
    assert all(finding.sentence for finding in findings)
    return [(finding.path, finding.code) for finding in findings]


def member(segment: Segment) -> dict[str, Any]:
    return {"segment": segment.pk, "is_member": True}


def test_a_rule_of_the_past_is_shown_with_every_fault_at_its_row() -> None:
    Product.objects.create(sku="T1", category="Tents")
    tree = {"match": "all", "rules": [
        {"field": "shoe_size", "op": "gte", "value": 40},
        {"match": "any", "rules": [GERMAN, {"did": "danced", "within_days": 3}]},
        {"field": "country", "op": "is", "value": 3},
    ]}  # fmt: skip
    reading = read_gently(tree)
    assert [fault.path for fault in reading.faults] == ["rules.0.field", "rules.1.rules.1.did", "rules.2.value"]
    assert {(finding.path, finding.is_fault) for finding in check_rule(reading.rule, as_of=NOW)} == {
        ("rules.0.field", True), ("rules.1.rules.1.did", True), ("rules.2.value", True)
    }  # fmt: skip
    told = tell_rule(tree, as_of=NOW)
    assert (told.size, len(told.faults)) == (None, 3)
    assert told.sentence == (
        "[“shoe_size” is not something we know of a customer.] and (country is Germany or [“danced” is not something that "
        "customers do here.]) and [Enter a text of at most 120 characters.]"
    )
    assert dump_rule(reading.rule) == {"version": 2, **tree}, "nothing of a broken rule is lost"
    with pytest.raises(RuleError, match=r"rules\.0\.field"):
        compile_rule(reading.rule, as_of=NOW)


def test_segments_in_a_circle_are_refused_with_the_way_round(marketer: User) -> None:
    first = save_segment(marketer, name="First", rule=GERMAN, now=NOW)
    second = save_segment(marketer, name="Second", rule=member(first), now=NOW)
    third = save_segment(marketer, name="Third", rule={"not": member(second)}, now=NOW)
    for rule in (member(third), member(first), {"match": "any", "rules": [GERMAN, {"not": member(second)}]}):
        with pytest.raises(RuleError) as refused:
            save_segment(marketer, name="First", rule=rule, now=NOW, segment=first)
        assert refused.value.code == "cycle" and refused.value.path.endswith("segment")
    with pytest.raises(RuleError, match="First → Third → Second → First"):
        save_segment(marketer, name="First", rule=member(third), now=NOW, segment=first)


def test_a_circle_that_got_into_the_database_ends_in_an_error_and_not_in_a_loop() -> None:
    one, two = (Segment.objects.create(name=name, rule={}) for name in ("One", "Two"))
    Segment.objects.filter(pk=one.pk).update(rule=member(two))
    Segment.objects.filter(pk=two.pk).update(rule=member(one))
    told = tell_rule(member(one), as_of=NOW)
    assert told.size is None and "One → Two → One" in told.faults[0]


def test_segments_that_multiply_each_other_are_stopped_while_they_grow(marketer: User) -> None:
    segment = save_segment(marketer, name="0", rule=GERMAN, now=NOW)
    for number in range(1, 8):
        twice = {"match": "all", "rules": [member(segment), member(segment), member(segment)]}
        try:
            segment = save_segment(marketer, name=str(number), rule=twice, now=NOW)
        except RuleError as error:
            assert (error.code, number) == ("too_many_conditions", 6)
            return
    pytest.fail("3^7 conditions were accepted")


def test_members_of_a_segment_are_those_of_its_rule_now(marketer: User) -> None:
    for country in ("Germany", "Germany", "France"):
        Customer.objects.create(external_id=f"c{Customer.objects.count()}", country=country)
    german = save_segment(marketer, name="German", rule=GERMAN, now=NOW)
    rule = parse_rule(member(german))
    assert (count_matching(rule, as_of=NOW), count_matching(parse_rule({"not": member(german)}), as_of=NOW)) == (2, 1)
    save_segment(marketer, name="German", rule={**GERMAN, "value": "France"}, now=NOW, segment=german)
    assert count_matching(rule, as_of=NOW) == 1


def test_what_the_shop_has_no_more_is_said_and_counted_all_the_same(marketer: User) -> None:
    Product.objects.create(sku="T1", category="Tents", brand="Hoar")
    Customer.objects.create(external_id="a", attributes={"tier": "gold"})
    old = save_segment(marketer, name="Old", rule=GERMAN, now=NOW)
    Segment.objects.filter(pk=old.pk).update(is_archived=True)
    assert check(
        {"did": "ordered", "within_days": 9, "product": "T1", "category": "Tents", "brand": "Hoar"},
        {"did": "ordered", "within_days": 9, "product": "T2"},
        {"orders": "count", "op": "gte", "value": 1, "within_days": 9, "category": "Shoes"},
        {"field": "likes_brand", "op": "in", "value": ["Hoar", "Gone"]},
        {"attribute": "tier", "op": "is", "value": "gold"},
        {"attribute": "level", "op": "is", "value": "gold"},
        {"message": "clicked", "within_days": 9, "campaign": 999},
        member(old),
    ) == [
        ("rules.1", "product_gone"), ("rules.2", "category_gone"), ("rules.3", "brand_gone"), ("rules.5", "attribute_gone"),
        ("rules.6", "campaign_gone"), ("rules.7", "segment_archived"),
    ]  # fmt: skip
    assert tell_rule(member(old), as_of=NOW).size == 0


def test_a_segment_that_is_gone_is_a_fault_at_the_row() -> None:
    assert check(GERMAN, {"segment": 4711}) == [("rules.1.segment", "unknown_segment")]
    assert tell_rule({"segment": 4711}, as_of=NOW).size is None


@pytest.mark.parametrize(
    ("parts", "codes"),
    [
        ([{"field": "orders_count", "op": "gte", "value": 5}, {"field": "orders_count", "op": "lte", "value": 2}],
         [("rules.1", "contradiction")]),
        ([GERMAN, {"match": "all", "rules": [{**GERMAN, "value": "China"}]}], [("rules.1.rules.0", "contradiction")]),
        ([GERMAN, {"field": "country", "op": "in", "value": ["Germany", "China"]}], []),
        ([GERMAN, {"not": GERMAN}], [("rules.1.rules.0", "contradiction")]),
        ([{"did": "ordered", "within_days": 9}, {"did": "ordered", "op": "lte", "times": 0, "within_days": 9}],
         [("rules.1", "contradiction")]),
        ([{"did": "ordered", "within_days": 9}, {"did": "ordered", "op": "lte", "times": 0, "within_days": 8}], []),
        ([{"did": "ordered", "within_days": 9}, {"did": "ordered", "op": "lte", "times": 0, "within_days": 90}],
         [("rules.1", "contradiction")]),
        ([{"did": "ordered", "op": "lte", "times": 1, "window": {"ever": True}},
          {"did": "ordered", "times": 2, "within_days": 9}],
         [("rules.1", "contradiction")]),
        ([GERMAN, {**GERMAN, "op": "is_not"}], [("rules.1", "contradiction")]),
        ([{**GERMAN, "op": "is_not"}, {"field": "country", "op": "in", "value": ["Germany", "China"]}], []),
        ([{"field": "tag", "op": "is", "value": "vip"}, {"field": "tag", "op": "is", "value": "fair"},
          {"field": "tag", "op": "is_not", "value": "vip"}], [("rules.2", "contradiction")]),
        ([{"field": "tag", "op": "is", "value": "vip"}, {"field": "tag", "op": "is", "value": "fair"}], []),
        ([{"orders": "sum", "op": "lte", "value": -5, "within_days": 9}], [("rules.0", "never_true")]),
        ([{"bucket": [0, 10]}, {"bucket": [10, 20]}], [("rules.1", "contradiction")]),
        ([{"bucket": [0, 10]}, {"bucket": [10, 20], "salt": "other"}], []),
        ([{"channel": "sms", "is": "reachable"}, {"channel": "sms", "is": "reachable", "value": False}],
         [("rules.1", "contradiction")]),
        ([{"match": "any", "rules": [GERMAN, {**GERMAN, "value": "China"}]}], []),
        ([{"field": "orders_count", "op": "lte", "value": -1}], [("rules.0", "never_true")]),
        ([{"field": "orders_count", "op": "gte", "value": 0}], [("rules.0", "always_true")]),
        ([{"did": "searched", "window": {"from": "2027-01-01"}}], [("rules.0", "empty_window")]),
        ([{"did": "searched", "window": {"days_ago": [30, 30]}}], [("rules.0", "empty_window")]),
    ],
)  # fmt: skip
def test_what_cannot_be_is_warned_of(parts: list[dict[str, Any]], codes: list[tuple[str, str]]) -> None:
    assert check(*parts) == codes


def test_checking_asks_as_much_of_three_parts_as_of_thirty() -> None:
    counts = []
    for many in (3, 30):
        parts = [{"did": "ordered", "within_days": 9 + i, "product": f"P{i}", "category": f"C{i}"} for i in range(many)]
        with CaptureQueriesContext(
            connection,
        ) as asked:
            check(*parts)
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_every_finding_has_words() -> None:
    assert Finding("", "cycle", "A → B → A", True).sentence.endswith("A → B → A.")
    assert set(WARNING_SENTENCES) & set(ERROR_SENTENCES) == set()
