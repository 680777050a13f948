"""Why somebody is in a segment, or is not: each condition with what is known of this person."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from customers.ingest.country_names import name_country
from customers.ingest.currency import read_shop_currency
from customers.ingest.language_names import name_language
from customers.models import Customer

from .compiler import new_builder
from .faults import RuleError
from .labels import GROUP_HEADS
from .names import Names
from .nodes import (
    Attribute,
    Behaviour,
    Broken,
    Condition,
    Group,
    Leaf,
    Match,
    Membership,
    MessageAct,
    Orders,
    Rule,
)
from .preview import matches
from .sql_acts import behaviour_people, message_people
from .sql_orders import orders_people
from .vocabulary import REACTIONS
from .wording import describe_rule


@dataclass(frozen=True)
class Evidence:
    """One condition, or the head of a group of them (`match`), with whether it holds and what this person has."""

    sentence: str
    is_met: bool
    depth: int
    has: str = ""
    match: Match | None = None


def explain(rule: Rule, customer: Customer, *, as_of: dt.datetime, names: Names) -> list[Evidence]:
    """The rule from the top, group by group, each held against one customer."""
    return _explain(rule, customer, as_of, names, 0)


def _explain(rule: Rule, customer: Customer, as_of: dt.datetime, names: Names, depth: int) -> list[Evidence]:
    if not isinstance(rule, Group):
        return [
            Evidence(describe_rule(rule, names), _holds(rule, customer, as_of), depth, _tell(rule, customer, as_of))
        ]
    inner = [_explain(child, customer, as_of, names, depth + 1) for child in rule.rules]
    met = [found[0].is_met for found in inner]
    holds = {"all": all(met), "any": any(met), "none": not any(met)}[rule.match]
    return [
        Evidence(str(GROUP_HEADS[rule.match]), holds, depth, "", rule.match),
        *(line for found in inner for line in found),
    ]


def _holds(rule: Rule, customer: Customer, as_of: dt.datetime) -> bool:
    try:
        return matches(rule, customer, as_of=as_of)
    except RuleError:
        return False


def _tell(rule: Leaf | Broken, customer: Customer, as_of: dt.datetime) -> str:
    """What this person has of it, in words; "" where there is nothing to add."""
    if isinstance(rule, Behaviour | MessageAct | Orders):
        return _tell_rows(rule, customer, as_of)
    if isinstance(rule, Attribute):
        value = customer.attributes.get(rule.own.name) if isinstance(customer.attributes, dict) else None
        return _("not known") if value is None else str(value)[:80]
    if isinstance(rule, Condition):
        return _tell_field(rule, customer, as_of)
    if isinstance(rule, Membership):
        member = customer.memberships.filter(segment=rule.segment).first()
        if member is None:  # by what was recorded last, which says nothing of an archived one
            return ""
        return _("since %(day)s") % {"day": _day(member.entered_at)} if member.entered_at else _("is in it")
    return ""  # of a channel, a draw or a fault there is no more to tell


def _tell_rows(rule: Behaviour | MessageAct | Orders, customer: Customer, as_of: dt.datetime) -> str:
    """How many of the rows that the rule counts or measures are this person's."""
    builder = new_builder(as_of)
    if isinstance(rule, Orders):
        people, _is_in = orders_people(rule, builder)
    elif isinstance(rule, Behaviour):
        people, _is_in = behaviour_people(rule, builder)
    else:
        people, _is_in = message_people(rule, builder)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FROM ({people.rows}) r WHERE r.customer_id = %(person)s",
            {**builder.params, "person": customer.pk},
        )
        number = int(cursor.fetchone()[0])
    if isinstance(rule, Orders):
        return ngettext("%(n)d order in that time", "%(n)d orders in that time", number) % {"n": number}
    return ngettext("%(times)d time", "%(times)d times", number) % {"times": number}


def _tell_field(rule: Condition, customer: Customer, as_of: dt.datetime) -> str:
    key = rule.field.key
    if key == "country" and customer.country:
        return name_country(customer.country)
    if key == "language" and customer.language:
        return name_language(customer.language)
    if key in ("country", "language", "time_zone", "source"):
        return str(getattr(customer, key)) or _("not known")
    if key in ("joined_on", "customer_for_days"):
        return _day(customer.joined_at) if customer.joined_at else _("not known")
    if key == "recency_days":
        last = customer.orders.filter(is_return=False, ordered_at__lte=as_of).order_by("-ordered_at").first()
        if last is None:
            return _("no order yet")
        days = (as_of - last.ordered_at).days
        return ngettext("%(n)d day", "%(n)d days", days) % {"n": days}
    if key == "orders_count":
        return str(customer.orders.filter(is_return=False, ordered_at__lte=as_of).count())
    if key == "total_spent":
        currency = read_shop_currency()
        total = sum(o.total for o in customer.orders.filter(ordered_at__lte=as_of, currency=currency).only("total"))
        return f"{total:,.0f} {currency}"
    if key == "tag":
        return ", ".join(customer.tags.order_by("tag").values_list("tag", flat=True)) or _("none")
    if key in REACTIONS:
        found = customer.reactions.filter(kind=REACTIONS[key]).first()
        return str(found.get_group_display()) if found is not None else _("not known")
    if rule.field.family == "prediction":
        return _tell_score(key, customer)
    return ""


def _tell_score(key: str, customer: Customer) -> str:
    score: Any = getattr(customer, "score", None)
    value = getattr(score, {"score_status": "status", "any_reason": "main_reason"}.get(key, key), None)
    if value in (None, ""):
        return _("not known")
    if key == "churn_probability":
        return f"{value:.0%}"
    if key == "expected_value":
        return f"{value:,.0f} {read_shop_currency()}"
    return f"{value:.2g}" if isinstance(value, float) else str(value)


def _day(moment: dt.datetime) -> str:
    return date_format(moment, "j M Y")
