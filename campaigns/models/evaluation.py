"""What a version of a prompt was worth with a model, measured on the golden set."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class PromptEvaluation(models.Model):
    """One run of one prompt over the golden briefs of its language. Append-only; the newest of a version counts.

    `prompt_text` keeps the words of the prompt, so that a later version can be held against it after the code has
    changed. `golden_hash` says which briefs: figures of different sets are not compared. `figures` is what
    `campaigns.content.measures.summarise` says, `trials` one entry per brief.
    """

    prompt_name = models.CharField(_("prompt"), max_length=100)
    prompt_version = models.CharField(_("version"), max_length=40)
    prompt_text = models.JSONField(_("words of the prompt"))
    model = models.CharField(_("model"), max_length=200)
    server_host = models.CharField(_("server"), max_length=255, blank=True, default="")
    golden_hash = models.CharField(max_length=64)
    figures = models.JSONField(_("figures"))
    trials = models.JSONField(_("briefs one by one"))
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    evaluated_at = models.DateTimeField(_("evaluated"))

    class Meta:
        verbose_name = _("evaluation of a prompt")
        verbose_name_plural = _("evaluations of prompts")
        ordering = ["-evaluated_at", "-pk"]
        indexes = [models.Index(fields=["prompt_name", "model", "-evaluated_at"], name="promptevaluation_latest")]

    def __str__(self) -> str:
        return f"{self.prompt_name} v{self.prompt_version} ({self.model})"
