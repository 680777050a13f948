"""What customers are interested in: worked out from what they do, and read by a language model in what they wrote."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from .customer import Customer
from .event import EventKind
from .personal import OnMerge

_NO_LIST = models.Value([], models.JSONField())


class InterestProfile(models.Model):
    """What a customer is interested in as of a date. Key: customer. Written by `features.interests.profiles` alone.

    - `categories`: [{category, share, ordered, carts, searched, viewed, price_level, price_band}], the strongest first;
      shares are 0 to 1.
    - `brands`: [{brand, share, ordered, carts, searched, viewed}], the strongest first; empty where products carry none.
    - `price_level`: where what they buy stands within its category, 0 the cheapest to 1 the dearest; null where too
      little was bought. `price_band`: low, mid, high or "".
    - `searches`: [{query, category, times, last_at}] that no purchase followed.
    - `viewed`: [{product_id, times, last_at}] that were looked at and not bought.
    - `topics`: [{topic, times}] that a language model read in what they wrote.
    """

    customer = models.OneToOneField(Customer, on_delete=models.CASCADE, primary_key=True, related_name="interests")
    as_of = models.DateTimeField()
    categories = models.JSONField(default=list, db_default=_NO_LIST)
    brands = models.JSONField(default=list, db_default=_NO_LIST)
    price_level = models.FloatField(null=True)
    price_band = models.CharField(max_length=4, blank=True, default="", db_default="")
    price_lines = models.PositiveIntegerField(default=0, db_default=0)
    searches = models.JSONField(default=list, db_default=_NO_LIST)
    viewed = models.JSONField(default=list, db_default=_NO_LIST)
    topics = models.JSONField(default=list, db_default=_NO_LIST)

    on_merge: ClassVar[OnMerge] = OnMerge.WORKED_OUT

    class Meta:
        verbose_name = _("interests")
        verbose_name_plural = _("interests")
        constraints = [
            models.CheckConstraint(
                condition=Q(price_level__isnull=True) | Q(price_level__gte=0, price_level__lte=1),
                name="interestprofile_level_range",
            )
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.as_of:%Y-%m-%d}"


class ReadingStatus(models.TextChoices):
    WAITING = "waiting", _("waiting")
    READING = "reading", _("being read")
    READ = "read", _("read")
    FAILED = "failed", _("could not be read")


class TextReadingQuerySet(models.QuerySet["TextReading"]):
    def waiting(self, now: dt.datetime) -> TextReadingQuerySet:
        """Those that a worker may read now: new ones, those to try again, and those whose worker died."""
        due = Q(status=ReadingStatus.WAITING) & (Q(not_before__isnull=True) | Q(not_before__lte=now))
        return self.filter(due | Q(status=ReadingStatus.READING, lease_until__lt=now))


class TextReading(models.Model):
    """What a language model read in one text. Key: (text_hash, prompt_version, model): a text is never read twice.

    The row is the queue. It holds no text: it points to the event in which the text was first found, and once that is
    gone it stays unread. `topics` is [{topic, confidence}] of the vocabulary in `features.interests.vocabulary`; an
    erased customer's readings go with them.
    """

    text_hash = models.CharField(max_length=64)
    prompt_version = models.CharField(max_length=40)
    model = models.CharField(max_length=200)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=40, choices=EventKind)
    event_source = models.CharField(max_length=40)
    event_external_id = models.CharField(max_length=160)
    occurred_at = models.DateTimeField()
    status = models.CharField(max_length=8, choices=ReadingStatus, default=ReadingStatus.WAITING, db_default="waiting")
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0)
    not_before = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    error = models.CharField(max_length=500, blank=True, default="", db_default="")
    topics = models.JSONField(default=list, db_default=_NO_LIST)
    sentiment = models.CharField(max_length=10, blank=True, default="", db_default="")
    sentiment_confidence = models.CharField(max_length=6, blank=True, default="", db_default="")
    model_label = models.CharField(max_length=200, blank=True, default="", db_default="")
    llm_request_id = models.UUIDField(null=True)
    read_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    objects = TextReadingQuerySet.as_manager()

    class Meta:
        verbose_name = _("reading of a text")
        verbose_name_plural = _("readings of texts")
        constraints = [
            models.UniqueConstraint(fields=["text_hash", "prompt_version", "model"], name="textreading_key"),
        ]
        indexes = [
            models.Index(
                fields=["attempts", "id"], name="textreading_queue", condition=Q(status__in=["waiting", "reading"])
            ),
        ]

    def __str__(self) -> str:
        return f"{self.text_hash[:12]} {self.status}"


class TextReadingSwitch(models.Model):
    """Somebody let the language model read what customers write, or stopped it. Append-only; the newest row counts."""

    is_on = models.BooleanField()
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    changed_at = models.DateTimeField()

    class Meta:
        verbose_name = _("switch of text reading")
        verbose_name_plural = _("switches of text reading")

    def __str__(self) -> str:
        return f"{self.changed_at:%Y-%m-%d} {self.is_on}"
