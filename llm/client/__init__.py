"""The one door to language models: this package alone imports `openai` (in `transport`).

A completion is a short loop: look for an equal answer, pass the circuit breaker, take a place at the server, write the
intent with what it may cost, ask once, write the outcome, and let `llm.ladder` say whether another request is worth it.
"""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID, uuid4

import structlog

from llm.answers import Answer, CallFailed, Failure, FailureKind, read_envelope, read_object
from llm.batching import claim_or_wait, uses_batches
from llm.breaker import SERVER_KINDS, note_answer, note_failure, pass_breaker, release_probe
from llm.budget import note_overrun
from llm.client.transport import LARGEST_REPLY_BYTES, load_sdk, post_chat
from llm.completion import Completion
from llm.configuration import ModelInfo, configured_model, hide_secrets, read_timeout_s
from llm.errors import NotConfigured, ServerBusy, describe_failure
from llm.ladder import Manner, Step, build_request, plan_next
from llm.masking import Masked, PersonalValue, clean_values, mask_untrusted, unmask_values
from llm.models import LlmCall
from llm.prompts import Prompt
from llm.records import Attempt, open_call, read_places, settle_call
from llm.reuse import make_reuse_key, reuse_answer
from llm.server_modes import recall_manner, remember_manner

__all__ = ["Completion", "complete"]

SHORTEST_POLL_S, LONGEST_POLL_S = 0.05, 0.5
# What a call may take beyond its deadline until its row is settled.
SETTLING_S = 15.0

log = structlog.get_logger(__name__)


def complete(
    prompt: Prompt,
    variables: Mapping[str, Any],
    *,
    purpose: str,
    now: datetime,
    known_personal_values: Iterable[str | PersonalValue] = (),
    timeout_s: float | None = None,
    scope: str = "",
    may_reuse: bool = False,
    may_wait: bool = False,
    despite_pause: bool = False,
) -> Completion:
    """Have the configured model answer a prompt with JSON that fits its schema.

    `variables` are exactly those that the prompt declares (JSON-like: texts, numbers, lists, dicts); they are cleaned,
    cut and masked before they leave. `timeout_s` (default LLM_TIMEOUT_S) is for everything together. Each request,
    at most three of which may be paid for, is a row of the ledger, written before it is sent. `scope` ("campaign:12")
    counts against the caps of a campaign. `may_reuse` allows an earlier answer to an equal request, at no cost: right
    for sorting and reading, wrong where somebody asks for another text. `may_wait` leaves the request to the provider's
    next batch where LLM_BATCH is set (AnswerPending until it is there: ask again with the same values); it takes earlier
    answers too. `despite_pause` asks although the circuit breaker is open (a person tries the connection).

    Not to be called inside a transaction (RuntimeError). Raises NotConfigured, BudgetExceeded, ServerPaused, ServerBusy,
    AnswerPending (nothing was sent), ModelTimedOut, ModelUnreachable, ModelRateLimited, ModelRequestRejected, ModelRefused,
    ModelAnswerInvalid: all ModelError, with `is_retryable` and a sentence for staff. Running it again asks, and pays,
    again.
    """
    info = configured_model()
    if not info.is_configured:
        raise NotConfigured
    prompt.check_variables(variables)
    masked = mask_untrusted(dict(variables), prompt.max_value_chars, known_personal_values)
    load_sdk()
    seconds = timeout_s or read_timeout_s()
    work = _Work(prompt, masked.values, purpose, scope, info, uuid4(), now, time.monotonic(), seconds)
    manner = recall_manner(info, now)
    done: Completion | None = None
    if may_wait and uses_batches():
        done = claim_or_wait(work.make_attempt(Step(manner), 1), info, now)
    elif may_reuse:
        done = reuse_answer(work.make_attempt(Step(manner), 1), info, now)
    done = done or _ask_server(work, manner, is_forced=despite_pause)
    return replace(done, data=_restore(done.data, masked))


@dataclass(frozen=True)
class _Work:
    """One completion: what is asked, of whom, and until when."""

    prompt: Prompt
    values: Mapping[str, Any]
    purpose: str
    scope: str
    info: ModelInfo
    completion_id: UUID
    now: datetime
    started: float
    timeout_s: float

    @property
    def left_s(self) -> float:
        """Seconds until the deadline of the whole."""
        return self.started + self.timeout_s - time.monotonic()

    @property
    def at(self) -> datetime:
        """The moment, by the caller's clock."""
        return self.now + timedelta(seconds=time.monotonic() - self.started)

    def make_attempt(self, step: Step, number: int) -> Attempt:
        request = build_request(self.prompt, self.values, step, model=self.info.model)
        attempt = Attempt(self.completion_id, number, self.purpose, self.prompt, step, request, self.scope)
        return replace(attempt, reuse_key=make_reuse_key(attempt, self.info))


