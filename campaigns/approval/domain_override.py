"""An admin lets mail leave although the sending domain fails alignment: for a reason that is kept, until it is taken back."""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from campaigns.models import DomainOverride, TransitionConflict
from customers.models import AuditAction, record_audit

from .policy import NotReady
from .sender_domain import read_domain_state

SHORTEST_REASON: Final = 10


@transaction.atomic
def override_domain(user: User, *, reason: str, now: dt.datetime) -> DomainOverride:
    """Let mail leave although alignment fails.

    Raises PermissionDenied, NotReady (no reason), and TransitionConflict where an override is in force.
    """
    if not user.is_active or not user.has_perm("campaigns.add_domainoverride"):
        raise PermissionDenied(_("Your role does not allow this."))
    if len(reason.strip()) < SHORTEST_REASON:
        raise NotReady([_("Say why, in a sentence. It is kept.")])
    domain = read_domain_state().domain
    try:
        with transaction.atomic():
            row = DomainOverride.objects.create(domain=domain, reason=reason.strip()[:500], made_by=user, made_at=now)
    except IntegrityError as error:
        raise TransitionConflict(_("This was overridden already. Reload the page and look again.")) from error
    record_audit(AuditAction.DOMAIN_OVERRIDDEN, actor=user, about=("domain", row.pk))
    return row


@transaction.atomic
def end_override(user: User, *, now: dt.datetime) -> None:
    """The check counts again. Raises PermissionDenied, and TransitionConflict where none is in force."""
    if not user.is_active or not user.has_perm("campaigns.add_domainoverride"):
        raise PermissionDenied(_("Your role does not allow this."))
    row = DomainOverride.objects.select_for_update().filter(domain=read_domain_state().domain, ended_at=None).first()
    if row is None:
        raise TransitionConflict(_("No override is in force."))
    DomainOverride.objects.filter(pk=row.pk).update(ended_at=now)
    record_audit(AuditAction.DOMAIN_OVERRIDE_ENDED, actor=user, about=("domain", row.pk))
