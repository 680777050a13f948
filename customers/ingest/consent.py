"""Consents and suppressed addresses: append-only, and never raised by a file."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from collections.abc import Iterable, Sequence
from typing import Any

import polars as pl
from django.conf import settings
from django.db import connection, transaction
from django.utils.crypto import salted_hmac

from customers.models import Channel, ConsentRecord, Customer, Suppression

from .copying import UpsertCounts, copy_frame, staging
from .customers import with_source
from .keyed_hash import hmac_sql
from .lapses import write_lapses_of
from .merged import name_survivors
from .orders import UnknownReference
from .wishes import note_answers, note_lifted, note_suppressed

GIVEN_CONSENT = {
    "source": "varchar(40)",
    "customer": "varchar(120)",
    "channel": "varchar(20)",
    "status": "varchar(12)",
    "legal_basis": "varchar(24)",
    "consent_source": "varchar(80)",
    "proof": "jsonb",
    "is_test": "boolean",
    "recorded_at": "timestamptz",
}
_CAPITALS = {letter: letter + 32 for letter in range(ord("A"), ord("Z") + 1)}


def address_key() -> bytes:
    """The 32-byte key of `hash_address`; `campaigns.audience.eligibility` computes the same HMAC inside PostgreSQL."""
    return salted_hmac("customers.ingest.consent", "address", algorithm="sha256").digest()


@transaction.atomic
def record_consent(
    customer: Customer,
    *,
    source: str,
    now: dt.datetime,
    channel: str = Channel.EMAIL,
    legal_basis: str = ConsentRecord.LegalBasis.CONSENT,
    proof: dict[str, Any] | None = None,
    is_test: bool = False,
) -> ConsentRecord:
    """Note that `customer` agreed to be written to. `source` says where (a form, a checkout), `proof` shows it."""
    note_answers([(customer.pk, channel, now)], is_given=True)
    return ConsentRecord.objects.create(
        customer=customer,
        channel=channel,
        status=ConsentRecord.Status.GIVEN,
        legal_basis=legal_basis,
        source=source,
        proof=proof or {},
        is_test=is_test,
        recorded_at=now,
    )


def find_newest_consent(customer_id: int, channel: str = Channel.EMAIL) -> ConsentRecord | None:
    """The newest record of a customer on a channel, which is the one that counts; None where they were never asked."""
    return (
        ConsentRecord.objects.filter(customer_id=customer_id, channel=channel).order_by("-recorded_at", "-pk").first()
    )


@transaction.atomic
def withdraw_consent(
    customer: Customer,
    *,
    source: str,
    now: dt.datetime,
    channel: str = Channel.EMAIL,
    proof: dict[str, Any] | None = None,
) -> ConsentRecord | None:
    """Note that `customer` no longer agrees; None, and nothing written, where the newest record says so already."""
    Customer.objects.select_for_update().get(pk=customer.pk)  # two clicks at once write one record
    newest = find_newest_consent(customer.pk, channel)
    if newest is not None and newest.status == ConsentRecord.Status.WITHDRAWN:
        return None
    moment = max(now, newest.recorded_at) if newest else now
    note_answers([(customer.pk, channel, moment)], is_given=False)
    return ConsentRecord.objects.create(
        customer=customer,
        channel=channel,
        status=ConsentRecord.Status.WITHDRAWN,
        legal_basis=newest.legal_basis if newest else ConsentRecord.LegalBasis.CONSENT,
        source=source,
        proof=proof or {},
        recorded_at=moment,
    )


def suppress_address(address: str, *, reason: str, source: str = "", channel: str = Channel.EMAIL) -> bool:
    """Never write to `address` again. True where it is new; the first reason stays. Safe to run twice."""
    return bool(suppress_hashes([(channel, hash_address(address))], reason=reason, source=source))


def suppress_addresses(addresses: Sequence[str], *, reason: str, source: str, channel: str = Channel.EMAIL) -> int:
    """The same for many at once; returns how many are new. Empty ones are passed over."""
    hashes = {(channel, hash_address(address)) for address in addresses if address}
    return suppress_hashes(hashes, reason=reason, source=source)


@transaction.atomic
def suppress_hashes(entries: Iterable[tuple[str, str]], *, reason: str, source: str, note: str = "") -> int:
    """The same for hashes of addresses, as (channel, hash). Those that are new are noted outside the database too, so that a
    restored backup does not forget them."""
    told = sorted({(str(channel), found) for channel, found in entries})
    if not told:
        return 0
    channels, hashes = zip(*told, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO customers_suppression (channel, address_hash, reason, source, note)"
            " SELECT channel, hash, %s, %s, %s FROM unnest(%s::text[], %s::text[]) AS given(channel, hash)"
            " ON CONFLICT (channel, address_hash) DO NOTHING RETURNING channel, address_hash",
            [Suppression.Reason(reason), source, note, list(channels), list(hashes)],
        )
        new = cursor.fetchall()
    note_suppressed(new, reason=str(Suppression.Reason(reason)))
    return len(new)


@transaction.atomic
def withdraw_consents(customer_ids: Sequence[int], *, source: str, channel: str = Channel.EMAIL) -> int:
    """Note for many at once that they no longer agree; returns how many did until now. By the database's clock."""
    if not customer_ids:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO customers_consentrecord (customer_id, channel, status, legal_basis, source, recorded_at)
            SELECT c.id, %(channel)s, 'withdrawn', newest.legal_basis, %(source)s,
                   greatest(clock_timestamp(), newest.recorded_at)
            FROM (SELECT id FROM customers_customer WHERE id = ANY(%(ids)s) ORDER BY id FOR UPDATE) AS c
            CROSS JOIN LATERAL (
                SELECT r.status, r.legal_basis, r.recorded_at FROM customers_consentrecord r
                WHERE r.customer_id = c.id AND r.channel = %(channel)s ORDER BY r.recorded_at DESC, r.id DESC LIMIT 1
            ) AS newest
            WHERE newest.status = 'given'
            RETURNING customer_id, channel, recorded_at
            """,
            {"channel": channel, "source": source, "ids": list(customer_ids)},
        )
        left = cursor.fetchall()
    note_answers(left, is_given=False)
    return len(left)


@transaction.atomic
def lift_unsubscription(address: str, *, channel: str = Channel.EMAIL) -> bool:
    """The person asks for mail again: forget that they unsubscribed. Bounces, complaints and all else stay suppressed."""
    hashed = hash_address(address)
    found = Suppression.objects.filter(channel=channel, address_hash=hashed, reason=Suppression.Reason.UNSUBSCRIBED)
    if not found.delete()[0]:
        return False
    note_lifted(channel, hashed)
    return True


def hash_address(address: str) -> str:
    """The keyed hash under which an address is suppressed: HMAC-SHA256, the key derived from SECRET_KEY.

    Capitals of ASCII are folded and blanks around it cut, exactly as `address_hash_sql` does it in the database.
    """
    folded = address.strip(" ").translate(_CAPITALS)
    return hmac.new(address_key(), folded.encode(), hashlib.sha256).hexdigest()


def address_hash_sql(column: str) -> str:
    """SQL for `hash_address` of a text column."""
    return hmac_sql(address_key(), f'lower(btrim({column}) COLLATE "C")')


def has_consent_sql(customer: str = "customers_customer", channel: str = Channel.EMAIL) -> str:
    """SQL that is true where the newest consent of the row `customer` (a table or alias) was given and counts now.

    A consent marked as a test counts only while mail goes to the built-in catcher, and for `.test` addresses.
    """
    test_counts = f"lower(right({customer}.email, 5)) = '.test'" if settings.USES_MAIL_CATCHER else "false"
    return (
        f"coalesce((SELECT newest.status = 'given' AND (NOT newest.is_test OR {test_counts}) FROM customers_consentrecord newest"
        f" WHERE newest.customer_id = {customer}.id AND newest.channel = '{Channel(channel)}'"
        " ORDER BY newest.recorded_at DESC, newest.id DESC LIMIT 1), false)"
    )


def suppression_sql(address: str, channel: str) -> str:
    """SQL that is true where `address` (an expression) is suppressed on `channel`, or its whole domain is: a look into the key
    of each table."""
    told = (
        f"EXISTS (SELECT 1 FROM customers_suppression x_s WHERE x_s.channel = '{Channel(channel)}'"
        f" AND x_s.address_hash = {address_hash_sql(address)})"
    )
    if channel != Channel.EMAIL:
        return told
    return f"({told} OR {suppressed_domain_sql(address)})"


def suppressed_domain_sql(address: str) -> str:
    """SQL that is true where the domain of an address is suppressed, or a domain above it with all names below."""
    domain = domain_sql(address)
    return (
        f"(EXISTS (SELECT 1 FROM customers_suppresseddomain x_d WHERE NOT x_d.is_below AND x_d.domain = {domain})"
        " OR EXISTS (SELECT 1 FROM customers_suppresseddomain x_d WHERE x_d.is_below"
        f" AND right({domain}, length(x_d.domain) + 1) = '.' || x_d.domain))"
    )


def domain_sql(address: str) -> str:
    """SQL for the domain of an address, as `SuppressedDomain.domain` has it."""
    return f"""split_part(lower(btrim({address}) COLLATE "C"), '@', -1)"""


def is_suppressed(address: str, channel: str = Channel.EMAIL) -> bool:
    """The same of one address."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {suppression_sql('given.address', channel)} FROM (SELECT %s::text) given(address)", [address]
        )
        return bool(cursor.fetchone()[0])


