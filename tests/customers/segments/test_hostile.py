"""What somebody might send on purpose: SQL in strings, trees without end, chains of segments, rows by the thousand.

By API and by page there is a clear sentence at the row, nothing is cut off unsaid, and no table is any poorer.
"""

from __future__ import annotations

import html
import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from customers.forms.rule_actions import act
from customers.forms.rule_drafts import Block, lay_out_block, name_path
from customers.forms.rule_rows import Row
from customers.models import Customer, CustomerTag, Segment
from customers.segments.preview import count_matching
from customers.segments.rules import RuleError, dump_rule, parse_rule
from customers.segments.wording import describe_rule
from tests.customers.views.test_segment_rows import _post as post_of

from .arrange import NOW, make_event, make_person, make_segment

pytestmark = pytest.mark.django_db
#: Each is a whole value, which is found as it stands and does nothing else.
STRINGS = [
    "'; DROP TABLE customers_customer; --", "%(segment_0)s", "%s", "100%", "\\'", '" OR ""="', "$1 {0} {{x}}", "') OR 1=1 --",
    "<script>alert(1)</script>", "\u202eeman", "a\\nb", "NULL", "?", ":x", "E'\\\\x41'", "`id`", "𝔘nicode 𝟙", "'||pg_sleep(9)||'",
]  # fmt: skip
WELL = {"field": "country", "op": "is", "value": "Norway"}


@pytest.fixture
def client(marketer: User) -> Client:
    client = Client()
    client.force_login(marketer)
    return client


@pytest.mark.parametrize("text", STRINGS)
def test_a_string_is_a_value_wherever_it_stands(client: Client, text: str) -> None:
    anna = make_person(country=text[:60], attributes={text: text})
    make_person(country="Norway", attributes={"other": text})
    CustomerTag.objects.create(customer=anna, tag=text)
    make_event(anna, "custom", NOW, **{"name": text, text: text})
    parts: list[dict[str, Any]] = [
        {"field": "country", "op": "is", "value": text},
        {"field": "country", "op": "in", "value": [text, "nobody’s"]},
        {"field": "tag", "op": "is", "value": text},
        {"attribute": text, "type": "text", "op": "is", "value": text},
        {"attribute": text, "type": "text", "op": "contains", "value": text},
        {"did": "custom", "name": text, "window": {"ever": True},
         "where": [{"property": text, "type": "text", "op": "starts_with", "value": text}]},
    ]  # fmt: skip
    for part in parts:
        assert count_matching(parse_rule(part), as_of=NOW) == 1, part
    empty = [
        {"did": "ordered", "within_days": 9, "product": text, "category": text, "brand": text},
        {"orders": "count", "op": "gte", "value": 1, "window": {"ever": True}, "code": text},
        {"message": "clicked", "within_days": 9, "campaign": text},
        {"attribute": text, "type": "date", "op": "anniversary", "value": [0, 0]},
    ]
    for part in empty:
        assert count_matching(parse_rule(part), as_of=NOW) == 0, part
    assert 0 <= count_matching(parse_rule({"bucket": [0, 50], "salt": text}), as_of=NOW) <= 2
    rule = dump_rule(parse_rule({"match": "all", "rules": [*parts, {"not": {"match": "any", "rules": empty}}]}))
    counted = client.post("/api/v1/segments/count/", {"rule": rule}, "application/json")
    assert counted.status_code == 200 and counted.json()["count"] == 1
    page = client.post("/segments/new/", {**post_of(lay_out_block(parse_rule(rule))), "action": "save", "name": text})
    segment = Segment.objects.get()
    assert (page.status_code, segment.name, parse_rule(segment.rule)) == (302, text, parse_rule(rule))
    for address in (
        f"/segments/{segment.pk}/?person={anna.external_id}",
        "/segments/",
        f"/customers/?segment={segment.pk}",
    ):
        shown = client.get(address).content.decode()
        assert html.escape(text) in shown and "<script>alert" not in shown, address
    assert Customer.objects.count() == 2


