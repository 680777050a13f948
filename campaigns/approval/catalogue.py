"""Holds texts that are not yet sent against the catalogue of now: the findings stay with the text, and what would be sent with a
price that is not true goes back to its writers.

Nothing of an approved text changes but its findings, so what was approved stays what is sent. In a draft nothing is approved:
there a text is checked anew, which puts the new price wherever code writes it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import structlog
from django.db import connection, transaction
from django.db.models import QuerySet

from campaigns.content.editing import READ_FROM_FACTS, recompute
from campaigns.content.findings import Finding
from campaigns.content.outdated import PREFIX, find_outdated, knows_catalogue, read_wares, replace_outdated
from campaigns.content.told import tell_finding
from campaigns.models import Campaign, CampaignStatus, Variant

from .voiding import CHECKED, return_to_draft

log = structlog.get_logger(__name__)

#: In these only what was found is written down. Each message of a running campaign is asked anew before it leaves.
WATCHED: Final = (CampaignStatus.DRAFT, CampaignStatus.SENDING, CampaignStatus.PAUSED, *CHECKED)


@dataclass(frozen=True)
class Watched:
    """What one look at the catalogue did: campaigns looked at, texts that learned something, campaigns that went back."""

    campaigns: int = 0
    texts: int = 0
    returned: int = 0


def watch_catalogue(now: dt.datetime) -> Watched:
    """Look at each campaign of which a text stands on another version of a product than there is now. Safe to run twice and at
    once: each campaign is looked at under its lock."""
    looked = texts = returned = 0
    for pk in _list_suspects():
        with transaction.atomic():
            campaign = Campaign.objects.select_for_update().filter(pk=pk, status__in=WATCHED).first()
            if campaign is None:
                continue
            before = campaign.status
            texts += hold_against_catalogue(campaign, now=now)
            looked += 1
            returned += before != campaign.status
    return Watched(looked, texts, returned)


def hold_against_catalogue(campaign: Campaign, *, now: dt.datetime) -> int:
    """Write down what the catalogue says otherwise; return the campaign to draft where a text must not be sent so. How many
    texts learned something. Under the campaign's lock."""
    if campaign.status == CampaignStatus.DRAFT:
        return _check_anew(campaign, now=now)
    changed, untrue = _note(campaign)
    if campaign.status in CHECKED and untrue:
        return_to_draft(None, campaign, reason=untrue[0].message, now=now, sources=CHECKED)
        log.info("campaign_returned_by_catalogue", campaign=campaign.pk, findings=len(untrue))
        _check_anew(campaign, now=now)
    return changed


def find_untrue(campaign: Campaign) -> list[str]:
    """Sentences on what the texts of a campaign say that the catalogue no longer bears out and that blocks. Writes nothing."""
    texts = list(_list_texts(campaign))
    wares = read_wares(texts)
    found = [finding for text in texts if text.archetype.size for finding in find_outdated(text, wares)]
    return list(dict.fromkeys(tell_finding(finding.message) for finding in found if finding.verdict == "block"))


def _note(campaign: Campaign) -> tuple[int, Sequence[Finding]]:
    """Write the findings of now; how many texts changed, and those that block a text which somebody would get."""
    texts = list(_list_texts(campaign))
    wares = read_wares(texts)
    changed, untrue = [], []
    for text in texts:
        found = find_outdated(text, wares)
        if text.archetype.size:
            untrue += [finding for finding in found if finding.verdict == "block"]
        if replace_outdated(text, found):
            changed.append(text)
    Variant.objects.bulk_update(changed, ["findings"], batch_size=200)
    return len(changed), untrue


def _check_anew(campaign: Campaign, *, now: dt.datetime) -> int:
    """Check the texts of a draft for which the catalogue changed against the facts of now; the words stay. How many changed."""
    changed = 0
    texts = list(_list_texts(campaign).select_for_update(of=("self",)))
    wares = read_wares(texts)
    for text in texts:
        if knows_catalogue(text, wares):
            continue
        text.archetype.campaign = campaign
        before = [getattr(text, name) for name in READ_FROM_FACTS]
        recompute(text, now=now)
        changed += before != [getattr(text, name) for name in READ_FROM_FACTS]
        text.save(update_fields=[*READ_FROM_FACTS, "facts", "source"])
    return changed


def _list_texts(campaign: Campaign) -> QuerySet[Variant]:
    return Variant.objects.filter(archetype__campaign=campaign).select_related("archetype").order_by("pk")


def _list_suspects() -> list[int]:
    """Campaigns with a text whose facts hold another price, currency, stock or address of a product than the catalogue, or that
    have a finding of it."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT DISTINCT c.id FROM campaigns_campaign c JOIN campaigns_archetype a ON a.campaign_id = c.id
            JOIN campaigns_variant v ON v.archetype_id = a.id AND v.retired_at IS NULL
            WHERE c.status = ANY(%s) AND (
                v.findings @? '$[*].code ? (@ starts with "{PREFIX}")'
                OR EXISTS (
                    SELECT FROM jsonb_to_recordset(CASE WHEN jsonb_typeof(v.facts->'products') = 'array'
                        THEN v.facts->'products' ELSE '[]' END) AS w(sku text, price numeric, currency text, stock int, url text)
                    LEFT JOIN customers_product p ON p.sku = w.sku
                    WHERE (p.price, p.currency, p.stock, p.url) IS DISTINCT FROM (w.price, w.currency, w.stock, w.url)))
            ORDER BY c.id
            """,
            [[status.value for status in WATCHED]],
        )
        return [row[0] for row in cursor.fetchall()]
