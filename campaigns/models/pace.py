"""How fast messages may leave, and how many one person gets: settings that people change on the page Limits."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from customers.models import Channel

from .campaign import EMPTY_LIST


class PaceLimit(models.Model):
    """At most so many messages a minute and an hour. Key: (scope, name).

    Of the scope `route` the name is a channel: everything that leaves by its door. Of the scope `domain` it is what the shop
    calls a mailbox provider, and `domains` are the recipients' domains that belong to it; a domain belongs to one limit at most.
    """

    class Scope(models.TextChoices):
        ROUTE = "route", _("everything that leaves")
        DOMAIN = "domain", _("one mailbox provider")

    scope = models.CharField(max_length=8, choices=Scope)
    name = models.CharField(_("name"), max_length=60)
    domains = models.JSONField(_("domains"), default=list, db_default=EMPTY_LIST, blank=True)
    per_minute = models.PositiveIntegerField(_("a minute"), null=True, blank=True, validators=[MinValueValidator(1)])
    per_hour = models.PositiveIntegerField(_("an hour"), null=True, blank=True, validators=[MinValueValidator(1)])
    updated_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    updated_at = models.DateTimeField()

    class Meta:
        verbose_name = _("pace of sending")
        verbose_name_plural = _("paces of sending")
        ordering = ["-scope", "name"]
        constraints = [
            models.UniqueConstraint(fields=["scope", "name"], name="pacelimit_key"),
            models.CheckConstraint(
                condition=Q(per_minute__gte=1) | Q(per_hour__gte=1), name="pacelimit_limits_something"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.scope} {self.name}: {self.per_minute}/min, {self.per_hour}/h"


class PaceBucket(models.Model):
    """What is left of one limit, shared by all workers. Key: key, made by `campaigns.delivery.pace.meters`.

    `tokens` were there at `refilled_at`, by the database's clock; each message takes one before it may leave.
    """

    key = models.CharField(max_length=60, primary_key=True)
    tokens = models.FloatField()
    refilled_at = models.DateTimeField()

    class Meta:
        verbose_name = _("rest of a limit")
        verbose_name_plural = _("rests of limits")

    def __str__(self) -> str:
        return f"{self.key}: {self.tokens:.1f}"


class WarmUp(models.Model):
    """A new sender domain or provider begins with few messages a day. Key: domain while it is in force.

    On day n, counted from 0 in the shop's time zone: `first_day` x `factor`^n. It is over once that reaches `goal`.
    """

    domain = models.CharField(_("sender’s domain"), max_length=253)
    first_day = models.PositiveIntegerField(_("messages on the first day"), validators=[MinValueValidator(1)])
    factor = models.FloatField(_("times each day"), validators=[MinValueValidator(1.05), MaxValueValidator(5)])
    goal = models.PositiveIntegerField(_("until so many a day"), validators=[MinValueValidator(1)])
    started_on = models.DateField()
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("warm-up")
        verbose_name_plural = _("warm-ups")
        ordering = ["-started_on", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["domain"], condition=Q(ended_at__isnull=True), name="warmup_one"),
            models.CheckConstraint(
                condition=Q(first_day__gte=1, factor__gte=1.05, goal__gte=models.F("first_day")), name="warmup_range"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.domain}: {self.first_day} x {self.factor}^n up to {self.goal}"


class ContactCap(models.Model):
    """One person gets at most so many messages in so many days, by one channel or ("") by all together. Key: channel."""

    channel = models.CharField(_("channel"), max_length=20, choices=Channel, blank=True, default="", unique=True)
    messages = models.PositiveSmallIntegerField(
        _("messages"), validators=[MinValueValidator(1), MaxValueValidator(100)]
    )
    days = models.PositiveSmallIntegerField(_("days"), validators=[MinValueValidator(1), MaxValueValidator(365)])
    updated_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    updated_at = models.DateTimeField()

    class Meta:
        verbose_name = _("cap")
        verbose_name_plural = _("caps")
        ordering = ["channel"]
        constraints = [models.CheckConstraint(condition=Q(messages__gte=1, days__gte=1), name="contactcap_range")]

    def __str__(self) -> str:
        return f"{self.channel or '*'}: {self.messages} in {self.days} days"
