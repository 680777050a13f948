"""Answers that are written once and used often."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class CannedAnswer(models.Model):
    """A text to begin an answer with. Key: (name, language). May use the slots of `answers.slots`."""

    name = models.CharField(_("name"), max_length=60)
    language = models.CharField(_("language"), max_length=12, default="en")
    text = models.TextField(_("text"))

    class Meta:
        verbose_name = _("canned answer")
        verbose_name_plural = _("canned answers")
        ordering = ["name", "language"]
        constraints = [models.UniqueConstraint(fields=["name", "language"], name="cannedanswer_key")]

    def __str__(self) -> str:
        return f"{self.name} ({self.language})"
