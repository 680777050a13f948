"""Writes the text of a variant; findings and hash are always those of the text that stands there."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict
from typing import Final

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from campaigns.models import Campaign, Variant

from .facts import build_facts
from .guardrails import Finding, check_draft
from .rendering import RenderError, compose_source, render_preview, source_hash

EDITABLE_FIELDS: Final = ("subject", "preheader", "opening", "story", "invitation", "button_label")
LONGEST: Final = {"subject": 200, "preheader": 200, "button_label": 60}
LONGEST_PART: Final = 4_000


@transaction.atomic
def write_variant(variant: Variant, fields: Mapping[str, str], *, user: User | None, now: dt.datetime) -> Variant:
    """Write the given fields and recompute findings, source and content_hash.

    `user` None is the drafter. Raises ValidationError for an unknown field or a text that is too long.
    """
    unknown = set(fields) - set(EDITABLE_FIELDS)
    if unknown:
        raise ValidationError(_("These cannot be written: %(names)s.") % {"names": ", ".join(sorted(unknown))})
    for name, value in fields.items():
        if len(value) > LONGEST.get(name, LONGEST_PART):
            raise ValidationError(
                {name: _("At most %(count)d characters.") % {"count": LONGEST.get(name, LONGEST_PART)}}
            )
        setattr(variant, name, value.replace("\r\n", "\n").replace("\x00", ""))
    if user is not None:
        variant.edited_by, variant.edited_at = user, now
    recompute(variant, now=now)
    variant.save()
    return variant


@transaction.atomic
def recheck_campaign(campaign: Campaign, *, now: dt.datetime) -> int:
    """Recompute facts, findings, source and content_hash of all variants, after the offer changed; how many changed."""
    changed = 0
    for variant in Variant.objects.filter(archetype__campaign=campaign).select_related("archetype__campaign"):
        before = (variant.content_hash, variant.findings)
        recompute(variant, now=now)
        if before != (variant.content_hash, variant.findings):
            variant.save()
            changed += 1
    return changed


def recompute(variant: Variant, *, now: dt.datetime) -> None:
    """Set facts, findings, source and content_hash from the text as it stands; does not save."""
    facts = build_facts(variant.archetype, now=now)
    source = compose_source(variant)
    draft = {name: getattr(variant, name) for name in EDITABLE_FIELDS}
    findings = [*check_draft(facts, draft), *_check_rendering(variant, now)]
    variant.facts, variant.source = facts, asdict(source)
    variant.content_hash = source_hash(source)
    variant.findings = [finding.as_json() for finding in findings]


def _check_rendering(variant: Variant, now: dt.datetime) -> list[Finding]:
    """The composed message must render for somebody of whom nothing is known, and carry its unsubscribe link."""
    try:
        rendered = render_preview(variant, None, now=now)
    except RenderError as error:
        return [Finding("unrenderable", "block", "body", _("The text cannot be rendered: %(why)s") % {"why": error})]
    if 'href="#"' not in rendered.html:
        return [Finding("no_unsubscribe", "block", "body", _("The link to unsubscribe is missing."))]
    return []
