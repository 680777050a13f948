"""One text: its editor with findings, its preview, and what the model saw."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_http_methods, require_safe

from campaigns.approval.editing import edit_variant
from campaigns.audience.archetypes import describe_people, label_archetype
from campaigns.content.rendering import PREVIEW_CSP, RenderError, render_preview
from campaigns.forms import VariantForm
from campaigns.models import Arm, AudienceMember, Variant
from customers.models import Customer
from llm.models import LlmCall

from .access import current_user, get_campaign_for, get_variant_for
from .steps import frame_step

VIEWS = ("phone", "desktop", "text")


@require_http_methods(["GET", "HEAD", "POST"])
def show_variant(request: HttpRequest, pk: int) -> HttpResponse:
    """Edit a text beside what a customer would see; each save runs the guard-rails again."""
    variant = get_variant_for(request.user, pk)
    campaign = variant.archetype.campaign
    form = VariantForm(request.POST or None, instance=Variant.objects.get(pk=pk))
    status = 200
    if request.method == "POST":
        if form.is_valid() and _save_text(request, variant, form):
            if Variant.objects.get(pk=pk).is_blocked:
                messages.warning(request, _("The text is saved, but what was found in it keeps it from being sent."))
            else:
                messages.success(request, _("The text is saved and was checked again."))
            return redirect("campaigns:variant", pk)
        status = 422
    people = describe_people(campaign)
    context = frame_step(request, campaign, "messages") | {
        "variant": variant,
        "archetype": variant.archetype,
        "label": label_archetype(variant.archetype),
        "figures": people.get(variant.archetype_id),
        "form": form,
        "view": request.GET.get("view") if request.GET.get("view") in VIEWS else "phone",
        "whose": request.GET.get("whose", "1"),
        "next_whose": _next_number(request.GET.get("whose", "1")),
        "call": LlmCall.objects.filter(request_id=variant.llm_request_id).first() if variant.llm_request_id else None,
        "changes": _list_changes(variant),
        "findings": _name_fields(variant.findings, form),
    }
    return render(request, "campaigns/variant.html", context, status=status)


@require_safe
@xframe_options_sameorigin
def show_preview(request: HttpRequest, pk: int) -> HttpResponse:
    """The message as `?whose=N` (the N-th of the archetype, or "nobody") would get it, for a sandboxed frame."""
    variant = get_variant_for(request.user, pk)
    try:
        rendered = render_preview(variant, _pick_customer(variant, request.GET.get("whose", "1")), now=timezone.now())
    except RenderError as error:
        return _frame(f"<p>{_('This text cannot be shown')}: {error}</p>")
    if request.GET.get("as") == "text":
        response = HttpResponse(rendered.text, content_type="text/plain; charset=utf-8")
        response["Content-Security-Policy"] = PREVIEW_CSP
        return response
    return _frame(rendered.html)


@require_safe
@permission_required("llm.view_llmcall", raise_exception=True)
def show_model_call(request: HttpRequest, pk: int) -> HttpResponse:
    """What the model saw for a text and what it answered, word for word."""
    variant = get_variant_for(request.user, pk)
    call = get_object_or_404(LlmCall, request_id=variant.llm_request_id)
    campaign = get_campaign_for(request.user, variant.archetype.campaign_id)
    parts = call.masked_request.get("messages", []) if isinstance(call.masked_request, dict) else []
    context = frame_step(request, campaign, "messages") | {
        "variant": variant,
        "label": label_archetype(variant.archetype),
        "call": call,
        "parts": parts,
    }
    return render(request, "campaigns/model_call.html", context)


def _list_changes(variant: Variant) -> list[tuple[str, str]]:
    """Slots in which a person changed what was drafted: before and after."""
    pairs = [(str(before), str(getattr(variant, name, ""))) for name, before in variant.drafted_text.items()]
    return [(before, after) for before, after in pairs if before != after]


def _name_fields(findings: list[dict[str, Any]], form: VariantForm) -> list[dict[str, Any]]:
    """The findings with the label of the field that each is about, as it stands beside it in the form."""
    labels = {name: str(field.label) for name, field in form.fields.items()}
    return [finding | {"label": labels.get(str(finding.get("field")), "")} for finding in findings]


def _save_text(request: HttpRequest, variant: Variant, form: VariantForm) -> bool:
    try:
        edit_variant(current_user(request), variant, form.cleaned_data, now=timezone.now())
    except ValidationError as error:
        for sentence in error.messages:
            form.add_error(None, sentence)
        return False
    return True


def _pick_customer(variant: Variant, whose: str) -> Customer | None:
    """The N-th treated member of the archetype in the order of ids; None stands for somebody without any data."""
    if not whose.isdecimal() or len(whose) > 9:
        return None
    members = AudienceMember.objects.filter(archetype=variant.archetype, arm=Arm.TREATMENT).order_by("customer_id")
    number = max(0, int(whose) - 1) % max(1, variant.archetype.size)
    member = (
        members.select_related("customer")[number : number + 1].first() or members.select_related("customer").first()
    )
    return member.customer if member else None


def _next_number(whose: str) -> int:
    return int(whose) + 1 if whose.isdecimal() and len(whose) < 9 else 1


def _frame(html: str) -> HttpResponse:
    response = HttpResponse(html)
    response["Content-Security-Policy"] = PREVIEW_CSP
    return response
