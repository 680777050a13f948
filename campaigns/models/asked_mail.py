"""Mails that a person waits for, of no campaign: the columns by which a row is the outbox of its own mail."""

from __future__ import annotations

import datetime as dt

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class MailState(models.TextChoices):
    """How far the newest mail of a row is. What may have left is never sent again by itself."""

    QUEUED = "queued", _("waiting")
    SENDING = "sending", _("on its way")
    SENT = "sent", _("accepted by the mail server")
    FAILED = "failed", _("refused for good")
    UNKNOWN = "unknown", _("not known whether it arrived")


class AskedMail(models.Model):
    """A row whose link goes to the address that its customer had, as `address_hash` says, until `expires_at`.

    `mail` says how far the newest mail is, `mails` how many were asked for, `attempts` how often the newest was tried.
    """

    #: In `state`, of a row whose mail may leave.
    WAITS = "waiting"

    address_hash = models.CharField(max_length=64)
    language = models.CharField(max_length=12, blank=True, default="")
    asked_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    mail = models.CharField(max_length=12, choices=MailState, default=MailState.QUEUED, db_default="queued")
    mails = models.PositiveSmallIntegerField(default=1, db_default=1)
    mail_asked_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0)
    not_before = models.DateTimeField(null=True, blank=True)
    sending_at = models.DateTimeField(null=True, blank=True)
    response = models.CharField(max_length=300, blank=True, default="", db_default="")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        abstract = True
        indexes = (
            models.Index(
                fields=["id"],
                condition=models.Q(state="waiting", mail__in=["queued", "sending"]),
                name="%(class)s_mail_queue",
            ),
            models.Index(fields=["expires_at"], condition=models.Q(state="waiting"), name="%(class)s_expiry"),
        )

    def queue_again(self, now: dt.datetime, *, expires_at: dt.datetime | None = None) -> None:
        """The same link once more; it ends as before, or at `expires_at`."""
        type(self)._default_manager.filter(pk=self.pk).update(
            mail=MailState.QUEUED, mails=models.F("mails") + 1, attempts=0, not_before=None, mail_asked_at=now,
            expires_at=expires_at or models.F("expires_at"),
        )  # fmt: skip
