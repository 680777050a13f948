"""The home page: what was kept, what is at risk, what waits for me."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext
from django.views.decorators.http import require_safe

from campaigns.approval.policy import needs_second_person
from campaigns.models import (
    Archetype,
    Campaign,
    CampaignStatus,
    DraftStatus,
    Message,
    MessageStatus,
    StagedChange,
)
from campaigns.outcomes.reports.cost import read_cost_report
from campaigns.outcomes.reports.ledger import read_ledger
from campaigns.views.telling import ToldLift, tell_lift
from customers.ingest.clock import read_shop_clock
from customers.insights.overview import read_overview
from customers.insights.retention import find_change
from customers.insights.risk import summarise_risk
from customers.models import Customer, ImportRun, ModelVersion, Segment
from customers.views.model_health import list_concerns

CAMPAIGNS_SHOWN = 6
#: How many months after the first order a cohort is followed on this page; the report Cohorts shows all.
MONTHS_AFTER = 5
APPROVED = {CampaignStatus.APPROVED, CampaignStatus.SCHEDULED, CampaignStatus.SENDING, CampaignStatus.SENT}
SENT = (MessageStatus.ACCEPTED, MessageStatus.DELIVERED, MessageStatus.BOUNCED, MessageStatus.COMPLAINED)


@dataclass(frozen=True)
class Task:
    """Something that waits for this person."""

    text: str
    url: str
    action: str


@dataclass(frozen=True)
class Step:
    """One of the first steps in a new shop."""

    text: str
    is_done: bool
    url: str


@require_safe
def show_home(request: HttpRequest) -> HttpResponse:
    """Figures for everybody who may see them; a fresh shop sees where to begin."""
    now = timezone.now()
    context: dict[str, Any] = {"now": now, "is_empty": not Customer.objects.exists(), "tasks": list_tasks(request)}
    if not context["is_empty"] and request.user.has_perm("customers.view_score"):
        context |= _describe_shop(read_shop_clock(now), now)
    if request.user.has_perm("campaigns.view_campaignresult"):
        context |= _describe_campaigns(now)
    if request.user.has_perm("campaigns.add_campaign") and not context.get("told"):
        context["first_steps"] = list_first_steps()
    return render(request, "home.html", context)


def list_tasks(request: HttpRequest) -> list[Task]:
    """What waits for this person, by what their role may do."""
    user, tasks = request.user, []
    if user.has_perm("campaigns.approve_campaign"):
        waiting = Campaign.objects.in_review()
        for campaign in (waiting.exclude(author=user.pk) if needs_second_person() else waiting)[:5]:
            text = _("“%(name)s” waits for your approval") % {"name": campaign.name}
            tasks.append(Task(text, reverse("campaigns:review-campaign", args=[campaign.pk]), _("Read")))
        tasks += _list_changes(user.pk)
    if user.has_perm("campaigns.change_campaign"):
        tasks += _list_drafting(user.pk)
    if user.has_perm("campaigns.control_sending"):
        for campaign in Campaign.objects.filter(status__in=[CampaignStatus.PAUSED, CampaignStatus.MISSED])[:5]:
            is_paused = campaign.status == CampaignStatus.PAUSED
            text = (_("“%(name)s” is paused") if is_paused else _("“%(name)s” missed its time")) % {
                "name": campaign.name
            }
            tasks.append(Task(text, reverse("campaigns:live", args=[campaign.pk]), _("Look")))
    if user.has_perm("campaigns.schedule_campaign"):
        for campaign in Campaign.objects.filter(status=CampaignStatus.APPROVED)[:5]:
            text = _("“%(name)s” is approved and can be scheduled") % {"name": campaign.name}
            tasks.append(Task(text, reverse("campaigns:review-campaign", args=[campaign.pk]), _("Schedule")))
    if user.has_perm("customers.add_importrun"):
        for run in ImportRun.objects.filter(status=ImportRun.Status.CHOOSING, requested_by=user.pk)[:3]:
            text = _("“%(name)s” waits for you to say which column is what") % {"name": run.file_name}
            tasks.append(Task(text, reverse("customers:import-columns", args=[run.pk]), _("Choose")))
    if user.has_perm("customers.view_importrun"):
        failed = ImportRun.objects.filter(
            status=ImportRun.Status.FAILED, created_at__gte=timezone.now() - dt.timedelta(days=3)
        )
        for run in failed[:3]:
            text = _("“%(name)s” was not imported") % {"name": run.file_name}
            tasks.append(Task(text, reverse("customers:import", args=[run.pk]), _("Look")))
    if user.has_perm("customers.add_modelversion"):
        for sentence in list_concerns():
            tasks.append(Task(sentence, f"{reverse('customers:predictions')}#drift", _("Look")))
    return tasks


def list_first_steps() -> list[Step]:
    """The way from an empty shop to the first message, with what is done of it."""
    campaigns = set(Campaign.objects.order_by().values_list("status", flat=True).distinct())
    return [
        Step(_("Import the shop’s orders"), Customer.objects.exists(), reverse("customers:import-new")),
        Step(
            _("The model learns who leaves, by itself"), ModelVersion.objects.exists(), reverse("customers:predictions")
        ),
        Step(_("Say who is meant: a segment"), Segment.objects.exists(), reverse("customers:segment-new")),
        Step(_("Say what is offered: a campaign"), bool(campaigns), reverse("campaigns:new")),
        Step(_("A second person approves it"), bool(campaigns & APPROVED), reverse("campaigns:list")),
    ]


def _list_changes(user_id: int | None) -> Iterator[Task]:
    """Changes of running campaigns that this person may approve."""
    waiting = StagedChange.objects.in_review().select_related("campaign")
    if needs_second_person():
        waiting = waiting.exclude(author=user_id).exclude(campaign__author=user_id)
    for change in waiting[:5]:
        text = _("A change of “%(name)s” waits for your approval") % {"name": change.campaign.name}
        yield Task(text, reverse("campaigns:staged-change", args=[change.campaign_id, change.number]), _("Read"))


def _list_drafting(author_id: int | None) -> list[Task]:
    drafts = Campaign.objects.filter(author_id=author_id, status=CampaignStatus.DRAFT).annotate(
        drafted=Count("archetypes", filter=Q(archetypes__draft_status=DraftStatus.DRAFTED)),
        failed=Count("archetypes", filter=Q(archetypes__draft_status=DraftStatus.FAILED)),
    )
    tasks = []
    for pk, name, drafted, failed in drafts.order_by("-updated_at").values_list("pk", "name", "drafted", "failed")[:5]:
        url = reverse("campaigns:detail", args=[pk])
        if failed:
            text = _("“%(name)s”: drafts failed") % {"name": name}
        elif drafted:
            text = ngettext("“%(name)s”: %(count)d draft to read", "“%(name)s”: %(count)d drafts to read", drafted) % {
                "name": name,
                "count": drafted,
            }
        else:
            text = _("“%(name)s” is not finished") % {"name": name}
        tasks.append(Task(text, url, _("Open")))
    return tasks


def _describe_shop(as_of: dt.datetime, now: dt.datetime) -> dict[str, Any]:
    overview = read_overview(now)
    rates = overview.rates
    known = [rate.rate for rate in rates if rate.rate is not None]
    cohorts = [
        (
            date_format(cohort.month, pgettext("date format", "M Y")),
            cohort.customers,
            list(cohort.shares[1 : 1 + MONTHS_AFTER]),
        )
        for cohort in overview.cohorts
        if len(cohort.shares) > 1  # in the month of their first order all of them ordered: that says nothing
    ]
    return {
        "as_of": as_of,
        "is_historic": as_of < now,
        "retention": rates[-1],
        "retention_shares": known,
        "retention_change": find_change(rates),
        "risk": summarise_risk(now),
        "cohorts": cohorts,
        "cohort_heads": range(1, 1 + max((len(shares) for *_rest, shares in cohorts), default=0)),
    }


def _describe_campaigns(now: dt.datetime) -> dict[str, Any]:
    """Sums are over all campaigns whose counting is over, as in the reports; the table shows the newest."""
    started = list(
        Campaign.objects.filter(sending_started_at__isnull=False)
        .select_related("segment")
        .order_by("-sending_started_at", "-pk")
    )
    ledger = read_ledger(started)
    lifts = {line.campaign.pk: tell_lift(line.result) for line in ledger.lines}
    settled = [lift for line in ledger.settled if (lift := lifts[line.campaign.pk]) is not None]
    sent_today = Message.objects.filter(sending_at__gte=now - dt.timedelta(days=1), status__in=SENT).count()
    return {
        "told": [{"campaign": campaign, "lift": lifts.get(campaign.pk)} for campaign in started[:CAMPAIGNS_SHOWN]],
        "kept": sum_kept(settled),
        "revenue": sum_revenue([line.result.figures for line in ledger.settled]),
        "cost": read_cost_report(ledger),
        "sent_today": sent_today,
        "waiting_drafts": Archetype.objects.filter(
            draft_status__in=[DraftStatus.REQUESTED, DraftStatus.DRAFTING]
        ).count(),
    }


def sum_kept(lifts: list[ToldLift]) -> dict[str, Any] | None:
    """Customers kept over independent campaigns: estimates add up, half-widths add up as squares. None without any.

    `is_shown` is true where the whole interval lies above zero: only then may a page say that anybody was kept.
    """
    if not lifts:
        return None
    total = sum(lift.kept for lift in lifts)
    below = sum((lift.kept - lift.kept_low) ** 2 for lift in lifts) ** 0.5
    above = sum((lift.kept_high - lift.kept) ** 2 for lift in lifts) ** 0.5
    low, high = total - below, total + above
    return {"campaigns": len(lifts), "total": total, "low": low, "high": high, "is_shown": low > 0}


def sum_revenue(figures: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Revenue because of campaigns, added up as `sum_kept` does; None without any, or where currencies differ."""
    found = [(row.get("revenue") or {}).get("difference") for row in figures]
    differences = [row for row in found if row]
    currencies = {row.get("currency", "") for row, found_row in zip(figures, found, strict=True) if found_row}
    if not differences or len(currencies) != 1:
        return None
    total = sum(float(row["total"]) for row in differences)
    below = sum((float(row["total"]) - float(row["total_low"])) ** 2 for row in differences) ** 0.5
    above = sum((float(row["total_high"]) - float(row["total"])) ** 2 for row in differences) ** 0.5
    return {"total": total, "low": total - below, "high": total + above, "currency": currencies.pop()}
