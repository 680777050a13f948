"""What was said in a conversation."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from .ticket import Ticket

#: A line of a conversation in letters, and how many of them stand on a screen.
LINE_WIDTH = 72
SCREEN_LINES = 24


class Direction(models.TextChoices):
    IN = "in", _("from the customer")
    OUT = "out", _("to the customer")
    NOTE = "note", _("internal note")


class SendStatus(models.TextChoices):
    NONE = "", pgettext_lazy("answer", "not sent")
    SENDING = "sending", pgettext_lazy("answer", "being sent")
    SENT = "sent", pgettext_lazy("answer", "sent")
    FAILED = "failed", pgettext_lazy("answer", "could not be sent")
    UNKNOWN = "unknown", pgettext_lazy("answer", "may have been sent")


class TicketMessageQuerySet(models.QuerySet["TicketMessage"]):
    def newest_spoken(self) -> TicketMessageQuerySet:
        """What is no note, the last to reach us first. By pk: `written_at` is the sender's word, and messages come late."""
        return self.exclude(direction=Direction.NOTE).order_by("-pk")


class TicketMessage(models.Model):
    """One message or note of a ticket. Key: (ticket, external_id) where it came from outside.

    Text only: quoted parts are cut, nothing is rendered. `send_status` is of our own messages, committed before the
    network is touched.
    """

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="messages")
    external_id = models.CharField(max_length=200, blank=True, default="", db_default="")
    direction = models.CharField(max_length=4, choices=Direction)
    text = models.TextField()
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    written_at = models.DateTimeField()
    send_status = models.CharField(max_length=8, choices=SendStatus, blank=True, default="", db_default="")
    send_response = models.CharField(max_length=300, blank=True, default="", db_default="")

    objects = TicketMessageQuerySet.as_manager()

    class Meta:
        verbose_name = _("ticket message")
        verbose_name_plural = _("ticket messages")
        # As they reached us, ours among them: by the sender's clock a reply may stand before what it answers.
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["ticket", "external_id"], condition=~models.Q(external_id=""), name="ticketmessage_key"
            )
        ]
        indexes = [models.Index(fields=["ticket", "written_at"], name="ticketmessage_order")]

    def __str__(self) -> str:
        return f"{self.ticket_id} {self.direction} {self.pk}"

    @property
    def is_long(self) -> bool:
        """More lines than a screen has: pages fold it. Bytes, because a Chinese character is as wide as two letters."""
        return sum(1 + len(line.encode()) // LINE_WIDTH for line in self.text.splitlines()) > SCREEN_LINES
