"""What DNS said of the shop's sending domain, and the decision of an admin to send all the same."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class DomainCheck(models.Model):
    """One thing that was looked up about a domain. Key: (domain, kind, checked_at); the rows of one moment are one check.

    `code` says what was found ("" where all is well); `details` holds what stands in DNS and what should.
    """

    class Kind(models.TextChoices):
        ALIGNMENT = "alignment", _("DMARC alignment")
        DMARC = "dmarc", "DMARC"
        SPF = "spf", "SPF"
        DKIM = "dkim", "DKIM"
        MX = "mx", "MX"
        ONE_CLICK = "one_click", _("One-click unsubscribe")
        REVERSE = "reverse", _("Reverse DNS")

    class Verdict(models.TextChoices):
        OK = "ok", _("in order")
        WARN = "warn", _("should be better")
        FAIL = "fail", _("must be mended")
        UNKNOWN = "unknown", _("could not be told")

    domain = models.CharField(max_length=253)
    kind = models.CharField(max_length=12, choices=Kind)
    verdict = models.CharField(max_length=8, choices=Verdict)
    code = models.CharField(max_length=32, blank=True, default="")
    details = models.JSONField(default=dict)
    checked_at = models.DateTimeField()

    class Meta:
        verbose_name = _("check of the domain")
        verbose_name_plural = _("checks of the domain")
        constraints = [models.UniqueConstraint(fields=["domain", "kind", "checked_at"], name="domaincheck_key")]
        indexes = [models.Index(fields=["domain", "-checked_at"], name="domaincheck_newest")]

    def __str__(self) -> str:
        return f"{self.domain} {self.kind} {self.verdict}"


class DomainOverride(models.Model):
    """An admin lets mail leave although alignment fails, for a reason. Key: domain while it is in force."""

    domain = models.CharField(max_length=253)
    reason = models.CharField(_("reason"), max_length=500)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("override of the domain check")
        verbose_name_plural = _("overrides of the domain check")
        constraints = [
            models.UniqueConstraint(fields=["domain"], condition=Q(ended_at__isnull=True), name="domainoverride_one")
        ]

    def __str__(self) -> str:
        return f"{self.domain}: {self.reason}"
