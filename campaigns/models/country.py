"""What the law of a country wants of a message, as this shop keeps it."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _


class CountryRule(models.Model):
    """The rules for customers of one country. Key: country (ISO 3166, two letters); "" is every country without a row.

    `names` are how the shop's data may call it, in small letters. A consent counts while its legal basis is allowed and no
    older than the months given for it (None: for ever), and while it was given or used, which is to say written to, within
    `unused_months`. With `needs_double_opt_in` a sign-up counts only once the person confirms it by mail. Nobody is written to
    in the quiet hours, by their own clock; text messages have stricter ones where they are given. Who changed what stands in
    the audit log.
    """

    country = models.CharField(_("country"), max_length=2, unique=True, blank=True)
    names = ArrayField(models.CharField(max_length=80), verbose_name=_("also called"), default=list, blank=True)
    needs_postal_address = models.BooleanField(_("postal address in every mail"), default=True)
    subject_prefix = models.CharField(_("before the subject"), max_length=20, blank=True, default="")
    accepts_existing_customers = models.BooleanField(_("having bought counts as consent"), default=True)
    consent_months = models.PositiveSmallIntegerField(
        _("a consent counts for, months"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(240)],
    )
    existing_months = models.PositiveSmallIntegerField(
        _("having bought counts for, months"), null=True, blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(240)],
    )  # fmt: skip
    unused_months = models.PositiveSmallIntegerField(
        _("it lapses unused after, months"), null=True, blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(240)],
    )  # fmt: skip
    needs_double_opt_in = models.BooleanField(_("new sign-ups confirm by mail"), default=False, db_default=False)
    quiet_from = models.TimeField(_("quiet from"), null=True, blank=True)
    quiet_until = models.TimeField(_("quiet until"), null=True, blank=True)
    sms_quiet_from = models.TimeField(_("text messages: quiet from"), null=True, blank=True)
    sms_quiet_until = models.TimeField(_("text messages: quiet until"), null=True, blank=True)
    note = models.CharField(_("why"), max_length=300, blank=True, default="")
    updated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("country rule")
        verbose_name_plural = _("country rules")
        ordering = ["country"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(quiet_from__isnull=True, quiet_until__isnull=True)
                | models.Q(quiet_from__isnull=False, quiet_until__isnull=False),
                name="countryrule_quiet_has_both_ends",
            ),
            models.CheckConstraint(
                condition=models.Q(sms_quiet_from__isnull=True, sms_quiet_until__isnull=True)
                | models.Q(sms_quiet_from__isnull=False, sms_quiet_until__isnull=False),
                name="countryrule_sms_quiet_has_both_ends",
            ),
        ]

    def __str__(self) -> str:
        return self.country or "*"
