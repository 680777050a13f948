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
VARIABLES: Final = ("shop", "customers", "brief", "wares", "voice", "angle", "previous", "faults")
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
    back and what was found in it.
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


def build_draft(task: DraftTask) -> tuple[Prompt, dict[str, Any]]:
    """The prompt of a task and its variables."""
    wording = _WORDING["zh" if task.language == "zh" else "en"]
    prompt = find_prompt(task.language, is_capable=task.is_capable, channel=task.channel)
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
    return prompt, variables


def read_draft(answer: Mapping[str, Any]) -> dict[str, str]:
    """The answer as columns of a Variant: a list of points becomes a list in the longer part."""
    words = {name: str(value).strip() for name, value in answer.items() if isinstance(value, str)}
    points = [str(point).strip().lstrip("-* ") for point in answer.get("points", ()) if str(point).strip()]
    if points:
        listed = "\n".join(f"- {point}" for point in points)
        words["story"] = f"{words.get('story', '')}\n\n{listed}".strip()
    return words


def find_prompt(language: str, *, is_capable: bool, channel: str = "email") -> Prompt:
    """The prompt for a channel and language ("en", "zh"); for an e-mail by a capable model with a longer part."""
    return _PROMPTS[channel, "zh" if language == "zh" else "en", is_capable and channel == "email"]


def _make_prompt(channel: str, language: str, *, has_story: bool) -> Prompt:
    wording = _WORDING[language]
    slots: dict[str, Any] = {name: make_slot(most) for name, most in wording.LENGTHS[channel].items()}
    task = wording.TASKS[channel]
    if has_story:
        slots |= {"story": make_slot(wording.STORY_LENGTH), "points": make_list(_POINTS, wording.POINT_LENGTH)}
        task += wording.STORY_TASK
    name = f"archetype.{_NAMES.get(channel, channel)}.{language}"
    return register_prompt(
        Prompt(
            name=f"{name}.story" if has_story else name,
            version=VERSION,
            system=wording.SYSTEM,
            user=task + "\n" + wording.CORRECTION,
            variables=VARIABLES,
            schema=make_object(slots),
            max_tokens=900 if has_story else 400,
            temperature=0.7,
            max_value_chars=1_000,
        )
    )


_PROMPTS: Final = {
    (channel, language, has_story): _make_prompt(channel, language, has_story=has_story)
    for channel, language, has_story in product(wording_en.TASKS, _WORDING, (False, True))
    if channel == "email" or not has_story
}
