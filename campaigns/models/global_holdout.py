"""The people of the whole shop whom no promotion reaches for a while, and what all campaigns together did to the others."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

#: With more held out than this a shop gives up more than it learns.
MOST_HELD = 0.3
USUAL_RENEW_DAYS = 182


class GlobalHoldout(models.Model):
    """One round of the global hold-out. Key: number; the newest that has begun is in force, one with share 0 holds nobody out.

    Append-only: a trigger refuses a change, a deletion, and a beginning before that of an earlier round, so that with the salt
    any past group can be derived again for ever. Who is in it is the hash of (salt, customer), as in
    `campaigns.audience.holdout`. A round that another share follows keeps its salt: a larger share keeps everybody whom
    the smaller one held. `renew_days` after the first round with a salt began, people are drawn anew with another one.
    `changed_by` is empty where it was renewed by itself.
    """

    number = models.PositiveIntegerField(unique=True)
    salt = models.CharField(max_length=32)
    share = models.FloatField(
        _("held out of everything"), validators=[MinValueValidator(0), MaxValueValidator(MOST_HELD)]
    )
    renew_days = models.PositiveSmallIntegerField(
        _("drawn anew after, days"),
        default=USUAL_RENEW_DAYS,
        validators=[MinValueValidator(28), MaxValueValidator(730)],
    )
    begins_at = models.DateTimeField(unique=True)
    reason = models.CharField(_("why"), max_length=300)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    changed_at = models.DateTimeField()

    class Meta:
        verbose_name = _("round of the global hold-out")
        verbose_name_plural = _("rounds of the global hold-out")
        ordering = ["-number"]
        constraints = [
            models.CheckConstraint(condition=Q(share__gte=0, share__lte=MOST_HELD), name="globalholdout_range"),
        ]

    def __str__(self) -> str:
        return f"{self.number}: {self.share:.0%} from {self.begins_at:%Y-%m-%d}"

    @property
    def is_on(self) -> bool:
        return self.share > 0


class GlobalHoldoutResult(models.Model):
    """What all campaigns together did in one round, as of one day, replaced by key. Key: (holdout, day).

    `figures` is what `campaigns.outcomes.global_effect` measures.
    """

    holdout = models.ForeignKey(GlobalHoldout, on_delete=models.CASCADE, related_name="results")
    day = models.DateField()
    figures = models.JSONField(default=dict)
    measured_at = models.DateTimeField()

    class Meta:
        verbose_name = _("result of the global hold-out")
        verbose_name_plural = _("results of the global hold-out")
        ordering = ["holdout", "day"]
        constraints = [models.UniqueConstraint(fields=["holdout", "day"], name="globalholdoutresult_key")]

    def __str__(self) -> str:
        return f"{self.holdout_id} {self.day}"
