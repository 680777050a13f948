"""What a customer says of how they were helped."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from .ticket import Ticket


class Rating(models.Model):
    """One rating, 1 (bad) to 5 (good), by the customer of a ticket. Key: ticket; the first stands. It goes with its ticket."""

    ticket = models.OneToOneField(Ticket, on_delete=models.CASCADE, related_name="rating")
    score = models.PositiveSmallIntegerField(_("rating"), validators=[MinValueValidator(1), MaxValueValidator(5)])
    comment = models.TextField(_("comment"), max_length=2_000, blank=True, default="", db_default="")
    rated_at = models.DateTimeField()

    class Meta:
        verbose_name = _("rating of support")
        verbose_name_plural = _("ratings of support")
        constraints = [models.CheckConstraint(condition=models.Q(score__gte=1, score__lte=5), name="rating_score")]
        indexes = [models.Index(fields=["-rated_at"], name="rating_newest")]

    def __str__(self) -> str:
        return f"{self.ticket_id}: {self.score}"
