"""A campaign, its offer, and the history of its states."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from customers.models import Channel, Segment

#: What a campaign is about unless somebody says otherwise; `campaigns.audience.topics` lists them all.
DEFAULT_TOPIC = "promotions"

#: Between 1 (gives way to all others) and 9 (comes first where two campaigns want the same person).
USUAL_PRIORITY = 5

EMPTY_OBJECT = models.Value({}, models.JSONField())
EMPTY_LIST = models.Value([], models.JSONField())


class TransitionConflict(Exception):
    """The row was not in the state that the change starts from: somebody else was first (HTTP 409)."""


class CampaignStatus(models.TextChoices):
    DRAFT = "draft", _("draft")
    IN_REVIEW = "in_review", _("in review")
    APPROVED = "approved", _("approved")
    SCHEDULED = "scheduled", _("scheduled")
    SENDING = "sending", _("sending")
    PAUSED = "paused", _("paused")
    SENT = "sent", _("sent")
    MISSED = "missed", _("missed")
    CANCELLED = "cancelled", _("cancelled")


#: Which states may follow which; everything else raises TransitionConflict.
ALLOWED_TRANSITIONS: dict[str, frozenset[str]] = {
    CampaignStatus.DRAFT: frozenset({CampaignStatus.IN_REVIEW, CampaignStatus.CANCELLED}),
    CampaignStatus.IN_REVIEW: frozenset({CampaignStatus.APPROVED, CampaignStatus.DRAFT, CampaignStatus.CANCELLED}),
    CampaignStatus.APPROVED: frozenset({CampaignStatus.SCHEDULED, CampaignStatus.DRAFT, CampaignStatus.CANCELLED}),
    CampaignStatus.SCHEDULED: frozenset(
        {CampaignStatus.SENDING, CampaignStatus.MISSED, CampaignStatus.DRAFT, CampaignStatus.CANCELLED}
    ),
    CampaignStatus.SENDING: frozenset({CampaignStatus.PAUSED, CampaignStatus.SENT, CampaignStatus.CANCELLED}),
    CampaignStatus.PAUSED: frozenset({CampaignStatus.SENDING, CampaignStatus.CANCELLED}),
    CampaignStatus.SENT: frozenset({CampaignStatus.SENDING}),  # where a person has messages tried again
    CampaignStatus.MISSED: frozenset({CampaignStatus.DRAFT, CampaignStatus.CANCELLED}),
    CampaignStatus.CANCELLED: frozenset(),
}


class CampaignKind(models.TextChoices):
    """How people get into a campaign. Those of the last two are live: people enter one by one while it is `sending`."""

    ONE_OFF = "one_off", _("once")
    RECURRING = "recurring", _("again and again")
    TRIGGERED = "triggered", _("when something happens")


class SendMode(models.TextChoices):
    """At which hour a person is written to."""

    TOGETHER = "together", _("everybody at the same moment")
    LOCAL = "local", _("at this hour of each person's own day")
    BEST_HOUR = "best_hour", _("at the hour in which each person tends to read")


class CampaignQuerySet(models.QuerySet["Campaign"]):
    def due(self, now: dt.datetime) -> CampaignQuerySet:
        """Scheduled campaigns whose hour has come; where each person has their own, the first person's."""
        return self.filter(status=CampaignStatus.SCHEDULED).filter(
            Q(starts_at__lte=now) | Q(starts_at=None, scheduled_for__lte=now)
        )

    def in_review(self) -> CampaignQuerySet:
        return self.filter(status=CampaignStatus.IN_REVIEW)


