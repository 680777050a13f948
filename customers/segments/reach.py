"""How many of those whom a rule means may be written to, by channel: an address, consent, and not suppressed.

Caps, pauses and rules by country belong to a campaign and are asked when its audience is frozen.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from django.db import connection

from customers.ingest.consent import has_consent_sql, suppression_sql
from customers.models import Channel

from .compiler import compile_rule
from .rules import Rule
from .vocabulary import ADDRESS_SQL

#: The channels that are told of; a web hook names people by the shop's own id, so everybody has an address for it.
_CHANNELS: Final = (Channel.EMAIL, Channel.SMS)


@dataclass(frozen=True)
class Reach:
    """Of the people meant: with an address, of those with consent, and of those not suppressed."""

    channel: str
    label: str
    with_address: int
    with_consent: int
    reachable: int


def measure_reach(rule: Rule, *, as_of: dt.datetime) -> list[Reach]:
    """By channel, in one statement. Consents and suppressions count as they stand now."""
    query = compile_rule(rule, as_of=as_of)
    levels = ", ".join(f"{_level(channel)} AS {channel}" for channel in _CHANNELS)
    counts = ", ".join(
        f"count(*) FILTER (WHERE {channel} >= {level})" for channel in _CHANNELS for level in range(1, 4)
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {counts} FROM (SELECT {levels} FROM customers_customer c"
            f" WHERE c.id IN (SELECT customer_id FROM ({query.sql}) AS meant)) AS reached",
            query.params,
        )
        found = list(map(int, cursor.fetchone()))
    labels = dict(Channel.choices)
    return [
        Reach(channel.value, str(labels[channel]), *found[place * 3 : place * 3 + 3])
        for place, channel in enumerate(_CHANNELS)
    ]


def _level(channel: Channel) -> str:
    """How far somebody gets: 1 has an address, 2 agreed as well, 3 is not suppressed either."""
    address = ADDRESS_SQL[channel].format("c")
    return (
        f"CASE WHEN {address} = '' THEN 0 WHEN NOT {has_consent_sql('c', channel)} THEN 1"
        f" WHEN {suppression_sql(address, channel)} THEN 2 ELSE 3 END"
    )
