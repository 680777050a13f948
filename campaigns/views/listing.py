"""The list of campaigns, a new one, and what waits for review."""

from __future__ import annotations

from django.contrib.auth.decorators import permission_required
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from campaigns.approval.editing import create_campaign as create_draft
from campaigns.approval.make_right import start_make_right
from campaigns.approval.policy import may_approve, may_approve_change
from campaigns.forms import GoalForm, OfferForm
from campaigns.models import Campaign, CampaignKind, CampaignResult, CampaignStatus, StagedChange
from customers.views.access import current_user

from .access import get_campaign_for, right_step
from .telling import tell_lift

PAGE_SIZE = 25


@require_safe
@permission_required("campaigns.view_campaign", raise_exception=True)
def list_campaigns(request: HttpRequest) -> HttpResponse:
    """All campaigns, newest first, each with what it did as far as that is known."""
    found = Campaign.objects.select_related("segment", "author")
    status = request.GET.get("status", "")
    if status in CampaignStatus.values:
        found = found.filter(status=status)
    kind = request.GET.get("kind", "")
    if kind in CampaignKind.values:
        found = found.filter(kind=kind)
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    results = CampaignResult.objects.newest_by_campaign(campaign.pk for campaign in page.object_list)
    rows = [{"campaign": campaign, "lift": tell_lift(results.get(campaign.pk))} for campaign in page.object_list]
    numbers = dict(Campaign.objects.order_by().values_list("status").annotate(Count("pk")))
    statuses = [(value, label, numbers[value]) for value, label in CampaignStatus.choices if numbers.get(value)]
    by_kind = dict(Campaign.objects.order_by().values_list("kind").annotate(Count("pk")))
    kinds = [(value, label, by_kind[value]) for value, label in CampaignKind.choices if by_kind.get(value)]
    context = {"page": page, "rows": rows, "statuses": statuses, "status": status, "kind": kind}
    context["kinds"] = kinds if len(kinds) > 1 else []
    return render(request, "campaigns/list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("campaigns.add_campaign", raise_exception=True)
def create_campaign(request: HttpRequest) -> HttpResponse:
    """A new campaign with its goal and offer."""
    user = current_user(request)
    if request.method != "POST":
        form = GoalForm(initial={"segment": request.GET.get("segment")})
        return render(request, "campaigns/goal.html", {"form": form, "offer_form": OfferForm(), "may_edit": True})
    form, offer_form = GoalForm(request.POST), OfferForm(request.POST)
    if not (form.is_valid() and offer_form.is_valid()):
        context = {"form": form, "offer_form": offer_form, "may_edit": True}
        return render(request, "campaigns/goal.html", context, status=422)
    campaign = create_draft(user, form.cleaned_data, offer_form.offer_fields(), now=timezone.now())
    return redirect("campaigns:audience", campaign.pk)


@require_POST
@permission_required("campaigns.add_campaign", raise_exception=True)
def begin_make_right(request: HttpRequest) -> HttpResponse:
    """A campaign for people whose complaint was solved, as a draft with its segment."""
    campaign = start_make_right(current_user(request), now=timezone.now())
    return redirect("campaigns:goal", campaign.pk)


@require_safe
@permission_required("campaigns.view_campaign", raise_exception=True)
def show_campaign(request: HttpRequest, pk: int) -> HttpResponse:
    """To the step at which the campaign stands."""
    campaign = get_campaign_for(request.user, pk)
    return redirect(f"campaigns:{right_step(campaign)}", campaign.pk)


@require_safe
@permission_required("campaigns.view_approval", raise_exception=True)
def show_review_queue(request: HttpRequest) -> HttpResponse:
    """Campaigns in review and changes of running ones, the oldest first; which of them this person may approve."""
    user, now = current_user(request), timezone.now()
    waiting = Campaign.objects.in_review().select_related("segment", "author").order_by("submitted_at")
    rows = [{"campaign": campaign, "decision": may_approve(user, campaign)} for campaign in waiting]
    asked = StagedChange.objects.in_review().select_related("campaign__segment", "author").order_by("submitted_at")
    changes = [{"change": change, "decision": may_approve_change(user, change)} for change in asked]
    changed = Campaign.objects.filter(
        author=user, status=CampaignStatus.DRAFT, transitions__from_status=CampaignStatus.IN_REVIEW
    ).distinct()
    return render(
        request, "campaigns/review_queue.html", {"rows": rows, "changes": changes, "changed": changed, "now": now}
    )
