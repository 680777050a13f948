"""Changes to a live campaign, which hold from the moment at which a second person approves them."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from .campaign import EMPTY_OBJECT, Campaign


class StagedChange(models.Model):
    """What a person wants to be different in a campaign that runs. Key: (campaign, number); at most one waits.

    `changes` holds the new values by what they are of; `affected` how many people it would touch, as counted then.
    """

    class Status(models.TextChoices):
        OPEN = "open", _("being prepared")
        IN_REVIEW = "in_review", _("in review")
        APPLIED = "applied", _("approved and in force")
        REFUSED = "refused", _("refused")
        WITHDRAWN = "withdrawn", _("withdrawn")

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="staged_changes")
    number = models.PositiveIntegerField()
    status = models.CharField(max_length=12, choices=Status, default=Status.OPEN)
    changes = models.JSONField(default=dict, db_default=EMPTY_OBJECT)
    affected = models.JSONField(default=dict, db_default=EMPTY_OBJECT)
    reason = models.CharField(_("why"), max_length=500, blank=True, default="")
    base_hash = models.CharField(max_length=64, blank=True, default="")
    change_hash = models.CharField(max_length=64, blank=True, default="")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    submitted_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    decision_reason = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        verbose_name = _("staged change")
        verbose_name_plural = _("staged changes")
        ordering = ["campaign", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["campaign", "number"], name="stagedchange_key"),
            models.UniqueConstraint(
                fields=["campaign"], condition=Q(status__in=["open", "in_review"]), name="stagedchange_one_waits"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.campaign_id} change {self.number} {self.status}"
