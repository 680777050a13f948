"""What a live campaign remembers between two looks: who was there, and which of its occurrences took place."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from customers.models import Customer, OnMerge

from .campaign import Campaign


class Presence(models.Model):
    """That a person was in the state that lets people in (the segment, above the line) at the last look. Key: itself.

    Who is there now and has no row has come; the row goes when they leave. Only changes are written.
    """

    pk = models.CompositePrimaryKey("campaign_id", "customer_id")
    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="presences", db_index=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")

    on_merge: ClassVar[OnMerge] = OnMerge.STAYS

    class Meta:
        verbose_name = _("presence")
        verbose_name_plural = _("presences")

    def __str__(self) -> str:
        return f"{self.campaign_id}/{self.customer_id}"


class Occurrence(models.Model):
    """One date of a recurring campaign: it let people in, or was missed. Key: (campaign, due_at)."""

    class Outcome(models.TextChoices):
        ENTERED = "entered", _("took place")
        MISSED = "missed", _("missed")

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="occurrences")
    due_at = models.DateTimeField()
    outcome = models.CharField(max_length=8, choices=Outcome)
    noted_at = models.DateTimeField()
    entered = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("occurrence")
        verbose_name_plural = _("occurrences")
        ordering = ["campaign", "-due_at"]
        constraints = [
            models.UniqueConstraint(fields=["campaign", "due_at"], name="occurrence_key"),
            models.CheckConstraint(
                condition=Q(outcome="entered") | Q(outcome="missed", entered=0), name="occurrence_missed_by_all"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.campaign_id} {self.due_at:%Y-%m-%d %H:%M} {self.outcome}"
