"""Somebody asked to be written to, and is asked by mail whether it was them: double opt-in."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from customers.models import Channel, Customer, OnMerge

from .asked_mail import AskedMail, MailState


class OptInRequest(AskedMail):
    """One wish to be written to at an address, until it is confirmed from there. Key: (customer, channel) while it waits.

    The row is also the outbox of the mail that asks. `wording` is what the person agreed to, as it was shown. Network
    addresses are kept only where the shop keeps them.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("to be confirmed")
        CONFIRMED = "confirmed", _("confirmed")
        OUTLIVED = "outlived", _("never confirmed")

    Mail = MailState

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="opt_in_requests")
    channel = models.CharField(max_length=20, choices=Channel, default=Channel.EMAIL, db_default="email")
    state = models.CharField(max_length=12, choices=State, default=State.WAITING, db_default="waiting")
    source = models.CharField(max_length=80)
    wording = models.TextField(max_length=2000, blank=True, default="")
    asked_from = models.CharField(max_length=45, blank=True, default="")
    confirmed_at = models.DateTimeField(null=True, blank=True)

    #: It asks about the address that the row had.
    on_merge: ClassVar[OnMerge] = OnMerge.STAYS

    class Meta(AskedMail.Meta):
        verbose_name = _("request to confirm")
        verbose_name_plural = _("requests to confirm")
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "channel"], condition=Q(state="waiting"), name="optinrequest_one_waiting"
            )
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.state}"
