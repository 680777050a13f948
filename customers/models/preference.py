"""What a person chose for themselves in the preference centre: fewer messages, other topics, a pause, no profile."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from .customer import Customer
from .personal import OnMerge


class Preference(models.Model):
    """What a person chose; no row: nothing. Key: customer. Whether we may write at all is a ConsentRecord.

    `objects_to_profiling_at`: from then on no score, no interests and no text by a reason for leaving. Whether opens may be
    noted is a TrackingConsent.
    """

    customer = models.OneToOneField(Customer, on_delete=models.CASCADE, primary_key=True, related_name="preference")
    topics_off = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    most_per_month = models.PositiveSmallIntegerField(null=True, blank=True)
    paused_until = models.DateTimeField(null=True, blank=True)
    objects_to_profiling_at = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField(db_default=Now())

    on_merge: ClassVar[OnMerge] = OnMerge.COMBINED

    class Meta:
        verbose_name = _("preference")
        verbose_name_plural = _("preferences")
        indexes = [
            models.Index(
                fields=["customer"],
                condition=models.Q(objects_to_profiling_at__isnull=False),
                name="preference_objectors",
            )
        ]

    def __str__(self) -> str:
        return f"preferences of {self.customer_id}"


class PreferenceChange(models.Model):
    """One change that a person made, as proof; append-only. `changes` holds the new values by field.

    `message_id` is the message whose link they followed; no foreign key, because proof outlives the outbox.
    """

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="preference_changes")
    changes = models.JSONField()
    source = models.CharField(max_length=40)
    message_id = models.BigIntegerField(null=True)
    recorded_at = models.DateTimeField()

    class Meta:
        verbose_name = _("change of preferences")
        verbose_name_plural = _("changes of preferences")

    def __str__(self) -> str:
        return f"{self.customer_id} {sorted(self.changes)}"
