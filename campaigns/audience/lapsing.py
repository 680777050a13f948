"""When a consent lapses by the rule of its country, and the sweep that writes the lapse down as a record of its own.

Nothing waits for the sweep: the freeze and the mark judge every consent by the same rule themselves (`country_rule_sql`), and
before a list of consents is read, what has lapsed of its people is written down (`customers.ingest.lapses`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

import structlog
from django.db import connection
from django.utils import timezone

from customers.ingest.merged import identities_sql
from customers.models import Channel, ConsentRecord, Customer

from .country_rules import read_country_rules
from .eligibility import STATUSES_THAT_REACHED

log = structlog.get_logger(__name__)

#: The source of the records that the sweep writes.
SOURCE: Final = "country rule"


def find_lapse(customer: Customer, channel: str) -> dt.datetime | None:
    """When the consent given on a channel lapses if nothing is sent; None where none stands, or it never does."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {_LAPSES_AT} FROM customers_customer c CROSS JOIN LATERAL ("
            "   SELECT * FROM customers_consentrecord r WHERE r.customer_id = c.id AND r.channel = %(channel)s"
            f"  ORDER BY r.recorded_at DESC, r.id DESC LIMIT 1) AS n {_TERMS}"
            " WHERE c.id = %(customer)s AND n.status = 'given'",
            _parameters() | {"customer": customer.pk, "channel": Channel(channel)},
        )
        row = cursor.fetchone()
    return row[0] if row else None


def lapse_consents(now: dt.datetime) -> int:
    """Append a record for each consent that has lapsed by `now`, dated when it did; returns how many.

    A consent that is given while this runs is newer, and so is a withdrawal: neither is undone. Safe to run twice.
    """
    return _lapse("", {"now": now})


def lapse_before_list(people: str, parameters: Mapping[str, Any]) -> int:
    """The same, now and for the customers alone whose numbers the SQL `people` gives: a list is about to be read that says
    consents of theirs. In the caller's transaction. The sweep at that very moment may write the same a second time."""
    return _lapse(f"WHERE customer_id IN ({people})", {**parameters, "now": timezone.now()})


def _lapse(whom: str, parameters: Mapping[str, Any]) -> int:
    rules = read_country_rules().by_name.values()
    if not any(rule.consent_months or rule.existing_months or rule.unused_months for rule in rules):
        return 0
    with connection.cursor() as cursor:
        cursor.execute(_LAPSE.format(whom=whom), {**_parameters(), "source": SOURCE, **parameters})
        lapsed: int = cursor.rowcount
    if lapsed:
        log.info("consents_lapsed", records=lapsed)
    return lapsed


def _parameters() -> dict[str, Any]:
    return {
        "terms": read_country_rules().as_terms(),
        "reached": [status.value for status in STATUSES_THAT_REACHED],
    }


_TERMS: Final = f"""
CROSS JOIN LATERAL (
    SELECT coalesce(a.terms -> lower(btrim(c.country)), a.terms -> '') AS terms
    FROM (SELECT %(terms)s::jsonb AS terms OFFSET 0) a OFFSET 0
) AS t
CROSS JOIN LATERAL (
    SELECT CASE WHEN t.terms ->> 'unused' IS NOT NULL THEN (
        SELECT max(m.sending_at) FROM campaigns_message m
        WHERE m.customer_id = ANY({identities_sql("c")}) AND m.channel = n.channel AND m.status = ANY(%(reached)s)) END AS used_at
) AS u"""
_LAPSES_AT: Final = """least(
    n.recorded_at + make_interval(months => (t.terms ->> n.legal_basis)::int),
    greatest(n.recorded_at, u.used_at) + make_interval(months => (t.terms ->> 'unused')::int))"""
# A consent may be backdated by those who import it; what lapsed is dated no earlier than it was given.
_LAPSE: Final = f"""
INSERT INTO customers_consentrecord (customer_id, channel, status, legal_basis, source, proof, recorded_at)
SELECT n.customer_id, n.channel, '{ConsentRecord.Status.EXPIRED}', n.legal_basis, %(source)s,
       jsonb_build_object('given_at', n.recorded_at, 'used_at', u.used_at, 'country', c.country, 'months',
                          (t.terms ->> n.legal_basis)::int, 'unused_months', (t.terms ->> 'unused')::int),
       {_LAPSES_AT}
FROM (
    SELECT DISTINCT ON (customer_id, channel) * FROM customers_consentrecord {{whom}}
    ORDER BY customer_id, channel, recorded_at DESC, id DESC
) AS n JOIN customers_customer c ON c.id = n.customer_id {_TERMS}
WHERE n.status = '{ConsentRecord.Status.GIVEN}' AND NOT n.is_test AND {_LAPSES_AT} <= %(now)s"""
