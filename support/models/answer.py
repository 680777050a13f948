"""A suggested answer: what it says, what each sentence stands on, and what a person made of it."""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from .message import TicketMessage
from .ticket import TO_ANSWER, Ticket


class AnswerStatus(models.TextChoices):
    SUGGESTED = "suggested", _("suggested")
    REFUSED = "refused", _("no answer suggested")
    SENT = "sent", pgettext_lazy("suggestion", "sent")
    DISCARDED = "discarded", _("thrown away")


#: Of what was refused for want of an article, so many of the newest are looked at: by the page about gaps, and again once
#: the articles have changed.
MOST_REFUSED: Final = 200
#: What a refusal is called: no article answers it; and none did when it was asked, but one does since.
UNANSWERED, ANSWERED_SINCE = "unanswered", "answered_since"


class AnswerQuerySet(models.QuerySet["Answer"]):
    def unanswered(self) -> AnswerQuerySet:
        """Questions that no article answers, the newest first."""
        return self.filter(status=AnswerStatus.REFUSED, refusal=UNANSWERED).order_by("-made_at", "-pk")

    def mark_stale(self, article: int, *, now: dt.datetime) -> int:
        """An article has changed: what no article answered is to be looked up again, and what waits and quotes this one.
        In the transaction that changes it. Returns how many."""
        waiting = models.Q(ticket__status__in=TO_ANSWER)
        quoting = models.Q(status=AnswerStatus.SUGGESTED, decided_at=None, sentences__contains=[{"article": article}])
        refused = self.unanswered().values_list("pk", flat=True)
        keys = {*refused[:MOST_REFUSED], *refused.filter(waiting)[:MOST_REFUSED]}
        keys |= {*self.filter(waiting & quoting).values_list("pk", flat=True)}
        return self.filter(pk__in=keys).update(stale_since=now)

    def stale(self) -> AnswerQuerySet:
        """What is to be looked up again, the newest first."""
        return self.exclude(stale_since=None).order_by("-made_at", "-pk")


class Answer(models.Model):
    """A suggestion for one message of a customer. Key: message; made again, it takes the place of the former.

    `sentences`: [{text, supported, why, article, version, title, passage}] in order, as the validating step left them;
    `share_changed` is 0 where it was sent as suggested, 1 where nothing of it was left.
    """

    class Origin(models.TextChoices):
        PASSAGES = "passages", _("quoted from the articles")
        MODEL = "model", _("drafted by a language model")

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="answers")
    message = models.OneToOneField(TicketMessage, on_delete=models.CASCADE, related_name="answer")
    status = models.CharField(max_length=10, choices=AnswerStatus)
    refusal = models.CharField(max_length=20, blank=True, default="", db_default="")
    text = models.TextField(blank=True, default="", db_default="")
    sent_text = models.TextField(blank=True, default="", db_default="")
    sentences = models.JSONField(default=list, blank=True)
    lacking = models.JSONField(default=list, blank=True)
    articles = models.JSONField(default=list, blank=True)
    sureness = models.FloatField(default=0.0)
    origin = models.CharField(max_length=10, choices=Origin, default=Origin.PASSAGES)
    prompt_version = models.CharField(max_length=60, blank=True, default="", db_default="")
    trouble = models.CharField(max_length=300, blank=True, default="", db_default="")
    share_changed = models.FloatField(null=True, blank=True)
    made_at = models.DateTimeField()
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    #: The articles have changed since: it is to be looked up again.
    stale_since = models.DateTimeField(null=True, blank=True)

    objects = AnswerQuerySet.as_manager()

    class Meta:
        verbose_name = _("suggested answer")
        verbose_name_plural = _("suggested answers")
        indexes = [
            models.Index(fields=["status", "-made_at"], name="answer_status"),
            models.Index(fields=["stale_since"], condition=~models.Q(stale_since=None), name="answer_stale"),
        ]

    def __str__(self) -> str:
        return f"{self.ticket_id} {self.status}"
