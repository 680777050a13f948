"""Writes down that a setting which lets something happen was changed: settings come from the environment, which has no history.

They are read when a process starts, so the worker looks when it starts. What was in force is in the newest entry itself.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final

from django.conf import settings
from django.db import connection, transaction

from customers.models import AuditAction, AuditEntry, record_audit

#: Looked at; one that this version does not have is left out.
WATCHED: Final = (
    "DEBUG", "FOUR_EYES", "USES_MAIL_CATCHER", "EMAIL_HOST", "SHOP_NAME", "SHOP_FROM_EMAIL", "SHOP_POSTAL_ADDRESS", "SHOP_URL",
    "SHOP_LINK_DOMAINS", "SITE_URL", "HOLDOUT_SHARE", "FREQUENCY_CAP_MESSAGES", "FREQUENCY_CAP_DAYS", "UNCAPPED_TOPICS",
    "PRIORITY_LOOK_AHEAD_HOURS", "MESSAGE_TOPICS",
    "LLM_BASE_URL", "LLM_KEEP_CALLS_DAYS", "DNS_RESOLVER", "DKIM_SELECTOR", "DKIM_DOMAIN",
)  # fmt: skip


@transaction.atomic
def note_settings() -> list[str]:
    """Write down which watched settings differ from the newest entry; returns their names. Safe to run twice, and at once."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('retention_site.audit_settings'))")
    newest = AuditEntry.objects.filter(action=AuditAction.SETTINGS_CHANGED).order_by("-id").first()
    before: dict[str, Any] = newest.details.get("now", {}) if newest else {}
    now = {name: _tell(getattr(settings, name)) for name in WATCHED if hasattr(settings, name)}
    changed = sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))
    if changed:
        record_audit(AuditAction.SETTINGS_CHANGED, actor=None, about=("settings", ""), fields=changed, now=now)
    return changed


def _tell(value: Any) -> Any:
    """Numbers and switches as they are; of a text only a short hash, because it may be an address."""
    if isinstance(value, bool | int | float):
        return value
    return hashlib.sha256(repr(value).encode()).hexdigest()[:12]
