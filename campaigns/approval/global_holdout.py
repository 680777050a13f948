"""Changes of the global hold-out: by an administrator, with a reason, from now on and never for the past; and its renewal."""

from __future__ import annotations

import datetime as dt

import structlog
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from django.db.models import Min
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from campaigns.audience.holdout import draw_seed
from campaigns.models import GlobalHoldout
from customers.models.audit import AuditAction, record_audit

log = structlog.get_logger(__name__)

#: As of the switch of the second person: two people must not begin the same round.
ROUND_LOCK = 0x601D


@transaction.atomic
def change_global_holdout(
    user: User, *, share: float, renew_days: int, reason: str, now: dt.datetime
) -> GlobalHoldout | None:
    """Hold out `share` (0 to 0.3; 0: nobody) of all customers from `now` on; None where that was so already.

    A round that runs keeps its salt, so that who is left alone stays left alone; after a pause people are drawn anew. Raises
    PermissionDenied (only an administrator), ValidationError.
    """
    if not user.is_active or not user.has_perm("campaigns.add_globalholdout"):
        raise PermissionDenied(_("Your role does not allow this."))
    if not reason.strip():
        raise ValidationError(_("Say why. It is kept for good, with your name."))
    newest = _lock_newest()
    if (newest is None and not share) or (newest and (newest.share, newest.renew_days) == (share, renew_days)):
        return None
    salt = newest.salt if newest is not None and newest.is_on and share else draw_seed()
    row = _begin(newest, salt=salt, share=share, renew_days=renew_days, reason=reason.strip()[:300], user=user, now=now)
    record_audit(
        AuditAction.GLOBAL_HOLDOUT_CHANGED, actor=user, about=("global_holdout", row.number), share=share,
        renew_days=renew_days, is_new_draw=newest is None or salt != newest.salt,
    )  # fmt: skip
    return row


@transaction.atomic
def renew_global_holdout(*, now: dt.datetime) -> GlobalHoldout | None:
    """Draw people anew where the stated period is over; None where it is not. Running it again changes nothing."""
    newest = _lock_newest()
    if newest is None or not newest.is_on or now < find_renewal(newest):
        return None
    row = _begin(newest, salt=draw_seed(), share=newest.share, renew_days=newest.renew_days, user=None, now=now,
                 reason=gettext_noop("Drawn anew: the stated period is over."))  # fmt: skip
    record_audit(
        AuditAction.GLOBAL_HOLDOUT_CHANGED, actor=None, about=("global_holdout", row.number), share=row.share,
        renew_days=row.renew_days, is_new_draw=True,
    )  # fmt: skip
    return row


def find_renewal(holdout: GlobalHoldout) -> dt.datetime:
    """When its people are drawn anew: so long after they were drawn, whatever shares followed."""
    first = GlobalHoldout.objects.filter(salt=holdout.salt).aggregate(at=Min("begins_at"))["at"]
    return (first or holdout.begins_at) + dt.timedelta(days=holdout.renew_days)


def _begin(
    newest: GlobalHoldout | None, *, salt: str, share: float, renew_days: int, reason: str, user: User | None,
    now: dt.datetime,
) -> GlobalHoldout:  # fmt: skip
    if newest is not None and now <= newest.begins_at:
        raise ValidationError(_("It can be changed from now on only, never for the past."))
    row = GlobalHoldout(
        number=newest.number + 1 if newest else 1, salt=salt, share=share, renew_days=renew_days, begins_at=now,
        reason=reason, changed_by=user, changed_at=now,
    )  # fmt: skip
    row.clean_fields()
    row.save(force_insert=True)
    log.info("global_holdout_begun", number=row.number, share=share, actor=user.pk if user else None)
    return row


def _lock_newest() -> GlobalHoldout | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ROUND_LOCK])
    return GlobalHoldout.objects.order_by("-number").first()
