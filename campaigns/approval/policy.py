"""Who may do what to a campaign now, and what still stands in the way: asked by pages, enforced by the workflow."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.audience.country_rules import misses_address
from campaigns.audience.entry_rules import EntryRuleError, parse_trigger
from campaigns.audience.entry_wording import explain_fault
from campaigns.audience.recurrence import parse_recurrence
from campaigns.models import (
    Arm,
    AudienceMember,
    Campaign,
    CampaignKind,
    CampaignStatus,
    CampaignTransition,
    CountryRule,
    FourEyesSwitch,
    StagedChange,
    TransitionConflict,
    Variant,
)

from .offer_days import find_offer_obstacles
from .sender_domain import find_domain_obstacles
from .text_obstacles import find_text_obstacles

#: People are being written to, or will be again.
RUNNING: set[str] = {CampaignStatus.SENDING, CampaignStatus.PAUSED}


class NotReady(ValidationError):
    """What staff must mend first; `.messages` are sentences that say what is missing and what to do."""


@dataclass(frozen=True)
class Decision:
    """Whether a person may do a thing now; `reasons` are sentences, empty when they may.

    `is_forbidden` says that the person lacks the right, whatever the state.
    """

    allowed: bool
    reasons: tuple[str, ...] = ()
    is_forbidden: bool = False

    @property
    def reason(self) -> str:
        return " ".join(self.reasons)

    def enforce(self) -> None:
        """Raise PermissionDenied or TransitionConflict unless allowed."""
        if self.is_forbidden:
            raise PermissionDenied(self.reason)
        if not self.allowed:
            raise TransitionConflict(self.reason)


def may_edit(user: User, campaign: Campaign) -> Decision:
    """Content, offer, segment and timing; in `approved` and `scheduled` an edit voids the approvals."""
    return _decide(
        user,
        campaign,
        "campaigns.change_campaign",
        {CampaignStatus.DRAFT, CampaignStatus.APPROVED, CampaignStatus.SCHEDULED, CampaignStatus.MISSED},
    )


def may_submit(user: User, campaign: Campaign) -> Decision:
    """The right and the state only; what is missing in the campaign itself: `find_obstacles`."""
    return _decide(user, campaign, "campaigns.submit_campaign", {CampaignStatus.DRAFT})


def may_approve(user: User, campaign: Campaign) -> Decision:
    """A person with the right who neither made, submitted nor wrote any part of it, unless four eyes are switched off."""
    return _by_second_person(
        user, campaign, _decide(user, campaign, "campaigns.approve_campaign", {CampaignStatus.IN_REVIEW})
    )


def may_request_changes(user: User, campaign: Campaign) -> Decision:
    return _decide(user, campaign, "campaigns.approve_campaign", {CampaignStatus.IN_REVIEW})


def may_comment(user: User, campaign: Campaign) -> Decision:
    """Whoever may approve or edit, as long as there is something to decide; it changes nothing of what is approved."""
    right = "campaigns.approve_campaign"
    if not user.has_perm(right):
        right = "campaigns.change_campaign"
    return _decide(user, campaign, right, set(CampaignStatus.values) - {CampaignStatus.SENT, CampaignStatus.CANCELLED})


def may_schedule(user: User, campaign: Campaign) -> Decision:
    return _decide(user, campaign, "campaigns.schedule_campaign", {CampaignStatus.APPROVED})


def may_unschedule(user: User, campaign: Campaign) -> Decision:
    return _decide(user, campaign, "campaigns.schedule_campaign", {CampaignStatus.SCHEDULED})


def may_pause(user: User, campaign: Campaign) -> Decision:
    return _decide(user, campaign, "campaigns.control_sending", {CampaignStatus.SENDING})


def may_resume(user: User, campaign: Campaign) -> Decision:
    return _decide(user, campaign, "campaigns.control_sending", {CampaignStatus.PAUSED})


def may_retry(user: User, campaign: Campaign) -> Decision:
    states: set[str] = {CampaignStatus.SENDING, CampaignStatus.PAUSED, CampaignStatus.SENT}
    return _decide(user, campaign, "campaigns.control_sending", states)


def may_end(user: User, campaign: Campaign) -> Decision:
    """Let nobody into a live campaign any more; what was sent stays sent."""
    decision = _decide(user, campaign, "campaigns.control_sending", {CampaignStatus.SENDING})
    return decision if campaign.is_live and campaign.ended_at is None else _refuse(decision)


def may_renew(user: User, campaign: Campaign) -> Decision:
    """Approve a live campaign once more, unchanged: who may approve it, while it runs or is paused."""
    running: set[str] = {CampaignStatus.SENDING, CampaignStatus.PAUSED}
    decision = _by_second_person(user, campaign, _decide(user, campaign, "campaigns.approve_campaign", running))
    return decision if campaign.is_live else _refuse(decision)


def may_cancel(user: User, campaign: Campaign) -> Decision:
    """Anything unfinished; what was sent stays sent."""
    unfinished = set(CampaignStatus.values) - {CampaignStatus.SENT, CampaignStatus.CANCELLED}
    return _decide(user, campaign, "campaigns.control_sending", unfinished)


def may_stage(user: User, campaign: Campaign) -> Decision:
    """Prepare a change of a campaign that runs: what would be an edit before."""
    return _decide(user, campaign, "campaigns.change_campaign", RUNNING)


def may_edit_change(user: User, change: StagedChange) -> Decision:
    return _unless_decided(
        may_stage(user, change.campaign), change, {StagedChange.Status.OPEN, StagedChange.Status.IN_REVIEW}
    )


def may_submit_change(user: User, change: StagedChange) -> Decision:
    decision = _decide(user, change.campaign, "campaigns.submit_campaign", RUNNING)
    return _unless_decided(decision, change, {StagedChange.Status.OPEN})


def may_approve_change(user: User, change: StagedChange) -> Decision:
    """A person with the right who wrote neither any of the change nor of the campaign, unless four eyes are switched off."""
    decision = may_refuse_change(user, change)
    if not decision.is_forbidden and has_written_change(user, change) and needs_second_person():
        return Decision(
            False, (_("You wrote this change or the campaign: a second person must approve it."),), is_forbidden=True
        )
    return decision


def may_refuse_change(user: User, change: StagedChange) -> Decision:
    decision = _decide(user, change.campaign, "campaigns.approve_campaign", RUNNING)
    return _unless_decided(decision, change, {StagedChange.Status.IN_REVIEW})


def may_withdraw_change(user: User, change: StagedChange) -> Decision:
    return may_edit_change(user, change)


def has_written_change(user: User, change: StagedChange) -> bool:
    """Whether the person wrote or submitted any of it, or wrote the campaign."""
    return user.pk in (change.author_id, *change.writers) or has_written(user, change.campaign)


def needs_second_person() -> bool:
    """Whether four eyes are switched on, which they are unless an admin of the shop switched them off."""
    newest = FourEyesSwitch.objects.order_by("-pk").values_list("is_required", flat=True).first()
    return newest is None or newest


def has_written(user: User, campaign: Campaign) -> bool:
    """Whether the person is the author, sent it to review, or ever changed the campaign or one of its texts, also while it
    runs."""
    if user.pk == campaign.author_id:
        return True
    applied = StagedChange.objects.filter(campaign=campaign, status=StagedChange.Status.APPLIED)
    if applied.filter(Q(author=user) | Q(writers__contains=[user.pk])).exists():
        return True
    changes = CampaignTransition.objects.filter(campaign=campaign, actor=user, to_status=CampaignStatus.DRAFT)
    if changes.exclude(from_status=CampaignStatus.IN_REVIEW).exists():
        return True
    submitted = CampaignTransition.objects.filter(campaign=campaign, to_status=CampaignStatus.IN_REVIEW)
    submitters = submitted.order_by("-number").values_list("actor_id", flat=True)[:1]
    return user.pk in submitters or Variant.objects.filter(archetype__campaign=campaign, edited_by=user).exists()


def find_obstacles(campaign: Campaign) -> list[str]:
    """Sentences for staff: everything that must be mended before the campaign can go to review."""
    found = _find_audience_obstacles(campaign) + find_text_obstacles(campaign)
    found += _find_entry_obstacles(campaign)
    if campaign.scheduled_for is None:
        found.append(_("No time to send is set. Choose one under Timing: it is part of what is approved."))
    found += find_offer_obstacles(campaign)
    if misses_address(CountryRule.objects.all()):
        found.append(
            _("The shop's postal address is missing, and every campaign mail must show it. Set SHOP_POSTAL_ADDRESS.")
        )
    return found + find_domain_obstacles()


def _unless_decided(decision: Decision, change: StagedChange, states: set[str]) -> Decision:
    if not decision.allowed or change.status in states:
        return decision
    sentence = _("This cannot be done: change %(number)d is %(status)s.")
    return Decision(False, (sentence % {"number": change.number, "status": change.get_status_display()},))


def _decide(user: User, campaign: Campaign, right: str, states: set[str]) -> Decision:
    if not user.is_active or not user.has_perm(right):
        return Decision(False, (_("Your role does not allow this."),), True)
    if campaign.status not in states:
        sentence = _("This cannot be done while the campaign is %(status)s.")
        return Decision(False, (sentence % {"status": CampaignStatus(campaign.status).label},))
    return Decision(True)


def _by_second_person(user: User, campaign: Campaign, decision: Decision) -> Decision:
    if not decision.is_forbidden and has_written(user, campaign) and needs_second_person():
        return Decision(False, (_("You made or edited this campaign: a second person must approve it."),), True)
    return decision


def _refuse(decision: Decision) -> Decision:
    """The same where it was refused already; otherwise it is not a campaign that this can be done to."""
    return Decision(False, (_("This is for live campaigns."),)) if decision.allowed else decision


def _find_audience_obstacles(campaign: Campaign) -> list[str]:
    if campaign.audience_frozen_at is None:
        return [_("The audience is not frozen yet. Freeze it under Audience.")]
    treated = AudienceMember.objects.filter(campaign=campaign, arm=Arm.TREATMENT)
    if not treated.exists():
        return [_("Nobody in the audience would get a message. Choose another segment and freeze the audience again.")]
    stray = treated.filter(archetype__isnull=True).count()
    if stray:
        sentence = ngettext(
            "%(n)s person has no kind of message. Freeze the audience again.",
            "%(n)s people have no kind of message. Freeze the audience again.",
            stray,
        )
        return [sentence % {"n": stray}]
    return []


def _find_entry_obstacles(campaign: Campaign) -> list[str]:
    """What a live campaign lacks."""
    if not campaign.is_live:
        return []
    found = []
    try:
        if campaign.kind == CampaignKind.RECURRING:
            parse_recurrence(campaign.recurrence)
        else:
            parse_trigger(campaign.trigger)
    except EntryRuleError as error:
        sentence = _("What lets people in is not complete: %(fault)s. Choose it under Timing.")
        found.append(sentence % {"fault": explain_fault(error)})
    if campaign.live_until and campaign.scheduled_for and campaign.live_until <= campaign.scheduled_for:
        found.append(_("It would end before it begins. Choose another last day under Timing."))
    return found
