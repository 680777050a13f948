"""What the texts of a campaign still lack before it can go to review."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext as _

from campaigns.audience.archetypes import label_archetype
from campaigns.content.channels import find_writer
from campaigns.content.plans import OPEN
from campaigns.content.steps import Step, read_steps
from campaigns.models import Archetype, Campaign, Variant

#: So many missing texts are named one by one.
MOST_NAMED: Final = 3


def find_text_obstacles(campaign: Campaign) -> list[str]:
    """Texts that are missing, blocked or still being drafted; many that are missing are told in one sentence."""
    found: list[str] = []
    missing: list[dict[str, str]] = []
    steps = read_steps(campaign.pk)
    in_use = Archetype.objects.filter(campaign=campaign, size__gt=0).prefetch_related("variants")
    for archetype in in_use:
        name = {"cell": label_archetype(archetype)}
        for step in steps:
            texts = [text for text in archetype.variants.all() if text.step == step.number]
            told = {"cell": _name_step(name["cell"], step, steps)}
            if _is_missing(archetype, texts):
                missing.append(told)
            elif any(text.is_blocked for text in texts):
                found.append(_("The text for “%(cell)s” has a finding that blocks it. Mend it under Messages.") % told)
        if archetype.draft_status in OPEN:
            found.append(
                _("“%(cell)s” is still being drafted. Wait until it is done, or stop it under Messages.") % name
            )
    return _tell_missing(missing) + found


def _is_missing(archetype: Archetype, texts: list[Variant]) -> bool:
    needed = {"subject", "opening"} & set(find_writer(archetype.channel).parts)
    return not texts or any(not getattr(text, part).strip() for text in texts for part in needed)


def _tell_missing(missing: list[dict[str, str]]) -> list[str]:
    if len(missing) <= MOST_NAMED:
        return [_("“%(cell)s” has no text yet. Draft or write one under Messages.") % told for told in missing]
    sentence = _("%(n)d texts are missing, the first for “%(cell)s”. Draft or write them under Messages.")
    return [sentence % {"n": len(missing), **missing[0]}]


def _name_step(cell: str, step: Step, steps: list[Step]) -> str:
    """The archetype, and in a sequence its step."""
    return _("%(cell)s, step %(step)d") % {"cell": cell, "step": step.number} if len(steps) > 1 else cell
