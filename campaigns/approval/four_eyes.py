"""Whether a second person has to approve: a switch of the shop that only an admin may turn, each time with a reason."""

from __future__ import annotations

import datetime as dt

import structlog
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from campaigns.models import Approval, Campaign, CampaignStatus, FourEyesSwitch
from customers.models.audit import AuditAction, record_audit

from .policy import NotReady, needs_second_person
from .transitions import change_status
from .voiding import return_to_draft, void_approvals

log = structlog.get_logger(__name__)

#: Any number serves, as long as nobody else takes it: two admins must not turn the switch at once.
SWITCH_LOCK = 0x4E1E5


@transaction.atomic
def switch_four_eyes(user: User, *, is_required: bool, reason: str, now: dt.datetime) -> bool:
    """Say whether a second person has to approve from now on; False where that was so already.

    Switching it on voids what its own author had approved: campaigns that wait go back to draft, one that is being sent
    pauses. Raises PermissionDenied (only an admin), NotReady (no reason).
    """
    if not user.is_active or not user.has_perm("campaigns.add_foureyesswitch"):
        raise PermissionDenied(_("Your role does not allow this."))
    if not reason.strip():
        raise NotReady([_("Say why. It is kept, and everybody who approves can read it.")])
    _lock_switch()
    if needs_second_person() == is_required:
        return False
    FourEyesSwitch.objects.create(is_required=is_required, reason=reason.strip()[:300], changed_by=user, changed_at=now)
    record_audit(AuditAction.FOUR_EYES_SWITCHED, actor=user, about=("settings", ""), is_required=is_required)
    log.info("four_eyes_switched", is_required=is_required, actor=user.pk)
    if is_required:
        _withdraw_own_approvals(now=now)
    return True


def _lock_switch() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [SWITCH_LOCK])


def _withdraw_own_approvals(*, now: dt.datetime) -> None:
    """In the order of their ids, so that two transactions cannot wait for each other. The history names nobody for it: whoever
    turned the switch wrote nothing of these campaigns and may well be the second person.
    """
    reason = gettext_noop("A second person has to approve again: four eyes were switched on.")
    own = Approval.objects.filter(is_own=True, voided_at=None).values("campaign_id")
    for campaign in Campaign.objects.select_for_update().filter(pk__in=own).order_by("pk"):
        if campaign.status in {CampaignStatus.APPROVED, CampaignStatus.SCHEDULED, CampaignStatus.MISSED}:
            return_to_draft(None, campaign, reason=reason, now=now)
        elif campaign.status == CampaignStatus.IN_REVIEW:
            void_approvals(campaign, reason=reason, now=now)
        elif campaign.status == CampaignStatus.SENDING:
            change_status(
                campaign, sources=[CampaignStatus.SENDING], target=CampaignStatus.PAUSED, actor=None, reason=reason,
                now=now,
            )  # fmt: skip
