"""Trained models and what they say of each customer."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from .customer import Customer
from .personal import OnMerge


class ModelVersionQuerySet(models.QuerySet["ModelVersion"]):
    def in_use(self, kind: str = "churn") -> ModelVersionQuerySet:
        """The champion of its kind: one row, or none while nothing was trained."""
        return self.filter(kind=kind, status=ModelVersion.Status.CHAMPION)


class ModelVersion(models.Model):
    """One trained estimator with its data window, figures and card. Key: (kind, version).

    `metrics` and `card` are the JSON that `customers.scoring.training` writes; `artifact` is the estimator, loaded
    only by `customers.scoring`.
    """

    class Status(models.TextChoices):
        CANDIDATE = "candidate", _("candidate")
        CHAMPION = "champion", _("in use")
        RETIRED = "retired", _("retired")

    kind = models.CharField(max_length=40, default="churn")
    version = models.PositiveIntegerField()
    estimator = models.CharField(max_length=60)
    status = models.CharField(max_length=12, choices=Status, default=Status.CANDIDATE)
    horizon_days = models.PositiveIntegerField()
    trained_at = models.DateTimeField()
    data_from = models.DateTimeField()
    data_until = models.DateTimeField()
    beats_rule = models.BooleanField(default=False)
    metrics = models.JSONField(default=dict)
    card = models.JSONField(default=dict)
    artifact = models.BinaryField()
    created_at = models.DateTimeField(db_default=Now())

    objects = ModelVersionQuerySet.as_manager()

    class Meta:
        verbose_name = _("model version")
        verbose_name_plural = _("model versions")
        constraints = [
            models.UniqueConstraint(fields=["kind", "version"], name="modelversion_key"),
            models.UniqueConstraint(
                fields=["kind"], condition=models.Q(status="champion"), name="modelversion_one_champion"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} v{self.version}"


class ScoreStatus(models.TextChoices):
    SCORED = "scored", _("scored")
    TOO_NEW = "too_new", _("too new to say")
    NO_HISTORY = "no_history", _("no order yet")
    OBJECTED = "objected", _("objects to profiling")


class ScoreFields(models.Model):
    """What a score says; shared by the current one and its history.

    churn_probability is P(no order within the model's horizon), 0 to 1, null where the status is not "scored".
    `reasons` is a list of {feature, value, average, points}: `points` in percentage points of probability, positive
    pushes towards leaving.
    """

    model = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="+")
    as_of = models.DateTimeField()
    status = models.CharField(max_length=12, choices=ScoreStatus, default=ScoreStatus.SCORED, db_default="scored")
    churn_probability = models.FloatField(null=True)
    expected_orders = models.FloatField(null=True)
    expected_value = models.DecimalField(max_digits=14, decimal_places=2, null=True)
    next_order_on = models.DateField(null=True)
    next_order_from = models.DateField(null=True)
    next_order_until = models.DateField(null=True)
    recency_days = models.FloatField(null=True)
    interest = models.CharField(max_length=120, blank=True, default="", db_default="")
    main_reason = models.CharField(max_length=60, blank=True, default="", db_default="")
    reasons = models.JSONField(default=list, db_default=models.Value([], models.JSONField()))

    class Meta:
        abstract = True


class Score(ScoreFields):
    """What we expect of a customer now. Key: customer."""

    customer = models.OneToOneField(Customer, on_delete=models.CASCADE, primary_key=True, related_name="score")

    on_merge: ClassVar[OnMerge] = OnMerge.WORKED_OUT

    class Meta:
        verbose_name = _("score")
        verbose_name_plural = _("scores")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(churn_probability__isnull=True)
                | models.Q(churn_probability__gte=0, churn_probability__lte=1),
                name="score_probability_range",
            )
        ]
        indexes = [
            # With the customer, so that a page of the list begins where the last one ended.
            models.Index(fields=["churn_probability", "customer"], name="score_by_churn"),
            models.Index(fields=["expected_value", "customer"], name="score_by_value"),
            models.Index(fields=["recency_days", "customer"], name="score_by_recency"),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id}: {self.churn_probability}"


class ScoreHistory(ScoreFields):
    """What we expected of a customer at a date. Key: (customer, model, as_of)."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="score_history")

    on_merge: ClassVar[OnMerge] = OnMerge.WORKED_OUT

    class Meta:
        verbose_name = _("past score")
        verbose_name_plural = _("past scores")
        constraints = [models.UniqueConstraint(fields=["customer", "model", "as_of"], name="scorehistory_key")]
        indexes = [BrinIndex(fields=["as_of"], name="scorehistory_by_day")]  # written in the order of days

    def __str__(self) -> str:
        return f"{self.customer_id} {self.as_of:%Y-%m-%d}: {self.churn_probability}"


class ScoreTotals(models.Model):
    """What all scores add up to, as of the last count (`customers.scoring.totals`). Key: there is one row.

    `bins` are the scored customers by twentieths of their churn probability, `unscored` the others by status. `value_at_risk`
    is in the shop's currency. `change_in_week` is of those at risk, None without a history.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    counted_at = models.DateTimeField()
    newest_score = models.DateTimeField(null=True)
    scored = models.PositiveBigIntegerField()
    at_risk = models.PositiveBigIntegerField()
    value_at_risk = models.DecimalField(max_digits=20, decimal_places=2)
    change_in_week = models.BigIntegerField(null=True)
    bins = models.JSONField(default=list)
    unscored = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("totals of the scores")
        verbose_name_plural = _("totals of the scores")
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="scoretotals_one_row")]

    def __str__(self) -> str:
        return f"{self.scored} scored, {self.at_risk} at risk"


class ScoreMark(models.Model):
    """A statement that wrote scores since they were last counted. Filled by a trigger of the database, emptied by the count."""

    class Meta:
        verbose_name = _("mark of written scores")
        verbose_name_plural = _("marks of written scores")

    def __str__(self) -> str:
        return str(self.pk)
