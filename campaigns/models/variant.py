"""The kinds of customer in an audience, and what is said to each."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from customers.models import Channel

from .campaign import EMPTY_OBJECT, Campaign


class DraftStatus(models.TextChoices):
    NONE = "none", _("not asked for")
    REQUESTED = "requested", _("waiting for a draft")
    DRAFTING = "drafting", _("being drafted")
    DRAFTED = "drafted", _("drafted")
    FAILED = "failed", _("failed")


class ValueBand(models.TextChoices):
    """Where what they are expected to spend stands among the customers of the shop. Empty: of any value."""

    LOW = "low", _("low value")
    MIDDLE = "middle", _("middle value")
    HIGH = "high", _("high value")


class Angle(models.TextChoices):
    """The named way in which the texts of one archetype differ, so that a result can be told by it. Empty: no particular."""

    LIKES = "likes", _("lead with what they like")
    OFFER = "offer", _("lead with the offer")
    SHORT = "short", _("short and plain")
    OPINION = "opinion", _("ask for their opinion")
    NEW = "new", _("tell what is new")
    HELP = "help", _("offer help with choosing")


class ArchetypeQuerySet(models.QuerySet["Archetype"]):
    def waiting_for_draft(self, now: dt.datetime) -> ArchetypeQuerySet:
        """Requested drafts, and those whose worker's lease has ended."""
        return self.filter(
            Q(draft_status=DraftStatus.REQUESTED) & (Q(draft_not_before__isnull=True) | Q(draft_not_before__lte=now))
            | Q(draft_status=DraftStatus.DRAFTING, draft_lease_until__lt=now)
        )


class Archetype(models.Model):
    """One kind of customer in an audience, and what is said to it. Key: (campaign, cell).

    Why they are leaving x what they like x value band x language x channel; an empty reason, interest or value band
    stands for any. `cell` is the key of its largest `AudienceCell`. `is_shaped` says that a person merged it or took it
    out of another: no new freeze undoes that. `samples` are the ids of up to three customers near its middle.
    """

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="archetypes")
    cell = models.CharField(max_length=250)
    reason = models.CharField(_("why they are leaving"), max_length=60, blank=True, default="")
    interest = models.CharField(_("what they like"), max_length=120, blank=True, default="")
    language = models.CharField(_("language"), max_length=12, default="en")
    value_band = models.CharField(_("value"), max_length=8, choices=ValueBand, blank=True, default="")
    channel = models.CharField(_("channel"), max_length=20, choices=Channel, default=Channel.EMAIL)
    size = models.PositiveIntegerField(_("people"), default=0)
    is_shaped = models.BooleanField(_("shaped by a person"), default=False)
    samples = models.JSONField(default=list, blank=True)
    draft_status = models.CharField(max_length=12, choices=DraftStatus, default=DraftStatus.NONE)
    draft_plan = models.JSONField(default=list, blank=True)
    draft_instruction = models.CharField(max_length=500, blank=True, default="")
    draft_error = models.CharField(max_length=500, blank=True, default="")
    draft_attempts = models.PositiveIntegerField(default=0)
    draft_not_before = models.DateTimeField(null=True, blank=True)
    draft_lease_until = models.DateTimeField(null=True, blank=True)

    objects = ArchetypeQuerySet.as_manager()

    class Meta:
        verbose_name = _("archetype")
        verbose_name_plural = _("archetypes")
        ordering = ["campaign", "-size", "cell"]
        constraints = [models.UniqueConstraint(fields=["campaign", "cell"], name="archetype_key")]
        indexes = [
            models.Index(
                fields=["draft_status"],
                condition=Q(draft_status__in=["requested", "drafting"]),
                name="archetype_draft_queue",
            )
        ]

    def __str__(self) -> str:
        return self.cell


class StandingTexts(models.Manager["Variant"]):
    """Without texts that a change of a running campaign replaced."""

    def get_queryset(self) -> models.QuerySet[Variant]:
        return super().get_queryset().filter(retired_at=None)


