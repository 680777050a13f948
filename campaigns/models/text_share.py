"""With which probability people get which text of an archetype, where a live campaign shifts its shares."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from .variant import Archetype, Variant


class TextShare(models.Model):
    """One text in one batch of draws. Key: (archetype, batch, variant); append-only, held by a trigger; the newest batch is in
    force.

    `share` (0 to 1) is the probability that a person who enters gets the text; those of a batch add up to 1. `people` of whom
    `ordered` were the evidence, `seed` that of the random numbers: so the decision can be made again. Each message says by
    which row it was drawn; without one all texts were equally likely.
    """

    archetype = models.ForeignKey(Archetype, on_delete=models.CASCADE, related_name="text_shares")
    batch = models.PositiveIntegerField()
    variant = models.ForeignKey(Variant, on_delete=models.PROTECT, related_name="shares")
    share = models.FloatField()
    people = models.PositiveIntegerField()
    ordered = models.PositiveIntegerField()
    seed = models.CharField(max_length=64)
    decided_at = models.DateTimeField()

    class Meta:
        verbose_name = _("share of a text")
        verbose_name_plural = _("shares of texts")
        ordering = ["archetype", "batch", "variant"]
        constraints = [
            models.UniqueConstraint(fields=["archetype", "batch", "variant"], name="textshare_key"),
            models.CheckConstraint(condition=Q(share__gt=0, share__lte=1), name="textshare_range"),
        ]

    def __str__(self) -> str:
        return f"{self.archetype_id}#{self.batch} {self.variant_id}: {self.share:.0%}"
