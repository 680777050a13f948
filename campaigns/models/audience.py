"""The frozen people of a campaign."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from customers.models import Channel, Customer, KeptOnErasure, OnMerge

from .campaign import Campaign
from .variant import Archetype, ValueBand


class Arm(models.TextChoices):
    TREATMENT = "treatment", _("gets the message")
    HOLDOUT = "holdout", _("held out")
    EXCLUDED = "excluded", _("left out")


class ExclusionReason(models.TextChoices):
    NO_ADDRESS = "no_address", _("no address")
    NO_CONSENT = "no_consent", _("no consent")
    SUPPRESSED = "suppressed", _("suppressed")
    OPEN_COMPLAINT = "open_complaint", _("open complaint")
    VERY_UNHAPPY = "very_unhappy", _("very unhappy letter to support")
    CAPPED = "capped", _("had enough messages")
    TEST_ONLY = "test_only", _("only a test contact")
    TOO_NEW = "too_new", _("no prediction yet")
    PAUSED = "paused", _("asked for a pause")
    TOPIC_OFF = "topic_off", _("does not want this topic")
    OBJECTED = "objected", _("objected to profiling since")
    COUNTRY_RULE = "country_rule", _("consent does not count in their country")
    NO_TEXT = "no_text", _("no approved text fits")
    GLOBAL_HOLDOUT = "global_holdout", _("held out of all promotions")
    LITTLE_GAIN = "little_gain", _("little gained by writing to them")


class AudienceCell(models.Model):
    """The finest kind of customer, as frozen, and the archetype that it was put into. Key: all five sides of it.

    `sums` adds up what is known of its people, so that the figures of any union of cells are sums of theirs:
    {"people", "churn_probability", "expected_value", "recency_days", ..., and how many each claim is true for}.
    """

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="cells")
    reason = models.CharField(max_length=60, blank=True, default="")
    interest = models.CharField(max_length=120, blank=True, default="")
    value_band = models.CharField(max_length=8, choices=ValueBand, blank=True, default="")
    language = models.CharField(max_length=12, default="en")
    channel = models.CharField(max_length=20, choices=Channel, default=Channel.EMAIL)
    size = models.PositiveIntegerField(default=0)
    sums = models.JSONField(default=dict)
    archetype = models.ForeignKey(Archetype, on_delete=models.SET_NULL, null=True, related_name="cells")

    class Meta:
        verbose_name = _("cell of an audience")
        verbose_name_plural = _("cells of audiences")
        ordering = ["campaign", "-size", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["campaign", "reason", "interest", "value_band", "language", "channel"], name="audiencecell_key"
            )
        ]

    def __str__(self) -> str:
        return f"{self.reason}|{self.interest}|{self.value_band}|{self.language}|{self.channel}"


class AudienceMember(models.Model):
    """One person of the frozen audience and their arm. Key: (campaign, customer).

    Triggers refuse every change of an arm, every row more and every row less once the campaign has begun. Bit n of `in_looks`:
    was in segment n of `Campaign.looks` when frozen. `is_explored`: ranked among those who are not written to, and drawn all the
    same, so that later campaigns can be learned from.
    """

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="members")
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="audience_memberships")
    arm = models.CharField(max_length=12, choices=Arm)
    exclusion_reason = models.CharField(max_length=20, choices=ExclusionReason, blank=True, default="")
    archetype = models.ForeignKey(Archetype, on_delete=models.SET_NULL, null=True, blank=True, related_name="members")
    # Cells go only after the members of their campaign: a check of a million rows per cell would find nothing.
    cell = models.ForeignKey(
        AudienceCell,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        null=True,
        blank=True,
        related_name="members",
    )
    channel = models.CharField(max_length=20, choices=Channel, default=Channel.EMAIL, db_default="email")
    churn_probability = models.FloatField(null=True)
    expected_value = models.DecimalField(max_digits=14, decimal_places=2, null=True)
    is_explored = models.BooleanField(default=False, db_default=False)
    in_looks = models.PositiveSmallIntegerField(default=0, db_default=0)

    #: The arm was drawn for this row, and an approval covers it.
    on_merge: ClassVar[OnMerge] = OnMerge.STAYS
    on_erasure = KeptOnErasure({"churn_probability": None, "expected_value": None, "in_looks": 0})

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
