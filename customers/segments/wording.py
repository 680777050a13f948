"""The rule said back in a sentence, in the reader's language."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from customers.features.catalogue import THEMES
from customers.features.interests.vocabulary import name_topic
from customers.ingest.currency import read_shop_currency

from .rules import Behaviour, Condition, Group, Rule, RuleError

FIELD_LABELS = {
    "churn_probability": gettext_lazy("churn probability"),
    "expected_value": gettext_lazy("expected value"),
    "expected_orders": gettext_lazy("expected orders"),
    "interest": gettext_lazy("what they like"),
    "main_reason": gettext_lazy("main reason for leaving"),
    "interested_in": gettext_lazy("turns most to"),
    "likes_brand": gettext_lazy("brand they turn most to"),
    "price_level": gettext_lazy("price level of what they buy"),
    "writes_about": gettext_lazy("writes about (read by a language model)"),
    "recency_days": gettext_lazy("days since the last order"),
    "orders_count": gettext_lazy("number of orders"),
    "total_spent": gettext_lazy("total spent"),
    "country": gettext_lazy("country"),
    "language": gettext_lazy("language"),
    "customer_for_days": gettext_lazy("days since they joined"),
    "has_email_consent": gettext_lazy("agreed to e-mail"),
    "has_open_complaint": gettext_lazy("has an open complaint"),
}
FAMILY_LABELS = {
    "prediction": gettext_lazy("Prediction"),
    "interests": gettext_lazy("Interests"),
    "orders": gettext_lazy("Orders"),
    "person": gettext_lazy("Person"),
    "behaviour": gettext_lazy("Behaviour"),
}
BEHAVIOUR_LABELS = {
    "ordered": gettext_lazy("ordered"),
    "viewed_product": gettext_lazy("viewed a product"),
    "searched": gettext_lazy("searched"),
    "used_cart": gettext_lazy("changed the cart"),
    "opened_email": gettext_lazy("opened an e-mail"),
    "clicked_email": gettext_lazy("clicked in an e-mail"),
    "asked_support": gettext_lazy("asked support"),
    "complained": gettext_lazy("complained"),
}
PRICE_LABELS = {
    "low": gettext_lazy("low"),
    "mid": gettext_lazy("middle"),
    "high": gettext_lazy("high"),
}
OPERATOR_LABELS = {
    "gte": gettext_lazy("at least"),
    "lte": gettext_lazy("at most"),
    "between": gettext_lazy("between"),
    "is": gettext_lazy("is"),
    "is_not": gettext_lazy("is not"),
    "in": gettext_lazy("is one of"),
}
ERROR_SENTENCES = {
    "not_an_object": gettext_lazy("A rule is an object with conditions."),
    "too_deep": gettext_lazy("Groups may be nested %(detail)s deep at most."),
    "unknown_node": gettext_lazy("Each part is a group, a condition with a field, or something the customer did."),
    "unknown_match": gettext_lazy("A group matches “all” or “any”, not “%(detail)s”."),
    "empty": gettext_lazy("Add at least one condition."),
    "too_many_conditions": gettext_lazy("A rule may have %(detail)s conditions at most."),
    "unknown_field": gettext_lazy("“%(detail)s” is not something we know of a customer."),
    "operator_does_not_fit": gettext_lazy("“%(detail)s” does not fit this condition."),
    "unknown_behaviour": gettext_lazy("“%(detail)s” is not something that customers do here."),
    "category_does_not_fit": gettext_lazy("This behaviour has no category."),
    "not_yes_or_no": gettext_lazy("Choose yes or no."),
    "not_a_list": gettext_lazy("Give at least one value."),
    "not_two_numbers": gettext_lazy("Give two numbers."),
    "wrong_order": gettext_lazy("The first number must not be above the second."),
    "not_a_number": gettext_lazy("Enter a number."),
    "not_a_probability": gettext_lazy("Enter a probability from 0 to 1."),
    "not_a_number_of_days": gettext_lazy("Enter a number of days."),
    "not_a_whole_number": gettext_lazy("Enter a whole number (%(detail)s)."),
    "not_a_text": gettext_lazy("Enter a text of at most 120 characters."),
}


def describe_rule(rule: Rule) -> str:
    """For example "churn probability at least 60% and days since the last order at least 45"."""
    if isinstance(rule, Group):
        joiner = _(" and ") if rule.match == "all" else _(" or ")
        parts = [_wrap(child) for child in rule.rules]
        return joiner.join(parts)
    return _describe_behaviour(rule) if isinstance(rule, Behaviour) else _describe_condition(rule)


def describe_error(error: RuleError) -> str:
    """The fault in words for the person who wrote the rule."""
    return str(ERROR_SENTENCES.get(error.code, error.code)) % {"detail": error.detail}


def _wrap(rule: Rule) -> str:
    text = describe_rule(rule)
    return f"({text})" if isinstance(rule, Group) and len(rule.rules) > 1 else text


def _describe_condition(condition: Condition) -> str:
    label, value = FIELD_LABELS[condition.field.key], condition.value
    if isinstance(value, bool):
        return str(label) if value else _("not: %(what)s") % {"what": label}
    operator = OPERATOR_LABELS[condition.op]
    if condition.op == "between" and isinstance(value, tuple):
        return _("%(what)s between %(low)s and %(high)s") % {
            "what": label, "low": _format(condition, value[0]), "high": _format(condition, value[1]),
        }  # fmt: skip
    shown = (
        ", ".join(_format(condition, item) for item in value) if isinstance(value, tuple) else _format(condition, value)
    )
    return f"{label} {operator} {shown}"


def _format(condition: Condition, value: float | str) -> str:
    if condition.field.kind == "probability":
        return f"{float(value):.0%}"
    if condition.field.kind == "money":
        return f"{float(value):,.0f} {read_shop_currency()}"
    if condition.field.key == "main_reason" and value in THEMES:
        return str(THEMES[str(value)].label)
    if condition.field.key == "writes_about":
        return name_topic(str(value))
    if condition.field.key == "price_level" and value in PRICE_LABELS:
        return str(PRICE_LABELS[str(value)])
    return str(value) if isinstance(value, str) else f"{value:,.0f}"


def _describe_behaviour(rule: Behaviour) -> str:
    what = str(BEHAVIOUR_LABELS[rule.did])
    if rule.category:
        what = _("%(what)s in “%(category)s”") % {"what": what, "category": rule.category}
    if rule.op == "lte" and rule.times == 0:
        return _("never %(what)s in the last %(days)d days") % {"what": what, "days": rule.within_days}
    times = ngettext("%(times)d time", "%(times)d times", rule.times) % {"times": rule.times}
    how_often = OPERATOR_LABELS[rule.op]
    return _("%(what)s %(how_often)s %(times)s in the last %(days)d days") % {
        "what": what, "how_often": how_often, "times": times, "days": rule.within_days,
    }  # fmt: skip
