"""At which hour a customer tends to read, and what is known of all."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from .customer import Customer
from .personal import OnMerge


class ReadingHour(models.Model):
    """A customer's hour by their own clock, as of a date. Key: customer. Written by `features.hours.refresh` alone.

    `hour` is null where too little is known. `share` is how much of what they read falls into it and its two neighbours, as
    estimated; `opens` and `weak` are the hours of the calendar with an open or click, and with a visit or an order.
    """

    customer = models.OneToOneField(Customer, on_delete=models.CASCADE, primary_key=True, related_name="reading_hour")
    hour = models.PositiveSmallIntegerField(_("reads at"), null=True)
    share = models.FloatField()
    opens = models.PositiveIntegerField(_("opens and clicks"))
    weak = models.PositiveIntegerField(_("visits and orders"))
    as_of = models.DateTimeField()

    on_merge: ClassVar[OnMerge] = OnMerge.WORKED_OUT

    class Meta:
        verbose_name = _("reading hour")
        verbose_name_plural = _("reading hours")
        constraints = [
            models.CheckConstraint(condition=Q(hour__isnull=True) | Q(hour__lte=23), name="readinghour_range")
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.hour}"


class ReadingPattern(models.Model):
    """The hours of the whole shop as of a date: the prior of every customer's. Key: as_of.

    `shares` are of the 24 hours; `best_hour` is null without any sign; `zone_hours` are those of the
    time zones of which enough is known. `backtest` holds the fields of
    `features.hours.backtest.HourBacktest`, or nothing where nothing could be held back.
    """

    as_of = models.DateTimeField(unique=True)
    shares = models.JSONField()
    concentration = models.FloatField()
    best_hour = models.PositiveSmallIntegerField(null=True)
    zone_hours = models.JSONField(default=dict, blank=True)
    people = models.PositiveIntegerField()
    backtest = models.JSONField(default=dict, blank=True)

    class Meta:
        verbose_name = _("reading pattern")
        verbose_name_plural = _("reading patterns")
        ordering = ["-as_of"]

    def __str__(self) -> str:
        return f"{self.as_of:%Y-%m-%d} {self.best_hour}"
