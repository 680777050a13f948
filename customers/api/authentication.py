"""Requests with `Authorization: Bearer rk_…`."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import hmac
import secrets
from collections.abc import Collection
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from customers.models import ApiKey, AuditAction, record_audit

from .scopes import narrow

PREFIX_LENGTH = 12


@transaction.atomic
def issue_api_key(
    user: User, name: str, *, scopes: Collection[str] = (), expires_at: dt.datetime | None = None
) -> tuple[ApiKey, str]:
    """Make a key for `user`. The second value is the key itself: it is shown once and kept nowhere.

    `scopes` (of `customers.api.scopes`) narrow what it may do; none is all that the person may.
    """
    key = "rk_" + secrets.token_urlsafe(32)
    row = ApiKey.objects.create(
        user=user,
        name=name,
        prefix=key[:PREFIX_LENGTH],
        key_hash=_hash(key),
        scopes=sorted(scopes),
        expires_at=expires_at,
    )
    record_audit(AuditAction.KEY_MADE, actor=user, about=("api_key", row.pk), scopes=row.scopes)
    return row, key


@transaction.atomic
def revoke_api_key(user: User, row: ApiKey, *, now: dt.datetime) -> bool:
    """End a key at once; False, and nothing written, where it was ended before."""
    if not ApiKey.objects.filter(pk=row.pk, revoked_at=None).update(revoked_at=now):
        return False
    record_audit(AuditAction.KEY_REVOKED, actor=user, about=("api_key", row.pk))
    return True


def find_key(key: str) -> tuple[Any, ApiKey]:
    """Who acts with `key`. Raises AuthenticationFailed where it is not known or no longer valid."""
    row = ApiKey.objects.select_related("user").filter(prefix=key.strip()[:PREFIX_LENGTH]).first()
    now = timezone.now()
    if row is None or not hmac.compare_digest(row.key_hash, _hash(key.strip())):
        raise AuthenticationFailed(_("This API key is not known."))
    if row.revoked_at or (row.expires_at and row.expires_at <= now) or not row.user.is_active:
        raise AuthenticationFailed(_("This API key is no longer valid."))
    if row.last_used_at is None or (now - row.last_used_at).total_seconds() > 60:
        ApiKey.objects.filter(pk=row.pk).update(last_used_at=now)
    return narrow(row.user, row.scopes), row


def read_basic_key(given: str) -> str:
    """The user name of HTTP's Basic, without its scheme. Raises AuthenticationFailed where it is none."""
    try:
        return base64.b64decode(given, validate=True).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError) as error:
        raise AuthenticationFailed(_("This API key is not known.")) from error


class ApiKeyAuthentication(BaseAuthentication):
    """Finds the key by its prefix and proves it by a constant-time comparison of hashes."""

    keyword = "Bearer"

    def authenticate(self, request: Request) -> tuple[Any, ApiKey] | None:
        scheme, _space, key = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != self.keyword.lower():
            return None
        return find_key(key)

    def authenticate_header(self, request: Request) -> str:
        return self.keyword


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "customers.api.authentication.ApiKeyAuthentication"
    name = "ApiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "A key from Settings, sent as Bearer rk_…"}


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
