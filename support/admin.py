"""The Django admin over support: to be read. Tickets, answers and articles change on their pages, which keep the history."""

from __future__ import annotations

from django.contrib import admin
from unfold.admin import ModelAdmin

from llm.admin import ReadOnlyAdmin, ReadOnlyInline
from support.models import (
    Answer,
    Article,
    ArticleVersion,
    Attachment,
    AutomaticAnswer,
    CannedAnswer,
    MailboxState,
    MailSource,
    Rating,
    SeenMail,
    Ticket,
    TicketMessage,
    TriageCorrection,
    TriageModel,
    TriageReading,
)


class MessageInline(ReadOnlyInline):
    model = TicketMessage
    fields = ("written_at", "direction", "text", "author", "send_status")


class VersionInline(ReadOnlyInline):
    model = ArticleVersion
    fields = ("number", "title_en", "title_zh", "note", "saved_by", "saved_at")


@admin.register(Ticket)
class TicketAdmin(ReadOnlyAdmin):
    list_display = (
        "pk",
        "subject",
        "customer",
        "channel",
        "status",
        "urgency",
        "topic",
        "intent",
        "is_complaint",
        "opened_at",
    )
    list_filter = ("status", "channel", "is_complaint", "topic", "intent", "sentiment", "language")
    search_fields = ("=pk", "subject", "writer_email")
    list_select_related = ("customer",)
    date_hierarchy = "opened_at"
    inlines = (MessageInline,)


@admin.register(Answer)
class AnswerAdmin(ReadOnlyAdmin):
    list_display = ("ticket", "status", "refusal", "origin", "sureness", "share_changed", "made_at")
    list_filter = ("status", "refusal", "origin")
    list_select_related = ("ticket",)


@admin.register(Article)
class ArticleAdmin(ReadOnlyAdmin):
    list_display = ("number", "__str__", "is_published")
    list_select_related = ("current",)
    exclude = ("search",)
    inlines = (VersionInline,)


@admin.register(CannedAnswer)
class CannedAnswerAdmin(ModelAdmin):  # type: ignore[misc]
    list_display = ("name", "language")


@admin.register(TriageCorrection)
class TriageCorrectionAdmin(ReadOnlyAdmin):
    list_display = ("ticket", "field", "was", "becomes", "corrected_by", "corrected_at")
    list_filter = ("field",)


@admin.register(TriageModel)
class TriageModelAdmin(ReadOnlyAdmin):
    list_display = ("field", "language", "version", "trained_on", "is_used", "trained_at")
    exclude = ("artifact",)


@admin.register(TriageReading)
class TriageReadingAdmin(ReadOnlyAdmin):
    list_display = ("ticket", "status", "prompt_version", "attempts", "read_at")
    list_filter = ("status", "prompt_version")


@admin.register(AutomaticAnswer)
class AutomaticAnswerAdmin(ReadOnlyAdmin):
    list_display = ("ticket", "topic", "sent_at", "is_sampled", "verdict", "checked_by")
    list_filter = ("topic", "verdict", "is_sampled")


@admin.register(Rating)
class RatingAdmin(ReadOnlyAdmin):
    list_display = ("ticket", "score", "rated_at")
    list_filter = ("score",)


@admin.register(MailSource)
class MailSourceAdmin(ReadOnlyAdmin):
    list_display = ("message", "way", "is_proven", "is_cut", "received_at")
    list_filter = ("way", "is_proven")
    list_select_related = ("message",)


@admin.register(Attachment)
class AttachmentAdmin(ReadOnlyAdmin):
    list_display = ("message", "position", "content_type", "size", "refusal")
    list_filter = ("refusal", "content_type")
    list_select_related = ("message",)


@admin.register(SeenMail)
class SeenMailAdmin(ReadOnlyAdmin):
    list_display = ("seen_at", "way", "outcome", "place")
    list_filter = ("outcome", "way")


@admin.register(MailboxState)
class MailboxStateAdmin(ReadOnlyAdmin):
    list_display = ("mailbox", "trouble", "checked_at", "succeeded_at", "last_uid")
