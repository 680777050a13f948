"""The one door to language models: the only module that imports `openai`.

A completion is a short loop: build the request, write the intent, ask once, write the outcome, and let `llm.ladder`
say whether another request is worth it. The SDK is kept on a short lead: no retries of its own, no redirects, no
parsing (it lets pages, half answers and doubled keys through), and a deadline for the whole, because its own time-out
starts again with every byte that arrives. It is imported when the first completion is asked for: its thousand modules cost more
time than all of Django's, and most processes never ask a model.
"""

import asyncio
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import structlog

from llm.answers import Answer, CallFailed, Failure, FailureKind, failure_from_error, read_envelope, read_object
from llm.completion import Completion
from llm.configuration import ModelInfo, configured_model, read_api_key, read_timeout_s
from llm.errors import NotConfigured, describe_failure
from llm.ladder import Step, build_request, plan_next
from llm.masking import Masked, PersonalValue, clean_values, mask_values, unmask_values
from llm.models import LlmCall
from llm.prompts import Prompt
from llm.records import Attempt, open_call, settle_call
from llm.reuse import make_reuse_key, reuse_answer
from llm.server_modes import recall_manner, remember_manner

if TYPE_CHECKING:
    import openai

__all__ = ["Completion", "complete"]

LARGEST_REPLY_BYTES = 1_000_000

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
) -> Completion:
    """Have the configured model answer a prompt with JSON that fits its schema.

    `variables` are exactly those that the prompt declares (JSON-like: texts, numbers, lists, dicts); they are cleaned,
    cut and masked before they leave. `timeout_s` (default LLM_TIMEOUT_S) is for everything together. Each request,
    at most three of which may be paid for, is a row of the ledger, written before it is sent. `scope` ("campaign:12")
    counts against the caps of a campaign. `may_reuse` allows an earlier answer to an equal request, at no cost: right
    for sorting and reading, wrong where somebody asks for another text.

    Not to be called inside a transaction (RuntimeError). Raises NotConfigured, BudgetExceeded (nothing was sent),
    ModelTimedOut, ModelUnreachable, ModelRateLimited, ModelRequestRejected, ModelRefused, ModelAnswerInvalid: all
    ModelError, with `is_retryable` and a sentence for staff. Running it again asks, and pays, again.
    """
    info = configured_model()
    if not info.is_configured:
        raise NotConfigured
    prompt.check_variables(variables)
    masked = mask_values(clean_values(dict(variables), prompt.max_value_chars), known_personal_values)
    _load_sdk()
    deadline = time.monotonic() + (timeout_s or read_timeout_s())
    completion_id = uuid4()
    step: Step | None = Step(recall_manner(info, now))
    requests = generations = 0
    while step is not None:
        requests += 1
        request = build_request(prompt, masked.values, step, model=info.model)
        attempt = Attempt(completion_id, requests, purpose, prompt, step, request, scope)
        attempt = replace(attempt, reuse_key=make_reuse_key(attempt, info))
        reused = reuse_answer(attempt, info, now) if may_reuse and requests == 1 else None
        result = reused or _make_attempt(attempt, info, now, deadline)
        if isinstance(result, Completion):
            if not reused:
                remember_manner(info, step.manner, now)
            return replace(result, data=_restore(result.data, masked))
        generations += result.may_have_cost
        failure, step = result, plan_next(step, result, requests=requests, generations=generations)
    raise describe_failure(failure, info)


def _load_sdk() -> None:
    """Import the SDK before a deadline begins to run, so that no server pays for it."""
    import openai  # noqa: F401


def _make_attempt(attempt: Attempt, info: ModelInfo, now: datetime, deadline: float) -> Completion | Failure:
    """One request with its ledger row; a deadline that has passed makes no request."""
    started = time.monotonic()
    if started >= deadline:
        return Failure(FailureKind.TIMED_OUT, "no time was left for another try", may_have_cost=False)
    call = open_call(attempt, info, now)
    answer: Answer | None = None
    failure: Failure | None = None
    data: Mapping[str, Any] = {}
    try:
        answer = read_envelope(_send(attempt.request, info, deadline - started))
        data = read_object(answer, attempt.prompt.schema)
    except CallFailed as error:
        failure = error.failure
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


