"""Changes to limits, caps and ramps: by who has the right, each one in the audit log with what it was before."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from campaigns.approval.policy import NotReady
from campaigns.models import ContactCap, PaceLimit, TransitionConflict, WarmUp
from customers.ingest.clock import shop_day
from customers.models import AuditAction, Channel, record_audit

from .meters import sender_domain

MOST_DOMAINS: Final = 200
_DOMAIN: Final = re.compile(r"(?=.{4,253}\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{1,62}\Z")


@transaction.atomic
def save_pace_limit(
    user: User, scope: str, name: str, *, domains: Sequence[str] = (), per_minute: int | None, per_hour: int | None,
    now: dt.datetime,
) -> PaceLimit:  # fmt: skip
    """Make or change one limit. The same values again change nothing and are not written down.

    Raises PermissionDenied, ValidationError (by field), and NotReady: no rate, no or strange domains, a domain that another
    limit has.
    """
    _enforce(user)
    name = name.strip()
    cleaned = sorted({domain.strip().lower().lstrip("@") for domain in domains if domain.strip()})
    _check_limit(scope, name, cleaned, per_minute, per_hour)
    kept = PaceLimit.objects.select_for_update().filter(scope=scope, name=name).first()
    row = kept or PaceLimit(scope=scope, name=name)
    before = _tell_limit(row) if kept else None
    row.domains, row.per_minute, row.per_hour = cleaned, per_minute, per_hour
    if before == _tell_limit(row):
        return row
    row.updated_by, row.updated_at = user, now
    row.full_clean()
    row.save()
    record_audit(
        AuditAction.LIMIT_CHANGED, actor=user, about=("pace_limit", row.pk), before=before, now=_tell_limit(row)
    )
    return row


@transaction.atomic
def remove_pace_limit(user: User, pk: int) -> None:
    """Nothing holds there any more. Raises PermissionDenied, and TransitionConflict where it is gone already."""
    _enforce(user)
    row = PaceLimit.objects.select_for_update().filter(pk=pk).first()
    if row is None:
        raise TransitionConflict(_("This limit is gone already."))
    record_audit(AuditAction.LIMIT_CHANGED, actor=user, about=("pace_limit", pk), before=_tell_limit(row), now=None)
    row.delete()


@transaction.atomic
def save_cap(user: User, channel: str, *, messages: int | None, days: int | None, now: dt.datetime) -> None:
    """At most so many messages in so many days by `channel`, "" for all together; None takes the row away.

    Raises PermissionDenied, NotReady and ValidationError (by field).
    """
    _enforce(user)
    if channel and channel not in Channel.values:
        raise NotReady([_("There is no such channel.")])
    if (messages is None) != (days is None):
        raise NotReady([_("Give both, messages and days, or neither.")])
    kept = ContactCap.objects.select_for_update().filter(channel=channel).first()
    before = [kept.messages, kept.days] if kept else None
    if before == ([messages, days] if messages is not None else None):
        return
    if messages is None or days is None:
        ContactCap.objects.filter(channel=channel).delete()
        after = None
    else:
        row = kept or ContactCap(channel=channel)
        row.messages, row.days, row.updated_by, row.updated_at = messages, days, user, now
        row.full_clean()
        row.save()
        after = [messages, days]
    record_audit(AuditAction.LIMIT_CHANGED, actor=user, about=("cap", channel or "*"), before=before, now=after)


@transaction.atomic
def begin_warm_up(
    user: User, *, first_day: int, factor: float, goal: int, now: dt.datetime, started_on: dt.date | None = None
) -> WarmUp:
    """Begin a ramp for the shop's sender, today or on `started_on`.

    Raises PermissionDenied, ValidationError (by field), NotReady (figures that never reach the goal), and
    TransitionConflict where one is in force.
    """
    _enforce(user)
    if goal <= first_day:
        raise NotReady([_("The goal has to be more than the first day.")])
    row = WarmUp(
        domain=sender_domain(), first_day=first_day, factor=factor, goal=goal, started_on=started_on or shop_day(now),
        started_by=user,
    )  # fmt: skip
    row.full_clean(validate_constraints=False)
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        raise TransitionConflict(_("A warm-up is in force already. End it first.")) from error
    figures: Mapping[str, Any] = {"first_day": first_day, "factor": factor, "goal": goal}
    record_audit(AuditAction.WARM_UP_BEGUN, actor=user, about=("warm_up", row.pk), **figures)
    return row


@transaction.atomic
def end_warm_up(user: User, *, now: dt.datetime) -> None:
    """Nothing is held back any more. Raises PermissionDenied, and TransitionConflict where none is in force."""
    _enforce(user)
    row = WarmUp.objects.select_for_update().filter(domain=sender_domain(), ended_at=None).first()
    if row is None:
        raise TransitionConflict(_("No warm-up is in force."))
    WarmUp.objects.filter(pk=row.pk).update(ended_at=now)
    record_audit(AuditAction.WARM_UP_ENDED, actor=user, about=("warm_up", row.pk))


def _enforce(user: User) -> None:
    if not user.is_active or not user.has_perm("campaigns.change_pacelimit"):
        raise PermissionDenied(_("Your role does not allow this."))


def _check_limit(scope: str, name: str, domains: Sequence[str], per_minute: int | None, per_hour: int | None) -> None:
    faults = []
    if not per_minute and not per_hour:
        faults.append(_("Say how many a minute or an hour."))
    if scope == PaceLimit.Scope.ROUTE:
        if name not in Channel.values or domains:
            faults.append(_("There is no such channel."))
    else:
        strange = [domain for domain in domains if not _DOMAIN.match(domain)]
        if not name:
            faults.append(_("Give the mailbox provider a name."))
        if not domains or len(domains) > MOST_DOMAINS:
            faults.append(_("Name at least one domain, such as gmail.com."))
        if strange:
            faults.append(_("These are no domains: %(names)s.") % {"names": ", ".join(strange[:5])})
        for other in PaceLimit.objects.filter(scope=PaceLimit.Scope.DOMAIN).exclude(name=name):
            taken = sorted(set(domains) & set(other.domains))
            if taken:
                faults.append(_("%(domain)s belongs to “%(name)s” already.") % {"domain": taken[0], "name": other.name})
    if faults:
        raise NotReady(faults)


def _tell_limit(row: PaceLimit) -> dict[str, Any]:
    return {"name": row.name, "domains": row.domains, "per_minute": row.per_minute, "per_hour": row.per_hour}
