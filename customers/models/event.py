"""The append-only log of what customers did, partitioned by month."""

from __future__ import annotations

import datetime as dt

from django.db import connection, models
from django.db.backends.utils import CursorWrapper
from django.utils.translation import gettext_lazy as _

from .customer import Customer


class EventKind(models.TextChoices):
    PRODUCT_VIEWED = "product_viewed", _("viewed a product")
    SEARCH_PERFORMED = "search_performed", _("searched")
    CART_UPDATED = "cart_updated", _("changed the cart")
    REVIEW_WRITTEN = "review_written", _("wrote a review")
    EMAIL_SENT = "email_sent", _("was sent an e-mail")
    EMAIL_OPENED = "email_opened", _("opened an e-mail")
    EMAIL_CLICKED = "email_clicked", _("clicked in an e-mail")
    EMAIL_BOUNCED = "email_bounced", _("e-mail came back")
    EMAIL_COMPLAINED = "email_complained", _("reported an e-mail as spam")
    EMAIL_UNSUBSCRIBED = "email_unsubscribed", _("unsubscribed")
    MESSAGE_SENT = "message_sent", _("was sent a message")
    MESSAGE_CLICKED = "message_clicked", _("followed a link in a message")
    MESSAGE_BOUNCED = "message_bounced", _("message could not be delivered")
    MESSAGE_COMPLAINED = "message_complained", _("complained about a message")
    MESSAGE_UNSUBSCRIBED = "message_unsubscribed", _("wants no more messages")
    TICKET_OPENED = "ticket_opened", _("asked support")
    TICKET_CLOSED = "ticket_closed", _("support answered")
    COMPLAINT_OPENED = "complaint_opened", _("complained")
    COMPLAINT_CLOSED = "complaint_closed", _("complaint solved")
    PAGE_VIEWED = "page_viewed", _("viewed a page")
    #: Whatever else a shop tells of; its own name for it is in the properties, as `name`.
    CUSTOM = "custom", _("did something else")


#: Kinds that a time line is narrowed to where most of it is something else; each has an index of its own.
MESSAGE_KINDS = [kind.value for kind in EventKind if kind.startswith(("email_", "message_"))]
SUPPORT_KINDS = [kind.value for kind in EventKind if kind.startswith(("ticket_", "complaint_"))]


class CustomerEvent(models.Model):
    """One thing a customer did. Key: (source, external_id, occurred_at).

    The table is partitioned by month of `occurred_at`, so that retention drops a partition. It is written only by
    `customers.ingest.recorder.record_events`. `came_as`: the merged identity that it was told of, where it was one.
    """

    pk = models.CompositePrimaryKey("source", "external_id", "occurred_at")
    source = models.CharField(max_length=40)
    external_id = models.CharField(max_length=160)
    occurred_at = models.DateTimeField()
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="events", db_index=False)
    kind = models.CharField(max_length=40, choices=EventKind)
    properties = models.JSONField(default=dict, blank=True)
    recorded_at = models.DateTimeField(db_default=models.functions.Now())
    came_as = models.BigIntegerField(null=True, blank=True)

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        indexes = [
            models.Index(fields=["customer", "occurred_at"], name="event_customer_time"),
            models.Index(fields=["kind", "occurred_at"], name="event_kind_time"),
            # Asked before each send: without it, a shop that was filled a minute ago reads everybody's complaints.
            models.Index(
                fields=["customer", "occurred_at"],
                condition=models.Q(kind__in=["complaint_opened", "complaint_closed"]),
                name="event_complaints",
            ),
            models.Index(
                fields=["customer", "occurred_at"], condition=models.Q(kind__in=MESSAGE_KINDS), name="event_messages"
            ),
            models.Index(
                fields=["customer", "occurred_at"], condition=models.Q(kind__in=SUPPORT_KINDS), name="event_support"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.source}:{self.external_id}"


class HeldEvent(models.Model):
    """An event of a visitor whom nobody knows yet. Key: (source, external_id, occurred_at), as that of an event.

    Once the visitor is known (`customers.ingest.identity`), it goes into the log; after HELD_EVENT_DAYS it is forgotten.
    """

    source = models.CharField(max_length=40)
    external_id = models.CharField(max_length=160)
    occurred_at = models.DateTimeField()
    visitor = models.CharField(max_length=120)
    kind = models.CharField(max_length=40, choices=EventKind)
    properties = models.JSONField(default=dict, blank=True, db_default=models.Value({}, models.JSONField()))
    received_at = models.DateTimeField(db_default=models.functions.Now())

    class Meta:
        verbose_name = _("event of an unknown visitor")
        verbose_name_plural = _("events of unknown visitors")
        constraints = [
            models.UniqueConstraint(fields=["source", "external_id", "occurred_at"], name="heldevent_key"),
        ]
        indexes = [
            models.Index(fields=["source", "visitor"], name="heldevent_visitor"),
            models.Index(fields=["received_at"], name="heldevent_received"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.source}:{self.external_id}"


def ensure_event_partitions(first: dt.date, last: dt.date) -> None:
    """Make the monthly partitions that cover `first` to `last`. Running it again changes nothing.

    Safe under concurrency: an advisory lock of the transaction serialises the makers. Raises ValueError outside
    1990 to 2100, which is always a broken date and never an event.
    """
    if first > last or first.year < 1990 or last.year > 2100:
        raise ValueError(f"events from {first} to {last} are outside 1990 to 2100")
    months = _months(first, last)
    with connection.cursor() as cursor:
        if months <= _present_months(cursor):  # the usual case takes no lock
            return
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('customers_customerevent_partitions'))")
        for month in sorted(months - _present_months(cursor)):
            following = (month.replace(day=28) + dt.timedelta(days=4)).replace(day=1)
            cursor.execute(
                f"CREATE TABLE customers_customerevent_{month:%Y_%m} PARTITION OF customers_customerevent"
                f" FOR VALUES FROM ('{month:%Y-%m-%d}T00:00:00Z') TO ('{following:%Y-%m-%d}T00:00:00Z')"
            )


def _months(first: dt.date, last: dt.date) -> set[dt.date]:
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    numbers = range(first.month - 1, first.month - 1 + count)
    return {dt.date(first.year + number // 12, number % 12 + 1, 1) for number in numbers}


def _present_months(cursor: CursorWrapper) -> set[dt.date]:
    cursor.execute(
        "SELECT substring(c.relname from '([0-9]{4}_[0-9]{2})$') FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
        " WHERE i.inhparent = 'customers_customerevent'::regclass"
    )
    return {dt.date(int(name[:4]), int(name[5:]), 1) for (name,) in cursor.fetchall() if name}
