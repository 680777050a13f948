"""How a server is asked for JSON, and what is tried next when that fails. No Django and no network here.

The ladder: the schema enforced by the server (`json_schema`); JSON mode with the schema in the prompt (`json_object`);
plain text of which the first JSON object is taken (`text`); and once, a repair that shows the model what was wrong.
Some servers refuse `response_format` (400, 422, 500), some ignore it with a 200, so both lead down a step.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from llm.answers import Failure, FailureKind
from llm.masking import clean_untrusted
from llm.prompts import Prompt

# At most three answers are paid for; refusals of a parameter cost nothing but are bounded as well.
MOST_GENERATIONS = 3
MOST_REQUESTS = 6
# A server that names a short wait gets it; for a longer one the caller's row waits, not a worker.
LONGEST_WAIT_HERE_S = 5.0
LONGEST_REPAIRED_CHARS = 4_000
LONGEST_CUT_SHOWN_CHARS = 200
FORMAT_WORDS = re.compile(r"response_format|json.?schema|json_object|grammar|guided|structured", re.IGNORECASE)


class Mode(StrEnum):
    """A step of the ladder, from the strictest down."""

    JSON_SCHEMA = "json_schema"
    JSON_OBJECT = "json_object"
    TEXT = "text"


@dataclass(frozen=True)
class Manner:
    """How one model at one address wants to be asked; `is_proven` once an answer was had that way."""

    mode: Mode = Mode.JSON_SCHEMA
    wants_max_completion_tokens: bool = False
    rejects_temperature: bool = False
    is_proven: bool = False


@dataclass(frozen=True)
class Repair:
    """What the model wrote and what was wrong with it."""

    previous_answer: str
    problems: str


@dataclass(frozen=True)
class Step:
    """The next request to make."""

    manner: Manner
    repair: Repair | None = None
    wait_s: float = 0.0
    has_waited: bool = False


def build_request(prompt: Prompt, values: Mapping[str, Any], step: Step, *, model: str) -> dict[str, Any]:
    """The JSON body of a chat completion. Roles are system and user only; values stand in the user turn as JSON."""
    manner = step.manner
    system = prompt.system
    if manner.mode is not Mode.JSON_SCHEMA:
        system = f"{system}\n\n{_describe_schema(prompt)}"
    turn: dict[str, Any] = dict(values)
    user = prompt.render_user_turn(turn)
    if step.repair:
        previous = {"previous_answer": step.repair.previous_answer, "problems": step.repair.problems}
        user = f"{user}\n\nAn earlier answer was not usable. Answer again without these problems:\n"
        user += json.dumps(previous, ensure_ascii=False)
    request: dict[str, Any] = {
        "model": model,
        "messages": [{"role": "system", "content": system}, {"role": "user", "content": user}],
        "max_completion_tokens" if manner.wants_max_completion_tokens else "max_tokens": prompt.max_tokens,
    }
    if not manner.rejects_temperature:
        request["temperature"] = prompt.temperature
    if manner.mode is Mode.JSON_SCHEMA:
        named = {"name": _schema_name(prompt), "schema": dict(prompt.schema), "strict": True}
        request["response_format"] = {"type": "json_schema", "json_schema": named}
    elif manner.mode is Mode.JSON_OBJECT:
        request["response_format"] = {"type": "json_object"}
    return request


def plan_next(
    step: Step, failure: Failure, *, requests: int, generations: int, left_s: float = math.inf, chance: float = 0.0
) -> Step | None:
    """What to try after a failure; None when it is final.

    `requests` and `generations` count what this completion has made so far (a generation is a request that may have
    cost tokens), `left_s` is what is left of its time, `chance` (0 to 1) spreads waits.
    """
    if requests >= MOST_REQUESTS or generations >= MOST_GENERATIONS:
        return None
    step = replace(step, wait_s=0.0)
    if failure.kind is FailureKind.RATE_LIMITED or failure.status == 503:
        return _plan_wait(step, failure, left_s, chance)
    if failure.kind is FailureKind.REJECTED and failure.status in (400, 422):
        return _adapt_parameter(step, failure) or _step_down(step)
    if failure.kind is FailureKind.SERVER_ERROR and failure.status in (200, 500, 501):
        is_about_format = bool(FORMAT_WORDS.search(failure.detail))
        return _step_down(step) if is_about_format or not step.manner.is_proven else None
    if failure.kind is FailureKind.CUT_OFF:
        return _plan_after_cut(step, failure)
    if failure.kind is FailureKind.BAD_OUTPUT:
        return _plan_after_bad_output(step, failure)
    return None


def _plan_wait(step: Step, failure: Failure, left_s: float, chance: float) -> Step | None:
    """Once, where the server itself names a short wait; never sooner than it says."""
    if step.has_waited or failure.retry_after_s is None or failure.retry_after_s > LONGEST_WAIT_HERE_S:
        return None
    wait = max(failure.retry_after_s, 0.1) * (1 + chance / 2)
    return replace(step, wait_s=wait, has_waited=True) if 2 * wait < left_s else None


def _adapt_parameter(step: Step, failure: Failure) -> Step | None:
    """Newer models refuse `max_tokens` or a temperature and say so."""
    manner = step.manner
    if "max_completion_tokens" in failure.detail and not manner.wants_max_completion_tokens:
        return replace(step, manner=replace(manner, wants_max_completion_tokens=True))
    if "temperature" in failure.detail and not manner.rejects_temperature:
        return replace(step, manner=replace(manner, rejects_temperature=True))
    return None


def _step_down(step: Step) -> Step | None:
    modes = list(Mode)
    position = modes.index(step.manner.mode)
    if position + 1 == len(modes):
        return None
    return replace(step, manner=replace(step.manner, mode=modes[position + 1], is_proven=False))


def _plan_after_cut(step: Step, failure: Failure) -> Step | None:
    """Prose that never ends is a server that ignores the format; an object that never ends is asked for once more."""
    if step.repair:
        return None
    is_prose = not failure.text.lstrip().startswith(("{", "```"))
    if is_prose and not step.manner.is_proven:
        return _step_down(step)
    problem = "the answer was too long and was cut off: write much shorter texts and do not repeat yourself"
    return replace(step, repair=Repair(failure.text[:LONGEST_CUT_SHOWN_CHARS], problem))


def _plan_after_bad_output(step: Step, failure: Failure) -> Step | None:
    """A server that is not known to heed the schema gets it in the prompt; otherwise the one repair.

    An object of the right shape with a wrong value in it shows that the server does heed it.
    """
    if step.repair:
        return None
    heeds_schema = step.manner.is_proven or failure.is_shaped
    if step.manner.mode is Mode.JSON_SCHEMA and not heeds_schema:
        return _step_down(step)
    down = None if failure.is_json or step.manner.is_proven else _step_down(step)
    previous = clean_untrusted(failure.text, LONGEST_REPAIRED_CHARS)
    return replace(down or step, repair=Repair(previous, failure.detail))


def _describe_schema(prompt: Prompt) -> str:
    schema = json.dumps(dict(prompt.schema), ensure_ascii=False)
    return f"Answer with one JSON object and nothing else. It has to fit this JSON schema:\n{schema}"


def _schema_name(prompt: Prompt) -> str:
    """Servers allow letters, digits, underscore and hyphen, up to 64."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", prompt.name)[:64]
