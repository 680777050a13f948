"""What triage learned from: corrections of people, and the classifiers made of them."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from .message import TicketMessage
from .ticket import Ticket


class TriageField(models.TextChoices):
    TOPIC = "topic", pgettext_lazy("triage", "about")
    INTENT = "intent", pgettext_lazy("triage", "what they want")
    COMPLAINT = "complaint", pgettext_lazy("triage", "complaint")
    SENTIMENT = "sentiment", pgettext_lazy("triage", "sentiment")
    URGENCY = "urgency", pgettext_lazy("triage", "urgency")


class TriageCorrection(models.Model):
    """A person said what a ticket is. Key: (ticket, field), the last word of theirs. It goes with its ticket.

    Where `was` and `becomes` are equal they looked and confirmed it: that holds until the customer writes again.
    """

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


class TriageReading(models.Model):
    """What a language model read in a message. Key: message. The row is the queue: `waiting` until it is read or given up.

    `verdicts`: {field: {value, sureness, quote}}, of the fixed vocabulary; `quote` stands in what the customer wrote.
    It is an opinion beside the rules and the trained classifier; `triage.deciding` says what comes of the three.
    """

    class Status(models.TextChoices):
        WAITING = "waiting", pgettext_lazy("reading by a model", "waits")
        READ = "read", pgettext_lazy("reading by a model", "read")
        FAILED = "failed", pgettext_lazy("reading by a model", "could not be read")
        KEPT_BACK = "kept_back", pgettext_lazy("reading by a model", "not shown to a model")

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="readings")
    message = models.OneToOneField(TicketMessage, on_delete=models.CASCADE, related_name="reading")
    status = models.CharField(max_length=10, choices=Status, default=Status.WAITING, db_default="waiting")
    verdicts = models.JSONField(default=dict, blank=True, db_default=models.Value({}, models.JSONField()))
    prompt_version = models.CharField(max_length=60, blank=True, default="", db_default="")
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0)
    not_before = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=300, blank=True, default="", db_default="")
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("reading of a ticket by a model")
        verbose_name_plural = _("readings of tickets by a model")

    def __str__(self) -> str:
        return f"{self.message_id} {self.status}"


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
