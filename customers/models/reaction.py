"""What a message does to people like a customer, as far as finished campaigns allow to say."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from .customer import Customer
from .personal import OnMerge


class ReactionKind(models.TextChoices):
    OFFER = "offer", _("campaigns with an offer")
    MESSAGE = "message", _("campaigns without an offer")


class ReactionGroup(models.TextChoices):
    PERSUADABLE = "persuadable", _("persuadable")
    SURE_THING = "sure_thing", _("sure thing")
    LOST_CAUSE = "lost_cause", _("lost cause")
    DO_NOT_DISTURB = "do_not_disturb", _("do not disturb")
    NOT_KNOWN = "not_known", _("not known")


class Reaction(models.Model):
    """Where a customer stands in the ranking that a kind of campaign taught. Key: (customer, kind).

    Written by `campaigns.outcomes.whom.placing` alone. `score` ranks: the higher, the more is gained by writing. `effect` is
    what the message did to the share who ordered among people of the same `band` (1 is ranked first), `rate` the share who
    ordered without one, each with its interval, 0 to 1; `group` is what those allow to say. `study` is the version that said it.
    """

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="reactions")
    kind = models.CharField(max_length=8, choices=ReactionKind)
    group = models.CharField(max_length=16, choices=ReactionGroup)
    band = models.PositiveSmallIntegerField()
    score = models.FloatField()
    effect = models.FloatField()
    effect_low = models.FloatField()
    effect_high = models.FloatField()
    rate = models.FloatField()
    rate_low = models.FloatField()
    rate_high = models.FloatField()
    study = models.PositiveIntegerField()
    as_of = models.DateTimeField()

    on_merge: ClassVar[OnMerge] = OnMerge.WORKED_OUT

    class Meta:
        verbose_name = _("reaction to campaigns")
        verbose_name_plural = _("reactions to campaigns")
        constraints = [
            models.UniqueConstraint(fields=["customer", "kind"], name="reaction_key"),
            models.CheckConstraint(
                condition=Q(effect_low__lte=models.F("effect_high"), rate_low__lte=models.F("rate_high")),
                name="reaction_intervals_in_order",
            ),
        ]
        indexes = [models.Index(fields=["kind", "group", "customer"], name="reaction_by_group")]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.kind}: {self.group}"
