"""Keys with which integrations use the REST API. Only a hash is kept."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class ApiKey(models.Model):
    """A key that acts as `user`. `prefix` finds the row, `key_hash` (SHA-256 of the whole key) proves it.

    `scopes` (of `customers.api.scopes`) narrow what it may do to a part of what the person may; none is all of it.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(_("name"), max_length=80)
    prefix = models.CharField(_("prefix"), max_length=12, unique=True)
    key_hash = models.CharField(max_length=64)
    scopes = models.JSONField(_("may"), default=list, blank=True, db_default=models.Value([], models.JSONField()))
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


#: How long the answer to a request is kept, so that the same request gets it again.
KEPT_FOR = dt.timedelta(hours=24)


class KeptAnswerQuerySet(models.QuerySet["KeptAnswer"]):
    def outlived(self, now: dt.datetime) -> KeptAnswerQuerySet:
        """Answers that nobody may ask for any more."""
        return self.filter(begun_at__lt=now - KEPT_FOR)


class KeptAnswer(models.Model):
    """The answer to a POST that bore an Idempotency-Key. Key: (actor, key); forgotten after a day.

    `actor` is the hash of who asked, `request_hash` of what; without a `status` it is still being worked on, until `lease_until`.
    """

    actor = models.CharField(max_length=64)
    key = models.CharField(max_length=255)
    request_hash = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    body = models.TextField(blank=True, default="", db_default="")
    begun_at = models.DateTimeField(db_default=models.functions.Now())
    lease_until = models.DateTimeField()

    objects = KeptAnswerQuerySet.as_manager()

    class Meta:
        verbose_name = _("kept answer")
        verbose_name_plural = _("kept answers")
        constraints = [models.UniqueConstraint(fields=["actor", "key"], name="keptanswer_key")]
        indexes = [models.Index(fields=["begun_at"], name="keptanswer_begun")]

    def __str__(self) -> str:
        return f"{self.key} {self.status or '…'}"
