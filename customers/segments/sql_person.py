"""SQL of the conditions about the person: columns, scores, interests, the shop's own attributes, consent and channels."""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.conf import settings

from customers.ingest.consent import suppression_sql
from customers.models import EventKind

from .calendar import year_days
from .complaints import open_case_rows
from .interests import list_rows
from .nodes import Bucket, ChannelState, Condition, Day, Own
from .sql import Builder, People
from .sql_values import compare_dates, compare_moments, compare_numbers, compare_texts, own_sql
from .vocabulary import ADDRESS_SQL, REACTIONS

_COLUMNS: Final = {
    "country": "c.country",
    "time_zone": "c.time_zone",
    "source": "c.source",
    "churn_probability": "{s}.churn_probability",
    "expected_value": "{s}.expected_value",
    "expected_orders": "{s}.expected_orders",
    "interest": "{s}.interest",
    "main_reason": "{s}.main_reason",
    "score_status": "{s}.status",
    "price_level": "nullif({i}.price_band, '')",
}


def field_sql(rule: Condition, builder: Builder) -> str:
    """SQL that is true of a customer `c` of whom a plain fact holds; null where nothing is known."""
    key = rule.field.key
    if key == "joined_on":
        return compare_moments("c.joined_at", rule.op, rule.value, builder)
    if key == "next_order_on":
        return compare_dates(f"{builder.join_scores()}.next_order_on", rule.op, rule.value, builder)
    if key == "customer_for_days":
        days = f"extract(epoch from ({builder.as_of} - c.joined_at)) / 86400"
        return compare_numbers(days, rule.op, rule.value, builder)
    if key in REACTIONS:
        column = f'{builder.join_reactions(REACTIONS[key])}."group"'
        return compare_texts(column, rule.op, rule.value, builder)
    if key == "any_reason":
        return _reason_sql(rule, builder)
    if key == "language":
        return _language_sql(rule, builder)
    column = _COLUMNS[key]
    if "{s}" in column:
        column = column.format(s=builder.join_scores())
    elif "{i}" in column:
        column = column.format(i=builder.join_interests())
    compare = compare_texts if rule.field.kind == "text" else compare_numbers
    return compare(column, rule.op, rule.value, builder)


def attribute_sql(own: Own, builder: Builder) -> str:
    """The same of one of the shop's own attributes; days are those of where the customer lives."""
    if own.op == "anniversary":
        return _anniversary_sql(own, builder)
    return own_sql(own, "c.attributes", builder, today=local_today_sql(builder))


def local_today_sql(builder: Builder) -> str:
    """SQL of the day it is where the customer `c` lives; the shop's where that is not known."""
    return _by_local_day(builder, {date: f"{builder.bind(date)}::date" for date in _dates(builder)})


def bucket_sql(rule: Bucket, builder: Builder) -> str:
    """A stable draw, as `draw_percent` draws it: the first 32 bits of md5("salt:id"). Nothing here is secret."""
    draw = f"('x' || left(md5({builder.bind(rule.salt)} || ':' || c.id::text), 8))::bit(32)::bigint::float8"
    share = f"{draw} / 4294967296.0::float8 * 100"
    return f"{share} >= {builder.bind(rule.low)} AND {share} < {builder.bind(rule.high)}"


def list_people(rule: Condition, builder: Builder) -> People:
    """Those whose profile names one of the values."""
    values = list(rule.value) if isinstance(rule.value, tuple) else [rule.value]
    return People(list_rows(rule.field.key, f"{builder.bind(values)}::text[]"))


def tag_people(rule: Condition, builder: Builder) -> People:
    """Those to whom the staff put one of the tags."""
    tags = list(rule.value) if isinstance(rule.value, tuple) else [rule.value]
    return People(f"SELECT t.customer_id FROM customers_customertag t WHERE t.tag = ANY({builder.bind(tags)}::text[])")


def flag_people(key: str, builder: Builder) -> People:
    """Those of whom a yes-or-no field is true."""
    if key == "has_email_consent":
        return People(_consent_rows("email", builder))
    if key == "has_open_complaint":
        opened, closed = EventKind.COMPLAINT_OPENED, EventKind.COMPLAINT_CLOSED
    else:
        opened, closed = EventKind.TICKET_OPENED, EventKind.TICKET_CLOSED
    return People(open_case_rows(opened, closed, as_of=builder.as_of))


def address_sql(rule: ChannelState) -> str:
    """SQL that is true of a customer `c` who has, or has not, an address for a channel."""
    return f"{ADDRESS_SQL[rule.channel].format('c')} {'<>' if rule.holds else '='} ''"


