"""One text: its editor with findings and claims, what the model saw, and the changes to which texts there are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from campaigns.approval.editing import edit_variant
from campaigns.approval.texts import ask_for_text, ask_for_translation, copy_text, remove_text
from campaigns.audience.archetypes import describe_people, label_archetype
from campaigns.audience.channels import is_sent
from campaigns.content.channels import find_writer
from campaigns.content.merge_tags import MEANINGS
from campaigns.content.rendering import RenderError, load_source, render_preview
from campaigns.content.samples import list_samples
from campaigns.forms import VariantForm
from campaigns.models import Angle, Archetype, Campaign, Variant
from campaigns.tasks import draft_archetype
from llm.models import LlmCall

from .access import current_user, get_campaign_for, get_variant_for
from .previews import THEMES
from .steps import frame_step

VIEWS = ("phone", "desktop", "text")
#: How many characters of a part its reader sees, or its guard-rail takes: what the counter beside the field says.
COUNTED = {
    "email": {"subject": 60, "preheader": 90},
    "push": {"subject": 50, "opening": 150},
    "sms": {"opening": 160},
}


@require_http_methods(["GET", "HEAD", "POST"])
def show_variant(request: HttpRequest, pk: int) -> HttpResponse:
    """Edit a text beside what a customer would see; each save runs the guard-rails again."""
    variant = get_variant_for(request.user, pk)
    stored = Variant.objects.select_related("archetype").get(pk=pk)
    form = VariantForm(request.POST or None, instance=stored)
    status = 200
    if request.method == "POST":
        if form.is_valid() and _save_text(request, variant, form):
            if Variant.objects.get(pk=pk).is_blocked:
                messages.warning(request, _("The text is saved, but what was found in it keeps it from being sent."))
            else:
                messages.success(request, _("The text is saved and was checked again."))
            return redirect("campaigns:variant", pk)
        status = 422
    return render(request, "campaigns/variant.html", _describe_editor(request, variant, form), status=status)


@require_POST
def add_text(request: HttpRequest, pk: int) -> HttpResponse:
    """One more text for an archetype, with an angle of its own, by the model or as a copy that a person then writes."""
    archetype = _get_archetype_for(request, pk)
    user, now, angle = current_user(request), timezone.now(), _read_angle(request)
    first = Variant.objects.filter(archetype=archetype).order_by("label").first()
    if request.POST.get("by") == "person" and first is not None:
        return _carry_out_text(
            request, archetype, lambda: copy_text(user, _with_archetype(first, archetype), angle=angle, now=now)
        )
    instruction = request.POST.get("instruction", "")
    return _carry_out_text(
        request, archetype, lambda: ask_for_text(user, archetype, angle=angle, instruction=instruction, now=now)
    )


@require_POST
def redraft_text(request: HttpRequest, pk: int) -> HttpResponse:
    """Have one text written again, with an instruction; the others of its archetype stay."""
    variant = get_variant_for(request.user, pk)
    user, now, angle = current_user(request), timezone.now(), _read_angle(request)
    instruction = request.POST.get("instruction", "")
    archetype = variant.archetype
    return _carry_out_text(
        request,
        archetype,
        lambda: ask_for_text(user, archetype, label=variant.label, angle=angle, instruction=instruction, now=now),
    )


@require_POST
def translate_text(request: HttpRequest, pk: int) -> HttpResponse:
    """Have a finished text drafted in the language of another archetype."""
    variant = get_variant_for(request.user, pk)
    chosen = request.POST.get("archetype", "")
    if not chosen.isdecimal():
        raise Http404
    target = get_object_or_404(
        Archetype.objects.select_related("campaign"), pk=chosen, campaign=variant.archetype.campaign_id
    )
    user, now = current_user(request), timezone.now()
    return _carry_out_text(request, target, lambda: ask_for_translation(user, variant, target, now=now))


@require_POST
def remove_one(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a text away."""
    variant = get_variant_for(request.user, pk)
    user, now = current_user(request), timezone.now()
    remove_text(user, variant, now=now)
    messages.success(request, _("The text was removed."))
    return redirect("campaigns:messages", variant.archetype.campaign_id)


@require_safe
@permission_required("llm.view_llmcall", raise_exception=True)
def show_model_call(request: HttpRequest, pk: int) -> HttpResponse:
    """What the model saw for a text and what it answered, word for word; `?try=N` for the tries that were sent back."""
    variant = get_variant_for(request.user, pk)
    tries = [*(str(row.get("request_id", "")) for row in variant.earlier_calls), str(variant.llm_request_id)]
    number = _read_number(request.GET.get("try", ""), len(tries))
    call = get_object_or_404(LlmCall, request_id=tries[number - 1] if variant.llm_request_id else None)
    campaign = get_campaign_for(request.user, variant.archetype.campaign_id)
    parts = call.masked_request.get("messages", []) if isinstance(call.masked_request, dict) else []
    sent_back = variant.earlier_calls[number - 1]["faults"] if number < len(tries) else []
    context = frame_step(request, campaign, "messages") | {
        "variant": variant,
        "label": label_archetype(variant.archetype),
        "call": call,
        "parts": parts,
        "tries": range(1, len(tries) + 1) if len(tries) > 1 else (),
        "number": number,
        "sent_back": sent_back,
        "changes": list_changes(variant),
    }
    return render(request, "campaigns/model_call.html", context)


