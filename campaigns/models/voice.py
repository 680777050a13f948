"""How the shop speaks and what it promises: append-only revisions, the newest of which counts."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class BrandVoice(models.Model):
    """One revision of how the shop speaks; the highest number is the current one. Key: number.

    `texts` holds a dict per language ("en", "zh"), as `campaigns.content.voice.clean_voice_text` makes it: personality,
    do, dont, examples, banned, avoid, and the measurable limits of the tone. PostgreSQL refuses to change or delete a
    revision; to restore one is to save it again under a new number.
    """

    number = models.PositiveIntegerField(_("version"), unique=True)
    texts = models.JSONField(_("texts"), default=dict)
    note = models.CharField(_("what changed"), max_length=300, blank=True, default="")
    restored_from = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    saved_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    saved_at = models.DateTimeField()

    class Meta:
        verbose_name = _("brand voice")
        verbose_name_plural = _("brand voices")
        ordering = ["-number"]

    def __str__(self) -> str:
        return f"v{self.number}"


class ShopPolicies(models.Model):
    """One revision of what the shop promises to everybody: a list of sentences per language. Key: number.

    Append-only like BrandVoice. A text may claim what stands here; a message whose claim has gone from here is skipped.
    """

    number = models.PositiveIntegerField(_("version"), unique=True)
    texts = models.JSONField(_("texts"), default=dict)
    note = models.CharField(_("what changed"), max_length=300, blank=True, default="")
    saved_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    saved_at = models.DateTimeField()

    class Meta:
        verbose_name = _("shop policies")
        verbose_name_plural = _("shop policies")
        ordering = ["-number"]

    def __str__(self) -> str:
        return f"v{self.number}"
