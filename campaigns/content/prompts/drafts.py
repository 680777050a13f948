"""Drafts of one archetype's text: a prompt for each channel, language and size of model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any, Final

from llm.prompts import Prompt, register_prompt

from . import wording_en, wording_zh
from .slots import make_list, make_object, make_slot
from .voices import describe_voice

VERSION: Final = "3"
FOLLOW_UP_VERSION: Final = "1"
VARIABLES: Final = ("shop", "customers", "brief", "wares", "voice", "angle", "previous", "faults")
FOLLOW_UP_VARIABLES: Final = (*VARIABLES, "sequence")
#: The angles that a draft can have, with what the model is told of each: keys of campaigns.models.Angle.
ANGLES: Final = wording_en.ANGLES
WARES_NAMED: Final = 6
_WORDING: Final = {"en": wording_en, "zh": wording_zh}
_NAMES: Final = {"email": "message"}  # its name before there were other channels
_POINTS: Final = 3


@dataclass(frozen=True)
class DraftTask:
    """All that a draft is made from; nothing of any person.

    `facts` is `content.facts.build_facts`, `card` what the archetype has in common, `brief` {goal, tone, avoid,
    talking_points, offer, instruction}, `voice` the voice of
    those facts. `previous` and `faults` are a draft that was sent
    back and what was found in it. `sequence` is what a follow-up knows of the messages before it, {} for the first:
    {message_number, of_messages, days_since_the_message_before, purpose, goes_to, said_before}.
    """

    channel: str
    language: str
    is_capable: bool
    facts: Mapping[str, Any]
    card: Mapping[str, Any]
    brief: Mapping[str, str]
    voice: Mapping[str, Any] = field(default_factory=dict)
    angle: str = ""
    previous: Mapping[str, str] = field(default_factory=dict)
    faults: Sequence[str] = ()
    sequence: Mapping[str, Any] = field(default_factory=dict)


def build_draft(task: DraftTask) -> tuple[Prompt, dict[str, Any]]:
    """The prompt of a task and its variables."""
    wording = _WORDING["zh" if task.language == "zh" else "en"]
    prompt = find_prompt(
        task.language, is_capable=task.is_capable, channel=task.channel, is_follow_up=bool(task.sequence)
    )
    policies = [policy for policy in task.facts.get("policies") or () if isinstance(policy, str)]
    brief = {name: value for name, value in task.brief.items() if value}
    variables = {
        "shop": task.facts.get("shop", ""),
        "customers": dict(task.card),
        "brief": brief | ({"policies": policies} if policies else {}),
        "wares": [str(ware["name"])[:80] for ware in task.facts.get("products", ())[:WARES_NAMED]],
        "voice": describe_voice(task.voice, task.language, is_short=not task.is_capable),
        "angle": wording.ANGLES.get(task.angle, ""),
        "previous": dict(task.previous),
        "faults": list(task.faults),
    }
    if task.sequence:
        variables["sequence"] = dict(task.sequence)
    return prompt, variables


def read_draft(answer: Mapping[str, Any]) -> dict[str, str]:
    """The answer as columns of a Variant: a list of points becomes a list in the longer part."""
    words = {name: str(value).strip() for name, value in answer.items() if isinstance(value, str)}
    points = [str(point).strip().lstrip("-* ") for point in answer.get("points", ()) if str(point).strip()]
    if points:
        listed = "\n".join(f"- {point}" for point in points)
        words["story"] = f"{words.get('story', '')}\n\n{listed}".strip()
    return words


def find_prompt(language: str, *, is_capable: bool, channel: str = "email", is_follow_up: bool = False) -> Prompt:
    """The prompt for a channel and language ("en", "zh"); for an e-mail by a capable model with a longer part, which
    follow-ups have not."""
    has_story = is_capable and channel == "email" and not is_follow_up
    return _PROMPTS[channel, "zh" if language == "zh" else "en", has_story, is_follow_up]


def _make_prompt(channel: str, language: str, *, has_story: bool, is_follow_up: bool) -> Prompt:
    wording = _WORDING[language]
    slots: dict[str, Any] = {name: make_slot(most) for name, most in wording.LENGTHS[channel].items()}
    task = wording.TASKS[channel]
    if has_story:
        slots |= {"story": make_slot(wording.STORY_LENGTH), "points": make_list(_POINTS, wording.POINT_LENGTH)}
        task += wording.STORY_TASK
    if is_follow_up:
        task += "\n" + wording.FOLLOW_UP
    name = f"archetype.{_NAMES.get(channel, channel)}.{language}"
    kind = ".story" if has_story else ".follow_up" if is_follow_up else ""
    return register_prompt(
        Prompt(
            name=name + kind,
            version=FOLLOW_UP_VERSION if is_follow_up else VERSION,
            system=wording.SYSTEM,
            user=task + "\n" + wording.CORRECTION,
            variables=FOLLOW_UP_VARIABLES if is_follow_up else VARIABLES,
            schema=make_object(slots),
            max_tokens=900 if has_story else 400,
            temperature=0.7,
            max_value_chars=1_000,
        )
    )


_PROMPTS: Final = {
    (channel, language, has_story, is_follow_up): _make_prompt(
        channel, language, has_story=has_story, is_follow_up=is_follow_up
    )
    for channel, language, has_story, is_follow_up in product(wording_en.TASKS, _WORDING, (False, True), (False, True))
    if not has_story or (channel == "email" and not is_follow_up)
}
