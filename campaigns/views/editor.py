"""The editor of one text: its fields with what was found in them, a preview beside it, and what was changed in it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from campaigns.approval.editing import StaleText, edit_variant
from campaigns.audience.archetypes import describe_people, label_archetype
from campaigns.audience.connected import is_sent
from campaigns.content.channels import find_writer
from campaigns.content.editing import EDITABLE_FIELDS, hash_words
from campaigns.content.findings import Finding
from campaigns.content.merge_tags import MEANINGS
from campaigns.content.plans import OPEN, read_plan
from campaigns.content.rendering import RenderError, load_source, render_preview
from campaigns.content.samples import list_samples
from campaigns.content.twins import find_twins
from campaigns.forms import TextRequestForm, VariantForm
from campaigns.models import Angle, Archetype, Campaign, Variant
from customers.views.access import current_user

from .access import get_variant_for
from .comments import describe_threads, hang_threads_on
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
    stored = Variant.everything.select_related("archetype").get(pk=pk)
    form = VariantForm(request.POST or None, instance=stored)
    status = 200
    if request.method == "POST":
        try:
            is_saved = form.is_valid() and _save_text(request, variant, form)
        except StaleText:
            return _show_both(request, Variant.everything.get(pk=pk), form)
        if is_saved:
            if Variant.everything.get(pk=pk).is_blocked:
                messages.warning(request, _("The text is saved, but what was found in it keeps it from being sent."))
            else:
                messages.success(request, _("The text is saved and was checked again."))
            return redirect("campaigns:variant", pk)
        status = 422
    return render_editor(request, variant, form, status=status)


def render_editor(
    request: HttpRequest,
    variant: Variant,
    form: VariantForm | None = None,
    *,
    asked: TextRequestForm | None = None,
    status: int = 200,
) -> HttpResponse:
    """The page of a text. `asked` is a wish for another draft that cannot be fulfilled."""
    form = form or VariantForm(instance=Variant.everything.select_related("archetype").get(pk=variant.pk))
    context = _describe_editor(request, variant, form) | {"asked": asked or TextRequestForm()}
    return render(request, "campaigns/variant.html", context, status=status)


def list_changes(variant: Variant) -> list[tuple[str, str, str]]:
    """Slots in which a person changed what was drafted: name, before and after."""
    labels = _label_parts(variant)
    pairs = [
        (labels.get(name, name), str(before), str(getattr(variant, name, "")))
        for name, before in variant.drafted_text.items()
    ]
    return [(label, before, after) for label, before, after in pairs if before != after]


def list_former(variant: Variant) -> list[tuple[str, str, str]]:
    """What would be different if the former text were taken back: name of the slot, now, and then."""
    labels = _label_parts(variant)
    pairs = [
        (labels[name], str(getattr(variant, name)), str(variant.former.get(name, "")))
        for name in EDITABLE_FIELDS
        if variant.former and name in labels
    ]
    return [(label, now, then) for label, now, then in pairs if now != then]


def _show_both(request: HttpRequest, variant: Variant, form: VariantForm) -> HttpResponse:
    """Somebody, or the model, changed the text after this person opened it: what was typed stays in the fields, beside it
    what stands there now. Saving again writes over it, then knowingly."""
    typed = request.POST.copy()
    typed["seen"] = hash_words(variant)
    again = VariantForm(typed, instance=Variant.everything.select_related("archetype").get(pk=variant.pk))
    again.add_error(
        None,
        _(
            "This text was changed after you opened it. What you typed is still here, and nothing of it is saved yet: "
            "compare, and save again to replace what stands there now."
        ),
    )
    labels = _label_parts(variant)
    overlaps = [
        (labels[name], getattr(variant, name), value)
        for name, value in form.words().items()
        if getattr(variant, name) != value
    ]
    context = _describe_editor(request, variant, again) | {"asked": TextRequestForm(), "overlaps": overlaps}
    return render(request, "campaigns/variant.html", context, status=409)


def _describe_editor(request: HttpRequest, variant: Variant, form: VariantForm) -> dict[str, Any]:
    campaign, archetype = variant.archetype.campaign, variant.archetype
    chosen = {
        "view": request.GET.get("view") if request.GET.get("view") in VIEWS else "phone",
        "theme": request.GET.get("theme") if request.GET.get("theme") in THEMES else "light",
        "whose": request.GET.get("whose", "1"),
    }
    siblings = list(Variant.objects.filter(archetype=archetype).order_by("step", "label"))
    threads = describe_threads(current_user(request), campaign)
    hang_threads_on(variant, threads["threads_by_text"])
    return (
        frame_step(request, campaign, "messages")
        | {"comment_decision": threads["comment_decision"], "back": request.path}
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
            "other_findings": [
                *(row for row in variant.findings if row.get("field") not in form.fields),
                *filter(None, [_find_twin(variant)]),
            ],
            "changes": list_changes(variant),
            "former": list_former(variant),
            "measures": _measure(variant),
            "angles": Angle.choices,
            "merge_tags": MEANINGS.items(),
            "languages": _list_targets(campaign, variant),
            "is_connected": is_sent(archetype.channel),
            "is_drafting": archetype.draft_status in OPEN
            and (variant.step, variant.label) in {one.place for one in read_plan(archetype)},
            "is_sequence": any(sibling.step != variant.step for sibling in siblings),
        }
    )


def _find_twin(variant: Variant) -> Finding | None:
    """Whether another archetype would get the same text, as the texts of the campaign stand now."""
    campaign = variant.archetype.campaign_id
    return find_twins(Archetype.objects.filter(campaign=campaign).prefetch_related("variants")).get(variant.pk)


def _describe_parts(variant: Variant, form: VariantForm) -> list[dict[str, Any]]:
    """The fields of the form, each with what was found in it and how much of it is shown."""
    most = COUNTED.get(variant.archetype.channel, {})
    parts = []
    for bound in form.visible_fields():
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


def _save_text(request: HttpRequest, variant: Variant, form: VariantForm) -> bool:
    try:
        edit_variant(
            current_user(request),
            variant,
            form.words(),
            now=timezone.now(),
            shows_products=form.shows_products(),
            seen=form.cleaned_data["seen"],
        )
    except ValidationError as error:
        for sentence in error.messages:
            form.add_error(None, sentence)
        return False
    return True
