"""What reports keep: who was given what, counted once a day; the weekly mail; and, in the demo shop alone, the truth."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from .campaign import Campaign


class GroupsGiven(models.Model):
    """Who got offers and how much, by the groups of one sensitive attribute and by month, as of a day. Key: (attribute, day).

    `rows` are sums over people, also of groups that are too small to be told of: no page and no API shows them as they are.
    """

    attribute = models.CharField(max_length=120)
    day = models.DateField()
    rows = models.JSONField(default=list)
    counted_at = models.DateTimeField()

    class Meta:
        verbose_name = _("offers by group")
        verbose_name_plural = _("offers by group")
        constraints = [models.UniqueConstraint(fields=["attribute", "day"], name="groupsgiven_key")]

    def __str__(self) -> str:
        return f"{self.attribute} {self.day}"


class WeeklyMail(models.Model):
    """The figures of one week to one colleague. Key: (user, week), the week named by its Monday. The row is the queue.

    waiting -> sending -> sent | waiting (refused, tried again) | failed | unknown. `sending` is committed before the mail server
    is asked: whoever dies after that leaves a row that is never tried again, so that nobody gets a week twice.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        SENDING = "sending", _("being sent")
        SENT = "sent", _("sent")
        FAILED = "failed", _("failed")
        UNKNOWN = "unknown", _("not known whether it arrived")

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="weekly_mails")
    week = models.DateField()
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    tried_at = models.DateTimeField(null=True, blank=True)
    mailed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("weekly mail")
        verbose_name_plural = _("weekly mails")
        constraints = [models.UniqueConstraint(fields=["user", "week"], name="weeklymail_key")]
        indexes = [
            models.Index(fields=["id"], condition=Q(state__in=["waiting", "sending"]), name="weeklymail_queue"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.week} {self.state}"


class KnownTruth(models.Model):
    """What the simulator of the demo shop knows of one campaign and one kind of person. Key: (campaign, kind).

    Counted when the shop was seeded; both arms as they were drawn. `true_effect_points`: the mean over the treatment arm,
    percentage points. A real shop has no such row.
    """

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="known_truths")
    kind = models.CharField(max_length=20)
    treated = models.PositiveIntegerField()
    treated_kept = models.PositiveIntegerField()
    holdout = models.PositiveIntegerField()
    holdout_kept = models.PositiveIntegerField()
    true_effect_points = models.FloatField()

    class Meta:
        verbose_name = _("known truth")
        verbose_name_plural = _("known truths")
        ordering = ["campaign", "kind"]
        constraints = [models.UniqueConstraint(fields=["campaign", "kind"], name="knowntruth_key")]

    def __str__(self) -> str:
        return f"{self.campaign_id} {self.kind}"
