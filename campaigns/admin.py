"""The Django admin over campaigns. It calls the same functions as the pages and never writes a status."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from campaigns.approval.workflow import approve_campaign, schedule_campaign, submit_campaign
from campaigns.audience.archetypes import label_archetype
from campaigns.content.evaluation import FIGURES, compare_prompts, find_former, write_figure
from campaigns.models import (
    Approval,
    Archetype,
    AudienceMember,
    BrandVoice,
    Campaign,
    CampaignResult,
    CampaignTransition,
    DeliveryEvent,
    Entry,
    FollowUp,
    Message,
    Occurrence,
    Offer,
    PromptEvaluation,
    ShopPolicies,
    StagedChange,
    TransitionConflict,
    Variant,
)
from llm.admin import ReadOnlyAdmin, ReadOnlyInline


class OfferInline(ReadOnlyInline):
    model = Offer


class ApprovalInline(ReadOnlyInline):
    model = Approval
    fields = ("part", "approved_by", "approved_at", "is_own", "reason", "voided_at", "void_reason")


class FollowUpInline(ReadOnlyInline):
    model = FollowUp
    fields = ("number", "wait_hours", "only_if", "purpose")


class TransitionInline(ReadOnlyInline):
    model = CampaignTransition
    fields = ("number", "from_status", "to_status", "actor", "reason", "happened_at")


@admin.register(Campaign)
class CampaignAdmin(ReadOnlyAdmin):
    """Campaigns are read here; submitting, approving and scheduling go through the workflow, four eyes included."""

    list_display = ("name", "status", "segment", "author", "scheduled_for", "send_mode", "holdout_share")
    list_filter = ("status", "send_mode")
    list_select_related = ("segment", "author")
    search_fields = ("name",)
    inlines = (OfferInline, FollowUpInline, ApprovalInline, TransitionInline)
    actions = ("submit_chosen", "approve_chosen", "schedule_chosen")

    @admin.action(description=gettext_lazy("Submit for review"), permissions=["submit"])
    def submit_chosen(self, request: HttpRequest, queryset: QuerySet[Campaign]) -> None:
        self._act(request, queryset, submit_campaign)

    @admin.action(description=gettext_lazy("Approve all four parts"), permissions=["approve"])
    def approve_chosen(self, request: HttpRequest, queryset: QuerySet[Campaign]) -> None:
        self._act(request, queryset, approve_campaign)

    @admin.action(description=gettext_lazy("Schedule at the approved time"), permissions=["schedule"])
    def schedule_chosen(self, request: HttpRequest, queryset: QuerySet[Campaign]) -> None:
        self._act(request, queryset, schedule_campaign)

    def has_submit_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("campaigns.submit_campaign")

    def has_approve_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("campaigns.approve_campaign")

    def has_schedule_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("campaigns.schedule_campaign")

    def _act(self, request: HttpRequest, queryset: QuerySet[Campaign], act: Callable[..., Any]) -> None:
        """Do it for each chosen campaign; one that is refused says why and hinders no other."""
        if not isinstance(request.user, User):
            raise PermissionDenied
        now: dt.datetime = timezone.now()
        done = 0
        for campaign in queryset:
            try:
                act(request.user, campaign, now=now)
                done += 1
            except (PermissionDenied, TransitionConflict) as error:
                self.message_user(request, f"{campaign.name}: {error}", messages.ERROR)
            except ValidationError as error:
                self.message_user(request, f"{campaign.name}: {' '.join(error.messages)}", messages.ERROR)
        if done:
            told = ngettext("%(done)d campaign changed.", "%(done)d campaigns changed.", done) % {"done": done}
            self.message_user(request, told, messages.SUCCESS)


@admin.register(Archetype)
class ArchetypeAdmin(ReadOnlyAdmin):
    list_display = ("name_shown", "campaign", "size", "draft_status")
    list_filter = ("draft_status", "language")
    list_select_related = ("campaign",)

    @admin.display(description=gettext_lazy("archetype"), ordering="cell")
    def name_shown(self, archetype: Archetype) -> str:
        return label_archetype(archetype)


@admin.register(Variant)
class VariantAdmin(ReadOnlyAdmin):
    """Texts are edited on their own page, which checks them and voids approvals."""

    list_display = (
        "subject",
        "archetype_shown",
        "campaign_shown",
        "origin_shown",
        "edited_by",
        "created_at",
        "retired_at",
    )
    list_filter = ("origin",)
    list_select_related = ("archetype__campaign", "edited_by")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Variant]:
        return Variant.everything.all()

    @admin.display(description=gettext_lazy("archetype"), ordering="archetype__cell")
    def archetype_shown(self, variant: Variant) -> str:
        return label_archetype(variant.archetype)

    @admin.display(description=gettext_lazy("campaign"))
    def campaign_shown(self, variant: Variant) -> str:
        return variant.archetype.campaign.name

    @admin.display(description=gettext_lazy("origin"))
    def origin_shown(self, variant: Variant) -> str:
        return _("Template text, not AI") if variant.origin == Variant.Origin.TEMPLATE else variant.get_origin_display()


@admin.register(StagedChange)
class StagedChangeAdmin(ReadOnlyAdmin):
    """Changes of running campaigns are prepared and decided on their own pages, four eyes included."""

    list_display = ("campaign", "number", "status", "author", "submitted_at", "decided_by", "decided_at")
    list_filter = ("status",)
    list_select_related = ("campaign", "author", "decided_by")


@admin.register(AudienceMember)
class AudienceMemberAdmin(ReadOnlyAdmin):
    list_display = ("customer", "campaign", "arm", "exclusion_reason", "archetype_shown")
    list_filter = ("arm", "exclusion_reason")
    list_select_related = ("campaign", "customer", "archetype")
    show_full_result_count = False

    @admin.display(description=gettext_lazy("archetype"))
    def archetype_shown(self, member: AudienceMember) -> str:
        return label_archetype(member.archetype) if member.archetype else ""


@admin.register(Entry)
class EntryAdmin(ReadOnlyAdmin):
    """Who entered a live campaign, and by what cause."""

    list_display = ("customer", "campaign", "number", "cause", "arm", "exclusion_reason", "entered_at", "exit_reason")
    list_filter = ("arm", "exclusion_reason", "exit_reason")
    list_select_related = ("campaign", "customer")
    show_full_result_count = False


@admin.register(Occurrence)
class OccurrenceAdmin(ReadOnlyAdmin):
    list_display = ("campaign", "due_at", "outcome", "entered")
    list_filter = ("outcome",)
    list_select_related = ("campaign",)


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    list_display = ("customer", "campaign", "status", "skip_reason", "attempts", "settled_at")
    list_filter = ("status", "skip_reason")
    list_select_related = ("campaign", "customer")
    show_full_result_count = False


@admin.register(DeliveryEvent)
class DeliveryEventAdmin(ReadOnlyAdmin):
    """What came back, as it came."""

    list_display = ("message", "kind", "provider", "occurred_at", "received_at", "detail")
    list_filter = ("kind", "provider")
    list_select_related = ("message",)
    show_full_result_count = False


@admin.register(CampaignResult)
class CampaignResultAdmin(ReadOnlyAdmin):
    list_display = ("campaign", "day", "measured_at")
    list_select_related = ("campaign",)


@admin.register(BrandVoice, ShopPolicies)
class RevisionAdmin(ReadOnlyAdmin):
    """Every version of how the shop speaks, or of what it promises; saved on the pages, which check texts again."""

    list_display = ("number", "note", "saved_by", "saved_at")
    list_select_related = ("saved_by",)


@admin.register(PromptEvaluation)
class PromptEvaluationAdmin(ReadOnlyAdmin):
    """What each version of a prompt was worth, what changed since the version before, and every draft of the run."""

    list_display = ("prompt_name", "prompt_version", "model", "usable", "faithful", "diversity", "evaluated_at")
    list_filter = ("prompt_name", "model")
    fields = ("prompt_name", "prompt_version", "model", "server_host", "evaluated_at", "table", "changes", "drafts")
    readonly_fields = fields

    @admin.display(description=gettext_lazy("usable"))
    def usable(self, evaluation: PromptEvaluation) -> str:
        return write_figure("usable", evaluation.figures.get("usable"))

    @admin.display(description=gettext_lazy("faithful"))
    def faithful(self, evaluation: PromptEvaluation) -> str:
        return write_figure("faithful", evaluation.figures.get("faithful"))

    @admin.display(description=gettext_lazy("diversity"))
    def diversity(self, evaluation: PromptEvaluation) -> str:
        return write_figure("diversity", evaluation.figures.get("diversity"))

    @admin.display(description=gettext_lazy("figures"))
    def table(self, evaluation: PromptEvaluation) -> SafeString:
        former = find_former(evaluation)
        rows = [
            (name, write_figure(name, evaluation.figures.get(name)), write_figure(name, former.figures.get(name)))
            if former
            else (name, write_figure(name, evaluation.figures.get(name)), "")
            for name in FIGURES
        ]
        version = f"v{former.prompt_version}" if former else ""
        context = {"rows": rows, "former": version, "present": f"v{evaluation.prompt_version}"}
        return render_to_string("campaigns/admin_evaluation.html", context)

    @admin.display(description=gettext_lazy("what changed in the prompt"))
    def changes(self, evaluation: PromptEvaluation) -> SafeString | str:
        former = find_former(evaluation)
        if former is None:
            return _("No other version of it was tried with this model and these briefs.")
        return render_to_string(
            "campaigns/admin_evaluation.html", {"lines": compare_prompts(former.prompt_text, evaluation.prompt_text)}
        )

    @admin.display(description=gettext_lazy("drafts"))
    def drafts(self, evaluation: PromptEvaluation) -> SafeString:
        return render_to_string("campaigns/admin_evaluation.html", {"trials": evaluation.trials})
