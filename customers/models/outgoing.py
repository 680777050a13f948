"""What we tell other systems: endpoints, what happened, and each delivery with its tries. The row is the queue."""

from __future__ import annotations

import uuid
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class OutgoingKind(models.TextChoices):
    """What may be told. Names as Standard Webhooks has them; docs/webhooks.md says what each holds."""

    CUSTOMER_CREATED = "customer.created", _("a customer is new")
    CUSTOMER_ERASED = "customer.erased", _("a customer was erased")
    CONSENT_CHANGED = "consent.changed", _("a consent was given or withdrawn")
    SEGMENT_ENTERED = "segment.entered", _("somebody entered a segment")
    SEGMENT_LEFT = "segment.left", _("somebody left a segment")
    SCORE_CHANGED = "score.changed", _("a risk changed by five points or more")
    IMPORT_FINISHED = "import.finished", _("an import is finished")
    CAMPAIGN_STATE_CHANGED = "campaign.state_changed", _("a campaign changed its state")
    MESSAGE_DELIVERED = "message.delivered", _("a message was delivered")
    MESSAGE_BOUNCED = "message.bounced", _("a message came back")
    MESSAGE_UNSUBSCRIBED = "message.unsubscribed", _("somebody unsubscribed")


#: Sent to one endpoint when somebody tries it; nobody subscribes to it.
TEST_KIND = "endpoint.test"


class OutgoingEndpoint(models.Model):
    """An address of another system, and what it wants to be told.

    No secret is kept: it follows from SECRET_KEY, `salt` and `secret_number`. While a secret is changed, until
    `previous_until`, each request bears two signatures.
    """

    class Status(models.TextChoices):
        ACTIVE = "active", _("active")
        DISABLED = "disabled", _("switched off")

    class Why(models.TextChoices):
        BY_HAND = "by_hand", _("switched off by a colleague")
        GONE = "gone", _("it answered 410: it is not there any more")
        FAILING = "failing", _("it took nothing for five days")

    url = models.URLField(_("address"), max_length=500)
    note = models.CharField(_("what for"), max_length=80, blank=True, default="")
    kinds = models.JSONField(_("events"), default=list)
    salt = models.UUIDField(default=uuid.uuid4, editable=False)
    secret_number = models.PositiveIntegerField(default=1)
    previous_until = models.DateTimeField(null=True, blank=True)
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.ACTIVE)
    disabled_at = models.DateTimeField(null=True, blank=True)
    disabled_why = models.CharField(max_length=10, choices=Why, blank=True, default="")
    told_at = models.DateTimeField(null=True, blank=True)
    failing_since = models.DateTimeField(null=True, blank=True)
    rests_until = models.DateTimeField(null=True, blank=True)
    last_success_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("web hook endpoint")
        verbose_name_plural = _("web hook endpoints")
        ordering = ["pk"]

    def __str__(self) -> str:
        """What it is for or, where nobody said, whose machine it is."""
        return self.note or urlsplit(self.url).hostname or self.url

    @property
    def is_active(self) -> bool:
        return self.status == self.Status.ACTIVE


class OutgoingEvent(models.Model):
    """Something that happened, for whoever subscribed to it when it did. Key: uid, which is the `webhook-id`.

    `data` is {"items": [...]}, up to 500 of them, with our ids only; triggers of PostgreSQL and `customers.outgoing.announcing`
    write the rows, in the transaction of what they tell. Without `fanned_at` its deliveries are still to be made.
    """

    uid = models.UUIDField(default=uuid.uuid4, db_default=RandomUUID(), unique=True, editable=False)
    kind = models.CharField(max_length=40)
    data = models.JSONField(default=dict)
    occurred_at = models.DateTimeField(db_default=Now())
    fanned_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("outgoing event")
        verbose_name_plural = _("outgoing events")
        indexes = [
            models.Index(fields=["id"], condition=models.Q(fanned_at=None), name="outgoingevent_to_fan_out"),
            models.Index(fields=["occurred_at"], name="outgoingevent_time"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.uid}"

    @property
    def name(self) -> str:
        """The `webhook-id`: the same on every try and at every endpoint."""
        return f"evt_{self.uid.hex}"


class OutgoingDelivery(models.Model):
    """One event for one endpoint. Key: (endpoint, event). The row is the queue: whoever holds it sends it."""

    class Status(models.TextChoices):
        WAITING = "waiting", _("waiting")
        DELIVERED = "delivered", _("delivered")
        FAILED = "failed", _("given up")
        DROPPED = "dropped", _("not sent any more")

    endpoint = models.ForeignKey(OutgoingEndpoint, on_delete=models.CASCADE, related_name="deliveries")
    event = models.ForeignKey(OutgoingEvent, on_delete=models.CASCADE, related_name="deliveries")
    status = models.CharField(max_length=10, choices=Status, default=Status.WAITING, db_default="waiting")
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0)
    next_try_at = models.DateTimeField()
    held_until = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("delivery of a web hook")
        verbose_name_plural = _("deliveries of web hooks")
        constraints = [models.UniqueConstraint(fields=["endpoint", "event"], name="outgoingdelivery_key")]
        indexes = [
            models.Index(
                fields=["endpoint", "next_try_at"], condition=models.Q(status="waiting"), name="outgoingdelivery_queue"
            ),
            models.Index(fields=["endpoint", "-id"], name="outgoingdelivery_log"),
        ]

    def __str__(self) -> str:
        return f"{self.endpoint_id} {self.event_id} {self.status}"


class OutgoingAttempt(models.Model):
    """One try of a delivery, and what came back. Key: (delivery, number)."""

    delivery = models.ForeignKey(OutgoingDelivery, on_delete=models.CASCADE, related_name="tries")
    number = models.PositiveSmallIntegerField()
    tried_at = models.DateTimeField()
    took_ms = models.PositiveIntegerField()
    code = models.PositiveSmallIntegerField(null=True, blank=True)
    answer = models.TextField(blank=True, default="")
    error = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        verbose_name = _("try of a web hook")
        verbose_name_plural = _("tries of web hooks")
        constraints = [models.UniqueConstraint(fields=["delivery", "number"], name="outgoingattempt_key")]

    def __str__(self) -> str:
        return f"{self.delivery_id}/{self.number} {self.code or self.error}"
