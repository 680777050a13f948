"""Answers that are sent without a person: which categories may, what was sent, what people found of it, who wants none."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from customers.models import Customer, Topic
from customers.models.personal import OnMerge

from .answer import Answer
from .message import TicketMessage
from .ticket import Ticket


class AutomaticCategory(models.Model):
    """Whether questions about one topic are answered without a person. Key: topic. Off where there is no row.

    `notice_…` are the words that say so to the customer, as an administrator confirmed them; `least_sureness` is the line
    below which a person answers, `sample_share` the share that people look at afterwards.
    """

    topic = models.CharField(_("about"), max_length=16, choices=Topic, unique=True)
    is_on = models.BooleanField(_("answers by itself"), default=False, db_default=False)
    least_sureness = models.FloatField(
        _("least sureness"), default=0.8, validators=[MinValueValidator(0.5), MaxValueValidator(1.0)]
    )
    sample_share = models.FloatField(
        _("share that people check"), default=0.2, validators=[MinValueValidator(0.05), MaxValueValidator(1.0)]
    )
    most_per_hour = models.PositiveSmallIntegerField(
        _("at most in an hour"), default=20, validators=[MinValueValidator(1), MaxValueValidator(500)]
    )
    most_per_day = models.PositiveSmallIntegerField(
        _("at most in a day"), default=100, validators=[MinValueValidator(1), MaxValueValidator(5000)]
    )
    notice_en = models.TextField(_("notice, English"), max_length=600)
    notice_zh = models.TextField(_("notice, Chinese"), max_length=600)
    switched_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    switched_at = models.DateTimeField()

    class Meta:
        verbose_name = _("category that answers by itself")
        verbose_name_plural = _("categories that answer by themselves")
        permissions = [("switch_automatic", "Can switch categories that answer by themselves")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(least_sureness__gte=0.5, least_sureness__lte=1), name="automatic_least_sureness"
            ),
            models.CheckConstraint(
                condition=models.Q(sample_share__gte=0.05, sample_share__lte=1), name="automatic_sample_share"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.topic} {'on' if self.is_on else 'off'}"


class AutomaticStop(models.Model):
    """The switch that stops all automatic answers at once. The newest row counts; rows are only added."""

    is_stopped = models.BooleanField(default=True)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    changed_at = models.DateTimeField()

    class Meta:
        verbose_name = _("stop of automatic answers")
        verbose_name_plural = _("stops of automatic answers")

    def __str__(self) -> str:
        return "stopped" if self.is_stopped else "let go"


class AutomaticAnswer(models.Model):
    """An answer that went out without a person. Key: ticket: one, never a second; the row is the mark that it was sent.

    Written in the transaction that promises the message, before the network is touched. `is_sampled` was drawn by a
    stable hash; `verdict` is what a person found afterwards.
    """

    class Verdict(models.TextChoices):
        UNCHECKED = "", pgettext_lazy("automatic answer", "not checked")
        GOOD = "good", pgettext_lazy("automatic answer", "right and helpful")
        POOR = "poor", pgettext_lazy("automatic answer", "right, and no help")
        WRONG = "wrong", pgettext_lazy("automatic answer", "wrong")

    ticket = models.OneToOneField(Ticket, on_delete=models.CASCADE, related_name="automatic")
    answer = models.OneToOneField(Answer, on_delete=models.CASCADE, related_name="automatic")
    message = models.OneToOneField(TicketMessage, on_delete=models.CASCADE, related_name="automatic")
    topic = models.CharField(max_length=16, choices=Topic)
    sent_at = models.DateTimeField()
    is_sampled = models.BooleanField(default=False)
    verdict = models.CharField(max_length=6, choices=Verdict, blank=True, default="", db_default="")
    remark = models.CharField(max_length=300, blank=True, default="", db_default="")
    checked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    checked_at = models.DateTimeField(null=True, blank=True)
    answered_back_at = models.DateTimeField(null=True, blank=True)
    person_wanted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("automatic answer")
        verbose_name_plural = _("automatic answers")
        indexes = [
            models.Index(fields=["topic", "-sent_at"], name="automatic_rate"),
            models.Index(
                fields=["sent_at"], condition=models.Q(is_sampled=True, verdict=""), name="automatic_to_check"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.ticket_id} {self.topic} {self.verdict}"


class PeopleOnly(models.Model):
    """A customer who wants no automated answers. Key: customer. `noted_by` None: they said so themselves, by a link in a mail."""

    customer = models.OneToOneField(Customer, on_delete=models.CASCADE, related_name="people_only")
    asked_at = models.DateTimeField()
    noted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    on_merge: ClassVar[OnMerge] = OnMerge.UNLESS_THERE

    class Meta:
        verbose_name = _("wish for no automated answers")
        verbose_name_plural = _("wishes for no automated answers")

    def __str__(self) -> str:
        return str(self.customer_id)
