"""Reads what a model server sent back, trusting nothing of it. No Django and no network here.

Every way in which a call can fail has a `FailureKind`; `llm.ladder` decides from it what to try next.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from llm.masking import clean_untrusted

LONGEST_ANSWER_CHARS = 20_000
LONGEST_DETAIL_CHARS = 300
MOST_OBJECT_STARTS = 20
THOUGHTS = re.compile(r"<think>.*?</think>", re.DOTALL)
REFUSAL = re.compile(
    r"\W{0,3}(i['’]?m sorry|i am sorry|sorry,|i can['’]?t|i cannot|i['’]?m unable|i am unable|as an ai"
    r"|很?抱歉|对不起|我(无法|不能|不可以))",
    re.IGNORECASE,
)
ENDED_WELL = frozenset({"", "stop", "eos", "stop_sequence", "end_turn"})


class FailureKind(StrEnum):
    """Why a call gave no usable answer."""

    TIMED_OUT = "timed_out"
    UNREACHABLE = "unreachable"
    SERVER_ERROR = "server_error"
    BROKEN_REPLY = "broken_reply"
    RATE_LIMITED = "rate_limited"
    NO_CREDIT = "no_credit"
    REJECTED = "rejected"
    REFUSED = "refused"
    CUT_OFF = "cut_off"
    BAD_OUTPUT = "bad_output"


@dataclass(frozen=True)
class Usage:
    """Tokens as the server counted them; None where it did not say."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None

    @property
    def total(self) -> int | None:
        """Both together, None where either is missing."""
        if self.prompt_tokens is None or self.completion_tokens is None:
            return None
        return self.prompt_tokens + self.completion_tokens


@dataclass(frozen=True)
class Failure:
    """A failed call. `detail` is technical English; `text` what the model wrote, as far as it came.

    `may_have_cost` is False only where the server certainly generated nothing. `is_json` says whether a bad answer was
    at least a JSON object, `is_shaped` whether it had exactly the properties that were asked for.
    """

    kind: FailureKind
    detail: str
    status: int | None = None
    retry_after_s: float | None = None
    text: str = ""
    usage: Usage = Usage()
    may_have_cost: bool = True
    is_json: bool = False
    is_shaped: bool = False


