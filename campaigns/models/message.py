"""The outbox: one row per person and campaign step. The row, not the task, is the promise."""

from __future__ import annotations

from typing import ClassVar, Final

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce, Now
from django.utils.translation import gettext_lazy as _

from customers.models import Channel, Customer, KeptOnErasure, OnMerge

from .campaign import Campaign
from .text_share import TextShare
from .variant import Variant

#: From when on a message may leave; one without a time comes first. The queue's index is by it.
DUE_FROM = Coalesce("not_before", models.Func(template="'-infinity'::timestamptz"), output_field=models.DateTimeField())
DUE_FROM_SQL = "coalesce(not_before, '-infinity'::timestamptz)"


class MessageStatus(models.TextChoices):
    QUEUED = "queued", _("waiting")
    CLAIMED = "claimed", _("taken by a worker")
    SENDING = "sending", _("on its way")
    RETRY_WAIT = "retry_wait", _("will be tried again")
    ACCEPTED = "accepted", _("accepted by the mail server")
    DELIVERED = "delivered", _("delivered")
    BOUNCED = "bounced", _("came back")
    COMPLAINED = "complained", _("reported as spam")
    FAILED = "failed", _("refused for good")
    UNKNOWN = "unknown", _("not known whether it arrived")
    SKIPPED = "skipped", _("not sent")


#: Messages that wait in the outbox: no try of them is under way, and none has come to an end.
WAITING_STATUSES: Final = (MessageStatus.QUEUED, MessageStatus.CLAIMED, MessageStatus.RETRY_WAIT)


class SkipReason(models.TextChoices):
    NO_CONSENT = "no_consent", _("no consent")
    SUPPRESSED = "suppressed", _("suppressed")
    OPEN_COMPLAINT = "open_complaint", _("open complaint")
    VERY_UNHAPPY = "very_unhappy", _("very unhappy letter to support")
    CAPPED = "capped", _("had enough messages")
    CANCELLED = "cancelled", _("campaign cancelled")
    STALE_APPROVAL = "stale_approval", _("approval no longer valid")
    UNRENDERABLE = "unrenderable", _("could not be rendered")
    WINDOW_CLOSED = "window_closed", _("send window closed")
    TEST_ONLY = "test_only", _("only a test contact")
    NO_ADDRESS = "no_address", _("no address")
    OFFER_OVER = "offer_over", _("the offer is over")
    PRODUCT_CHANGED = "product_changed", _("a product in it is gone or costs something else")
    STOCK_CHANGED = "stock_changed", _("a stock figure in it is no longer true")
    DATE_PASSED = "date_passed", _("what it says of days is no longer true")
    NO_CHANNEL = "no_channel", _("prepared, not sent: nothing sends this channel yet")
    PAUSED = "paused", _("asked for a pause")
    TOPIC_OFF = "topic_off", _("does not want this topic")
    OBJECTED = "objected", _("objected to profiling since")
    COUNTRY_RULE = "country_rule", _("consent does not count in their country")
    POLICY_CHANGED = "policy_changed", _("a promise in it is no longer made by the shop")
    OFFER_CHANGED = "offer_changed", _("the offer is no longer the one that was approved")
    QUIET_HOURS = "quiet_hours", _("send window closed in their quiet hours")
    BAD_TIME_ZONE = "bad_time_zone", _("their time zone is none")
    POINT_CHANGED = "point_changed", _("a talking point that it rests on was taken back")
    GLOBAL_HOLDOUT = "global_holdout", _("held out of all promotions")
    LEFT_SEQUENCE = "left_sequence", _("left the sequence before it was sent")
    HAD_IT = "had_it", _("had it already, by an id that is theirs too")


