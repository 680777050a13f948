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

    Key: (campaign, part) while it is valid; a voided approval stays as history.
    """

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="approvals")
    part = models.CharField(max_length=12, choices=ApprovalPart)
    part_hash = models.CharField(max_length=64)
    approved_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    approved_at = models.DateTimeField()
    voided_at = models.DateTimeField(null=True, blank=True)
    void_reason = models.CharField(max_length=300, blank=True, default="")

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
