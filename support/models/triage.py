"""What triage learned from: corrections of people, and the classifiers made of them."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from .ticket import Ticket


class TriageField(models.TextChoices):
    INTENT = "intent", pgettext_lazy("triage", "about")
    COMPLAINT = "complaint", pgettext_lazy("triage", "complaint")
    SENTIMENT = "sentiment", pgettext_lazy("triage", "sentiment")
    URGENCY = "urgency", pgettext_lazy("triage", "urgency")


class TriageCorrection(models.Model):
    """A person said what a ticket is. Key: (ticket, field), the last word of theirs. It goes with its ticket."""

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="corrections")
    field = models.CharField(max_length=12, choices=TriageField)
    was = models.CharField(max_length=20, blank=True, default="")
    becomes = models.CharField(max_length=20)
    corrected_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    corrected_at = models.DateTimeField()

    class Meta:
        verbose_name = _("correction of triage")
        verbose_name_plural = _("corrections of triage")
        constraints = [models.UniqueConstraint(fields=["ticket", "field"], name="triagecorrection_key")]

    def __str__(self) -> str:
        return f"{self.ticket_id} {self.field} {self.becomes}"


class TriageModel(models.Model):
    """A trained classifier. Key: (field, language, version); the highest version that `is_used` decides.

    `artifact` is `triage.classifier` as JSON, compressed: vocabulary and weights, no code. `metrics` were measured on
    texts that it has not seen.
    """

    field = models.CharField(max_length=12, choices=TriageField)
    language = models.CharField(max_length=12)
    version = models.PositiveIntegerField()
    artifact = models.BinaryField()
    metrics = models.JSONField(default=dict)
    trained_on = models.PositiveIntegerField(_("texts"))
    is_used = models.BooleanField(_("in use"), default=False, db_default=False)
    trained_at = models.DateTimeField()

    class Meta:
        verbose_name = _("classifier of triage")
        verbose_name_plural = _("classifiers of triage")
        constraints = [models.UniqueConstraint(fields=["field", "language", "version"], name="triagemodel_key")]

    def __str__(self) -> str:
        return f"{self.field} {self.language} v{self.version}"