def list_changes(variant: Variant) -> list[tuple[str, str, str]]:
    """Slots in which a person changed what was drafted: name, before and after."""
    labels = _label_parts(variant)
    pairs = [
        (labels.get(name, name), str(before), str(getattr(variant, name, "")))
        for name, before in variant.drafted_text.items()
    ]
    return [(label, before, after) for label, before, after in pairs if before != after]


def _describe_editor(request: HttpRequest, variant: Variant, form: VariantForm) -> dict[str, Any]:
    campaign, archetype = variant.archetype.campaign, variant.archetype
    chosen = {
        "view": request.GET.get("view") if request.GET.get("view") in VIEWS else "phone",
        "theme": request.GET.get("theme") if request.GET.get("theme") in THEMES else "light",
        "whose": request.GET.get("whose", "1"),
    }
    siblings = list(Variant.objects.filter(archetype=archetype).order_by("label"))
    return (
        frame_step(request, campaign, "messages")
        | chosen
        | {
            "variant": variant,
            "archetype": archetype,
            "label": label_archetype(archetype),
            "figures": describe_people(campaign).get(archetype.pk),
            "form": form,
            "samples": list_samples(variant),
            "may_see_people": request.user.has_perm("customers.view_customer"),
            "siblings": siblings if len(siblings) > 1 else [],
            "parts": _describe_parts(variant, form),
            "other_findings": [row for row in variant.findings if row.get("field") not in form.fields],
            "changes": list_changes(variant),
            "measures": _measure(variant),
            "angles": Angle.choices,
            "merge_tags": MEANINGS.items(),
            "languages": _list_targets(campaign, variant),
            "is_connected": is_sent(archetype.channel),
        }
    )


def _describe_parts(variant: Variant, form: VariantForm) -> list[dict[str, Any]]:
    """The fields of the form, each with what was found in it and how much of it is shown."""
    most = COUNTED.get(variant.archetype.channel, {})
    parts = []
    for bound in form:
        value = str(bound.value() or "")
        parts.append(
            {
                "bound": bound,
                "findings": [row for row in variant.findings if row.get("field") == bound.name],
                "most": most.get(bound.name),
                "length": len(value),
            }
        )
    return parts


def _label_parts(variant: Variant) -> dict[str, str]:
    return {name: str(field.label) for name, field in VariantForm(instance=variant).fields.items()}


def _measure(variant: Variant) -> list[Any]:
    """How long the copy for somebody without data is; [] where it cannot be filled."""
    try:
        copy = render_preview(variant, None, now=timezone.now())
    except RenderError:
        return []
    return find_writer(load_source(variant).channel).measure(copy)


def _list_targets(campaign: Campaign, variant: Variant) -> list[dict[str, Any]]:
    """The archetypes into whose language this text can be translated."""
    archetype = variant.archetype
    found = Archetype.objects.filter(campaign=campaign, channel=archetype.channel).exclude(language=archetype.language)
    return [{"pk": row.pk, "label": label_archetype(row)} for row in found] if not variant.is_blocked else []


def _get_archetype_for(request: HttpRequest, pk: int) -> Archetype:
    if not request.user.has_perm("campaigns.view_variant"):
        raise PermissionDenied("campaigns.view_variant")
    return get_object_or_404(Archetype.objects.select_related("campaign"), pk=pk)


def _with_archetype(variant: Variant, archetype: Archetype) -> Variant:
    variant.archetype = archetype
    return variant


def _read_angle(request: HttpRequest) -> str:
    angle = request.POST.get("angle", "")
    return angle if angle in Angle.values else ""


def _read_number(text: str, most: int) -> int:
    return min(max(int(text), 1), most) if text.isdecimal() and len(text) < 4 else most


def _carry_out_text(request: HttpRequest, archetype: Archetype, act: Callable[[], Any]) -> HttpResponse:
    """Do it, start the drafting sooner than the sweep would, and go on: to a new copy, else to the messages."""
    try:
        made = act()
    except ValidationError as error:
        for sentence in error.messages:
            messages.error(request, sentence)
        made = None
    else:
        transaction.on_commit(lambda: draft_archetype.delay(archetype.pk))
    if isinstance(made, Variant):
        return redirect("campaigns:variant", made.pk)
    return redirect("campaigns:messages", archetype.campaign_id)


def _save_text(request: HttpRequest, variant: Variant, form: VariantForm) -> bool:
    try:
        edit_variant(
            current_user(request), variant, form.words(), now=timezone.now(), shows_products=form.shows_products()
        )
    except ValidationError as error:
        for sentence in error.messages:
            form.add_error(None, sentence)
        return False
    return True
