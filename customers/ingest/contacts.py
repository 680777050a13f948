"""Test addresses for customers who have none, so that the loop can be walked on data without addresses."""

from __future__ import annotations

import datetime as dt

from .copying import Cursor, UpsertCounts

#: The consent's source, by which it can be found and told from a person's own.
SOURCE = "import_orders --test-contacts"


def give_test_contacts(cursor: Cursor, customers: str, *, now: dt.datetime) -> UpsertCounts:
    """Give the staged customers without an address one under `.test`, and a consent marked as a test.

    Nobody who ever gave or withdrew a consent gets one, and no real address is touched. Counts the consents; safe to
    run twice.
    """
    cursor.execute(_ADDRESSES.format(customers=customers))
    cursor.execute(_CONSENTS.format(customers=customers), [SOURCE, now])
    created: int = cursor.rowcount
    cursor.execute(f"SELECT count(*) FROM {customers}")
    return UpsertCounts(created, 0, cursor.fetchone()[0] - created)


_ADDRESSES = """
UPDATE customers_customer c SET updated_at = statement_timestamp(), email =
    CASE WHEN c.external_id ~ '^[A-Za-z0-9._-]{{1,60}}$' AND c.external_id !~ '^[.]|[.][.]|[.]$'
         THEN 'customer-' || lower(c.external_id) ELSE 'customer-no-' || c.id END || '@' || c.source || '.test'
FROM {customers} s
WHERE c.source = s.source AND c.external_id = s.external_id AND c.email = ''
"""

_CONSENTS = """
INSERT INTO customers_consentrecord (customer_id, channel, status, legal_basis, source, proof, is_test, recorded_at)
SELECT c.id, 'email', 'given', 'test', %s, '{{}}', true, %s
FROM {customers} s JOIN customers_customer c ON c.source = s.source AND c.external_id = s.external_id
WHERE c.email LIKE 'customer-%%@%%.test' AND NOT EXISTS (SELECT 1 FROM customers_consentrecord r WHERE r.customer_id = c.id)
"""