def channel_people(rule: ChannelState, builder: Builder) -> list[tuple[People, bool]] | None:
    """A channel's state, None of an address. Reachable is who has an address, whose newest consent counts now, and who is
    not suppressed."""
    address = ADDRESS_SQL[rule.channel]
    if rule.state == "has_address":
        return None
    if rule.state == "consented":
        return [(People(_consent_rows(rule.channel, builder)), rule.holds)]
    place = address.format("a")
    suppressed = suppression_sql(place, rule.channel)
    if rule.state == "suppressed":
        rows = f"SELECT a.id AS customer_id FROM customers_customer a WHERE {place} <> '' AND {suppressed}"
        return [(People(rows), rule.holds)]
    consented = _consent_rows(rule.channel, builder, counting=True)
    rows = (
        f"SELECT a.id AS customer_id FROM customers_customer a WHERE {place} <> '' AND a.id IN ({consented})"
        f" AND NOT {suppressed}"
    )
    return [(People(rows), rule.holds)]


def _consent_rows(channel: str, builder: Builder, *, counting: bool = False) -> str:
    """Consents that are the newest of their customer and were given; `counting` leaves those out that exist for tests,
    unless mail goes to the built-in catcher and the address is one of nobody."""
    name = builder.bind(channel)
    test = ""
    if counting:
        nobody = (
            " AND NOT EXISTS (SELECT 1 FROM customers_customer t WHERE t.id = g.customer_id"
            " AND lower(right(t.email, 5)) = '.test')"
        )
        test = f" AND NOT (g.is_test{nobody if settings.USES_MAIL_CATCHER else ''})"
    return (
        f"SELECT g.customer_id FROM customers_consentrecord g WHERE g.channel = {name} AND g.status = 'given'"
        f" AND g.recorded_at <= {builder.as_of} AND NOT EXISTS (SELECT 1 FROM customers_consentrecord w"
        f" WHERE w.customer_id = g.customer_id AND w.channel = {name} AND w.recorded_at <= {builder.as_of}"
        f" AND (w.recorded_at, w.id) > (g.recorded_at, g.id)){test}"
    )


def _language_sql(rule: Condition, builder: Builder) -> str:
    """ "zh" means every way of writing it: zh, zh-hans, zh-TW; "zh-hans" means that one."""
    values = rule.value if isinstance(rule.value, tuple) else (rule.value,)
    wanted = builder.bind(sorted({str(value).lower() for value in values}))
    is_one = (
        f"(lower(c.language) = ANY({wanted}::text[]) OR lower(split_part(c.language, '-', 1)) = ANY({wanted}::text[]))"
    )
    return f"NOT {is_one}" if rule.op == "is_not" else is_one


def _reason_sql(rule: Condition, builder: Builder) -> str:
    """Whether one of the reasons that push towards leaving belongs to a theme."""
    themes = rule.value if isinstance(rule.value, tuple) else (rule.value,)
    wanted = builder.bind([str(theme) for theme in themes])
    reasons = f"{builder.join_scores()}.reasons"
    found = (
        f"EXISTS (SELECT 1 FROM jsonb_array_elements(CASE jsonb_typeof({reasons}) WHEN 'array' THEN {reasons} ELSE '[]' END) r"
        f" WHERE r.value->>'theme' = ANY({wanted}::text[])"
        " AND CASE jsonb_typeof(r.value->'points') WHEN 'number' THEN (r.value->>'points')::float8 > 0 ELSE false END)"
    )
    return f"NOT {found}" if rule.op == "is_not" else found


def _anniversary_sql(own: Own, builder: Builder) -> str:
    """Whether the yearly day of a date lies so many days from today, where the customer lives."""
    assert isinstance(own.value, tuple)
    low, high = (int(days) for days in own.value if not isinstance(days, Day))
    wanted = {
        date: builder.bind(year_days(date + dt.timedelta(days=low), date + dt.timedelta(days=high))) + "::text[]"
        for date in _dates(builder)
    }
    date = own_sql(Own(own.name, "date", "value", None), "c.attributes", builder, today="")
    return f"to_char({date}, 'MM-DD') = ANY({_by_local_day(builder, wanted)})"


def _dates(builder: Builder) -> list[dt.date]:
    return [builder.calendar.today, *builder.calendar.days_elsewhere]


def _by_local_day(builder: Builder, told: dict[dt.date, str]) -> str:
    elsewhere = builder.calendar.days_elsewhere
    whens = " ".join(
        f"WHEN c.time_zone = ANY({builder.bind(zones)}::text[]) THEN {told[date]}" for date, zones in elsewhere.items()
    )
    here = told[builder.calendar.today]
    return f"(CASE {whens} ELSE {here} END)" if whens else here