def test_a_list_is_not_cut_where_a_row_shows_it(client: Client) -> None:
    """Opened and saved again, sixty countries are sixty countries, and so are those that a row keeps as JSON."""
    lands = [f"{'Land of many letters ' * 4}{number}" for number in range(100)]
    tree = {"match": "any", "rules": [
        {"field": "country", "op": "in", "value": lands},
        {"field": "country", "op": "in", "value": [f"{land}, twice" for land in lands]},
    ]}  # fmt: skip
    segment = make_segment("far away", dump_rule(parse_rule(tree)))
    sent = post_of(lay_out_block(parse_rule(tree)))
    assert max(map(len, sent.values())) > 8_000
    assert client.post(f"/segments/{segment.pk}/", {**sent, "action": "save", "name": "far away"}).status_code == 302
    segment.refresh_from_db()
    assert parse_rule(segment.rule) == parse_rule(tree)
    more = {"r:match": "all", "r.0:what": "country", "r.0:op": "in", "r.0:value": ",".join([*lands, "one more"])}
    page = client.post("/segments/new/", {**more, "action": "save", "name": "farther"})
    assert page.status_code == 422 and "Give 100 values at most." in page.content.decode()


def test_groups_within_groups_are_not_cut_either(client: Client) -> None:
    """A hundred conditions, each four groups deep: more places than conditions."""
    part: dict[str, Any] = WELL
    for _deep in range(4):
        part = {"match": "none", "rules": [part]}
    rule = parse_rule({"match": "all", "rules": [part] * 100})
    sent = {**post_of(lay_out_block(rule)), "action": "save", "name": "deep"}
    assert client.post("/segments/new/", sent).status_code == 302
    assert parse_rule(Segment.objects.get().rule) == rule


def test_rows_by_the_thousand_are_refused_in_words(client: Client) -> None:
    rows = {f"r.{group}.{row}:what": "country" for group in range(4) for row in range(900)}
    groups = {f"r.{group}:match": "any" for group in range(4)}
    for address in ("/segments/new/", "/segments/preview/", "/segments/rows/", "/segments/surroundings/"):
        page = client.post(address, {"r:match": "all", **groups, **rows, "action": "save", "name": "many"})
        assert page.status_code in (200, 422), address
    page = client.post("/segments/new/", {"r:match": "all", **groups, **rows, "action": "save", "name": "many"})
    assert page.status_code == 422 and "A rule may have 100 conditions at most." in page.content.decode()
    assert page.content.count(b'class="rule-row"') <= 300
    too_many = {f"r.{group}.{row}:what": "country" for group in range(10) for row in range(999)}
    assert client.post("/segments/new/", {"r:match": "all", **too_many, "action": "save"}).status_code == 400
    assert not Segment.objects.exists()


def test_the_row_after_the_last_that_fits_is_refused_in_words() -> None:
    block = Block("all", tuple(Row({"what": "country", "op": "is", "value": str(n)}) for n in range(100)))
    for action in ("add-r", "or-r.5", "group-r", "duplicate-r.7", "nest-r.3"):
        done = act(block, action)
        assert (len(done.children), done.error) == (100, "A rule may have 100 conditions at most."), action
    assert act(act(block, "add-r"), "remove-r.0").children == block.children[1:]
    deep: Block = Block("all", (Row(), Row()))
    for _level in range(25):
        deep = act(deep, f"nest-{_innermost(deep)}")
    assert deep.error == "Groups may be nested 20 deep at most."


def _innermost(block: Block) -> str:
    path: tuple[int, ...] = (0,)
    node = block.children[0]
    while isinstance(node, Block):
        node, path = node.children[0], (*path, 0)
    return name_path(path)


