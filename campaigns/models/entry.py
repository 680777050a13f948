"""People on their way through a live campaign or a sequence, and the further steps of one."""

from __future__ import annotations

from typing import ClassVar

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Cast, Concat
from django.utils.translation import gettext_lazy as _

from customers.models import Channel, Customer, KeptOnErasure, OnMerge

from .audience import Arm, ExclusionReason
from .campaign import Campaign
from .variant import Archetype


class ExitReason(models.TextChoices):
    COMPLETED = "completed", _("went through all steps")
    ORDERED = "ordered", _("ordered")
    COMPLAINED = "complained", _("has an open complaint, or is very unhappy")
    UNSUBSCRIBED = "unsubscribed", _("unsubscribed")
    LEFT_SEGMENT = "left_segment", _("no longer in the segment")
    EVENT = "event", _("did what ends it")
    ENDED = "ended", _("the campaign was ended")


class Entry(models.Model):
    """One person's way through a campaign, held-out people too. Key: (campaign, customer, number).

    `cause` names what let them in (an occurrence, an event, a score), so that the same cause never lets in twice. The arm is
    the hash of the campaign's seed and the customer, and so the same at each entry. `next_step` is due at `next_at`, which is
    empty once they left: `next_step` is then the step that they left before, or empty where they went through all. People who
    may not be written to enter as excluded, with the reason, and leave at once. Triggers refuse every change of arm and moment
    and every deletion. Bit n of `in_looks`: was in segment n of `Campaign.looks` when they entered.
    """

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="entries")
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="campaign_entries")
    number = models.PositiveSmallIntegerField(default=1, db_default=1)
    cause = models.CharField(max_length=80)
    arm = models.CharField(max_length=12, choices=Arm)
    exclusion_reason = models.CharField(max_length=20, choices=ExclusionReason, blank=True, default="", db_default="")
    archetype = models.ForeignKey(Archetype, on_delete=models.SET_NULL, null=True, blank=True, related_name="entries")
    channel = models.CharField(max_length=20, choices=Channel, default=Channel.EMAIL, db_default="email")
    churn_probability = models.FloatField(null=True)
    expected_value = models.DecimalField(max_digits=14, decimal_places=2, null=True)
    in_looks = models.PositiveSmallIntegerField(default=0, db_default=0)
    entered_at = models.DateTimeField()
    next_step = models.PositiveSmallIntegerField(null=True, blank=True)
    next_at = models.DateTimeField(null=True, blank=True)
    exited_at = models.DateTimeField(null=True, blank=True)
    exit_reason = models.CharField(max_length=20, choices=ExitReason, blank=True, default="", db_default="")

    on_merge: ClassVar[OnMerge] = OnMerge.STAYS
    on_erasure = KeptOnErasure(
        {
            "churn_probability": None,
            "expected_value": None,
            "in_looks": 0,
            # It may name an order or an event of theirs; what stays has to be as unique.
            "cause": Concat(models.Value("erased "), Cast("number", models.CharField())),
        }
    )

    class Meta:
        verbose_name = _("entry")
        verbose_name_plural = _("entries")
        constraints = [
            models.UniqueConstraint(fields=["campaign", "customer", "number"], name="entry_key"),
            models.UniqueConstraint(fields=["campaign", "customer", "cause"], name="entry_cause"),
            models.CheckConstraint(
                condition=Q(arm="excluded", exclusion_reason__gt="") | (~Q(arm="excluded") & Q(exclusion_reason="")),
                name="entry_exclusion_has_reason",
            ),
        ]
        indexes = [
            models.Index(fields=["campaign", "next_at"], condition=Q(next_at__isnull=False), name="entry_due"),
            models.Index(fields=["campaign", "arm", "archetype"], name="entry_arm"),
        ]

    def __str__(self) -> str:
        return f"{self.campaign_id}/{self.customer_id}#{self.number} {self.arm}"


class FollowUp(models.Model):
    """A further step of a sequence; step 1 is the campaign's own message. Key: (campaign, number), from 2 on.

    It goes out `wait_hours` after the step before it, to those of whom `only_if` is true; the others wait for the step after.
    """

    class OnlyIf(models.TextChoices):
        ALWAYS = "always", _("to everybody")
        NOT_OPENED = "not_opened", _("who has not opened the message before it")
        NOT_CLICKED = "not_clicked", _("who has not clicked in the message before it")
        CLICKED = "clicked", _("who clicked in the message before it")

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="follow_ups")
    number = models.PositiveSmallIntegerField(validators=[MinValueValidator(2)])
    purpose = models.CharField(_("what it is for"), max_length=200, blank=True, default="")
    wait_hours = models.PositiveIntegerField(_("hours after the step before it"), default=72)
    only_if = models.CharField(_("goes"), max_length=16, choices=OnlyIf, default=OnlyIf.ALWAYS)

    class Meta:
        verbose_name = _("follow-up")
        verbose_name_plural = _("follow-ups")
        ordering = ["campaign", "number"]
        constraints = [
            models.UniqueConstraint(fields=["campaign", "number"], name="followup_key"),
            models.CheckConstraint(condition=Q(number__gte=2, wait_hours__gte=1), name="followup_range"),
        ]

    def __str__(self) -> str:
        return f"{self.campaign_id} step {self.number}"
