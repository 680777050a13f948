"""A staged change in the reader's words: fields and texts, each as it stands and as it would be."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from campaigns.approval.staging.fields import Wanted, read_wanted
from campaigns.audience.archetypes import label_archetype
from campaigns.audience.exits import EXIT_LABELS
from campaigns.content.editing import EDITABLE_FIELDS
from campaigns.forms import VariantForm, shop_time
from campaigns.models import ApprovalPart, Archetype, StagedChange, Variant


def tell_parts(change: StagedChange) -> list[dict[str, Any]]:
    """The four parts, each with whether the change touches it."""
    touched = change.outcome.get("touched", [])
    return [{"label": part.label, "is_touched": part.value in touched} for part in ApprovalPart]


def tell_fields(change: StagedChange) -> list[tuple[str, str, str]]:
    """Name, what stands (or stood) and what is wanted, for everything but the texts."""
    wanted, was = read_wanted(change), read_wanted(StagedChange(changes=change.changes.get("was", {})))
    names = _name_fields()
    rows = [(names[name], _say(name, was.offer.get(name)), _say(name, value)) for name, value in wanted.offer.items()]
    rows += [
        (names[name], _say(name, was.campaign.get(name)), _say(name, value)) for name, value in wanted.campaign.items()
    ]
    return rows + [_tell_step(number, was, hours) for number, hours in sorted(wanted.follow_ups.items())]


def tell_texts(change: StagedChange) -> list[dict[str, Any]]:
    """Each text that would become another one: what people edited part by part, and the whole as it would be read."""
    rows = change.outcome.get("texts", [])
    variants = Variant.everything.select_related("archetype").in_bulk([row["variant"] for row in rows])
    return [_tell_text(row, variants[row["variant"]]) for row in rows if row["variant"] in variants]


def list_texts(change: StagedChange) -> list[dict[str, Any]]:
    """Every text that stands, by archetype, for choosing which to change."""
    edited = set(change.changes.get("texts", {}))
    archetypes = Archetype.objects.filter(campaign=change.campaign).prefetch_related("variants")
    return [
        {"label": label_archetype(archetype), "size": archetype.size, "variants": [
            {"variant": variant, "is_edited": str(variant.pk) in edited} for variant in archetype.variants.all()
        ]}
        for archetype in archetypes
        if archetype.variants.all()
    ]  # fmt: skip


def _tell_text(row: dict[str, Any], variant: Variant) -> dict[str, Any]:
    labels = {name: str(field.label) for name, field in VariantForm(instance=variant).fields.items()}
    labels.setdefault("shows_products", _("Show products of this interest with their prices"))
    was, will_be = row["was"], row["will_be"]
    order = (*EDITABLE_FIELDS, "shows_products")  # JSON keeps none
    differing = [name for name in order if name in labels and was.get(name) != will_be.get(name)]
    return {
        "variant": variant,
        "label": label_archetype(variant.archetype),
        "size": variant.archetype.size,
        "step": row["step"],
        "subject": will_be["subject"] or will_be["opening"],
        "is_edited": row["is_edited"],
        "is_blocked": row["is_blocked"],
        "findings": [finding for finding in row["findings"] if finding.get("verdict") != "pass"],
        "parts": [(labels[name], _word(was[name]), _word(will_be[name])) for name in differing],
        "was": was["text"],
        "will_be": will_be["text"],
    }


def _tell_step(number: int, was: Wanted, hours: int) -> tuple[str, str, str]:
    name = _("Step %(number)d: hours after the step before it") % {"number": number}
    return name, str(was.follow_ups.get(number, "")), str(hours)


def _name_fields() -> dict[str, str]:
    return {
        "valid_until": _("Valid until"),
        "code": _("Code"),
        "url": _("Where the button leads"),
        "live_until": _("People enter until"),
        "re_entry_days": _("May enter again after, days"),
        "exit_on": _("Ends early when"),
        "send_window_hours": _("Send window, hours"),
        "allowed_drift_share": _("Allowed drift, percent"),
        "approval_valid_days": _("Valid for, days"),
    }


def _say(name: str, value: Any) -> str:
    if value in (None, "", []):
        return "–"
    if isinstance(value, dt.datetime):
        return date_format(shop_time(value) or value, pgettext("date format", "j M Y H:i"))
    if isinstance(value, dt.date):
        return date_format(value, "DATE_FORMAT")
    if name == "allowed_drift_share":
        return f"{value * 100:g}"
    if name == "exit_on":
        return ", ".join(str(EXIT_LABELS.get(reason, reason)) for reason in value)
    return str(value)


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return str(value)
