"""What came in and what was refused, by day: so that nobody has to ask whether something was lost."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Entrance(models.TextChoices):
    API = "api", _("API")
    BATCH = "batch", _("mixed request")
    TRACKING = "tracking", _("Segment's clients")
    IMPORT = "import", _("file")
    SHOP = "shop", _("connected shop")


class IntakeDay(models.Model):
    """How many items came by one entrance for one source on one day (UTC). Key: (on, entrance, source)."""

    on = models.DateField()
    entrance = models.CharField(max_length=12, choices=Entrance)
    source = models.CharField(max_length=40)
    accepted = models.BigIntegerField(default=0, db_default=0)
    refused = models.BigIntegerField(default=0, db_default=0)
    last_at = models.DateTimeField()

    class Meta:
        verbose_name = _("day of intake")
        verbose_name_plural = _("days of intake")
        constraints = [models.UniqueConstraint(fields=["on", "entrance", "source"], name="intakeday_key")]

    def __str__(self) -> str:
        return f"{self.on} {self.entrance} {self.source}"


class RefusedItem(models.Model):
    """Items refused for one reason on one day (UTC). Key: (on, entrance, source, kind, field, reason).

    `examples` are up to three, each {"at", "key"}: when, and the shop's own id of the item where that names nobody.
    """

    on = models.DateField()
    entrance = models.CharField(max_length=12, choices=Entrance)
    source = models.CharField(max_length=40)
    kind = models.CharField(max_length=20, blank=True, default="", db_default="")
    field = models.CharField(max_length=120, blank=True, default="", db_default="")
    reason = models.CharField(max_length=60)
    message = models.CharField(max_length=300, blank=True, default="", db_default="")
    count = models.BigIntegerField(default=0, db_default=0)
    examples = models.JSONField(default=list)

    class Meta:
        verbose_name = _("refused items")
        verbose_name_plural = _("refused items")
        constraints = [
            models.UniqueConstraint(
                fields=["on", "entrance", "source", "kind", "field", "reason"], name="refuseditem_key"
            )
        ]

    def __str__(self) -> str:
        return f"{self.on} {self.source} {self.kind} {self.reason} {self.count}"