class Variant(models.Model):
    """One text of an archetype, in the slots that a model or a person may fill. Key: (archetype, step, label) of those that
    stand.

    Greeting, offer, code, links, prices, dates and footer are no slots: `campaigns.content.rendering` puts them in.
    `findings` is the list that `campaigns.content.guardrails` returned for exactly this `content_hash`, `claims` its ledger:
    what the text claims, each claim with the fact that it stands on and the version of that fact. `stands_on` is what of
    this is asked again before each send (`campaigns.content.standing`). `facts` is what the draft was allowed to use.
    `source` is the composed Liquid that the hash covers, kept so that every message can be rendered again after the offer
    or the shop's settings have changed. `drafted_text` keeps the model's words, so that a page can show what people changed.
    `former` is the text that a newer draft took the place of, to be taken back: its words, and where they came from.
    `retired_at`: when a change of the running campaign put another row in its place. It stays for the messages that left with
    it; `objects` and `archetype.variants` leave it out, `everything` does not. SQL has to ask for `retired_at IS NULL`.
    """

    class Origin(models.TextChoices):
        MODEL = "model", _("language model")
        TEMPLATE = "template", _("Template text, not AI")
        PERSON = "person", _("written by a person")

    archetype = models.ForeignKey(Archetype, on_delete=models.CASCADE, related_name="variants")
    step = models.PositiveSmallIntegerField(default=1, db_default=1)
    label = models.CharField(max_length=8, default="A")
    angle = models.CharField(_("angle"), max_length=20, choices=Angle, blank=True, default="")
    origin = models.CharField(max_length=12, choices=Origin)
    subject = models.CharField(_("subject"), max_length=200, blank=True, default="")
    preheader = models.CharField(_("preheader"), max_length=200, blank=True, default="")
    opening = models.TextField(_("opening"), blank=True, default="")
    story = models.TextField(_("longer part"), blank=True, default="")
    invitation = models.TextField(_("invitation"), blank=True, default="")
    button_label = models.CharField(_("button"), max_length=60, blank=True, default="")
    shows_products = models.BooleanField(_("show products"), default=True)
    source = models.JSONField(default=dict, blank=True)
    content_hash = models.CharField(max_length=64, blank=True, default="")
    findings = models.JSONField(default=list, blank=True)
    claims = models.JSONField(default=list, blank=True)
    stands_on = models.JSONField(default=dict, blank=True)
    facts = models.JSONField(default=dict, blank=True)
    drafted_text = models.JSONField(default=dict, blank=True)
    former = models.JSONField(default=dict, blank=True, db_default=EMPTY_OBJECT)
    prompt_name = models.CharField(max_length=60, blank=True, default="")
    prompt_version = models.CharField(max_length=20, blank=True, default="")
    model_label = models.CharField(max_length=120, blank=True, default="")
    llm_request_id = models.UUIDField(null=True, blank=True)
    earlier_calls = models.JSONField(default=list, blank=True)
    translated_from = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="translations"
    )
    edited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    edited_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    retired_at = models.DateTimeField(null=True, blank=True)

    objects = StandingTexts()
    everything: models.Manager[Variant] = models.Manager()

    #: What `campaigns.content.twins` finds for a page; never stored, because it changes with the texts of others.
    twin: object | None = None

    class Meta:
        verbose_name = _("variant")
        verbose_name_plural = _("variants")
        ordering = ["archetype", "step", "label"]
        constraints = [
            models.UniqueConstraint(
                fields=["archetype", "step", "label"], condition=Q(retired_at=None), name="variant_key"
            )
        ]

    def __str__(self) -> str:
        return f"{self.archetype_id}{self.label}: {self.subject}"

    @property
    def is_blocked(self) -> bool:
        """A finding forbids that this text is sent."""
        return any(finding.get("verdict") == "block" for finding in self.findings)