def _ask_server(work: _Work, manner: Manner, *, is_forced: bool) -> Completion:
    """Ask until there is an answer or it is not worth it, and tell the breaker which it was."""
    info = work.info
    is_probe = pass_breaker(info, work.at, probe_s=work.timeout_s + SETTLING_S, is_forced=is_forced)
    try:
        result = _climb_down(work, manner)
    except BaseException:
        if is_probe:
            release_probe(info)
        raise
    if isinstance(result, Failure) and result.kind in SERVER_KINDS:
        note_failure(info, result, work.at, is_probe=is_probe)
    else:
        note_answer(info)
    if isinstance(result, Failure):
        raise describe_failure(result, info)
    return result


def _climb_down(work: _Work, manner: Manner) -> Completion | Failure:
    """Request after request, as `llm.ladder` says."""
    step: Step | None = Step(manner)
    requests = generations = 0
    while step is not None:
        requests += 1
        time.sleep(min(step.wait_s, max(0.0, work.left_s)))
        result = _make_attempt(work, work.make_attempt(step, requests))
        if isinstance(result, Completion):
            remember_manner(work.info, step.manner, work.now)
            return result
        generations += result.may_have_cost
        chance = Random(f"{work.completion_id}:{requests}").random()  # noqa: S311 - spreads load, hides nothing
        step = plan_next(step, result, requests=requests, generations=generations, left_s=work.left_s, chance=chance)
    return result


def _make_attempt(work: _Work, attempt: Attempt) -> Completion | Failure:
    """One request with its ledger row; a deadline that has passed makes no request."""
    if work.left_s <= 0:
        return Failure(FailureKind.TIMED_OUT, "no time was left for another try", may_have_cost=False)
    call, info = _take_place(work, attempt), work.info
    started = time.monotonic()
    answer: Answer | None = None
    failure: Failure | None = None
    data: Mapping[str, Any] = {}
    try:
        answer = read_envelope(post_chat(attempt.request, info, max(0.05, work.left_s)))
        data = read_object(answer, attempt.prompt.schema)
    except CallFailed as error:
        told = error.failure
        failure = replace(told, detail=hide_secrets(told.detail), text=hide_secrets(told.text))
    latency_ms = round((time.monotonic() - started) * 1000)
    _settle(call, info, answer, failure, latency_ms)
    log.info(
        "llm.asked",
        request_id=str(call.request_id),
        purpose=attempt.purpose,
        mode=str(attempt.step.manner.mode),
        failure=str(failure.kind) if failure else "",
        latency_ms=latency_ms,
    )
    if failure:
        return failure
    return Completion(
        data=data,
        call_id=call.request_id,
        prompt_name=attempt.prompt.name,
        prompt_version=attempt.prompt.version,
        model=info.model,
        label=info.label,
        mode=str(attempt.step.manner.mode),
    )


def _take_place(work: _Work, attempt: Attempt) -> LlmCall:
    """Open the call as soon as the server has a free place; half of the time that is left is kept for the answer."""
    until = time.monotonic() + work.left_s / 2
    chances = Random(work.completion_id.int)  # noqa: S311 - spreads load, hides nothing
    pause = SHORTEST_POLL_S
    while True:
        call = open_call(attempt, work.info, work.now, lease_s=work.left_s + SETTLING_S)
        if call:
            return call
        if time.monotonic() + pause > until:
            raise ServerBusy(work.info, read_places())
        time.sleep(pause * (0.5 + chances.random() / 2))
        pause = min(2 * pause, LONGEST_POLL_S)


def _restore(data: Mapping[str, Any], masked: Masked) -> Mapping[str, Any]:
    """The answer with personal values put back, without control, bidirectional and zero-width characters."""
    restored: Mapping[str, Any] = clean_values(unmask_values(data, masked.replacements), LARGEST_REPLY_BYTES)
    return restored


def _settle(call: LlmCall, info: ModelInfo, answer: Answer | None, failure: Failure | None, latency_ms: int) -> None:
    if failure is None:
        answer = answer or Answer("")
        note_overrun(info, used=answer.usage.total or 0, reserved=call.reserved_tokens)
        settle_call(call, LlmCall.Outcome.OK, usage=answer.usage, latency_ms=latency_ms, response=answer.text)
        return
    described = describe_failure(failure, info)
    note_overrun(info, used=failure.usage.total or 0, reserved=call.reserved_tokens)
    settle_call(
        call,
        described.outcome,
        usage=failure.usage,
        latency_ms=latency_ms,
        response=failure.text,
        error=described.kept,
        may_have_cost=failure.may_have_cost,
    )
