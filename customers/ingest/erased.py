"""Who was erased does not come back with the next file: the keyed hash that they are known by, and the check on the way in."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable

from django.utils.crypto import salted_hmac

from customers.models import Customer, ErasedPerson

from .copying import Cursor
from .keyed_hash import hmac_sql


def hash_identity(source: str, external_id: str) -> str:
    """HMAC-SHA256 of the key of a customer; the key is derived from SECRET_KEY."""
    return hmac.new(_key(), f"{source}\n{external_id}".encode(), hashlib.sha256).hexdigest()


def hash_identities(customer: Customer) -> list[str]:
    """Under which a backup may have them: their own id, and those that were merged into it."""
    aliases = customer.aliases.filter(is_visitor=False).values_list("source", "external_id")
    return [hash_identity(*one) for one in [(customer.source, customer.external_id), *aliases]]


def identity_hash_sql(source: str, external_id: str) -> str:
    """SQL for `hash_identity` of two text expressions."""
    return hmac_sql(_key(), f"{source} || E'\\n' || {external_id}")


def find_erased(identities: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Those of (source, external_id) that were erased. One query, and no hash at all while nobody was."""
    if not ErasedPerson.objects.exists():
        return set()
    hashes = {hash_identity(*identity): identity for identity in identities}
    known = ErasedPerson.objects.filter(identity_hash__in=hashes).values_list("identity_hash", flat=True)
    return {hashes[found] for found in known}


def drop_erased(cursor: Cursor, stage: str) -> int:
    """Take staged customers (source, external_id) who were erased out of `stage`; returns how many."""
    cursor.execute("SELECT EXISTS (SELECT 1 FROM customers_erasedperson)")
    if not cursor.fetchone()[0]:
        return 0
    cursor.execute(
        f"DELETE FROM {stage} s USING customers_erasedperson e"
        f" WHERE e.identity_hash = {identity_hash_sql('s.source', 's.external_id')}"
    )
    return int(cursor.rowcount)


def _key() -> bytes:
    return salted_hmac("customers.privacy", "identity", algorithm="sha256").digest()
