"""The Brand voice page: how the shop speaks, tried before it is saved, and its history."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from campaigns.approval.voice import restore_voice, save_voice
from campaigns.content.voice import LIMITS, LISTS, describe_voice, make_empty_voice, read_voice
from campaigns.content.voice_trials import (
    TrialText,
    draft_for_trial,
    find_text,
    list_sources,
    list_texts,
    try_text,
    try_waiting_texts,
)
from campaigns.models import BrandVoice, TransitionConflict
from customers.views.access import current_user
from llm.configuration import configured_model
from llm.errors import ModelError

from .revisions import (
    describe_history,
    list_languages,
    read_language,
    read_number,
    restore_revision,
    tell_saved,
    write_lines,
)
from .voice_form import VoiceForm

RIGHT: Final = "campaigns.add_brandvoice"
LONGEST_PASTED: Final = 8_000
#: What there is to be compared, with words for it.
PARTS: Final[Mapping[str, Any]] = {
    "personality": gettext_lazy("Personality"),
    "do": gettext_lazy("Do"),
    "dont": gettext_lazy("Don’t"),
    "examples": gettext_lazy("Examples"),
    "banned": gettext_lazy("Never say"),
    "avoid": gettext_lazy("Rather not"),
    "sentence_length": gettext_lazy("Sentence, at most"),
    "exclamation_marks": gettext_lazy("Exclamation marks"),
    "emoji": gettext_lazy("Emoji"),
    "address": gettext_lazy("How customers are addressed"),
}


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("campaigns.view_brandvoice", raise_exception=True)
def show_voice(request: HttpRequest) -> HttpResponse:
    """Read, try and save the voice of one language (?lang=). Who may not save it tries texts on the voice that counts."""
    language, saved = read_language(request), read_voice()
    texts = (saved.texts.get(language) if saved else None) or make_empty_voice()
    may_edit = request.user.has_perm(RIGHT)
    form = VoiceForm(request.POST if request.method == "POST" and may_edit else None, language=language, saved=texts)
    context: dict[str, Any] = {"base": saved.number if saved else 0}
    status = 200
    if request.method == "POST":
        action = request.POST.get("action", "save")
        if action in ("save", "draft") and not may_edit:
            raise PermissionDenied(_("Your role does not allow this."))
        context["base"] = read_number(request.POST.get("base", ""))
        context["is_unsaved"] = may_edit
        if may_edit and not form.is_valid():
            status = 422
        elif action == "save":
            status = _save(request, form)
            if status == 302:
                return redirect(f"{reverse('campaigns:voice')}?lang={language}")
            context["base"] = _newest_number() if status == 409 else context["base"]
        else:
            context |= _try(request, form, describe_voice(saved, language), action)
            status = 422 if context.get("trial_error") and not context.get("is_model_fault") else 200
    return render(
        request, "campaigns/voice.html", _describe_page(request, form, saved, may_edit) | context, status=status
    )


@require_safe
@permission_required("campaigns.view_brandvoice", raise_exception=True)
def show_history(request: HttpRequest) -> HttpResponse:
    """Every version with who saved it, and the difference of two, word by word."""
    context = describe_history(request, BrandVoice, _newest_number(), _describe_parts) | {
        "may_edit": request.user.has_perm(RIGHT),
        "title": _("Brand voice"),
        "home": "campaigns:voice",
        "restoration": "campaigns:voice-restoration",
    }
    return render(request, "campaigns/revisions.html", context)


@require_POST
@permission_required(RIGHT, raise_exception=True)
def restore(request: HttpRequest, number: int) -> HttpResponse:
    """Make an older version the newest again."""
    user, base, now = current_user(request), read_number(request.POST.get("base", "")), timezone.now()
    return restore_revision(request, lambda: restore_voice(user, number, base=base, now=now), "campaigns:voice-history")


def _save(request: HttpRequest, form: VoiceForm) -> int:
    """302 where it is saved; else the status of the page, and the form says why."""
    try:
        saved = save_voice(
            current_user(request), {form.language: form.voice}, base=read_number(request.POST.get("base", "")),
            note=form.cleaned_data["note"], now=timezone.now(),
        )  # fmt: skip
    except TransitionConflict as error:
        form.add_error(None, str(error))
        return 409
    except ValidationError as error:
        for sentence in error.messages:
            form.add_error(None, sentence)
        return 422
    tell_saved(request, saved)
    return 302


def _try(request: HttpRequest, form: VoiceForm, saved: Mapping[str, Any], action: str) -> dict[str, Any]:
    """Try a pasted text, one of a campaign, all that wait, or have one drafted; `trial_error` says what kept it."""
    typed = {"version": 0, **form.voice}
    if action == "all":
        return {"waiting": try_waiting_texts(form.language, typed, saved)}
    try:
        text = _find_trial_text(request, form.language, typed, action)
    except LookupError:
        return {"trial_error": _("Paste a text, or choose one.")}
    except ModelError as error:
        return {"trial_error": error.staff_message, "is_model_fault": True}
    return {"trial": text, "rows": try_text(text, form.language, typed, saved)}


def _find_trial_text(request: HttpRequest, language: str, typed: Mapping[str, Any], action: str) -> TrialText:
    if action == "draft":
        return draft_for_trial(request.POST.get("source", ""), language, typed, now=timezone.now())
    if action == "text":
        return find_text(request.POST.get("text", ""), language)
    body = request.POST.get("body", "")[:LONGEST_PASTED].replace("\x00", "")
    if not body.strip():
        raise LookupError("nothing was pasted")
    return TrialText(_("Your draft"), {"body": body})


def _describe_page(request: HttpRequest, form: VoiceForm, saved: BrandVoice | None, may_edit: bool) -> dict[str, Any]:
    return {
        "form": form,
        "language": form.language,
        "languages": list_languages(),
        "saved": saved,
        "may_edit": may_edit,
        "texts": list_texts(form.language),
        "sources": list_sources(form.language) if may_edit else [],
        "model": configured_model(),
        "pasted": {name: request.POST.get(name, "") for name in ("body", "text", "source")},
    }


def _newest_number() -> int:
    newest = read_voice()
    return newest.number if newest is not None else 0


def _describe_parts(voice: Any) -> dict[str, str]:
    texts = voice or make_empty_voice()
    limits = {name: texts["limits"].get(name) for name in (*LIMITS, "address")}
    parts = {name: write_lines(texts[name]) for name in LISTS} | {"personality": texts["personality"]}
    parts |= {name: "" if value is None else str(value) for name, value in limits.items()}
    return {str(label): parts[name] for name, label in PARTS.items()}
