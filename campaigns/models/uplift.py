"""What was learned from finished campaigns about whom a message moves."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from customers.models import ReactionKind

#: Campaigns are learned from by the kind of what they do to people, and people are placed by the same.
UpliftKind = ReactionKind


class UpliftStudyQuerySet(models.QuerySet["UpliftStudy"]):
    def in_use(self, kind: str) -> UpliftStudyQuerySet:
        """By which people are ranked now: one row, or none."""
        return self.filter(kind=kind, status=UpliftStudy.Status.IN_USE)

    def newest(self, kind: str) -> UpliftStudy | None:
        """The last look at a kind, whether or not it had enough to learn from."""
        return self.filter(kind=kind).defer("artifact").order_by("-version").first()


class UpliftStudy(models.Model):
    """One look at all finished campaigns of a kind. Key: (kind, version).

    `fingerprint` says which campaigns it saw; a look at the same ones makes no new row. `need` is what there was and what it
    takes ({"people", "held_out", "campaigns", "visible", "people_missing", "campaigns_missing"}). `figures` is what
    `campaigns.outcomes.whom.learning` writes, {} where there was too little; `artifact` ranks people, and is loaded only there.
    """

    class Status(models.TextChoices):
        TOO_LITTLE = "too_little", _("not enough data yet")
        IN_USE = "in_use", _("in use")
        RETIRED = "retired", _("replaced")

    kind = models.CharField(max_length=8, choices=UpliftKind)
    version = models.PositiveIntegerField()
    status = models.CharField(max_length=12, choices=Status)
    made_at = models.DateTimeField()
    fingerprint = models.CharField(max_length=64)
    campaigns = models.JSONField(default=list)
    need = models.JSONField(default=dict)
    figures = models.JSONField(default=dict)
    artifact = models.BinaryField(null=True)

    objects = UpliftStudyQuerySet.as_manager()

    class Meta:
        verbose_name = _("study of whom to write to")
        verbose_name_plural = _("studies of whom to write to")
        ordering = ["kind", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["kind", "version"], name="upliftstudy_key"),
            models.UniqueConstraint(fields=["kind"], condition=Q(status="in_use"), name="upliftstudy_one_in_use"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} v{self.version}"