class Campaign(models.Model):
    """One experiment on one audience: what is said, to whom, when, and how it is measured.

    `status` is written only by `campaigns.approval.workflow` and `campaigns.delivery`, through a guarded UPDATE.
    `allowed_drift_share` (of the frozen people) and `approval_valid_days` are the shop's settings where they are empty.
    With `write_share` only that share of the audience, those ranked first by what a message does to people like them, is in the
    experiment; of the others `explore_share` is, at random.
    `holdout_seed` is drawn once and kept: it decides for ever who is held out. `is_test_audience` lets people whose
    consent is a test one into the audience, which only the mail catcher accepts.

    A live campaign (`is_live`) stays `sending` until `live_until`, or until a person ends it (`ended_at`); what waits then
    still goes. Its frozen audience stands for the people who are expected: archetypes and texts are made for them. Who really
    enters is an `Entry`. `trigger` says what lets people in, `recurrence` at which occurrences, `re_entry_days` how long after
    one entry the next may follow (empty: never), `exit_on` what ends a person's sequence early. `entered_until` is up to when
    was looked at who comes (empty: not yet, and who is there already comes in too), `enters_from` since when what happens
    counts. `entry_rule` is, from the start on, the segment's rule as it was approved (`approved_rule`): a later change of the
    segment is none of this campaign, of whichever kind.

    `adapts_texts` lets a live campaign give more people the texts that more people order after (`TextShare`); who is held out
    is no matter of that.

    `looked_at` are the numbers of saved segments by which the result is looked at besides; `looks` is what the freeze kept of
    them, [{"segment", "name", "rule"}]. From the start on a trigger refuses another seed or share, and a second one changes of
    who is in which arm.

    Where not everybody is written to at the same moment, `scheduled_for` is read as day and hour of the shop's clock, which
    each person's own clock has to show; `starts_at`, kept when it is scheduled, is when the first of them is due.
    """

    name = models.CharField(_("name"), max_length=120)
    goal = models.CharField(_("goal"), max_length=300, blank=True, default="")
    instruction = models.CharField(_("instruction for the drafts"), max_length=500, blank=True, default="")
    tone = models.CharField(_("tone"), max_length=200, blank=True, default="")
    avoid = models.CharField(_("what not to say"), max_length=500, blank=True, default="")
    talking_points = models.CharField(_("talking points"), max_length=1000, blank=True, default="")
    topic = models.CharField(_("topic"), max_length=40, default=DEFAULT_TOPIC, db_default=DEFAULT_TOPIC)
    segment = models.ForeignKey(Segment, on_delete=models.PROTECT, related_name="campaigns", verbose_name=_("segment"))
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="campaigns", verbose_name=_("author")
    )
    status = models.CharField(_("status"), max_length=12, choices=CampaignStatus, default=CampaignStatus.DRAFT)
    holdout_share = models.FloatField(
        _("held out"), default=0.1, validators=[MinValueValidator(0.01), MaxValueValidator(0.5)]
    )
    holdout_seed = models.CharField(max_length=32)
    write_share = models.FloatField(
        _("written to"), null=True, blank=True, validators=[MinValueValidator(0.05), MaxValueValidator(0.95)]
    )
    explore_share = models.FloatField(
        _("of the others, at random"),
        default=0.1,
        db_default=0.1,
        validators=[MinValueValidator(0.05), MaxValueValidator(0.5)],
    )
    channels = models.JSONField(_("channels"), default=list, blank=True)
    max_archetypes = models.PositiveSmallIntegerField(
        _("archetypes at most"), default=12, validators=[MinValueValidator(1), MaxValueValidator(60)]
    )
    is_test_audience = models.BooleanField(_("test audience"), default=False)
    audience_as_of = models.DateTimeField(null=True, blank=True)
    audience_frozen_at = models.DateTimeField(null=True, blank=True)
    audience_counts = models.JSONField(default=dict, blank=True)
    value_bounds = models.JSONField(default=dict, blank=True)
    kind = models.CharField(
        _("kind"),
        max_length=12,
        choices=CampaignKind,
        default=CampaignKind.ONE_OFF,
        db_default=CampaignKind.ONE_OFF.value,
    )
    trigger = models.JSONField(_("trigger"), default=dict, db_default=EMPTY_OBJECT, blank=True)
    recurrence = models.JSONField(_("recurrence"), default=dict, db_default=EMPTY_OBJECT, blank=True)
    re_entry_days = models.PositiveSmallIntegerField(_("may enter again after, days"), null=True, blank=True)
    exit_on = models.JSONField(_("ends early on"), default=list, db_default=EMPTY_LIST, blank=True)
    live_until = models.DateTimeField(_("lets people in until"), null=True, blank=True)
    entered_until = models.DateTimeField(null=True, blank=True)
    enters_from = models.DateTimeField(null=True, blank=True)
    entry_rule = models.JSONField(default=dict, db_default=EMPTY_OBJECT, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    send_mode = models.CharField(
        _("hour"), max_length=12, choices=SendMode, default=SendMode.TOGETHER, db_default=SendMode.TOGETHER.value
    )
    priority = models.PositiveSmallIntegerField(
        _("priority"),
        default=USUAL_PRIORITY,
        db_default=USUAL_PRIORITY,
        validators=[MinValueValidator(1), MaxValueValidator(9)],
    )
    scheduled_for = models.DateTimeField(_("send at"), null=True, blank=True)
    starts_at = models.DateTimeField(null=True, blank=True)
    send_window_hours = models.PositiveIntegerField(_("send window, hours"), default=24)
    attribution_days = models.PositiveIntegerField(
        _("measured for, days"), default=60, validators=[MinValueValidator(1), MaxValueValidator(365)]
    )
    adapts_texts = models.BooleanField(
        _("shares of texts shift to what works"), default=False, db_default=models.Value(False)
    )
    looked_at = models.JSONField(_("looked at besides"), default=list, db_default=EMPTY_LIST, blank=True)
    looks = models.JSONField(default=list, db_default=EMPTY_LIST, blank=True)
    allowed_drift_share = models.FloatField(
        _("allowed drift"), null=True, blank=True, validators=[MinValueValidator(0.0), MaxValueValidator(1.0)]
    )
    approval_valid_days = models.PositiveSmallIntegerField(
        _("approvals are valid for, days"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(365)],
    )
    content_hash = models.CharField(max_length=64, blank=True, default="")
    status_reason = models.CharField(max_length=300, blank=True, default="")
    submitted_at = models.DateTimeField(null=True, blank=True)
    sending_started_at = models.DateTimeField(null=True, blank=True)
    sending_finished_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = CampaignQuerySet.as_manager()

    class Meta:
        verbose_name = _("campaign")
        verbose_name_plural = _("campaigns")
        ordering = ["-created_at"]
        permissions = [
            ("submit_campaign", "Can submit a campaign for review"),
            ("approve_campaign", "Can approve a campaign or ask for changes"),
            ("schedule_campaign", "Can schedule an approved campaign"),
            ("control_sending", "Can pause, resume and cancel a campaign"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(holdout_share__gte=0.01, holdout_share__lte=0.5), name="campaign_holdout_range"
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["scheduled", "sending"]) | Q(scheduled_for__isnull=False),
                name="campaign_scheduled_has_time",
            ),
        ]
        indexes = [
            models.Index(fields=["scheduled_for"], condition=Q(status="scheduled"), name="campaign_due"),
            models.Index(fields=["status"], name="campaign_status"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def offered_channels(self) -> list[str]:
        """The channels that people may be reached by, the first that a person agreed to counts. E-mail unless chosen."""
        return [channel for channel in Channel.values if channel in self.channels] or [Channel.EMAIL.value]

    @property
    def most_drift(self) -> float:
        """The share of the frozen people that may have changed before the approval is void."""
        return settings.ALLOWED_DRIFT_SHARE if self.allowed_drift_share is None else self.allowed_drift_share

    @property
    def valid_days(self) -> int:
        """For how many days an approval holds."""
        return self.approval_valid_days or settings.APPROVAL_VALID_DAYS

    @property
    def is_live(self) -> bool:
        """People enter one by one while it is `sending`, each with times of their own."""
        return self.kind != CampaignKind.ONE_OFF

    @property
    def approved_rule(self) -> dict[str, Any]:
        """The segment's rule; of a campaign that has begun, as it was then."""
        rule: dict[str, Any] = self.entry_rule or self.segment.rule
        return rule

    @property
    def closes_at(self) -> dt.datetime | None:
        """From when on nobody enters any more; None while that is open."""
        return min((at for at in (self.live_until, self.ended_at) if at is not None), default=None)

    def lets_in(self, now: dt.datetime) -> bool:
        """Whether people may enter at `now`."""
        return (
            self.is_live and self.status == CampaignStatus.SENDING and (self.closes_at is None or now < self.closes_at)
        )

    @property
    def is_finished(self) -> bool:
        return self.status in {CampaignStatus.SENT, CampaignStatus.CANCELLED}

    @property
    def measured_until(self) -> dt.datetime | None:
        """When the attribution window of the last message closes."""
        if self.sending_started_at is None:
            return None
        return self.sending_started_at + dt.timedelta(days=self.attribution_days)


class Offer(models.Model):
    """What the campaign promises: the facts that drafts may use and code puts into the message."""

    class Kind(models.TextChoices):
        NONE = "none", _("no offer")
        PERCENT = "percent", _("percent off")
        AMOUNT = "amount", _("amount off")
        FREE_SHIPPING = "free_shipping", _("free shipping")

    campaign = models.OneToOneField(Campaign, on_delete=models.CASCADE, related_name="offer")
    kind = models.CharField(_("offer"), max_length=16, choices=Kind, default=Kind.NONE)
    value = models.DecimalField(
        _("value"), max_digits=10, decimal_places=2, null=True, blank=True, validators=[MinValueValidator(0)]
    )
    currency = models.CharField(_("currency"), max_length=3, blank=True, default="")
    code = models.CharField(_("code"), max_length=40, blank=True, default="")
    min_basket = models.DecimalField(
        _("from a basket of"),
        max_digits=10,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
    )
    valid_from = models.DateField(_("valid from"), null=True, blank=True)
    valid_until = models.DateField(_("valid until"), null=True, blank=True)
    url = models.URLField(_("where the button leads"), max_length=500, blank=True, default="")

    class Meta:
        verbose_name = _("offer")
        verbose_name_plural = _("offers")
        constraints = [
            models.CheckConstraint(
                condition=~Q(kind="percent") | Q(value__gt=0, value__lte=100), name="offer_percent_range"
            ),
            models.CheckConstraint(condition=~Q(kind="amount") | Q(value__gt=0), name="offer_amount_positive"),
            models.CheckConstraint(
                condition=Q(valid_from__isnull=True)
                | Q(valid_until__isnull=True)
                | Q(valid_until__gte=models.F("valid_from")),
                name="offer_dates_in_order",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.value or ''} {self.code}".strip()


class CampaignTransition(models.Model):
    """One change of a campaign's state, written in the transaction that made it. Key: (campaign, number)."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="transitions")
    number = models.PositiveIntegerField()
    from_status = models.CharField(max_length=12, choices=CampaignStatus)
    to_status = models.CharField(max_length=12, choices=CampaignStatus)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    reason = models.CharField(max_length=500, blank=True, default="")
    happened_at = models.DateTimeField()

    class Meta:
        verbose_name = _("change of state")
        verbose_name_plural = _("changes of state")
        ordering = ["campaign", "number"]
        constraints = [models.UniqueConstraint(fields=["campaign", "number"], name="campaigntransition_key")]

    def __str__(self) -> str:
        return f"{self.campaign_id}: {self.from_status} → {self.to_status}"