class Message(models.Model):
    """One copy to one person. Key: (campaign, step, customer, entry).

    `slots` are the values that fill the approved text: render(variant, slots) is the body, for ever; `body_hash` is
    its SHA-256. `message_id` is derived from the row and the same on every try. Times are the database's.

    `route` is the door by which it last left. `in_doubt_since`: when a try began whose end nobody knows, at a provider that
    knows the message's key; until that is settled it may leave by this door alone. `opened_at` and `clicked_at` are the
    first times that a person did it. `entry` is the number of the person's `Entry`, 1 where they can enter only once. It
    leaves at `not_before` at the earliest and before `send_by`; where that is empty, inside the campaign's window. `text_share`
    says with which probability it got its text; empty: all texts of the archetype were equally likely.
    """

    # Without indexes of their own: message_key and message_customer begin with these, and each index costs every change.
    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="messages", db_index=False)
    step = models.PositiveSmallIntegerField(default=1, db_default=1)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="messages", db_index=False)
    entry = models.PositiveSmallIntegerField(default=1, db_default=1)
    variant = models.ForeignKey(Variant, on_delete=models.PROTECT, related_name="messages")
    text_share = models.ForeignKey(
        TextShare, on_delete=models.PROTECT, null=True, blank=True, related_name="messages", db_index=False
    )
    channel = models.CharField(max_length=20, choices=Channel, default=Channel.EMAIL, db_default="email")
    status = models.CharField(
        max_length=12, choices=MessageStatus, default=MessageStatus.QUEUED, db_default=MessageStatus.QUEUED.value
    )
    skip_reason = models.CharField(max_length=20, choices=SkipReason, blank=True, default="", db_default="")
    slots = models.JSONField(default=dict, db_default=models.Value({}, models.JSONField()))
    body_hash = models.CharField(max_length=64, blank=True, default="", db_default="")
    message_id = models.CharField(max_length=120, blank=True, default="", db_default="")
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0)
    claimed_by = models.CharField(max_length=80, blank=True, default="", db_default="")
    lease_until = models.DateTimeField(null=True, blank=True)
    not_before = models.DateTimeField(null=True, blank=True)
    send_by = models.DateTimeField(null=True, blank=True)
    response = models.CharField(max_length=300, blank=True, default="", db_default="")
    queued_at = models.DateTimeField(db_default=Now())
    sending_at = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)
    route = models.CharField(max_length=40, blank=True, default="", db_default="")
    in_doubt_since = models.DateTimeField(null=True, blank=True)
    opened_at = models.DateTimeField(null=True, blank=True)
    clicked_at = models.DateTimeField(null=True, blank=True)

    #: Its name out there and the links in it say whose it is.
    on_merge: ClassVar[OnMerge] = OnMerge.STAYS
    on_erasure = KeptOnErasure({"slots": {}, "body_hash": "", "response": ""})
    #: On its channel; what a page fills in, never stored.
    address: str = ""

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        constraints = [
            models.UniqueConstraint(fields=["campaign", "step", "customer", "entry"], name="message_key"),
            models.CheckConstraint(
                condition=Q(status="skipped", skip_reason__gt="") | (~Q(status="skipped") & Q(skip_reason="")),
                name="message_skip_has_reason",
            ),
        ]
        indexes = [
            # What waits for its hour lies behind what is due, so that a claim reads no row of a later hour.
            models.Index(
                F("campaign"), F("channel"), DUE_FROM, F("id"), condition=Q(status="queued"), name="message_queue"
            ),
            models.Index(
                fields=["lease_until"],
                condition=Q(status__in=["claimed", "sending", "retry_wait"]),
                name="message_leases",
            ),
            models.Index(fields=["customer", "-sending_at"], name="message_customer"),
            models.Index(fields=["campaign", "status"], name="message_campaign_status"),
            models.Index(fields=["in_doubt_since"], condition=Q(in_doubt_since__isnull=False), name="message_in_doubt"),
        ]

    def __str__(self) -> str:
        return f"{self.campaign_id}/{self.step}/{self.customer_id} {self.status}"


class DeliveryKind(models.TextChoices):
    ACCEPTED = "accepted", _("taken by the provider")
    DEFERRED = "deferred", _("delayed on the way")
    DELIVERED = "delivered", _("delivered")
    SOFT_BOUNCED = "soft_bounced", _("came back, may work another time")
    BOUNCED = "bounced", _("came back for good")
    COMPLAINED = "complained", _("reported as spam")
    UNSUBSCRIBED = "unsubscribed", _("unsubscribed")
    OPENED = "opened", _("opened")
    CLICKED = "clicked", _("clicked")
    MACHINE_OPENED = "machine_opened", _("opened by a machine")
    MACHINE_CLICKED = "machine_clicked", _("clicked by a machine")


class DeliveryEvent(models.Model):
    """What came back about a message. Key: (provider, provider_event_id), so that a copy changes nothing.

    `provider` is "mail" for what mail servers report, "rekindle" for what we see ourselves. `detail` is their words, without
    addresses; `link` the number of the link that was clicked.
    """

    provider = models.CharField(max_length=40)
    provider_event_id = models.CharField(max_length=160)
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="delivery_events")
    kind = models.CharField(max_length=20, choices=DeliveryKind)
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField(db_default=Now())
    detail = models.CharField(max_length=300, blank=True, default="", db_default="")
    link = models.PositiveSmallIntegerField(null=True, blank=True)

    on_erasure = KeptOnErasure({"detail": ""})

    class Meta:
        verbose_name = _("delivery event")
        verbose_name_plural = _("delivery events")
        constraints = [models.UniqueConstraint(fields=["provider", "provider_event_id"], name="deliveryevent_key")]
        indexes = [
            # Whether it was a person is judged half a minute later: what waits for that is asked for all the time.
            models.Index(
                fields=["received_at"], condition=Q(kind__in=["opened", "clicked"]), name="deliveryevent_people"
            ),
            models.Index(fields=["message"], condition=Q(kind="unsubscribed"), name="deliveryevent_left"),
        ]

    def __str__(self) -> str:
        return f"{self.provider}:{self.provider_event_id} {self.kind}"
