"""Somebody asked to be written to, and is asked by mail whether it was them: double opt-in."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from customers.models import Channel, Customer, OnMerge


class OptInRequest(models.Model):
    """One wish to be written to at an address, until it is confirmed from there. Key: (customer, channel) while it waits.

    The row is also the outbox of the mail that asks: `mail` says how far the newest one is, `mails` how many were asked for,
    `attempts` how often the newest was tried. A mail that may have left is never sent again by itself.
    `wording` is what the person agreed to, as it was shown. Network addresses are kept only where the shop keeps them.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("to be confirmed")
        CONFIRMED = "confirmed", _("confirmed")
        OUTLIVED = "outlived", _("never confirmed")

    class Mail(models.TextChoices):
        QUEUED = "queued", _("waiting")
        SENDING = "sending", _("on its way")
        SENT = "sent", _("accepted by the mail server")
        FAILED = "failed", _("refused for good")
        UNKNOWN = "unknown", _("not known whether it arrived")

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="opt_in_requests")
    channel = models.CharField(max_length=20, choices=Channel, default=Channel.EMAIL, db_default="email")
    address_hash = models.CharField(max_length=64)
    state = models.CharField(max_length=12, choices=State, default=State.WAITING, db_default="waiting")
    source = models.CharField(max_length=80)
    wording = models.TextField(max_length=2000, blank=True, default="")
    language = models.CharField(max_length=12, blank=True, default="")
    asked_at = models.DateTimeField()
    asked_from = models.CharField(max_length=45, blank=True, default="")
    expires_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True, blank=True)
    mail = models.CharField(max_length=12, choices=Mail, default=Mail.QUEUED, db_default="queued")
    mails = models.PositiveSmallIntegerField(default=1, db_default=1)
    mail_asked_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0)
    not_before = models.DateTimeField(null=True, blank=True)
    sending_at = models.DateTimeField(null=True, blank=True)
    response = models.CharField(max_length=300, blank=True, default="", db_default="")
    created_at = models.DateTimeField(db_default=Now())

    #: It asks about the address that the row had.
    on_merge: ClassVar[OnMerge] = OnMerge.STAYS

    class Meta:
        verbose_name = _("request to confirm")
        verbose_name_plural = _("requests to confirm")
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "channel"], condition=Q(state="waiting"), name="optinrequest_one_waiting"
            )
        ]
        indexes = [
            models.Index(
                fields=["id"],
                condition=Q(state="waiting", mail__in=["queued", "sending"]),
                name="optinrequest_mail_queue",
            ),
            models.Index(fields=["expires_at"], condition=Q(state="waiting"), name="optinrequest_expiry"),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.state}"
