"""The one way in which a campaign's status changes: a guarded UPDATE, and its history row beside it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from campaigns.models import (
    ALLOWED_TRANSITIONS,
    Campaign,
    CampaignStatus,
    CampaignTransition,
    StagedChange,
    TransitionConflict,
)

from .notifying import notify_of


def change_status(
    campaign: Campaign,
    *,
    sources: Collection[str],
    target: str,
    actor: User | None,
    reason: str = "",
    now: dt.datetime,
    **values: Any,
) -> CampaignTransition:
    """Move a campaign from one of `sources` to `target` and write its history row and who is told, in one transaction.

    `values` are further columns set by the same UPDATE. `actor` None is the system. Who comes second finds the row
    in another state: raises TransitionConflict and changes nothing. Refreshes the given instance.
    """
    allowed = [source for source in sources if target in ALLOWED_TRANSITIONS[source]]
    with transaction.atomic():
        locked = Campaign.objects.select_for_update().filter(pk=campaign.pk, status__in=allowed).first()
        if locked is None:
            raise TransitionConflict(describe_conflict(campaign, target))
        Campaign.objects.filter(pk=campaign.pk, status=locked.status).update(
            status=target, status_reason=reason[:300], updated_at=now, **values
        )
        row = _write_history(campaign, locked.status, target, actor, reason, now)
        notify_of(campaign, row, now=now)
        if not ALLOWED_TRANSITIONS[target]:
            _end_staged_change(campaign, now)
    campaign.refresh_from_db()
    return row


def note_writer(campaign: Campaign, user: User, *, reason: str, now: dt.datetime) -> bool:
    """Write down, once for each person, that somebody other than the author changed a draft; whether this was the first time.

    Whoever wrote a part must not approve it, whoever came after them. Under the campaign's lock.
    """
    known = CampaignTransition.objects.filter(
        campaign=campaign, actor=user, from_status=CampaignStatus.DRAFT, to_status=CampaignStatus.DRAFT
    )
    if user.pk == campaign.author_id or known.exists():
        return False
    _write_history(campaign, CampaignStatus.DRAFT, CampaignStatus.DRAFT, user, reason, now)
    return True


def note_event(campaign: Campaign, actor: User | None, *, reason: str, now: dt.datetime) -> CampaignTransition:
    """A line of the history for what leaves the state as it is. Under the campaign's lock."""
    return _write_history(campaign, campaign.status, campaign.status, actor, reason, now)


def _end_staged_change(campaign: Campaign, now: dt.datetime) -> None:
    """What was still wanted of a campaign that is over is wanted no more."""
    waiting = (StagedChange.Status.OPEN, StagedChange.Status.IN_REVIEW)
    StagedChange.objects.filter(campaign=campaign, status__in=waiting).update(
        status=StagedChange.Status.WITHDRAWN, decided_at=now, decision_reason=gettext_noop("The campaign is over.")
    )


def describe_conflict(campaign: Campaign, target: str) -> str:
    """For staff: what the campaign is now, and that it cannot become `target` from there."""
    found = Campaign.objects.filter(pk=campaign.pk).values_list("status", flat=True).first()
    if found is None:
        return _("This campaign no longer exists.")
    return _("“%(name)s” is now %(status)s, so it cannot become %(target)s. Reload the page and look again.") % {
        "name": campaign.name,
        "status": CampaignStatus(found).label,
        "target": CampaignStatus(target).label,
    }


def _write_history(
    campaign: Campaign, source: str, target: str, actor: User | None, reason: str, now: dt.datetime
) -> CampaignTransition:
    """The row lock taken by `change_status` makes the next number safe."""
    last = CampaignTransition.objects.filter(campaign=campaign).aggregate(last=Max("number"))["last"] or 0
    return CampaignTransition.objects.create(
        campaign=campaign,
        number=last + 1,
        from_status=source,
        to_status=target,
        actor=actor,
        reason=reason[:500],
        happened_at=now,
    )
