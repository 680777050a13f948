"""Writes the text of a variant; findings and hash are always those of the text that stands there."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from hashlib import sha256
from typing import Any, Final

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import override

from campaigns.models import Campaign, Offer, Variant

from .catalogue_picks import carry_over
from .channels import RenderedMessage, find_writer
from .facts import build_facts, join_standing_facts, list_offer_policies, renumber_policies, say_the_same
from .findings import Finding
from .judged import judge_draft, judge_last_day
from .markup import write_text
from .outdated import explain_old_prices, find_outdated, read_wares
from .rendering import MessageSource, RenderError, compose_source, load_source, render_for, source_hash
from .standing import list_standing

EDITABLE_FIELDS: Final = ("subject", "preheader", "opening", "story", "invitation", "button_label")
#: The parts of the body, which are written in Markdown.
BODY_PARTS: Final = ("opening", "story", "invitation")
LONGEST: Final = {"subject": 200, "preheader": 200, "button_label": 60}
LONGEST_PART: Final = 4_000
#: What a new look at the facts may change.
READ_FROM_FACTS: Final = ("content_hash", "findings", "claims", "stands_on")


@transaction.atomic
def write_variant(
    variant: Variant,
    fields: Mapping[str, str],
    *,
    user: User | None,
    now: dt.datetime,
    shows_products: bool | None = None,
) -> Variant:
    """Write the given fields and recompute findings, claims, source and content_hash.

    `user` None is the drafter; `shows_products` None leaves that as it is. Raises ValidationError for an unknown field or
    a text that is too long.
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
    if shows_products is not None:
        variant.shows_products = shows_products
    if user is not None:
        variant.edited_by, variant.edited_at = user, now
    recompute(variant, now=now)
    variant.save()
    return variant


@transaction.atomic
def recheck_campaign(campaign: Campaign, *, now: dt.datetime) -> int:
    """Recompute facts, findings, claims, what they stand on, source and content_hash of all variants, after a fact changed;
    how many changed."""
    changed = 0
    for variant in Variant.objects.filter(archetype__campaign=campaign).select_related("archetype__campaign"):
        before = [getattr(variant, name) for name in READ_FROM_FACTS]
        recompute(variant, now=now)
        if before != [getattr(variant, name) for name in READ_FROM_FACTS]:
            variant.save()
            changed += 1
    return changed


@transaction.atomic
def recheck_standing(campaign: Campaign, standing: Mapping[str, Mapping[str, Any]]) -> list[Variant]:
    """Check the texts of a campaign again for which the shop's voice or policies changed; returns those.

    `standing` is `facts.read_standing_facts` by language. All other facts stay those that the text was checked against,
    and neither its source nor its content_hash changes: what was approved is still what is sent. A text for whose
    language nothing changed only learns the new numbers.
    """
    offer = Offer.objects.filter(campaign=campaign).first() or Offer()
    texts = list(Variant.objects.filter(archetype__campaign=campaign).select_related("archetype"))
    checked = []
    for variant in texts:
        before = variant.facts
        variant.facts = join_standing_facts(before, standing.get(variant.archetype.language, {}))
        if say_the_same(before, variant.facts):
            variant.claims = renumber_policies(variant.claims, variant.facts)
            continue
        # What is said of days has not changed, and to look so far ahead takes as long as all the rest.
        _review(variant, load_source(variant), offer, until=variant.stands_on.get("until"))
        checked.append(variant)
    Variant.objects.bulk_update(texts, ["facts", "findings", "claims", "stands_on"], batch_size=200)
    return checked


def recompute(variant: Variant, *, now: dt.datetime) -> None:
    """Set facts, findings, claims, stands_on, source and content_hash from the text as it stands; does not save.

    Findings are kept in English, whoever saves: `told.tell_finding` says them in the language of whoever reads.
    """
    offer = Offer.objects.filter(campaign=variant.archetype.campaign_id).first() or Offer()
    facts = build_facts(variant.archetype, now=now, step=variant.step)
    source = compose_source(variant, facts["products"])
    wares = carry_over(facts["products"], variant.facts, variant.stands_on, variant.archetype.language)
    variant.facts = {**facts, "products": wares}
    variant.source, variant.content_hash = asdict(source), source_hash(source)
    last_day = judge_last_day(variant.facts, read_plainly(variant, find_writer(variant.archetype.channel).parts))
    _review(variant, source, offer, until=last_day.isoformat() if last_day else None)


def read_plainly(variant: Variant, parts: Sequence[str] = EDITABLE_FIELDS) -> dict[str, str]:
    """The words as a reader sees them: marks of Markdown must not hide a number from the checks."""
    words = {name: str(getattr(variant, name)) for name in parts}
    return {name: write_text(text, bullet="") if name in BODY_PARTS else text for name, text in words.items()}


def _review(variant: Variant, source: MessageSource, offer: Offer, *, until: str | None) -> None:
    """Set findings, claims and stands_on from the text, its facts and its source."""
    writer = find_writer(variant.archetype.channel)
    with override("en"):
        review = judge_draft(variant.facts, read_plainly(variant, writer.parts))
        of_copy = list(_check_copy(variant, source))
        found = explain_old_prices(review.findings, variant.facts)
    of_parts = [finding for finding in found if finding.field in (*writer.parts, "body", "")]
    variant.claims = [claim.as_json() for claim in review.claims]
    variant.stands_on = list_standing(
        variant.facts,
        review.claims,
        source.text,
        kind=offer.kind,
        own_policies=list_offer_policies(offer),
        until=until,
    )
    of_catalogue = find_outdated(variant, read_wares([variant]))
    variant.findings = [finding.as_json() for finding in [*of_parts, *of_copy, *of_catalogue]]


def hash_words(variant: Variant) -> str:
    """Tells whether the words, or whether products stand below them, were changed since somebody looked."""
    words = [str(getattr(variant, name)) for name in EDITABLE_FIELDS]
    return sha256(json.dumps([*words, variant.shows_products]).encode()).hexdigest()


def _check_copy(variant: Variant, source: MessageSource) -> list[Finding]:
    """The composed message must render for somebody of whom nothing is known, and be fit for its channel."""
    try:
        copy = render_for(source, variant.archetype.language, None)
    except RenderError as error:
        return [Finding("unrenderable", "block", "body", _("The text cannot be rendered: %(why)s") % {"why": error})]
    return [*find_writer(variant.archetype.channel).find_faults(copy), *_check_address(variant, copy)]


def _check_address(variant: Variant, copy: RenderedMessage) -> list[Finding]:
    """An e-mail without the shop's postal address is unlawful in many countries; code writes it, so the setting is missing."""
    address = " ".join(settings.SHOP_POSTAL_ADDRESS.split())
    if variant.archetype.channel != "email" or (address and address in " ".join(copy.text.split())):
        return []
    message = _("The shop's postal address is missing, and every campaign mail must show it. Set SHOP_POSTAL_ADDRESS.")
    return [Finding("no_address", "block", "body", message)]