class CallFailed(Exception):
    """Carries a Failure from where it is seen to where it is decided upon."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(f"{failure.kind}: {failure.detail}")
        self.failure = failure


@dataclass(frozen=True)
class Answer:
    """The text of a whole chat completion."""

    text: str
    usage: Usage = Usage()


def read_envelope(body: bytes) -> Answer:
    """The answer's text out of the bytes of a chat completion (HTTP 200).

    Raises CallFailed for a page instead of JSON, an error in disguise, a reply that broke off, a refusal,
    an answer that was cut, is empty or is far too long.
    """
    envelope = _load_envelope(body)
    if envelope.get("error"):
        raise CallFailed(failure_from_error(envelope["error"], status=200))
    choices = envelope.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], Mapping):
        raise _broken("the reply holds no answer (choices are missing)")
    usage = _read_usage(envelope.get("usage"))
    choice = choices[0]
    message = choice.get("message")
    if not isinstance(message, Mapping):
        raise _broken("the reply holds no message", usage=usage)
    text = _read_content(message.get("content"))
    _check_ending(choice.get("finish_reason"), message.get("refusal"), text, usage)
    return Answer(text, usage)


def read_object(answer: Answer, schema: Mapping[str, Any]) -> dict[str, Any]:
    """The first JSON object of an answer, checked against the schema.

    Raises CallFailed with BAD_OUTPUT (its detail lists what is wrong, fit to be shown to the model) or REFUSED when
    there is no object and the text reads as a refusal.
    """
    try:
        data = _load_first_object(THOUGHTS.sub("", answer.text))
    except ValueError as error:
        raise CallFailed(_bad_output(answer, str(error))) from None
    if data is None:
        if REFUSAL.match(answer.text.strip()):
            raise CallFailed(Failure(FailureKind.REFUSED, "refused in words", text=answer.text, usage=answer.usage))
        raise CallFailed(_bad_output(answer, "the answer is not a JSON object"))
    problems = sorted(map(_describe_problem, _validator(schema).iter_errors(data)))
    if problems:
        is_shaped = set(data) == set(schema.get("properties", ()))
        raise CallFailed(replace(_bad_output(answer, "; ".join(problems[:5])), is_json=True, is_shaped=is_shaped))
    return data


def failure_from_error(error: Any, *, status: int, retry_after_s: float | None = None) -> Failure:
    """Classify an error body by HTTP status and by what it says of itself."""
    fields = error if isinstance(error, Mapping) else {"message": error}
    detail = clean_untrusted(str(fields.get("message") or error), LONGEST_DETAIL_CHARS).strip() or "no reason was given"
    if fields.get("param"):
        detail = f"{detail} (param: {str(fields['param'])[:60]})"
    marks = f"{fields.get('code')} {fields.get('type')}"
    if status == 402 or "insufficient_quota" in marks or "billing" in marks:
        return Failure(FailureKind.NO_CREDIT, detail, status, may_have_cost=False)
    if status == 429 or fields.get("code") in (429, "429", "rate_limit_exceeded"):
        return Failure(FailureKind.RATE_LIMITED, detail, status, retry_after_s, may_have_cost=False)
    if status in (408, 504):
        return Failure(FailureKind.TIMED_OUT, detail, status, retry_after_s)
    if status >= 500 or status == 200:
        return Failure(FailureKind.SERVER_ERROR, detail, status, retry_after_s)
    return Failure(FailureKind.REJECTED, detail, status, may_have_cost=False)


def load_strict_json(text: str) -> Any:
    """json.loads that refuses doubled keys, NaN and endless nesting with ValueError."""
    try:
        return json.loads(text, object_pairs_hook=_refuse_doubled_keys, parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError("the JSON is nested too deeply") from None


def _load_envelope(body: bytes) -> dict[str, Any]:
    text = body.decode("utf-8", errors="replace").strip()
    if text[:1] == "<":
        detail = "a web page came back instead of JSON"
        raise CallFailed(Failure(FailureKind.REJECTED, detail, status=200, may_have_cost=False))
    try:
        envelope = load_strict_json(text)
    except ValueError:
        raise _broken("the reply broke off or is not JSON") from None
    if not isinstance(envelope, dict):
        raise _broken("the reply is not a JSON object")
    return envelope


def _read_usage(usage: Any) -> Usage:
    if not isinstance(usage, Mapping):
        return Usage()

    def count(name: str) -> int | None:
        value = usage.get(name)
        return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31 else None

    return Usage(count("prompt_tokens"), count("completion_tokens"))


def _read_content(content: Any) -> str:
    """Some servers send a list of parts."""
    if isinstance(content, list):
        content = "".join(str(part.get("text", "")) for part in content if isinstance(part, Mapping))
    return content if isinstance(content, str) else ""


def _check_ending(finish_reason: Any, refusal: Any, text: str, usage: Usage) -> None:
    if refusal or finish_reason == "content_filter":
        raise CallFailed(Failure(FailureKind.REFUSED, str(refusal or finish_reason)[:200], text=text, usage=usage))
    if finish_reason == "length":
        raise CallFailed(Failure(FailureKind.CUT_OFF, "max_tokens was reached", text=text, usage=usage))
    if finish_reason is not None and str(finish_reason) not in ENDED_WELL:
        detail = f"the answer ended with {str(finish_reason)[:40]}"
        raise CallFailed(Failure(FailureKind.BAD_OUTPUT, detail, text=text, usage=usage))
    if not text.strip():
        raise CallFailed(Failure(FailureKind.BAD_OUTPUT, "the answer is empty", usage=usage))
    if len(text) > LONGEST_ANSWER_CHARS:
        text, detail = text[:LONGEST_ANSWER_CHARS], f"the answer is longer than {LONGEST_ANSWER_CHARS} characters"
        raise CallFailed(Failure(FailureKind.BAD_OUTPUT, detail, text=text, usage=usage))


def _load_first_object(text: str) -> dict[str, Any] | None:
    """The whole text, or else the first place in it from which a JSON object can be read; None when there is none.

    Models that no grammar holds write raw line ends inside strings: those are taken (`strict`).
    """
    hooks: dict[str, Any] = {"object_pairs_hook": _refuse_doubled_keys, "parse_constant": _refuse_constant}
    decoder = json.JSONDecoder(strict=False, **hooks)
    start = text.find("{")
    for _ in range(MOST_OBJECT_STARTS):
        if start < 0:
            return None
        try:
            data, _end = decoder.raw_decode(text, start)
        except json.JSONDecodeError:
            start = text.find("{", start + 1)
            continue
        except RecursionError:
            raise ValueError("the JSON is nested too deeply") from None
        return data if isinstance(data, dict) else None
    return None


def _refuse_doubled_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) != len(pairs):
        raise ValueError("a key stands twice in the JSON")
    return data


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _describe_problem(error: Any) -> str:
    """Where and which rule, without the text that breaks it (it may be long, and it may be anything)."""
    if error.validator in ("required", "additionalProperties"):
        return f"{error.json_path}: {error.message[:150]}"
    return f"{error.json_path} has to fit {error.validator} {str(error.validator_value)[:100]}"


def _validator(schema: Mapping[str, Any]) -> Draft202012Validator:
    return Draft202012Validator(dict(schema))


def _bad_output(answer: Answer, detail: str) -> Failure:
    return Failure(FailureKind.BAD_OUTPUT, detail, text=answer.text, usage=answer.usage)


def _broken(detail: str, *, usage: Usage = Usage()) -> CallFailed:
    return CallFailed(Failure(FailureKind.BROKEN_REPLY, detail, usage=usage))
