"""What things cost the shop, and how long people worked: what a person says of it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from .campaign import EMPTY_OBJECT, Campaign


def _money(label: Any, places: int = 2) -> Any:
    return models.DecimalField(
        label, max_digits=12, decimal_places=places, null=True, blank=True, validators=[MinValueValidator(0)]
    )


class CostRates(models.Model):
    """The shop's prices as somebody saved them; the newest number counts, for past campaigns too. Key: number; append-only.

    Money is in the shop's currency; what is empty is not known, which is not nothing. `message_prices` is by channel, or by
    channel and the provider that it left by: {"email": "0.0004", "email/postmark": "0.001"}. `model_exchange` is what one unit
    of the model's currency is worth.
    """

    number = models.PositiveIntegerField(unique=True)
    margin_share = models.DecimalField(
        _("margin"), max_digits=5, decimal_places=4, null=True, blank=True,
        validators=[MinValueValidator(Decimal(0)), MaxValueValidator(Decimal(1))],
    )  # fmt: skip
    staff_hour = _money(_("an hour of work"))
    delivery = _money(_("delivery of one order"))
    model_exchange = _money(_("one unit of the model's currency"), 6)
    message_prices = models.JSONField(_("one message"), default=dict, db_default=EMPTY_OBJECT)
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    changed_at = models.DateTimeField()

    class Meta:
        verbose_name = _("prices of the shop")
        verbose_name_plural = _("prices of the shop")
        ordering = ["-number"]
        constraints = [
            models.CheckConstraint(
                condition=Q(margin_share=None) | Q(margin_share__gte=0, margin_share__lte=1),
                name="costrates_margin_range",
            )
        ]

    def __str__(self) -> str:
        return f"{self.number}"


class StaffTime(models.Model):
    """How long people worked on a campaign, where a person knows it better than the audit trail. Key: campaign."""

    campaign = models.OneToOneField(Campaign, on_delete=models.CASCADE, related_name="staff_time")
    minutes = models.PositiveIntegerField(_("minutes"), validators=[MaxValueValidator(100_000)])
    entered_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    entered_at = models.DateTimeField()

    class Meta:
        verbose_name = _("time of work")
        verbose_name_plural = _("times of work")

    def __str__(self) -> str:
        return f"{self.campaign_id}: {self.minutes} min"