def _restore(data: Mapping[str, Any], masked: Masked) -> Mapping[str, Any]:
    """The answer with personal values put back, without control, bidirectional and zero-width characters."""
    restored: Mapping[str, Any] = clean_values(unmask_values(data, masked.replacements), LARGEST_REPLY_BYTES)
    return restored


def _settle(call: LlmCall, info: ModelInfo, answer: Answer | None, failure: Failure | None, latency_ms: int) -> None:
    if failure is None:
        answer = answer or Answer("")
        settle_call(call, LlmCall.Outcome.OK, usage=answer.usage, latency_ms=latency_ms, response=answer.text)
        return
    described = describe_failure(failure, info)
    settle_call(
        call,
        described.outcome,
        usage=failure.usage,
        latency_ms=latency_ms,
        response=failure.text,
        error=described.staff_message,
        may_have_cost=failure.may_have_cost,
    )


def _send(request: dict[str, Any], info: ModelInfo, timeout_s: float) -> bytes:
    """The body of the reply to one POST, or CallFailed. Runs in a thread of its own, because the caller's may already
    have an event loop."""
    import httpx2
    import openai

    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="llm") as pool:
        try:
            return pool.submit(asyncio.run, _post(request, info, timeout_s)).result()
        except (TimeoutError, openai.APITimeoutError, httpx2.TimeoutException):
            detail = f"no whole answer within {timeout_s:.0f} s"
            raise CallFailed(Failure(FailureKind.TIMED_OUT, detail)) from None
        except openai.APIStatusError as error:
            raise CallFailed(_read_status_error(error)) from None
        except (openai.APIConnectionError, httpx2.RequestError, httpx2.StreamError) as error:
            was_sent = not isinstance(error.__cause__, httpx2.ConnectError)
            detail = "the connection broke" if was_sent else "no connection"
            raise CallFailed(Failure(FailureKind.UNREACHABLE, detail, may_have_cost=was_sent)) from None
        except (openai.OpenAIError, httpx2.InvalidURL, UnicodeError) as error:
            detail = f"the client refused the request ({type(error).__name__})"
            raise CallFailed(Failure(FailureKind.REJECTED, detail, may_have_cost=False)) from None


async def _post(request: dict[str, Any], info: ModelInfo, timeout_s: float) -> bytes:
    import httpx2
    import openai

    # A proxy of the environment is right for a provider and wrong for this machine.
    transport = openai.DefaultAsyncHttpxClient(
        follow_redirects=False, trust_env=not info.is_local, timeout=httpx2.Timeout(timeout_s)
    )
    async with asyncio.timeout(timeout_s), transport:
        client = openai.AsyncOpenAI(
            base_url=info.base_url, api_key=read_api_key(), max_retries=0, timeout=timeout_s, http_client=transport
        )
        body = bytearray()
        asking: Any = client.chat.completions.with_streaming_response
        async with asking.create(**request) as response:
            async for chunk in response.iter_bytes():
                body += chunk
                if len(body) > LARGEST_REPLY_BYTES:
                    raise CallFailed(Failure(FailureKind.BROKEN_REPLY, "the reply is far too long"))
        return bytes(body)


def _read_status_error(error: "openai.APIStatusError") -> Failure:
    if error.status_code < 400:
        detail = "the server sent us on to another address, which is not followed"
        return Failure(FailureKind.REJECTED, detail, error.status_code, may_have_cost=False)
    body = error.body if error.body else error.message
    failure = failure_from_error(body, status=error.status_code, retry_after_s=_read_retry_after(error))
    return replace(failure, detail=failure.detail.replace(read_api_key(), "[key]"))


def _read_retry_after(error: "openai.APIStatusError") -> float | None:
    try:
        seconds = float(error.response.headers.get("retry-after", ""))
    except ValueError:
        return None
    return seconds if 0 <= seconds <= 86_400 else None
