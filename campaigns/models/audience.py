"""The frozen people of a campaign."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from customers.models import Customer

from .campaign import Campaign
from .variant import Archetype


class Arm(models.TextChoices):
    TREATMENT = "treatment", _("gets the message")
    HOLDOUT = "holdout", _("held out")
    EXCLUDED = "excluded", _("left out")


class ExclusionReason(models.TextChoices):
    NO_ADDRESS = "no_address", _("no address")
    NO_CONSENT = "no_consent", _("no consent")
    SUPPRESSED = "suppressed", _("suppressed")
    OPEN_COMPLAINT = "open_complaint", _("open complaint")
    CAPPED = "capped", _("had enough messages")
    TEST_ONLY = "test_only", _("only a test contact")
    TOO_NEW = "too_new", _("no prediction yet")


class AudienceMember(models.Model):
    """One person of the frozen audience and their arm. Key: (campaign, customer)."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="members")
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="audience_memberships")
    arm = models.CharField(max_length=12, choices=Arm)
    exclusion_reason = models.CharField(max_length=20, choices=ExclusionReason, blank=True, default="")
    archetype = models.ForeignKey(Archetype, on_delete=models.SET_NULL, null=True, blank=True, related_name="members")
    churn_probability = models.FloatField(null=True)
    expected_value = models.DecimalField(max_digits=14, decimal_places=2, null=True)

    class Meta:
        verbose_name = _("audience member")
        verbose_name_plural = _("audience members")
        constraints = [
            models.UniqueConstraint(fields=["campaign", "customer"], name="audiencemember_key"),
            models.CheckConstraint(
                condition=Q(arm="excluded", exclusion_reason__gt="") | (~Q(arm="excluded") & Q(exclusion_reason="")),
                name="audiencemember_exclusion_has_reason",
            ),
        ]
        indexes = [models.Index(fields=["campaign", "arm", "archetype"], name="audiencemember_arm")]

    def __str__(self) -> str:
        return f"{self.campaign_id}/{self.customer_id} {self.arm}"
