"""What reviewers and authors say to each other about a campaign, each thread beside what it is about."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from .campaign import Campaign
from .variant import Variant


class CommentPlace(models.TextChoices):
    """What a thread is about."""

    CAMPAIGN = "campaign", _("the campaign")
    TEXT = "text", _("a text")
    AUDIENCE = "audience", _("audience")
    TIMING = "timing", _("timing")
    MEASUREMENT = "measurement", _("measurement")


class ReviewCommentQuerySet(models.QuerySet["ReviewComment"]):
    def threads(self) -> ReviewCommentQuerySet:
        """The first comment of each thread; replies hang on them."""
        return self.filter(parent=None)

    def open_threads(self) -> ReviewCommentQuerySet:
        return self.threads().filter(resolved_at=None)


class ReviewComment(models.Model):
    """The first words of a thread (`parent` empty), or a reply to one. Never edited and never deleted with what it is about.

    `quote` are the words that it is about, `field` the slot of the text that they stood in, `about` what the text was called:
    all three stay when the text is drafted again or removed. `seen_hash` is the text's content hash when it was written, so
    that a page can say whether those words still stand there. Only the first comment can be resolved.
    """

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="comments")
    parent = models.ForeignKey("self", on_delete=models.CASCADE, null=True, blank=True, related_name="replies")
    place = models.CharField(_("about"), max_length=12, choices=CommentPlace)
    variant = models.ForeignKey(Variant, on_delete=models.SET_NULL, null=True, blank=True, related_name="comments")
    about = models.CharField(max_length=300, blank=True, default="")
    field = models.CharField(max_length=20, blank=True, default="")
    quote = models.CharField(_("quoted words"), max_length=500, blank=True, default="")
    seen_hash = models.CharField(max_length=64, blank=True, default="")
    body = models.CharField(_("comment"), max_length=2000)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    objects = ReviewCommentQuerySet.as_manager()

    class Meta:
        verbose_name = _("comment of a review")
        verbose_name_plural = _("comments of reviews")
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(condition=~Q(body=""), name="reviewcomment_says_something"),
            models.CheckConstraint(
                condition=Q(resolved_at=None) | Q(parent=None), name="reviewcomment_threads_are_resolved"
            ),
        ]
        indexes = [
            models.Index(fields=["campaign"], condition=Q(parent=None, resolved_at=None), name="reviewcomment_open")
        ]

    def __str__(self) -> str:
        return f"{self.campaign_id} {self.place}: {self.body[:40]}"

    @property
    def is_open(self) -> bool:
        return self.parent_id is None and self.resolved_at is None
