"""Whom we think to be one person, and whom the shop vouches for: those are merged by themselves.

Vouched for is (a) a pair that the shop's own system named as one (Segment's alias with two known ids), and (b) two customers of
two systems with the same e-mail, which both systems marked as verified, whom nothing else speaks against. Never by an address
that nobody verified, and never two ids of one system: it keeps them apart for a reason of its own.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

import structlog
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import QuerySet

from customers.models import AuditAction, CustomerMerge, MergeSuggestion, PrivacyRequest, record_audit
from customers.models.customer import ERASED_SOURCE, MERGED_SOURCE

from .merge import merge_customers
from .plan import CannotMerge, find_contamination

log = structlog.get_logger(__name__)

#: Attributes by which a shop says that an address belongs to the person.
VERIFIED_BY: Final = ("email_verified", "verified_email")
#: An address that more people share is a desk's or a family's.
MOST_SHARERS: Final = 5
#: How many are merged in one sweep; the next one goes on.
MERGES_PER_SWEEP: Final = 500
GONE: Final = [ERASED_SOURCE, MERGED_SOURCE]


def find_suggestions() -> int:
    """Note every pair with the same e-mail or number, and forget those that differ by now; returns how many are new.

    One pair with the oldest row for each further one. What people decided stays. Safe to run twice.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_FORGET, {"gone": GONE})
        params: dict[str, Any] = {"gone": GONE, "most": MOST_SHARERS, "marks": list(VERIFIED_BY)}
        before = MergeSuggestion.objects.count()
        cursor.execute(_BY_EMAIL, params)
        cursor.execute(_BY_PHONE, params)
        return MergeSuggestion.objects.count() - before


def list_open() -> QuerySet[MergeSuggestion]:
    """Those that people have to decide, the vouched ones first."""
    found = MergeSuggestion.objects.filter(status=MergeSuggestion.Status.OPEN)
    found = found.exclude(first__source__in=GONE).exclude(second__source__in=GONE)
    return found.select_related("first", "second").order_by("-is_verified", "id")


def note_shops_word(pairs: list[tuple[int, int]]) -> None:
    """The shop's own system said that the first of each pair is the second one: merged by the next sweep, where that is on."""
    for other, keeps in pairs:
        first, second = sorted((other, keeps))
        row, _is_new = MergeSuggestion.objects.get_or_create(
            first_id=first, second_id=second, defaults={"why": MergeSuggestion.Why.SHOP}
        )
        if row.status == MergeSuggestion.Status.OPEN:
            MergeSuggestion.objects.filter(pk=row.pk).update(
                why=MergeSuggestion.Why.SHOP, is_verified=True, keeps=keeps
            )


def merge_vouched(*, now: dt.datetime) -> int:
    """Merge whom the shop vouches for; returns how many. Whatever speaks against a pair leaves it to people."""
    if not settings.AUTOMATIC_MERGES:
        return 0
    merged = 0
    for row in list_open().filter(is_verified=True)[:MERGES_PER_SWEEP]:
        keeps = row.keeps if row.keeps in (row.first_id, row.second_id) else row.first_id
        loser = row.second_id if keeps == row.first_id else row.first_id
        by_shop = row.why == MergeSuggestion.Why.SHOP
        reason = CustomerMerge.Reason.ALIAS if by_shop else CustomerMerge.Reason.VERIFIED
        try:
            if _is_harmful(loser, int(keeps)):
                MergeSuggestion.objects.filter(pk=row.pk).update(is_verified=False)
                continue
            merge_customers(loser, int(keeps), reason=reason, actor=None, now=now)
            merged += 1
        except CannotMerge as refusal:
            log.info("merge_waits", first=row.first_id, second=row.second_id, why=str(refusal))
    return merged


def keep_apart(row: MergeSuggestion, *, actor: User | None, now: dt.datetime) -> bool:
    """They are two people: never suggested again, never merged by itself. False where it was decided before."""
    changed = MergeSuggestion.objects.filter(pk=row.pk, status=MergeSuggestion.Status.OPEN).update(
        status=MergeSuggestion.Status.APART, decided_at=now, decided_by=actor
    )
    if changed:
        record_audit(AuditAction.KEPT_APART, actor=actor, about=("customer", row.first_id), other=row.second_id)
    return bool(changed)


def _is_harmful(loser: int, survivor: int) -> bool:
    """A merge by itself breaks no experiment, and does not run before a question about their data was answered."""
    asked = PrivacyRequest.objects.filter(
        customer_number__in=[loser, survivor], status__in=PrivacyRequest.UNDECIDED
    ).exists()
    if asked:
        return True
    with connection.cursor() as cursor:
        return bool(find_contamination(cursor, loser, survivor))


_FORGET = """
DELETE FROM customers_mergesuggestion s USING customers_customer a, customers_customer b
WHERE s.status = 'open' AND s.why IN ('email', 'phone') AND a.id = s.first_id AND b.id = s.second_id AND (
    a.source = ANY(%(gone)s) OR b.source = ANY(%(gone)s)
    OR NOT (s.why = 'email' AND a.email <> '' AND lower(a.email) = lower(b.email)
            OR s.why = 'phone' AND a.phone <> '' AND a.phone = b.phone))
"""

_BY_EMAIL = """
WITH known AS (
    SELECT id, source, lower(email) AS address, first_name, last_name,
           EXISTS (SELECT 1 FROM unnest(%(marks)s::text[]) AS mark WHERE attributes->mark = 'true'::jsonb) AS is_verified
    FROM customers_customer WHERE email <> '' AND source <> ALL(%(gone)s)
),
shared AS (
    SELECT address, min(id) AS oldest,
           count(*) = 2 AND count(DISTINCT source) = 2 AND bool_and(is_verified)
           AND count(DISTINCT lower(first_name)) FILTER (WHERE first_name <> '') < 2
           AND count(DISTINCT lower(last_name)) FILTER (WHERE last_name <> '') < 2 AS is_verified
    FROM known GROUP BY address HAVING count(*) BETWEEN 2 AND %(most)s
)
INSERT INTO customers_mergesuggestion (first_id, second_id, why, is_verified, keeps)
SELECT s.oldest, k.id, 'email', s.is_verified, s.oldest
FROM shared s JOIN known k ON k.address = s.address AND k.id <> s.oldest ORDER BY 1, 2
ON CONFLICT (first_id, second_id) DO UPDATE SET is_verified = EXCLUDED.is_verified, why = 'email'
WHERE customers_mergesuggestion.status = 'open' AND customers_mergesuggestion.why IN ('email', 'phone')
  AND NOT customers_mergesuggestion.is_verified AND EXCLUDED.is_verified
"""

_BY_PHONE = """
WITH shared AS (
    SELECT phone, min(id) AS oldest FROM customers_customer WHERE phone <> '' AND source <> ALL(%(gone)s)
    GROUP BY phone HAVING count(*) BETWEEN 2 AND %(most)s
)
INSERT INTO customers_mergesuggestion (first_id, second_id, why, is_verified, keeps)
SELECT s.oldest, c.id, 'phone', false, s.oldest
FROM shared s JOIN customers_customer c ON c.phone = s.phone AND c.id <> s.oldest AND c.source <> ALL(%(gone)s)
ORDER BY 1, 2 ON CONFLICT DO NOTHING
"""
