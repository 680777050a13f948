"""Tries a voice that is not saved yet: the findings of a text under it, beside those under the voice that counts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final
from uuid import uuid4

from django.conf import settings
from django.utils.translation import gettext as _

from campaigns.audience.archetypes import label_archetype
from campaigns.models import Archetype, CampaignStatus, Variant
from llm.client import complete
from llm.configuration import configured_model, read_timeout_s

from .channels import find_writer
from .checks.reading import read_draft as read_words
from .checks.sheet import read_facts
from .checks.voice import VOICE_CHECKS
from .editing import read_plainly
from .evaluation import describe_task as describe_brief
from .findings import Finding
from .golden import GoldenBrief, read_golden_briefs
from .guardrails import check_draft
from .plans import LABELS, PlannedText
from .prompts import DraftTask, build_draft, read_draft
from .writing import describe_task

PURPOSE: Final = "try_voice"
#: Nobody waits for a page longer than this.
LONGEST_DRAFT_S: Final = 90.0
MOST_CHOICES: Final = 30
#: Texts that are tried at once; more would keep a page waiting.
MOST_TEXTS: Final = 500
MOST_NAMED: Final = 8
_UNSENT: Final = (
    CampaignStatus.DRAFT, CampaignStatus.IN_REVIEW, CampaignStatus.APPROVED, CampaignStatus.SCHEDULED,
    CampaignStatus.MISSED,
)  # fmt: skip


@dataclass(frozen=True)
class TrialText:
    """A text to be tried: its slots and the facts that it may use. Without facts only the voice is tried on it."""

    name: str
    words: Mapping[str, str]
    facts: Mapping[str, Any] = field(default_factory=dict)
    model_label: str = ""


@dataclass(frozen=True)
class TrialRow:
    """One finding, and its verdict under the voice as typed and as saved: "" where it is not found."""

    finding: Finding
    typed: str
    saved: str


@dataclass(frozen=True)
class WaitingTexts:
    """What a voice would do to the texts that are not sent yet: how many were tried and blocked, wanted a look, and are
    blocked now; the first of those that it newly blocks, by id and name."""

    tried: int
    blocked: int
    warned: int
    blocked_now: int
    newly_blocked: Sequence[tuple[int, str]]


def try_text(text: TrialText, language: str, typed: Mapping[str, Any], saved: Mapping[str, Any]) -> list[TrialRow]:
    """The findings under both voices (as `voice.describe_voice` has them): first those in which they differ."""
    found: dict[Finding, dict[str, str]] = {}
    for side, voice in (("typed", typed), ("saved", saved)):
        for finding in _check(text, language, voice):
            found.setdefault(finding, {})[side] = finding.verdict
    rows = [TrialRow(finding, sides.get("typed", ""), sides.get("saved", "")) for finding, sides in found.items()]
    return sorted(rows, key=lambda row: (row.typed == row.saved, row.finding.verdict != "block"))


def draft_for_trial(source: str, language: str, typed: Mapping[str, Any], *, now: dt.datetime) -> TrialText:
    """Have the model draft an e-mail under a voice, for a golden brief ("brief:en-01") or an archetype ("archetype:7").

    Nothing is stored but the ledger's row. Raises LookupError for an unknown source, ModelError as the door does.
    """
    name, task = _describe_source(source, language, now)
    facts = {**task.facts, "language": language, "voice": dict(typed)}
    prompt, variables = build_draft(replace(task, facts=facts, voice=typed))
    seconds = min(read_timeout_s(), LONGEST_DRAFT_S)
    scope = f"voice:{uuid4().hex[:12]}"
    completion = complete(prompt, variables, purpose=PURPOSE, now=now, scope=scope, timeout_s=seconds)
    return TrialText(name, read_draft(completion.data), facts, completion.label)


def find_text(pk: str, language: str) -> TrialText:
    """A text that stands in a campaign, with the facts that it was checked against. LookupError where there is none."""
    found = Variant.objects.filter(archetype__language=language).select_related("archetype__campaign")
    variant = found.filter(pk=int(pk)).first() if pk.isdecimal() and len(pk) < 18 else None
    if variant is None:
        raise LookupError(pk)
    parts = find_writer(variant.archetype.channel).parts
    return TrialText(name_text(variant), read_plainly(variant, parts), variant.facts)


def try_waiting_texts(language: str, typed: Mapping[str, Any], saved: Mapping[str, Any]) -> WaitingTexts:
    """What the voice alone would say of the newest texts in a language that are not sent yet, at most 500 of them."""
    texts = Variant.objects.filter(archetype__language=language, archetype__campaign__status__in=_UNSENT)
    tried = blocked = warned = blocked_now = 0
    newly: list[tuple[int, str]] = []
    for variant in texts.select_related("archetype__campaign").order_by("-pk")[:MOST_TEXTS]:
        words = read_plainly(variant, find_writer(variant.archetype.channel).parts)
        under = {finding.verdict for finding in find_voice_faults({**variant.facts, "voice": typed}, words)}
        is_blocked_now = any(
            finding.verdict == "block" for finding in find_voice_faults({**variant.facts, "voice": saved}, words)
        )
        tried, blocked, warned = tried + 1, blocked + ("block" in under), warned + (under == {"warn"})
        blocked_now += is_blocked_now
        if "block" in under and not is_blocked_now and len(newly) < MOST_NAMED:
            newly.append((variant.pk, name_text(variant)))
    return WaitingTexts(tried, blocked, warned, blocked_now, newly)


def find_voice_faults(facts: Mapping[str, Any], words: Mapping[str, str]) -> Iterator[Finding]:
    """What the voice of the facts says of a text, and nothing else."""
    sheet = read_facts(facts)
    draft = read_words(sheet, words)
    for check in VOICE_CHECKS:
        yield from check(sheet, draft)


def list_texts(language: str) -> list[tuple[int, str]]:
    """The newest texts in a language: id and name."""
    found = Variant.objects.filter(archetype__language=language).select_related("archetype__campaign")
    return [(variant.pk, name_text(variant)) for variant in found.order_by("-pk")[:MOST_CHOICES]]


def list_sources(language: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """What a draft can be made for, in two groups: the newest kinds of customer, and the golden briefs."""
    archetypes = Archetype.objects.filter(language=language, size__gt=0).select_related("campaign").order_by("-pk")
    kinds = [(f"archetype:{one.pk}", _name_archetype(one)) for one in archetypes[:MOST_CHOICES]]
    briefs = [(f"brief:{one.id}", f"{one.id}: {one.goal}") for one in read_golden_briefs() if one.language == language]
    return [(label, choices) for label, choices in ((_("Archetypes"), kinds), (_("Golden briefs"), briefs)) if choices]


def name_text(variant: Variant) -> str:
    """A text by its campaign, kind of customer and label."""
    step = f"{variant.step}" if variant.step > 1 else ""
    return f"{_name_archetype(variant.archetype)} · {step}{variant.label}"


def _name_archetype(archetype: Archetype) -> str:
    return f"{archetype.campaign.name} · {label_archetype(archetype)}"


def _check(text: TrialText, language: str, voice: Mapping[str, Any]) -> list[Finding]:
    if text.facts:
        words = dict(text.words)
        kept = {*words, "body", ""}
        return [one for one in check_draft({**text.facts, "voice": voice}, words) if one.field in kept]
    return list(find_voice_faults({"shop": settings.SHOP_NAME, "language": language, "voice": voice}, text.words))


def _describe_source(source: str, language: str, now: dt.datetime) -> tuple[str, DraftTask]:
    kind, _colon, key = source.partition(":")
    if kind == "brief":
        brief = _find_brief(key, language)
        info = configured_model()
        return f"{brief.id}: {brief.goal}", describe_brief(brief, channel="email", is_capable=not info.is_local)
    found = Archetype.objects.filter(language=language).select_related("campaign__segment")
    archetype = found.filter(pk=int(key)).first() if kind == "archetype" and key.isdecimal() and len(key) < 18 else None
    if archetype is None:
        raise LookupError(source)
    return _name_archetype(archetype), describe_task(archetype, PlannedText(LABELS[0]), now)


def _find_brief(key: str, language: str) -> GoldenBrief:
    for brief in read_golden_briefs():
        if (brief.id, brief.language) == (key, language):
            return brief
    raise LookupError(key)
