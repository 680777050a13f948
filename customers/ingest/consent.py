"""Consents and suppressed addresses: append-only, and never raised by a file."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from typing import Any

import polars as pl
from django.utils.crypto import salted_hmac

from customers.models import Channel, ConsentRecord, Customer, Suppression

from .copying import UpsertCounts


def hash_address(address: str) -> str:
    """The keyed hash of an address, whatever its case: HMAC-SHA256 under a key derived from SECRET_KEY."""
    return hmac.new(_address_key(), address.strip().casefold().encode(), hashlib.sha256).hexdigest()


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
    """Note that `customer` agreed to be written to."""
    raise NotImplementedError


def withdraw_consent(
    customer: Customer,
    *,
    source: str,
    now: dt.datetime,
    channel: str = Channel.EMAIL,
    proof: dict[str, Any] | None = None,
) -> ConsentRecord | None:
    """Note that `customer` no longer agrees; None where the newest record says so already."""
    raise NotImplementedError


def suppress_address(address: str, *, reason: str, source: str = "", channel: str = Channel.EMAIL) -> bool:
    """Never write to `address` again. True where it is new; running it again changes nothing."""
    raise NotImplementedError


def record_consents(frame: pl.DataFrame, *, source: str = "shop") -> UpsertCounts:
    """Append consents of many customers. Columns: customer (the shop's id), status, legal_basis, recorded_at (UTC),
    and any of source (of the customer), consent_source, channel, proof (JSON text), is_test.

    A record that stands already (same customer, channel, status, source and time) is not written again.
    """
    raise NotImplementedError


def _address_key() -> bytes:
    return salted_hmac("customers.ingest.consent", "address", algorithm="sha256").digest()
