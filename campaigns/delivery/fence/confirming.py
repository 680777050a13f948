"""A person has looked, and lets sending begin again: a new epoch, and a decision on every campaign that is at risk."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Final

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from campaigns.approval.policy import NotReady
from campaigns.approval.transitions import change_status
from campaigns.models import CampaignStatus, Message, MessageStatus, SendingEpoch, TransitionConflict
from campaigns.models.message import WAITING_STATUSES
from customers.models import AuditAction, record_audit
from customers.privacy.restoring import repeat_lost

from .gate import begin_epoch, lock_epochs, read_fence, see_outside
from .risk import NOT_STARTED, Risk, assess_risks
from .witness import Keeper, Unreachable, Witness, open_keepers

SHORTEST_NOTE: Final = 10
#: What a person may decide for a campaign whose messages may have been sent already.
CONTINUE: Final = "continue"
UNKNOWN: Final = "unknown"
RESPONSE: Final = gettext_noop("may have been sent after the backup was taken")


def confirm_sending(
    user: User,
    *,
    note: str,
    choices: Mapping[int, str],
    now: dt.datetime,
    keepers: Sequence[Keeper] | None = None,
) -> SendingEpoch:
    """End the fence. `choices` by campaign: `continue` sends what waits, `unknown` never sends what may have been sent.

    Raises PermissionDenied, NotReady (no reason given, a campaign at risk without a choice), and TransitionConflict where
    nothing is fenced (any more). What is kept outside takes the new epoch after the commit; an older one counts no longer.
    What people decided after the backup was taken is done again first, so that nobody is written to who left.
    """
    if not user.is_active or not user.has_perm("campaigns.confirm_sending"):
        raise PermissionDenied(_("Your role does not allow this."))
    if len(note.strip()) < SHORTEST_NOTE:
        raise NotReady([_("Say why, in a sentence. It is kept.")])
    if read_fence() is not None:
        repeat_lost(now)
    keepers = open_keepers() if keepers is None else keepers
    outside = [witness.epoch for witness in see_outside(keepers).witnesses]
    with transaction.atomic():
        lock_epochs()
        fence = SendingEpoch.objects.select_for_update().order_by("-number").first()
        if fence is None or fence.fenced_at is None:
            raise TransitionConflict(_("Sending is not held back. Reload the page and look again."))
        decided = _decide(user, fence, choices, now=now)
        told = [told["epoch"] for told in fence.found.get("keepers", {}).values()]
        superseded = sorted({*fence.superseded, *outside, *told})
        row = begin_epoch(confirmed_by=user, note=note.strip()[:500], superseded=superseded)
        record_audit(
            AuditAction.SENDING_CONFIRMED, actor=user, about=("sending_epoch", row.number), cause=fence.cause, **decided
        )
        transaction.on_commit(lambda: _tell_outside(keepers, row))
    return row


def _decide(user: User, fence: SendingEpoch, choices: Mapping[int, str], *, now: dt.datetime) -> dict[str, object]:
    """Carry out each choice. Returns what the audit log keeps."""
    risks = assess_risks(fence, now=now).rows
    open_ones = [risk.campaign.name for risk in risks if choices.get(risk.campaign.pk) not in (CONTINUE, UNKNOWN)]
    if open_ones:
        raise NotReady([_("Decide for “%(name)s” first.") % {"name": name} for name in open_ones])
    chosen = {UNKNOWN: [risk for risk in risks if choices[risk.campaign.pk] == UNKNOWN]}
    chosen[CONTINUE] = [risk for risk in risks if risk not in chosen[UNKNOWN]]
    written_off = sum(_write_off(user, risk, now=now) for risk in chosen[UNKNOWN])
    campaigns = {name: [risk.campaign.pk for risk in rows] for name, rows in chosen.items()}
    return {"continued": campaigns[CONTINUE], "unknown": campaigns[UNKNOWN], "messages": written_off}


def _write_off(user: User, risk: Risk, *, now: dt.datetime) -> int:
    """What may have been sent becomes `unknown`, which is never sent by itself; a campaign that may have gone out whole is
    cancelled."""
    if not risk.has_started:
        reason = gettext_noop("It may have been sent after the backup was taken.")
        change_status(
            risk.campaign,
            sources=list(NOT_STARTED),
            target=CampaignStatus.CANCELLED,
            actor=user,
            reason=reason,
            now=now,
        )
        return 0
    found = Message.objects.filter(campaign=risk.campaign, status__in=WAITING_STATUSES)
    if risk.up_to is not None:
        found = found.filter(pk__lte=risk.up_to)
    return found.update(
        status=MessageStatus.UNKNOWN,
        response=RESPONSE,
        settled_at=now,
        claimed_by="",
        lease_until=None,
        not_before=None,
    )


def _tell_outside(keepers: Sequence[Keeper], row: SendingEpoch) -> None:
    """One that cannot be told now goes on with an epoch that counts no longer, and learns at the next sweep."""
    for keeper in keepers:
        try:
            keeper.write(Witness(row.epoch), sync=True)
        except Unreachable:
            continue
