"""Changes to a campaign that runs: what is wanted beside what stands, whom it touches, and the decision."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from campaigns.approval import policy
from campaigns.approval.staging import deciding, preparing
from campaigns.approval.staging.affected import count_affected
from campaigns.approval.staging.fields import read_standing, read_wanted
from campaigns.audience.archetypes import label_archetype
from campaigns.content.rendering import PREVIEW_CSP, RenderError, load_source, render_for
from campaigns.forms import VariantForm
from campaigns.models import Campaign, StagedChange, Variant
from customers.told import tell
from customers.views.access import current_user

from .access import carry_out, get_campaign_for
from .staged_form import StagedFieldsForm
from .staged_words import list_texts, tell_fields, tell_parts, tell_texts
from .steps import frame_step


def get_change_for(user: User | AnonymousUser, pk: int, number: int) -> StagedChange:
    """A change of a campaign; PermissionDenied without the right, Http404 where there is none."""
    if not user.has_perm("campaigns.view_stagedchange"):
        raise PermissionDenied("campaigns.view_stagedchange")
    found = StagedChange.objects.select_related("campaign__offer", "campaign__segment", "author", "decided_by")
    return get_object_or_404(found, campaign=get_campaign_for(user, pk), number=number)


@require_http_methods(["GET", "HEAD", "POST"])
def list_changes(request: HttpRequest, pk: int) -> HttpResponse:
    """All changes of a campaign, the newest first. POST begins one, like an earlier one where `like` names it."""
    campaign, user = get_campaign_for(request.user, pk), current_user(request)
    if request.method == "POST":
        return _begin(request, campaign, user)
    found = list(StagedChange.objects.filter(campaign=campaign).select_related("author", "decided_by"))
    rows = [
        {"change": change, "parts": tell_parts(change), "texts": len(change.outcome.get("texts", []))}
        for change in found
    ]
    context = frame_step(request, campaign, "live") | {
        "changes": rows,
        "waiting": next((change for change in found if change.is_waiting), None),
        "stage_decision": policy.may_stage(user, campaign),
    }
    return render(request, "campaigns/staged_changes.html", context)


@require_safe
def show_change(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """What would be different, word by word; whom it touches; and what this person may decide."""
    change, user = get_change_for(request.user, pk, number), current_user(request)
    return render(request, "campaigns/staged_change.html", _describe(request, change, user))


@require_http_methods(["GET", "HEAD", "POST"])
def show_fields(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """The offer, timing and steps as they would be."""
    change, user, now = get_change_for(request.user, pk, number), current_user(request), timezone.now()
    standing, wanted = read_standing(change.campaign), read_wanted(change)
    merged = type(wanted)(
        offer={**standing.offer, **wanted.offer},
        campaign={**standing.campaign, **wanted.campaign},
        follow_ups={**standing.follow_ups, **wanted.follow_ups},
    )
    form = StagedFieldsForm(request.POST or None, campaign=change.campaign, wanted=merged, reason=change.reason)
    context = frame_step(request, change.campaign, "live") | {
        "change": change,
        "form": form,
        "may_write": policy.may_edit_change(user, change).allowed and change.status == StagedChange.Status.OPEN,
    }
    if request.method != "POST":
        return render(request, "campaigns/staged_fields.html", context)

    def save() -> None:
        preparing.stage_fields(
            user, change, offer=form.offer(), fields=form.campaign_fields(), follow_ups=form.follow_ups(),
            reason=form.cleaned_data["reason"], now=now,
        )  # fmt: skip

    if form.is_valid() and _save(form, save):
        messages.success(request, _("Kept in the change. The campaign goes on as it is."))
        return redirect("campaigns:staged-change", pk, number)
    return render(request, "campaigns/staged_fields.html", context, status=422)


@require_http_methods(["GET", "HEAD", "POST"])
def show_text(request: HttpRequest, pk: int, number: int, text: int) -> HttpResponse:
    """One text as it would be; each save runs the guard-rails."""
    change, user, now = get_change_for(request.user, pk, number), current_user(request), timezone.now()
    found = Variant.everything.select_related("archetype__campaign__offer")
    standing = get_object_or_404(found, pk=text, archetype__campaign=change.campaign)
    staged = preparing.put_words(change, get_object_or_404(found, pk=text))
    form = VariantForm(request.POST or None, instance=staged)
    outcome = next((row for row in change.outcome.get("texts", []) if row["variant"] == text), None)
    findings = outcome["findings"] if outcome else standing.findings
    context = frame_step(request, change.campaign, "live") | {
        "change": change,
        "variant": standing,
        "label": label_archetype(standing.archetype),
        "form": form,
        "parts": [
            {"bound": bound, "findings": [row for row in findings if row.get("field") == bound.name]}
            for bound in form.visible_fields()
        ],
        "other_findings": [row for row in findings if row.get("field") not in form.fields],
        "standing": [
            (bound.label, getattr(standing, bound.name))
            for bound in form.visible_fields()
            if bound.name != "shows_products"
        ],
        "outcome": outcome,
        "may_write": policy.may_edit_change(user, change).allowed
        and change.status == StagedChange.Status.OPEN
        and standing.retired_at is None,
    }
    if request.method != "POST":
        return render(request, "campaigns/staged_text.html", context)

    def save() -> None:
        preparing.stage_text(
            user,
            change,
            standing,
            form.words(),
            shows_products=form.shows_products(),
            seen=form.cleaned_data["seen"],
            now=now,
        )

    if form.is_valid() and _save(form, save):
        messages.success(request, _("Kept in the change. The campaign goes on as it is."))
        return redirect("campaigns:staged-change", pk, number)
    # Saving again writes over what somebody else wrote meanwhile, then knowingly.
    form.data = {**request.POST.dict(), "seen": preparing.hash_staged(change, standing)}
    return render(request, "campaigns/staged_text.html", context, status=422)


@require_safe
@xframe_options_sameorigin
def show_preview(request: HttpRequest, pk: int, number: int, text: int) -> HttpResponse:
    """A text of a change as somebody of whom nothing is known would get it, for a sandboxed frame."""
    change = get_change_for(request.user, pk, number)
    rows = [row for row in change.outcome.get("texts", []) if row["variant"] == text]
    variant = get_object_or_404(
        Variant.everything.select_related("archetype"), pk=text, archetype__campaign=change.campaign
    )
    variant.source = rows[0]["source"] if rows else variant.source
    try:
        copy = render_for(load_source(variant), variant.archetype.language, None)
    except RenderError as error:
        return HttpResponse(str(error), content_type="text/plain; charset=utf-8")
    response = HttpResponse(copy.html or copy.text)
    if not copy.html:
        response["Content-Type"] = "text/plain; charset=utf-8"
    response["Content-Security-Policy"] = PREVIEW_CSP
    return response


@require_POST
def submit(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    return _decide(request, pk, number, deciding.submit_change, _("Sent to review. The campaign goes on as it is."))


@require_POST
def approve(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    seen = request.POST.get("seen", "")
    return _decide(request, pk, number, deciding.approve_change, _("Approved: the change is in force."), seen_hash=seen)


@require_POST
def refuse(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    reason = request.POST.get("comment", "")[:500]
    return _decide(request, pk, number, deciding.refuse_change, _("Not approved. Its author reads why."), reason=reason)


@require_POST
def withdraw(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    return _decide(request, pk, number, preparing.withdraw_change, _("Withdrawn. The campaign goes on as it is."))


@require_POST
def bring_up_to_date(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    done = _("Made anew from the campaign as it is now. Look at it, then submit it.")
    return _decide(request, pk, number, preparing.bring_up_to_date, done)


def _begin(request: HttpRequest, campaign: Campaign, user: User) -> HttpResponse:
    like, now = request.POST.get("like", ""), timezone.now()
    earlier = get_change_for(request.user, campaign.pk, int(like)) if like.isdecimal() and len(like) < 6 else None
    try:
        change = preparing.open_change(user, campaign, like=earlier, now=now)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("campaigns:staged-changes", campaign.pk)
    return redirect("campaigns:staged-change", campaign.pk, change.number)


def _decide(
    request: HttpRequest, pk: int, number: int, act: Callable[..., Any], done: str, **values: Any
) -> HttpResponse:
    change, user = get_change_for(request.user, pk, number), current_user(request)
    carry_out(request, change.campaign, "staged-changes", lambda: act(user, change, now=timezone.now(), **values), done)
    return redirect("campaigns:staged-change", pk, number)


def _save(form: Any, act: Callable[[], Any]) -> bool:
    """What the workflow refuses becomes an error of the form: nothing that was typed is lost."""
    try:
        act()
    except ValidationError as error:
        if not hasattr(error, "error_dict"):
            form.add_error(None, error)
            return False
        for name, sentences in error.message_dict.items():
            form.add_error(name if name in form.fields else None, sentences)
        return False
    return True


def _describe(request: HttpRequest, change: StagedChange, user: User) -> dict[str, Any]:
    now = timezone.now()
    is_open = change.status == StagedChange.Status.OPEN
    may_write = policy.may_edit_change(user, change).allowed
    texts = tell_texts(change)
    return frame_step(request, change.campaign, "live") | {
        "change": change,
        "affected": count_affected(change, now=now) if change.is_waiting else change.affected,
        "fields": tell_fields(change),
        "edited": [text for text in texts if text["is_edited"]],
        "composed": [text for text in texts if not text["is_edited"]],
        "parts": tell_parts(change),
        "all_texts": list_texts(change) if is_open and may_write else [],
        "obstacles": deciding.find_obstacles(change) if is_open else [],
        "is_outdated": change.is_waiting and preparing.is_outdated(change),
        "expiry": tell(deciding.explain_change_expiry(change, now=now)) if change.is_waiting else "",
        "may_write": may_write,
        "submit_decision": policy.may_submit_change(user, change),
        "approve_decision": policy.may_approve_change(user, change),
        "refuse_decision": policy.may_refuse_change(user, change),
        "withdraw_decision": policy.may_withdraw_change(user, change),
        "stage_decision": policy.may_stage(user, change.campaign),
        "needs_second_person": policy.needs_second_person(),
    }
