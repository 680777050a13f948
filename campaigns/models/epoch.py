"""The instance epoch: the database's half of what has to match outside it before anything is sent."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from .campaign import EMPTY_LIST, EMPTY_OBJECT


class FenceCause(models.TextChoices):
    """Why sending is off until a person confirms."""

    MOVED = "moved", _("this is another database than the one that last sent: a restored backup, or a copy")
    BEHIND = "behind", _("the database has gone back to an earlier state: a restored backup")
    STRANGER = "stranger", _("what is kept outside the database belongs to another state of it")
    COPIED = "copied", _("what is kept outside the database is a copy: it was restored, or moved to another disk")
    NO_WITNESS = "no_witness", _("what is kept outside the database is gone, so that nobody can tell a restored backup")


class SendingEpoch(models.Model):
    """A stretch of time in which this database was known to be the newest. Key: number; the highest is in force.

    `epoch` is kept outside too (`campaigns.delivery.fence`), with how often it `moved` on. `place` names the cluster and the
    database. `superseded` are epochs that were found outside when a person confirmed and that count no longer. Once
    `fenced_at` is set nothing leaves until a person begins the next epoch; `found` is what was seen then.
    """

    number = models.PositiveIntegerField(unique=True)
    epoch = models.CharField(max_length=32, unique=True)
    moved = models.BigIntegerField(default=0)
    place = models.CharField(max_length=80, blank=True, default="")
    superseded = models.JSONField(default=list, db_default=EMPTY_LIST)
    began_at = models.DateTimeField(db_default=models.functions.Now())
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    note = models.CharField(_("why"), max_length=500, blank=True, default="")
    fenced_at = models.DateTimeField(null=True, blank=True)
    cause = models.CharField(max_length=12, choices=FenceCause, blank=True, default="")
    found = models.JSONField(default=dict, db_default=EMPTY_OBJECT)

    class Meta:
        verbose_name = _("sending epoch")
        verbose_name_plural = _("sending epochs")
        ordering = ["-number"]
        permissions = [("confirm_sending", "Can let sending begin again after a backup was restored")]
        constraints = [
            models.CheckConstraint(
                condition=Q(fenced_at__isnull=True, cause="") | Q(fenced_at__isnull=False, cause__gt=""),
                name="sendingepoch_fence_has_cause",
            )
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.epoch[:8]} {self.cause}".strip()
