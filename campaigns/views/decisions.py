"""Changes of state, each a noun to POST to, and the pages Review and Live on which they are decided."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from campaigns.approval import policy, workflow
from campaigns.approval.editing import edit_campaign
from campaigns.approval.sender_domain import find_domain_warnings
from campaigns.content.steps import count_beyond, read_steps
from campaigns.delivery import control
from campaigns.delivery.progress import read_progress
from campaigns.delivery.reputation import judge_progress
from campaigns.delivery.retrying import count_failures, count_retriable, has_failures, retry_messages
from campaigns.forms import ApprovalTermsForm, CommentForm
from campaigns.models import (
    Approval,
    ApprovalPart,
    Campaign,
    CampaignStatus,
    CampaignTransition,
    MessageStatus,
    SkipReason,
    StagedChange,
)
from campaigns.outcomes.funnel import read_funnel
from campaigns.tasks import send_sweep, start_due_campaigns
from customers.views.access import current_user

from .access import carry_out, get_campaign_for
from .audience_page import describe_audience
from .comments import describe_threads, hang_threads
from .drafts import describe_archetypes
from .live import describe_live, describe_rule_of_entry
from .reviewing import describe_outlook, tell_history
from .send_times import tell_times
from .sequence import describe_sequence, tell_funnel
from .steps import frame_step
from .telling import tell_progress, tell_remaining


@require_safe
def show_review(request: HttpRequest, pk: int) -> HttpResponse:
    """All that is to be approved on one page, the four ticks, what is still missing, and the history."""
    campaign, user = get_campaign_for(request.user, pk), current_user(request)
    approvals = {
        row.part: row
        for row in Approval.objects.filter(campaign=campaign, voided_at=None).select_related("approved_by")
    }
    context = (
        frame_step(request, campaign, "review-campaign") | describe_audience(campaign) | describe_archetypes(campaign)
    )
    context |= {
        "obstacles": policy.find_obstacles(campaign) if campaign.status == CampaignStatus.DRAFT else [],
        "ticks": [{"part": part, "label": part.label, "approval": approvals.get(part.value)} for part in ApprovalPart],
        "approve_decision": policy.may_approve(user, campaign),
        "changes_decision": policy.may_request_changes(user, campaign),
        "schedule_decision": policy.may_schedule(user, campaign),
        "unschedule_decision": policy.may_unschedule(user, campaign),
        "domain_warnings": find_domain_warnings(timezone.now()),
        **tell_times(campaign),
        "comment_form": CommentForm(),
        "history": tell_history(campaign),
        "sent_back": _find_return(campaign),
        "terms_form": ApprovalTermsForm(campaign=campaign),
        **describe_threads(user, campaign),
        **describe_outlook(campaign, now=timezone.now()),
        **describe_rule_of_entry(campaign, now=timezone.now()),
    }
    context["comment_form"].fields["comment"].required = not context["open_threads"]
    hang_threads(context["cards"], context["threads_by_text"])
    context |= describe_sequence(campaign, context["sequence"]) | {"back": request.path}
    context["beyond"] = count_beyond(read_steps(campaign.pk), campaign.attribution_days)
    return render(request, "campaigns/review.html", context)


def _find_return(campaign: Campaign) -> CampaignTransition | None:
    """The last change of state where it sent the campaign back from review."""
    changes = CampaignTransition.objects.filter(campaign=campaign).exclude(from_status=F("to_status"))
    last = changes.select_related("actor").order_by("-number").first()
    is_return = last is not None and last.from_status == CampaignStatus.IN_REVIEW
    return last if is_return and campaign.status == CampaignStatus.DRAFT else None


@require_safe
def show_live(request: HttpRequest, pk: int) -> HttpResponse:
    """How far sending is; htmx polls only the progress while it runs."""
    campaign, user = get_campaign_for(request.user, pk), current_user(request)
    progress = read_progress(campaign)
    context = frame_step(request, campaign, "live") | {
        "progress": progress,
        "reputation": judge_progress(progress),
        "pause_decision": policy.may_pause(user, campaign),
        "resume_decision": policy.may_resume(user, campaign),
        "unschedule_decision": policy.may_unschedule(user, campaign),
        "remains": tell_remaining(progress) if campaign.status == CampaignStatus.SENDING else "",
        "stage_decision": policy.may_stage(user, campaign),
        "staged": StagedChange.objects.filter(campaign=campaign).order_by("-number").first(),
        "is_running": campaign.status in {CampaignStatus.SENDING, CampaignStatus.SCHEDULED},
        "funnel": tell_funnel(read_funnel(campaign)),
    }
    context |= tell_progress(progress) | describe_live(request, campaign, now=timezone.now())
    context["failures"] = count_failures(campaign) if progress.by_status.get(MessageStatus.FAILED) else []
    if not request.headers.get("HX-Request"):
        context |= _describe_retries(user, campaign)
        return render(request, "campaigns/live.html", context)
    response = render(request, "campaigns/_progress.html", context)
    if request.GET.get("was", campaign.status) != campaign.status:
        response["HX-Refresh"] = "true"  # heading, state and buttons are others now
    return response


def _describe_retries(user: User, campaign: Campaign) -> dict[str, Any]:
    """What may be tried again; only for the whole page, because it asks of each skipped person what a mark asks."""
    decision = policy.may_retry(user, campaign)
    if not decision.allowed or not has_failures(campaign):
        return {}
    found, labels = count_retriable(campaign, now=timezone.now()), dict(SkipReason.choices)
    skipped = [(str(labels.get(reason, reason)), number) for reason, number in found.skipped.items()]
    return {"retriable": found, "retriable_skips": skipped, "retriable_skipped": sum(found.skipped.values())}


@require_POST
def submit(request: HttpRequest, pk: int) -> HttpResponse:
    campaign, user, now = get_campaign_for(request.user, pk), current_user(request), timezone.now()
    done = _("Sent to review. You will see here what the approver says.")
    return carry_out(
        request, campaign, "review-campaign", lambda: workflow.submit_campaign(user, campaign, now=now), done
    )


@require_POST
def approve(request: HttpRequest, pk: int) -> HttpResponse:
    """Approve the parts ticked (all where none is named), bound to the hash that the page showed."""
    campaign, user, now = get_campaign_for(request.user, pk), current_user(request), timezone.now()
    named = [part for part in request.POST.getlist("part") if part in ApprovalPart.values]
    if request.POST.get("named") and not named:
        messages.warning(request, _("Tick what you approve."))
        return redirect("campaigns:review-campaign", pk)

    def act() -> Campaign:
        return workflow.approve_campaign(
            user, campaign, now=now, parts=named or workflow.ALL_PARTS, seen_hash=request.POST.get("seen", ""),
            fairness_reason=request.POST.get("fairness_reason", ""),
        )  # fmt: skip

    return carry_out(request, campaign, "review-campaign", act, _tell_approved(campaign, named))


def _tell_approved(campaign: Campaign, named: list[str]) -> str:
    """That it is approved, or which of its parts are and which still wait."""
    before = Approval.objects.filter(campaign=campaign, voided_at=None).values_list("part", flat=True)
    rest = [part for part in ApprovalPart if part.value not in {*before, *(named or ApprovalPart.values)}]
    if not rest:
        return _("Approved.")
    shown = [", ".join(str(ApprovalPart(part).label) for part in parts) for parts in (named, rest)]
    return _("Approved: %(parts)s. Still to be approved: %(rest)s.") % {"parts": shown[0], "rest": shown[1]}


@require_POST
def ask_for_changes(request: HttpRequest, pk: int) -> HttpResponse:
    campaign, user, now = get_campaign_for(request.user, pk), current_user(request), timezone.now()
    comment = request.POST.get("comment", "")[:500]

    def act() -> Campaign:
        return workflow.request_changes(user, campaign, comment=comment, now=now)

    return carry_out(request, campaign, "review-campaign", act, _("Sent back with your comment."))


@require_POST
def set_terms(request: HttpRequest, pk: int) -> HttpResponse:
    """How long an approval holds and how far its people may drift; a change voids what was approved."""
    campaign, user, now = get_campaign_for(request.user, pk), current_user(request), timezone.now()
    form = ApprovalTermsForm(request.POST, campaign=campaign)
    if not form.is_valid():
        for sentences in form.errors.values():
            messages.error(request, " ".join(map(str, sentences)))
        return redirect("campaigns:review-campaign", pk)
    return carry_out(
        request, campaign, "review-campaign", lambda: edit_campaign(user, campaign, form.campaign_fields(), now=now),
        _("Kept."),
    )  # fmt: skip


@require_POST
def schedule(request: HttpRequest, pk: int) -> HttpResponse:
    """Schedule at the approved time; where that has come, a worker starts at once rather than at the next sweep."""
    campaign, user, now = get_campaign_for(request.user, pk), current_user(request), timezone.now()

    def act() -> None:
        workflow.schedule_campaign(user, campaign, now=now)
        if campaign.scheduled_for is not None and campaign.scheduled_for <= now:
            transaction.on_commit(start_due_campaigns.delay)
            send_sweep.apply_async(countdown=2)

    return carry_out(request, campaign, "live", act, _("Scheduled."))


@require_POST
def unschedule(request: HttpRequest, pk: int) -> HttpResponse:
    campaign, user, now = get_campaign_for(request.user, pk), current_user(request), timezone.now()
    return carry_out(
        request, campaign, "timing", lambda: workflow.unschedule_campaign(user, campaign, now=now), _("Taken back.")
    )


@require_POST
def pause(request: HttpRequest, pk: int) -> HttpResponse:
    campaign, user, now = get_campaign_for(request.user, pk), current_user(request), timezone.now()
    reason = request.POST.get("comment", "")[:300] or _("Paused by hand.")
    return carry_out(
        request, campaign, "live", lambda: control.pause_campaign(user, campaign, reason=reason, now=now), _("Paused.")
    )


@require_POST
def resume(request: HttpRequest, pk: int) -> HttpResponse:
    campaign, user, now = get_campaign_for(request.user, pk), current_user(request), timezone.now()
    leaves_out = request.POST.get("pause") == "leave_out"

    def act() -> Campaign:
        return control.resume_campaign(user, campaign, now=now, leaves_out_pause=leaves_out)

    return carry_out(request, campaign, "live", act, _("Sending goes on."))


@require_POST
def retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Queue again what certainly was not sent and may be sent now."""
    campaign, user, now = get_campaign_for(request.user, pk), current_user(request), timezone.now()
    kind = request.POST.get("kind", "")
    return carry_out(
        request, campaign, "live", lambda: retry_messages(user, campaign, kind=kind, now=now), _("Queued again.")
    )


def confirm_cancellation(request: HttpRequest, pk: int) -> HttpResponse:
    """Cancelling cannot be undone: its own page, confirmed by typing the campaign's name."""
    campaign, user, now = get_campaign_for(request.user, pk), current_user(request), timezone.now()
    context: dict[str, Any] = frame_step(request, campaign, "live") | {
        "progress": read_progress(campaign),
        "wrong": False,
    }
    if request.method != "POST":
        return render(request, "campaigns/cancel.html", context)
    if request.POST.get("confirm", "").strip() != campaign.name.strip():
        return render(request, "campaigns/cancel.html", context | {"wrong": True}, status=422)
    return carry_out(
        request,
        campaign,
        "live",
        lambda: workflow.cancel_campaign(user, campaign, reason=request.POST.get("comment", "")[:500], now=now),
        _("Cancelled. What was sent stays sent."),
    )
