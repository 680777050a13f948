"""Who approved what."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from .campaign import Campaign


class ApprovalPart(models.TextChoices):
    MESSAGES = "messages", _("messages")
    AUDIENCE = "audience", _("audience")
    TIMING = "timing", _("timing")
    MEASUREMENT = "measurement", _("measurement")


class Approval(models.Model):
    """One part of one campaign as it stood under `part_hash`, approved by a person.

    Key: (campaign, part) while it is valid; a voided approval stays as history. `is_own` marks one by a person who wrote
    the campaign, which only counts while four eyes are switched off. `reason` and `fairness` are of the audience: why it is
    to go out although a group gets less of it, and the figures that were seen then (`campaigns.approval.group_reach`).
    """

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="approvals")
    part = models.CharField(max_length=12, choices=ApprovalPart)
    part_hash = models.CharField(max_length=64)
    approved_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    approved_at = models.DateTimeField()
    voided_at = models.DateTimeField(null=True, blank=True)
    void_reason = models.CharField(max_length=300, blank=True, default="")
    is_own = models.BooleanField(default=False, db_default=False)
    reason = models.CharField(max_length=1000, blank=True, default="", db_default="")
    fairness = models.JSONField(default=list, db_default=models.Value([], models.JSONField()))

    class Meta:
        verbose_name = _("approval")
        verbose_name_plural = _("approvals")
        ordering = ["campaign", "approved_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["campaign", "part"], condition=models.Q(voided_at__isnull=True), name="approval_one_valid"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.campaign_id} {self.part}"


class FourEyesSwitch(models.Model):
    """Whether a second person has to approve: append-only, the newest row counts, and without any the answer is yes.

    A trigger of the database reads the same row before a message leaves, and another refuses to change or delete one.
    """

    is_required = models.BooleanField()
    reason = models.CharField(max_length=300)
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    changed_at = models.DateTimeField()

    class Meta:
        verbose_name = _("switch of the second person")
        verbose_name_plural = _("switches of the second person")
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.changed_at:%Y-%m-%d} {'on' if self.is_required else 'off'}"