def _nest(levels: int) -> Any:
    value: Any = 1
    for _level in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("part", "place"),
    [
        ({"field": "joined_on", "op": "before", "value": {"days": "--5"}}, "value.days"),
        ({"field": "joined_on", "op": "before", "value": {"days": "5-"}}, "value.days"),
        ({"field": "joined_on", "op": "before", "value": {"days": "²"}}, "value.days"),
        ({"field": "joined_on", "op": "before", "value": {"days": 1e9}}, "value.days"),
        ({"field": "joined_on", "op": "before", "value": {"hours": 5}}, "value.hours"),
        ({"field": "joined_on", "op": "between", "value": ["2026-02-30", {"days": 1}]}, "value"),
        ({"field": "country", "op": "in", "value": ["x"] * 101}, "value"),
        ({"field": "country", "op": "in", "value": {"0": "x"}}, "value"),
        ({"field": "country", "op": "is", "value": "x", "Value": "y"}, "Value"),
        ({"field": "country", "op": "is", "value": "x" * 121}, "value"),
        ({"field": "__class__", "op": "is", "value": "x"}, "field"),
        ({"field": "id) OR (1=1", "op": "is", "value": "x"}, "field"),
        ({"field": "country", "op": "= '' OR", "value": "x"}, "op"),
        ({"attribute": "tier", "type": "text; --", "op": "is", "value": "x"}, "type"),
        ({"did": "ordered", "times": "1; SELECT 1", "within_days": 9}, "times"),
        ({"did": "ordered", "within_days": "9 days'; --"}, "within_days"),
        ({"did": "ordered", "window": {"period": "this_month'"}}, "window.period"),
        ({"did": "ordered", "window": {"days_ago": [9, 3]}}, "window.days_ago"),
        ({"did": "ordered", "window": {"days_ago": [1, 2, 3]}}, "window.days_ago"),
        ({"did": "searched", "within_days": 9, "where": [{"property": "q", "type": "text", "op": "is"}]}, "where.0.value"),
        ({"did": "searched", "within_days": 9, "where": [{"property": ["q"], "op": "is", "value": "x"}]}, "where.0.property"),
        ({"did": "viewed_product", "within_days": 9, "where": {"property": "size"}}, "where"),
        ({"did": "viewed_product", "within_days": 9, "then": {"did": "ordered", "happened": "no"}}, "then.happened"),
        ({"did": "viewed_product", "within_days": 9, "then": [1]}, "then"),
        ({"message": "clicked", "within_days": 9, "campaign": {"id": 1}}, "campaign"),
        ({"message": "clicked", "within_days": 9, "campaign": True}, "campaign"),
        ({"channel": "pigeon", "is": "reachable"}, "channel"),
        ({"segment": "1 OR 1=1"}, "segment"),
        ({"segment": -1}, "segment"),
        ({"segment": 1.5}, "segment"),
        ({"bucket": [10, 10]}, "bucket"),
        ({"bucket": [50, 150]}, "bucket"),
        ({"bucket": "0,10"}, "bucket"),
        ({"field": _nest(400), "op": "is", "value": "x"}, "field"),
        ({"field": "country", "op": _nest(400), "value": "x"}, "op"),
        ({"not": [WELL]}, "not"),
        ({"match": "all", "rules": {"0": WELL}}, "rules"),
        ({"match": ["all"], "rules": [WELL]}, "match"),
        ({"match": "all", "rules": [WELL], "limit": 1}, "limit"),
        ({"orders": "sum", "op": "gte", "value": "12 EUR", "within_days": 9}, "value"),
        ({"orders": "sum", "op": "gte", "value": 1e13, "within_days": 9}, "value"),
        ({"orders": "count", "op": "is", "value": 1, "within_days": 9}, "op"),
        ({"orders": "first", "op": "on", "value": 5, "within_days": 9}, "value"),
    ],
)  # fmt: skip
def test_nonsense_is_refused_at_its_place_by_api_and_in_an_address(client: Client, part: Any, place: str) -> None:
    tree = {"match": "all", "rules": [WELL, part]}
    with pytest.raises(RuleError) as caught:
        parse_rule(tree)
    assert caught.value.path == f"rules.1.{place}"
    answer = client.post("/api/v1/segments/count/", {"rule": tree}, "application/json")
    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert error["path"].startswith("rule.rules[1]") and error["message"].endswith(".")
    page = client.get("/segments/new/", {"rule": json.dumps(tree)})
    assert page.status_code == 200
    assert (
        html.escape(error["message"]).replace("probability from 0 to 1", "percentage from 0 to 100")
        in page.content.decode()
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "The rule is no JSON."),
        ("[" * 100_000, "The rule is no JSON."),
        ("9" * 5_000, "The rule is no JSON."),
        (json.dumps({"match": "any", "rules": [WELL] * 101}), "A rule may have 100 conditions at most."),
        (json.dumps({"version": 99, **WELL}), "another version"),
        ('{"not":' * 30 + json.dumps(WELL) + "}" * 30, "Groups may be nested 20 deep at most."),
        (json.dumps({"field": "shoe size", "op": "is", "value": 44}), "shoe size"),
        ("[]", "object"),
    ],
)
def test_an_address_that_is_no_rule_says_so(client: Client, text: str, sentence: str) -> None:
    page = client.get("/segments/new/", {"rule": text})
    assert page.status_code == 200 and sentence in page.content.decode()
    assert client.get("/customers/", {"rule": text}).status_code == 422


