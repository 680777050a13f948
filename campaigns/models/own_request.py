"""A person asks for their data, or to be erased, and is asked by mail whether it was them."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from customers.models import Customer, OnMerge, PrivacyRequest

from .asked_mail import AskedMail, MailState


class OwnRequest(AskedMail):
    """The link by which a person does themselves what they asked for. Key: (customer, kind) while it waits; `key` in the link.

    The row is also the outbox of the mail that holds the link, which works once. A copy may be fetched `downloads` times more,
    for a while after `confirmed_at`, in the browser in which it was confirmed.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("to be confirmed")
        CONFIRMED = "confirmed", _("confirmed")
        OUTLIVED = "outlived", _("never confirmed")
        TAKEN_BACK = "taken_back", _("taken back")

    Mail = MailState

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="own_requests")
    request = models.ForeignKey(PrivacyRequest, on_delete=models.CASCADE, related_name="own_requests")
    kind = models.CharField(max_length=12, choices=PrivacyRequest.Kind)
    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    state = models.CharField(max_length=12, choices=State, default=State.WAITING, db_default="waiting")
    confirmed_at = models.DateTimeField(null=True, blank=True)
    downloads = models.PositiveSmallIntegerField(default=0, db_default=0)

    #: It asks at the address that the row had.
    on_merge: ClassVar[OnMerge] = OnMerge.STAYS

    class Meta(AskedMail.Meta):
        verbose_name = _("a person's own request")
        verbose_name_plural = _("people's own requests")
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "kind"], condition=Q(state="waiting"), name="ownrequest_one_waiting"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.state}"
