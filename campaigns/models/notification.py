"""What colleagues are told of a campaign, by mail and in the menu."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from .campaign import Campaign, CampaignTransition


class NotificationKind(models.TextChoices):
    REVIEW_ASKED = "review_asked", _("a campaign waits for your approval")
    CHANGES_ASKED = "changes_asked", _("somebody asks for changes")
    APPROVED = "approved", _("a campaign is approved")
    SCHEDULED = "scheduled", _("a campaign is scheduled")
    MISSED = "missed", _("a campaign missed its time")
    PAUSED = "paused", _("sending stopped by itself")
    VOIDED = "voided", _("an approval is void")
    CHANGE_ASKED = "change_asked", _("a change of a running campaign waits for your approval")
    CHANGE_APPLIED = "change_applied", _("a change of a running campaign is in force")
    CHANGE_REFUSED = "change_refused", _("a change of a running campaign was not approved")


class NotificationQuerySet(models.QuerySet["Notification"]):
    def unread_by(self, user_id: int) -> NotificationQuerySet:
        return self.filter(user=user_id, read_at=None)

    def to_be_mailed(self, now: dt.datetime) -> NotificationQuerySet:
        """Waiting, and held by no worker."""
        return self.filter(mail_state=Notification.Mail.WAITING).filter(Q(held_until=None) | Q(held_until__lt=now))


class Notification(models.Model):
    """One colleague is told of one change of state. Key: (user, transition). The row is the queue of its mail."""

    class Mail(models.TextChoices):
        WAITING = "waiting", _("waiting")
        SENT = "sent", _("sent")
        FAILED = "failed", _("failed")
        NONE = "none", _("no mail")

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notifications")
    kind = models.CharField(max_length=16, choices=NotificationKind)
    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="notifications")
    transition = models.ForeignKey(CampaignTransition, on_delete=models.CASCADE, related_name="notifications")
    created_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, blank=True)
    mail_state = models.CharField(max_length=8, choices=Mail, default=Mail.NONE)
    attempts = models.PositiveSmallIntegerField(default=0)
    held_until = models.DateTimeField(null=True, blank=True)
    mailed_at = models.DateTimeField(null=True, blank=True)

    objects = NotificationQuerySet.as_manager()

    class Meta:
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")
        ordering = ["-pk"]
        constraints = [models.UniqueConstraint(fields=["user", "transition"], name="notification_key")]
        indexes = [
            models.Index(fields=["id"], condition=Q(mail_state="waiting"), name="notification_mail_queue"),
            models.Index(fields=["user"], condition=Q(read_at=None), name="notification_unread"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.kind} {self.campaign_id}"


class NotificationChoice(models.Model):
    """What one colleague wants to be told, and in which language their mail is. Key: user. Without a row: everything,
    but the weekly mail of `outcomes.weekly`, which nobody gets unasked."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notification_choice")
    silenced = models.JSONField(default=list, blank=True)
    wants_mail = models.BooleanField(_("also by mail"), default=True)
    wants_weekly = models.BooleanField(_("the week's figures by mail"), default=False, db_default=False)
    language = models.CharField(_("language of the mails"), max_length=12, blank=True, default="")

    class Meta:
        verbose_name = _("choice of notifications")
        verbose_name_plural = _("choices of notifications")

    def __str__(self) -> str:
        return f"{self.user_id}: not {', '.join(self.silenced) or 'nothing'}"
