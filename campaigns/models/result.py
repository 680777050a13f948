"""What a campaign did, measured per day."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import models
from django.utils.translation import gettext_lazy as _

from .campaign import Campaign


class CampaignResultQuerySet(models.QuerySet["CampaignResult"]):
    def newest_by_campaign(self, campaign_ids: Iterable[int]) -> dict[int, CampaignResult]:
        """The newest result of each campaign that has one, in one query."""
        newest = self.filter(campaign__in=list(campaign_ids)).order_by("campaign_id", "-day").distinct("campaign_id")
        return {result.campaign_id: result for result in newest}


class CampaignResult(models.Model):
    """The figures of one campaign as of the end of one day, replaced by key. Key: (campaign, day).

    `figures` is what `campaigns.outcomes.rollup` writes. `true_effect_points` is known only in the demo shop, where the
    simulator knows it; percentage points.
    """

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="results")
    day = models.DateField()
    figures = models.JSONField(default=dict)
    true_effect_points = models.FloatField(null=True, blank=True)
    measured_at = models.DateTimeField()

    objects = CampaignResultQuerySet.as_manager()

    class Meta:
        verbose_name = _("result")
        verbose_name_plural = _("results")
        ordering = ["campaign", "day"]
        constraints = [models.UniqueConstraint(fields=["campaign", "day"], name="campaignresult_key")]

    def __str__(self) -> str:
        return f"{self.campaign_id} {self.day}"
