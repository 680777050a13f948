"""Has one text written: the model drafts, the guard-rails read, and what they block goes back at most twice.

After that a person has to look: the text is kept with its findings, which block it, and says how often it was sent back.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import structlog
from django.utils.translation import gettext_noop, override

from campaigns.audience.cards import build_card, card_for_prompt
from campaigns.models import Archetype, FollowUp, Offer, Variant
from llm.client import complete
from llm.completion import Completion
from llm.configuration import configured_model
from llm.errors import ModelError
from llm.masking import clean_untrusted
from llm.records import record_template_call

from .channels import find_writer
from .editing import LONGEST_PART, recompute
from .facts import build_facts
from .merge_tags import name_interest
from .plans import PlannedText
from .prompts import DraftTask, TranslationTask, build_draft, build_translation, read_draft
from .steps import FIRST_STEP, read_steps
from .template_text import write_template_text
from .translating import Line, Untranslatable, put_together, take_apart, words_of

log = structlog.get_logger(__name__)

PURPOSE: Final = "draft_message"
TRANSLATION_PURPOSE: Final = "translate_message"
#: How often a text with findings that block it goes back to the model before a person has to look.
MOST_CORRECTIONS: Final = 2
#: How many of the earlier messages a follow-up is told of, and how much of each part.
EARLIER_QUOTED: Final = 3
LONGEST_QUOTE: Final = 300
#: Called before each request: takes the lease anew, or raises where the row is no longer ours.
KeepLease = Callable[[], None]


@dataclass(frozen=True)
class Written:
    """A text that came: its columns, the call it came from, the calls before it, and what staff should know of it."""

    words: Mapping[str, str]
    completion: Completion
    earlier: Sequence[Mapping[str, Any]] = field(default_factory=tuple)
    note: str = ""


@dataclass(frozen=True)
class Attempt:
    """One answer as words, or the faults that kept it from being words."""

    words: Mapping[str, str]
    answer: Any
    faults: Sequence[str]


class NoText(Exception):
    """The model answered, and even its last answer is no text; the sentence is for staff."""


def write_text(
    archetype: Archetype, text: PlannedText, *, now: dt.datetime, keep_lease: KeepLease, with_model: bool = True
) -> Written:
    """Write one planned text. Raises ModelError or NoText where no text came at all.

    Without a model, or with `with_model` False, the template drafter writes, except translations, which need one.
    """
    source = Variant.objects.select_related("archetype").get(pk=text.translates) if text.translates else None
    if source is not None:
        return _write_translation(archetype, text, source, now, keep_lease)
    task = describe_task(archetype, text, now)
    if not with_model or not configured_model().is_configured:
        return _write_template(archetype, text, task, now)
    is_again = Variant.objects.filter(archetype=archetype, step=text.step, label=text.label).exists()

    def ask(last: Attempt | None) -> Completion:
        current = replace(task, previous=last.answer, faults=last.faults) if last else task
        return _complete(archetype, build_draft(current), PURPOSE, now, may_reuse=not is_again and last is None)

    def read(completion: Completion) -> Attempt:
        words = {name: _tidy(value) for name, value in read_draft(completion.data).items()}
        return Attempt(words, words, _find_faults(archetype, text, words, now))

    return _ask_until_clean(ask, read, keep_lease)


def _write_translation(
    archetype: Archetype, text: PlannedText, source: Variant, now: dt.datetime, keep_lease: KeepLease
) -> Written:
    facts = build_facts(archetype, now=now, step=text.step)
    lines = take_apart({name: getattr(source, name) for name in find_writer(archetype.channel).parts})
    names = tuple(str(ware["name"])[:80] for ware in facts["products"])
    task = TranslationTask(archetype.language, facts["shop"], words_of(lines), names, facts.get("voice") or {})

    def ask(last: Attempt | None) -> Completion:
        current = replace(task, previous=last.answer, faults=last.faults) if last else task
        return _complete(archetype, build_translation(current), TRANSLATION_PURPOSE, now, may_reuse=False)

    def read(completion: Completion) -> Attempt:
        return _read_translation(archetype, text, lines, [_tidy(line) for line in completion.data["lines"]], now)

    return _ask_until_clean(ask, read, keep_lease)


def _ask_until_clean(
    ask: Callable[[Attempt | None], Completion], read: Callable[[Completion], Attempt], keep_lease: KeepLease
) -> Written:
    """Ask, read, and ask again with the faults. An error after the first answer leaves that answer to a person."""
    keep_lease()
    completion = ask(None)
    attempt = read(completion)
    earlier: list[Mapping[str, Any]] = []
    note = ""
    while attempt.faults and len(earlier) < MOST_CORRECTIONS:
        keep_lease()
        try:
            newer = ask(attempt)
        except ModelError as error:
            note = error.kept
            break
        earlier.append({"request_id": str(completion.call_id), "faults": list(attempt.faults)[:8]})
        completion = newer
        attempt = read(completion)
    if attempt.faults and not note:
        note = gettext_noop("The model got this text back %(times)d times and did not mend it. A person has to.")
        note %= {"times": len(earlier)}
    if not attempt.words:
        raise NoText(note)
    return Written(attempt.words, completion, tuple(earlier), note)


def _complete(
    archetype: Archetype, built: tuple[Any, dict[str, Any]], purpose: str, now: dt.datetime, *, may_reuse: bool
) -> Completion:
    prompt, variables = built
    scope = f"campaign:{archetype.campaign_id}"
    return complete(prompt, variables, purpose=purpose, now=now, scope=scope, may_reuse=may_reuse)


def _read_translation(
    archetype: Archetype, text: PlannedText, lines: Sequence[Line], answer: Sequence[str], now: dt.datetime
) -> Attempt:
    try:
        words = put_together(lines, answer)
    except Untranslatable as error:
        return Attempt({}, list(answer), [str(error)])
    return Attempt(words, list(answer), _find_faults(archetype, text, words, now))


def _find_faults(archetype: Archetype, text: PlannedText, words: Mapping[str, str], now: dt.datetime) -> list[str]:
    """What blocks these words and the model could mend, in sentences for it."""
    trial = Variant(archetype=archetype, step=text.step, label=text.label, **words)
    recompute(trial, now=now)
    parts = {*find_writer(archetype.channel).parts, "body"}
    found = [row for row in trial.findings if row["verdict"] == "block" and row["field"] in parts]
    return [" ".join(filter(None, (f"{row['field']}:", row["message"], row["excerpt"]))) for row in found]


def _write_template(archetype: Archetype, text: PlannedText, task: DraftTask, now: dt.datetime) -> Written:
    prompt, variables = build_draft(task)
    # Only a category of the catalogue reads well in a sentence; a family that was found in product names does not.
    likes = name_interest(archetype.interest, archetype.language) if task.facts["products"] else ""
    words = write_template_text(
        reason=archetype.reason, likes=likes, language=archetype.language, angle=text.angle, step=text.step
    )
    words = {name: words[name] for name in find_writer(archetype.channel).parts}
    answer = {name: words.get(name, "") for name in prompt.schema["properties"]}
    return Written(words, record_template_call(prompt, variables, answer, purpose=PURPOSE, now=now))


def describe_task(archetype: Archetype, text: PlannedText, now: dt.datetime) -> DraftTask:
    """All that leaves the house: what the archetype has in common, never anything of one person."""
    facts = build_facts(archetype, now=now, step=text.step)
    campaign = archetype.campaign
    info = configured_model()
    instructions = " ".join(filter(None, [campaign.instruction, text.instruction]))
    return DraftTask(
        channel=archetype.channel,
        language=archetype.language,
        is_capable=info.is_configured and not info.is_local,
        facts=facts,
        card=_describe_customers(archetype),
        brief={
            "goal": campaign.goal,
            "tone": campaign.tone,
            "avoid": campaign.avoid,
            "talking_points": campaign.talking_points,
            "offer": _name_offer(archetype),
            "instruction": clean_untrusted(instructions, 1_000),
        },
        voice=facts.get("voice") or {},
        angle=text.angle,
        sequence=_describe_sequence(archetype, text) if text.step > FIRST_STEP else {},
    )


def _describe_sequence(archetype: Archetype, text: PlannedText) -> dict[str, Any]:
    """What a follow-up has to know of the messages before it: that it is one, what it is for, and what they said. A person's
    opening or clicking is told as the rule that it is, never as something that anybody did."""
    steps = {step.number: step for step in read_steps(archetype.campaign_id)}
    step = steps[text.step]
    with override("zh-hans" if archetype.language == "zh" else "en"):
        goes_to = step.only_if_label if step.only_if != FollowUp.OnlyIf.ALWAYS else ""
    told = {
        "message_number": text.step,
        "of_messages": len(steps),
        "days_since_the_message_before": max(1, round(step.wait_hours / 24)),
        "purpose": clean_untrusted(step.purpose, 200),
        "goes_to": goes_to,
        "said_before": _quote_earlier(archetype, text),
    }
    return {name: value for name, value in told.items() if value}


def _quote_earlier(archetype: Archetype, text: PlannedText) -> list[dict[str, str]]:
    """Subject and opening of the messages before it, the newest last: of the same label, which the same people got."""
    quoted: dict[int, Variant] = {}
    for earlier in Variant.objects.filter(archetype=archetype, step__lt=text.step).order_by("step", "label"):
        if earlier.step not in quoted or earlier.label == text.label:
            quoted[earlier.step] = earlier
    found = [quoted[number] for number in sorted(quoted)][-EARLIER_QUOTED:]
    return [
        {name: getattr(one, name)[:LONGEST_QUOTE] for name in ("subject", "opening") if getattr(one, name)}
        for one in found
    ]


def _describe_customers(archetype: Archetype) -> dict[str, Any]:
    with override("zh-hans" if archetype.language == "zh" else "en"):
        return {name: told for name, told in card_for_prompt(build_card(archetype)).items() if told}


def _name_offer(archetype: Archetype) -> str:
    kind = Offer.objects.filter(campaign=archetype.campaign_id).values_list("kind", flat=True).first()
    with override("zh-hans" if archetype.language == "zh" else "en"):
        return str(Offer.Kind(kind or Offer.Kind.NONE).label)


def _tidy(text: str) -> str:
    return re.sub(r"[ \t]+", " ", clean_untrusted(text, LONGEST_PART)).strip()