def test_ten_thousand_nodes_are_refused_before_they_are_read(client: Client) -> None:
    wide: Any = {"match": "any", "rules": [WELL] * 10_000}
    deep: Any = WELL
    for _level in range(10_000):
        deep = {"match": "all", "rules": [deep]}
    bushy: Any = {"match": "any", "rules": [{"match": "any", "rules": [{"not": WELL}] * 100}] * 100}
    for tree, code in ((wide, "too_many_conditions"), (deep, "too_deep"), (bushy, "too_many_conditions")):
        with pytest.raises(RuleError) as caught:
            parse_rule(tree)
        assert caught.value.code == code
        segment = make_segment("Of old", {})
        if tree is not deep:  # as an older version, or another program, might have stored it
            Segment.objects.filter(pk=segment.pk).update(rule=tree)
            page = client.get(f"/segments/{segment.pk}/")
            assert page.status_code == 200 and len(page.content) < 300_000
            assert client.get("/segments/").status_code == 200
        segment.delete()


def test_a_long_chain_of_segments_is_refused_before_it_is_too_deep(client: Client) -> None:
    last = make_segment("0", WELL)
    for number in range(1, 300):
        last = make_segment(str(number), {"match": "none", "rules": [{"segment": last.pk}]})
    answer = client.post("/api/v1/segments/count/", {"rule": {"segment": last.pk}}, "application/json")
    assert answer.status_code == 400 and "more than 60 deep" in answer.json()["errors"][0]["message"]
    sent = {"r:match": "all", "r.0:what": "segment", "r.0:name": str(last.pk), "action": "save", "name": "longer"}
    page = client.post("/segments/new/", sent)
    assert page.status_code == 422 and "more than 60 deep" in page.content.decode()
    assert client.get(f"/segments/{last.pk}/").status_code == 200
    assert client.get("/customers/", {"segment": last.pk}).status_code == 200
    assert describe_rule(parse_rule({"segment": last.pk}))


def test_a_circle_is_refused_at_its_row_on_the_page(client: Client) -> None:
    first = make_segment("First", WELL)
    second = make_segment("Second", {"match": "any", "rules": [WELL, {"not": {"segment": first.pk}}]})
    row = {"r:match": "all", "r.0:what": "country", "r.0:op": "is", "r.0:value": "Norway", "r.1:what": "segment"}
    sent = {**row, "r.1:name": str(second.pk), "name": "First", "segment": str(first.pk)}
    page = client.post(f"/segments/{first.pk}/", {**sent, "action": "save"})
    assert page.status_code == 422
    assert (
        'id="said-r-1"><p class="error small" role="alert">Segments refer to each other in a circle: '
        in page.content.decode()
    )
    assert "First → Second → First" in client.post("/segments/preview/", sent).content.decode(), (
        "also while it is written"
    )
    itself = {**sent, "r.1:name": str(first.pk)}
    page = client.post(f"/segments/{first.pk}/", {**itself, "action": "save"})
    assert page.status_code == 422 and "First → First" in page.content.decode()


@pytest.mark.parametrize(
    "query",
    ["person=%00", "person=a%00b", "person=%ED%A0%80", "customer=%00", "customer=99999999999999999999", "customer=-1",
     "revision=%00", "revision=99999999", "person=\u202e", "person=' OR 1=1 --", "person=%25", "person=" + "x" * 3_000],
)  # fmt: skip
def test_odd_questions_about_a_segment_show_its_page(client: Client, query: str) -> None:
    make_person()
    segment = make_segment("north", WELL)
    assert client.get(f"/segments/{segment.pk}/?{query}").status_code == 200
    assert client.get(f"/segments/?q={query.partition('=')[2]}").status_code == 200
    assert client.get(f"/segments/{segment.pk}/revisions/?before={query.partition('=')[2]}").status_code == 200


@pytest.mark.parametrize(
    "place",
    ["x", "2026-01-01", "2026-01-01T00:00:00Z~2~shop~a%00", "2026-01-01T00:00:00Z~2~shop", "2026-01-01T00:00:00Z~3~x",
     "2026-01-01T00:00:00Z~9~1", "0001-01-01T00:00:00%2B14:00", "9999-12-31T23:59:59-14:00", "2026-01-01T00:00:00Z~3~999999999"],
)  # fmt: skip
def test_odd_places_in_a_time_line_show_a_part_of_it(client: Client, place: str) -> None:
    person = make_person()
    make_event(person, "page_viewed", NOW)
    for show in ("", "orders", "behaviour", "segments", "nonsense"):
        assert client.get(f"/customers/{person.pk}/timeline/?show={show}&before={place}").status_code == 200
    assert client.get(f"/customers/{person.pk}/?before={place}").status_code == 200
