"""How a model bears the passing of time and the difference between people: drift, fairness and replayed days."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from .score import ModelVersion


class DriftReport(models.Model):
    """How far customers and scores have moved since training, and whether past scores came true. Key: (model, as_of).

    `figures` is the JSON of `customers.scoring.watch`; `alarms` lists the keys of what needs somebody's attention.
    """

    model = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="drift_reports")
    as_of = models.DateTimeField()
    figures = models.JSONField(default=dict)
    alarms = models.JSONField(default=list)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("drift report")
        verbose_name_plural = _("drift reports")
        constraints = [models.UniqueConstraint(fields=["model", "as_of"], name="driftreport_key")]

    def __str__(self) -> str:
        return f"{self.model_id} {self.as_of:%Y-%m-%d}"


class SensitiveAttributes(models.Model):
    """Which attributes of customers the shop holds to be sensitive. Append-only; the newest row counts.

    `keys` are "country", "language" or keys of Customer.attributes.
    """

    keys = models.JSONField(default=list)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    changed_at = models.DateTimeField()

    class Meta:
        verbose_name = _("choice of sensitive attributes")
        verbose_name_plural = _("choices of sensitive attributes")

    def __str__(self) -> str:
        return f"{self.changed_at:%Y-%m-%d} {', '.join(self.keys)}"


class FairnessReport(models.Model):
    """What a model does to the groups of one sensitive attribute, on its back-test's window. Key: (model, attribute).

    `figures` is the JSON of `customers.scoring.fairness`; `warnings` counts what lies beyond its limits without doubt.
    """

    model = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="fairness_reports")
    attribute = models.CharField(max_length=120)
    figures = models.JSONField(default=dict)
    warnings = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("fairness report")
        verbose_name_plural = _("fairness reports")
        constraints = [models.UniqueConstraint(fields=["model", "attribute"], name="fairnessreport_key")]

    def __str__(self) -> str:
        return f"{self.model_id} {self.attribute}"


class ReplayQuerySet(models.QuerySet["Replay"]):
    def due(self, now: dt.datetime) -> ReplayQuerySet:
        """Those that a worker may take: new ones, and those whose worker died."""
        return self.filter(Q(status=Replay.Status.WAITING) | Q(status=Replay.Status.RUNNING, lease_until__lt=now))


class Replay(models.Model):
    """A day of the past, told as the model would have told it then. Key: (on, horizon_days, fingerprint).

    The row is the queue: a worker claims it by its lease. `result` is the JSON of `customers.scoring.replay`; it names
    customers by their id alone, so that erasing a customer leaves nobody's name in it.
    """

    class Status(models.TextChoices):
        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    on = models.DateField(_("day"))
    horizon_days = models.PositiveIntegerField()
    fingerprint = models.CharField(max_length=64)
    status = models.CharField(max_length=8, choices=Status, default=Status.WAITING, db_default="waiting")
    step = models.CharField(max_length=120, blank=True, default="", db_default="")
    lease_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0)
    result = models.JSONField(default=dict)
    error = models.CharField(max_length=500, blank=True, default="", db_default="")
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = ReplayQuerySet.as_manager()

    class Meta:
        verbose_name = _("replayed day")
        verbose_name_plural = _("replayed days")
        constraints = [models.UniqueConstraint(fields=["on", "horizon_days", "fingerprint"], name="replay_key")]
        indexes = [models.Index(fields=["id"], name="replay_queue", condition=Q(status__in=["waiting", "running"]))]

    def __str__(self) -> str:
        return f"{self.on} ({self.horizon_days} days) {self.status}"
