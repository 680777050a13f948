"""Who is told of which change of state. One set of rows, written in the transaction of the change; a sweep mails them later."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Final

from django.contrib.auth.models import Permission, User
from django.db.models import Q, QuerySet

from campaigns.models import (
    Approval,
    Campaign,
    CampaignStatus,
    CampaignTransition,
    Notification,
    NotificationChoice,
    NotificationKind,
)

from .policy import has_written, needs_second_person

#: Which change of state is which news. Going back to draft from anything but the review means that an approval is void.
_KINDS: Final = {
    (CampaignStatus.DRAFT, CampaignStatus.IN_REVIEW): NotificationKind.REVIEW_ASKED,
    (CampaignStatus.IN_REVIEW, CampaignStatus.DRAFT): NotificationKind.CHANGES_ASKED,
    (CampaignStatus.IN_REVIEW, CampaignStatus.APPROVED): NotificationKind.APPROVED,
    (CampaignStatus.APPROVED, CampaignStatus.SCHEDULED): NotificationKind.SCHEDULED,
    (CampaignStatus.SCHEDULED, CampaignStatus.MISSED): NotificationKind.MISSED,
    (CampaignStatus.SENDING, CampaignStatus.PAUSED): NotificationKind.PAUSED,
    (CampaignStatus.APPROVED, CampaignStatus.DRAFT): NotificationKind.VOIDED,
    (CampaignStatus.SCHEDULED, CampaignStatus.DRAFT): NotificationKind.VOIDED,
    (CampaignStatus.MISSED, CampaignStatus.DRAFT): NotificationKind.VOIDED,
}


def notify_of(campaign: Campaign, transition: CampaignTransition, *, now: dt.datetime) -> int:
    """Write a row for everybody whom this change concerns, but not for who made it; returns how many.

    Kinds that a person has silenced give no row. What asked for a review that is over is no longer news. A second call adds
    nothing: the key is (user, transition).
    """
    if transition.from_status == CampaignStatus.IN_REVIEW:
        settle_requests(campaign, NotificationKind.REVIEW_ASKED, now=now)
    kind = _KINDS.get((CampaignStatus(transition.from_status), CampaignStatus(transition.to_status)))
    if kind is None or (kind == NotificationKind.PAUSED and transition.actor_id is not None):
        return 0
    return notify_people(kind, _find_concerned(campaign, kind), campaign, transition, now=now)


def notify_people(
    kind: NotificationKind,
    people: Iterable[User],
    campaign: Campaign,
    transition: CampaignTransition,
    *,
    now: dt.datetime,
) -> int:
    """Write a row for each of them but who made the change, and who has not silenced this kind; returns how many."""
    concerned = [user for user in people if user.pk != transition.actor_id]
    choices = {row.user_id: row for row in NotificationChoice.objects.filter(user__in=concerned)}
    rows = [
        Notification(
            user=user, kind=kind, campaign=campaign, transition=transition, created_at=now,
            mail_state=_mail_state(user, choices.get(user.pk)),
        )
        for user in concerned
        if user.pk not in choices or kind not in choices[user.pk].silenced
    ]  # fmt: skip
    return len(Notification.objects.bulk_create(rows, ignore_conflicts=True))


def list_approvers(campaign: Campaign) -> list[User]:
    """Everybody who may approve this campaign: with the right, and not its writer unless four eyes are off."""
    able = with_right("approve_campaign")
    if not needs_second_person():
        return list(able)
    return [user for user in able if not has_written(user, campaign)]


def with_right(codename: str) -> QuerySet[User]:
    """The active people who have a right of campaigns: as their own, by a group, or as superuser."""
    right = Permission.objects.filter(content_type__app_label="campaigns", codename=codename)
    return (
        User.objects.filter(is_active=True)
        .filter(Q(is_superuser=True) | Q(user_permissions__in=right) | Q(groups__permissions__in=right))
        .distinct()
        .order_by("pk")
    )


def settle_requests(campaign: Campaign, kind: NotificationKind, *, now: dt.datetime) -> None:
    """What was asked for is decided: it is no longer news, and is mailed to nobody."""
    asked = Notification.objects.filter(campaign=campaign, kind=kind)
    asked.filter(read_at=None).update(read_at=now)
    asked.filter(mail_state=Notification.Mail.WAITING).update(mail_state=Notification.Mail.NONE)


def _find_concerned(campaign: Campaign, kind: NotificationKind) -> Iterable[User]:
    if kind == NotificationKind.REVIEW_ASKED:
        return list_approvers(campaign)
    people = {campaign.author_id, *_last_submitters(campaign)}
    if kind not in (NotificationKind.CHANGES_ASKED, NotificationKind.APPROVED):
        people |= set(Approval.objects.filter(campaign=campaign).values_list("approved_by_id", flat=True))
    return User.objects.filter(pk__in=people, is_active=True).order_by("pk")


def _last_submitters(campaign: Campaign) -> list[int]:
    submitted = CampaignTransition.objects.filter(
        campaign=campaign, to_status=CampaignStatus.IN_REVIEW, actor__isnull=False
    )
    return [pk for pk in submitted.order_by("-number").values_list("actor_id", flat=True)[:1] if pk is not None]


def _mail_state(user: User, choice: NotificationChoice | None) -> str:
    wants_mail = bool(user.email) and (choice is None or choice.wants_mail)
    return Notification.Mail.WAITING if wants_mail else Notification.Mail.NONE
