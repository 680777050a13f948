"""Rules that say which customers are meant."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Segment(models.Model):
    """A named rule. `rule` is the tree that `customers.segments.rules` validates and the compiler turns into SQL."""

    name = models.CharField(_("name"), max_length=120, unique=True)
    description = models.CharField(_("description"), max_length=300, blank=True, default="")
    rule = models.JSONField(_("rule"), default=dict)
    number = models.PositiveIntegerField(_("revision"), default=1)
    is_archived = models.BooleanField(_("archived"), default=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("segment")
        verbose_name_plural = _("segments")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class SegmentRevision(models.Model):
    """The rule as it was saved. Key: (segment, number).

    `proposed_by` is the language model that proposed it, "" of a rule that a person wrote; `proposed_with` its prompt and
    version, `proposal_call` its call in the ledger, `is_proposal_changed` whether the person changed it before saving.
    """

    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="revisions")
    number = models.PositiveIntegerField()
    rule = models.JSONField()
    saved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    saved_at = models.DateTimeField()
    proposed_by = models.CharField(max_length=200, blank=True, default="", db_default="")
    proposed_with = models.CharField(max_length=80, blank=True, default="", db_default="")
    proposal_call = models.UUIDField(null=True, blank=True)
    is_proposal_changed = models.BooleanField(default=False, db_default=False)

    class Meta:
        verbose_name = _("segment revision")
        verbose_name_plural = _("segment revisions")
        constraints = [models.UniqueConstraint(fields=["segment", "number"], name="segmentrevision_key")]

    def __str__(self) -> str:
        return f"{self.segment_id} r{self.number}"
