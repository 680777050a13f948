"""Every condition says itself in English and Chinese."""

from __future__ import annotations

import random
from typing import Any

import pytest
from django.utils import translation

from campaigns.models import Campaign
from customers.models import Product, Segment
from customers.segments.labels import BEHAVIOUR_LABELS, FIELD_LABELS, MEASURE_LABELS, MESSAGE_LABELS, PERIOD_LABELS
from customers.segments.names import read_names
from customers.segments.rules import parse_rule
from customers.segments.vocabulary import BEHAVIOURS, FIELDS, MEASURES, MESSAGES, PERIODS
from customers.segments.wording import describe_rule
from tests.campaigns.arrange import make_cast
from tests.customers.segments.random_trees import draw_tree

pytestmark = pytest.mark.django_db


def test_every_word_of_the_vocabulary_has_a_label() -> None:
    assert set(FIELD_LABELS) == set(FIELDS)
    assert set(BEHAVIOUR_LABELS) == set(BEHAVIOURS)
    assert set(MESSAGE_LABELS) == set(MESSAGES)
    assert set(PERIOD_LABELS) == set(PERIODS)
    assert all(set(labels) == set(MEASURES) for labels in MEASURE_LABELS.values())


@pytest.mark.parametrize(
    ("tree", "english", "chinese"),
    [
        (
            {"did": "viewed_product", "op": "gte", "times": 3, "within_days": 14, "category": "Tents", "each_product": True,
             "then": {"did": "ordered", "happened": False}},
            "viewed a product in “Tents”, the same one each time and did not order it afterwards, at least 3 times "
            "in the last 14 days",
            "过去 14 天内",
        ),
        ({"did": "ordered", "op": "lte", "times": 0, "window": {"ever": True}}, "never ordered at any time", "任何时间从未"),
        ({"did": "custom", "name": "spun the wheel", "window": {"period": "this_month"},
          "where": [{"property": "prize", "type": "number", "op": "gte", "value": 5}]},
         "did “spun the wheel” where “prize” at least 5 at least 1 time this month", "本月"),
        ({"orders": "average", "op": "gte", "value": 80, "window": {"days_ago": [30, 90]}, "discount": "with"},
         "average order with a discount at least 80 EUR (counted between 30 and 90 days ago)", "30 到 90 天前的"),
        ({"orders": "first", "op": "from", "value": {"days": -30}, "window": {"ever": True}},
         "first order on or after 30 days ago", "30 天前"),
        ({"message": "clicked", "within_days": 1, "channel": "sms"},
         "clicked in a message (text message) at least 1 time in the last 1 day", "点击过消息"),
        ({"channel": "push", "is": "reachable", "value": False}, "not: can be reached by push notification", "联系到"),
        ({"attribute": "birthday", "type": "date", "op": "anniversary", "value": [0, 7]},
         "the yearly day of “birthday” is between today and in 7 days", "7 天后"),
        ({"attribute": "vip", "type": "flag", "op": "is", "value": True}, "“vip” is yes", "是"),
        ({"bucket": [0, 12.5], "salt": "spring"}, 
         "is in the random share from 0 to 12.5 percent, drawn by “spring”", "百分之 0 到 12.5"),
        ({"not": {"field": "country", "op": "is", "value": "China"}}, "not (country is China)", "不是（"),
        ({"field": "country", "op": "in", "value": ["Ireland", "Narnia"]}, "country is one of Ireland, Narnia",
         "国家/地区属于 爱尔兰、Narnia"),
        ({"field": "language", "op": "is", "value": "zh"}, "language is Chinese", "语言是 中文"),
        ({"field": "joined_on", "op": "between", "value": ["2026-01-31", {"days": 0}]},
         "day on which they joined between 31 Jan 2026 and today", "2026年1月31日"),
    ],
)  # fmt: skip
def test_a_condition_says_itself_in_both_languages(tree: dict[str, Any], english: str, chinese: str) -> None:
    rule = parse_rule(tree)
    with translation.override("en-gb"):
        assert describe_rule(rule) == english
    with translation.override("zh-hans"):
        assert chinese in describe_rule(rule)


def test_things_are_called_by_their_names_in_a_fixed_number_of_queries(django_assert_num_queries: Any) -> None:
    segment = Segment.objects.create(name="Quiet", rule={})
    campaign = Campaign.objects.create(name="Spring", segment=segment, author=make_cast().marketer, holdout_seed="x")
    Product.objects.create(sku="T1", name="Tarn 2")
    rules = [
        parse_rule({"match": "all", "rules": [
            {"segment": segment.pk}, {"message": "opened", "within_days": 9, "campaign": campaign.pk},
            {"did": "ordered", "within_days": 9, "product": "T1"},
        ]})
        for _ in range(20)
    ]  # fmt: skip
    with django_assert_num_queries(3):
        names = read_names(*rules)
        sentences = {describe_rule(rule, names) for rule in rules}
    assert sentences == {
        "is in the segment “Quiet” and opened a message of the campaign “Spring” at least 1 time in the last 9 days and "
        "ordered (product “Tarn 2”) at least 1 time in the last 9 days"
    }


@pytest.mark.parametrize("language", ["en-gb", "zh-hans"])
def test_any_rule_is_said_whole(language: str) -> None:
    draw = random.Random(3)
    with translation.override(language):
        for _ in range(150):
            sentence = describe_rule(parse_rule(draw_tree(draw, 3)))
            assert sentence and "%(" not in sentence and "None" not in sentence
