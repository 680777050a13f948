"""Changes to a live campaign, which hold from the moment at which a second person approves them."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from .campaign import EMPTY_LIST, EMPTY_OBJECT, Campaign


class StagedChangeQuerySet(models.QuerySet["StagedChange"]):
    def in_review(self) -> StagedChangeQuerySet:
        return self.filter(status=StagedChange.Status.IN_REVIEW)


class StagedChange(models.Model):
    """What a person wants to be different in a campaign that runs. Key: (campaign, number); at most one waits.

    `changes` holds the new values by what they are of: {"texts": {id of the text: words}, "offer": {...}, "campaign": {...},
    "follow_ups": {number: hours}}, and under "was" what stood there. `outcome` is what came of them when they were tried out
    (`campaigns.approval.staging.trying`): each text before and after with its findings, and the parts touched. `base_hash` is
    the campaign's hash that this was made from, `change_hash` the hash that it would have afterwards: what is approved.
    `affected` is how many people it touched when it was submitted. `writers` are the ids of those who wrote any of it.
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
    outcome = models.JSONField(default=dict, db_default=EMPTY_OBJECT)
    affected = models.JSONField(default=dict, db_default=EMPTY_OBJECT)
    reason = models.CharField(_("why"), max_length=500, blank=True, default="")
    base_hash = models.CharField(max_length=64, blank=True, default="")
    change_hash = models.CharField(max_length=64, blank=True, default="")
    writers = models.JSONField(default=list, db_default=EMPTY_LIST)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    submitted_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    decision_reason = models.CharField(max_length=500, blank=True, default="")

    objects = StagedChangeQuerySet.as_manager()

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

    @property
    def is_waiting(self) -> bool:
        return self.status in {self.Status.OPEN, self.Status.IN_REVIEW}
