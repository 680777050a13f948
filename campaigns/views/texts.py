"""One text: its editor with findings and claims, what the model saw, and the changes to which texts there are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from campaigns.approval.texts import ask_for_text, ask_for_translation, copy_text, remove_text, take_back_former
from campaigns.audience.archetypes import label_archetype
from campaigns.forms import DraftsForm, TextRequestForm
from campaigns.models import Archetype, Variant
from campaigns.tasks import draft_archetype
from customers.views.access import current_user
from llm.models import LlmCall

from .access import get_campaign_for, get_variant_for, read_id
from .drafts import render_messages
from .editor import list_changes, render_editor
from .steps import frame_step


@require_POST
def add_text(request: HttpRequest, pk: int) -> HttpResponse:
    """One more text for an archetype, with an angle of its own, by the model or as a copy that a person then writes."""
    archetype = _get_archetype_for(request, pk)
    form = TextRequestForm(request.POST)
    if not form.is_valid():
        _say_errors(request, form)
        return render_messages(request, archetype.campaign, DraftsForm(), status=422)
    user, now, angle = current_user(request), timezone.now(), form.cleaned_data["angle"]
    step = form.cleaned_data["step"]
    first = Variant.objects.filter(archetype=archetype, step__lte=step).order_by("-step", "label").first()
    if request.POST.get("by") == "person" and first is not None:
        source = _with_archetype(first, archetype)
        return _carry_out_text(request, archetype, lambda: copy_text(user, source, angle=angle, step=step, now=now))
    return _carry_out_text(request, archetype, lambda: ask_for_text(user, archetype, **form.cleaned_data, now=now))


@require_POST
def redraft_text(request: HttpRequest, pk: int) -> HttpResponse:
    """Have one text written again, with an instruction; the others of its archetype stay."""
    variant, form = get_variant_for(request.user, pk), TextRequestForm(request.POST)
    if not form.is_valid():
        return render_editor(request, variant, asked=form, status=422)
    user, now, archetype = current_user(request), timezone.now(), variant.archetype
    asked = form.cleaned_data | {"label": variant.label, "step": variant.step}
    return _carry_out_text(request, archetype, lambda: ask_for_text(user, archetype, **asked, now=now))


@require_POST
def translate_text(request: HttpRequest, pk: int) -> HttpResponse:
    """Have a finished text drafted in the language of another archetype."""
    variant = get_variant_for(request.user, pk)
    chosen = read_id(request.POST.get("archetype", ""))
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


@require_POST
def take_back(request: HttpRequest, pk: int) -> HttpResponse:
    """Put the text that a newer draft replaced in its place again."""
    variant, user, now = get_variant_for(request.user, pk), current_user(request), timezone.now()
    seen = request.POST.get("seen", "")
    try:
        take_back_former(user, variant, seen=seen, now=now)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(
            request, _("The former text stands again and was checked. The newer one is kept in the same way.")
        )
    return redirect("campaigns:variant", pk)


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


def _say_errors(request: HttpRequest, form: TextRequestForm) -> None:
    for sentences in form.errors.values():
        messages.error(request, " ".join(map(str, sentences)))


def _get_archetype_for(request: HttpRequest, pk: int) -> Archetype:
    if not request.user.has_perm("campaigns.view_variant"):
        raise PermissionDenied("campaigns.view_variant")
    return get_object_or_404(Archetype.objects.select_related("campaign"), pk=pk)


def _with_archetype(variant: Variant, archetype: Archetype) -> Variant:
    variant.archetype = archetype
    return variant


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