def is_domain_suppressed(address: str) -> bool:
    """Whether nobody is written to at the domain of one address."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {suppressed_domain_sql('given.address')} FROM (SELECT %s::text) given(address)", [address]
        )
        return bool(cursor.fetchone()[0])


def is_suppressed_sql(customer: str = "customers_customer", channel: str = Channel.EMAIL) -> str:
    """SQL that is true where the address of the row `customer` (a table or alias) is suppressed."""
    return suppression_sql(f"{customer}.email", channel)


def may_contact_sql(customer: str = "customers_customer", channel: str = Channel.EMAIL) -> str:
    """SQL that is true where the row `customer` has an address, a consent that counts, and no suppression."""
    return (
        f"({customer}.email <> '' AND {has_consent_sql(customer, channel)}"
        f" AND NOT {is_suppressed_sql(customer, channel)})"
    )


def said_no_sql(customer: str, channel: str) -> str:
    """SQL that is true where the person of the row `customer` (a table or alias) said no on `channel` (an expression), was asked
    and has yet to confirm, or their consent has lapsed, and only they can give it: the newest record waits or is a lapse, the
    newest that does not wait is a withdrawal, or the address there was unsubscribed. Consents that are only tests are no word of
    theirs."""
    email, phone = address_hash_sql(f"{customer}.email"), address_hash_sql(f"{customer}.phone")
    return (
        "(coalesce((SELECT said.status = 'withdrawn' FROM customers_consentrecord said"
        f" WHERE said.customer_id = {customer}.id AND said.channel = {channel} AND said.status <> 'pending'"
        " AND NOT said.is_test"
        " ORDER BY said.recorded_at DESC, said.id DESC LIMIT 1), false)"
        " OR coalesce((SELECT asked.status IN ('pending', 'expired') FROM customers_consentrecord asked"
        f" WHERE asked.customer_id = {customer}.id AND asked.channel = {channel} AND NOT asked.is_test"
        " ORDER BY asked.recorded_at DESC, asked.id DESC LIMIT 1), false)"
        f" OR EXISTS (SELECT 1 FROM customers_suppression kept WHERE kept.channel = {channel} AND kept.reason = 'unsubscribed'"
        f" AND kept.address_hash = CASE {channel} WHEN 'email' THEN {email} WHEN 'sms' THEN {phone} END))"
    )


@transaction.atomic
def record_consents(frame: pl.DataFrame, *, source: str = "shop", is_part: bool = False) -> UpsertCounts:
    """Append consents of many customers; one that stands already (customer, channel, status, source, time) is kept.

    A list never raises a consent above a withdrawal, one that waits for the person's confirmation, nor one that has lapsed:
    where the person withdrew, here or in an earlier line of the frame, unsubscribed that address, was asked and has not
    confirmed, or gave one that the rule of the country has ended by now, a consent given is passed over, whatever its date.
    Only the person gives it. With `is_part` the caller has written down what lapsed before the first part of the list.

    Columns: customer (the shop's id), status, legal_basis, recorded_at (UTC), and any of source (the customer's),
    consent_source, channel, proof (JSON text), is_test. Raises UnknownReference; safe to run twice.
    """
    frame = with_source(frame, source)
    with staging({**GIVEN_CONSENT, "came_as": "bigint"}) as (cursor, stage):
        copy_frame(cursor, stage, frame)
        cursor.execute(f"ANALYZE {stage}")
        cursor.execute(
            f"SELECT s.customer FROM {stage} s LEFT JOIN customers_customer c"
            " ON c.source = s.source AND c.external_id = s.customer WHERE c.id IS NULL LIMIT 3"
        )
        if cursor.fetchall() and (unknown := name_survivors(cursor, stage)):
            raise UnknownReference(f"These customers are not known: {', '.join(unknown)}.")
        if not is_part:
            write_lapses_of(stage)
        cursor.execute(f"CREATE INDEX ON {stage} (customer, source) WHERE status = 'withdrawn'")
        cursor.execute(_APPEND.format(stage=stage, said_no=said_no_sql("c", "filled.channel")))
        created, left = cursor.fetchone()
    note_answers([(number, on, dt.datetime.fromisoformat(at)) for number, on, at in left or ()], is_given=False)
    return UpsertCounts(created, 0, frame.height - created)


_APPEND = """
WITH written AS (INSERT INTO customers_consentrecord
    (customer_id, channel, status, legal_basis, source, proof, is_test, recorded_at, came_as)
SELECT DISTINCT ON (c.id, filled.channel, s.status, filled.consent_source, s.recorded_at)
    c.id, filled.channel, s.status, s.legal_basis, filled.consent_source, coalesce(s.proof, '{{}}'), coalesce(s.is_test, false),
    s.recorded_at, s.came_as
FROM {stage} s
JOIN customers_customer c ON c.source = s.source AND c.external_id = s.customer
CROSS JOIN LATERAL (SELECT coalesce(s.channel, 'email') AS channel,
                           coalesce(s.consent_source, s.source) AS consent_source) filled
WHERE NOT EXISTS (
    SELECT 1 FROM customers_consentrecord r
    WHERE r.customer_id = c.id AND r.channel = filled.channel AND r.status = s.status
      AND r.source = filled.consent_source AND r.recorded_at = s.recorded_at)
  AND (s.status <> 'given' OR NOT (
    {said_no}
    OR EXISTS (SELECT 1 FROM {stage} e WHERE e.source = s.source AND e.customer = s.customer AND e.status = 'withdrawn'
               AND coalesce(e.channel, 'email') = filled.channel AND e.recorded_at <= s.recorded_at)))
ORDER BY c.id, filled.channel, s.status, filled.consent_source, s.recorded_at
RETURNING customer_id, channel, status, recorded_at)
SELECT count(*), json_agg(json_build_array(customer_id, channel, recorded_at)) FILTER (WHERE status = 'withdrawn') FROM written
"""
