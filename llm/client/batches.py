"""Hands waiting calls over to the provider's batch interface, looks after the batches, and brings the answers home.

Every step is a guarded change of a row, so that running any of it twice, or dying anywhere, costs at most a wait: a batch
bears our `uid`, and one that was handed over by a worker that died is found by it.
"""

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import F

from llm.answers import CallFailed, Failure, FailureKind, failure_from_error, load_strict_json, read_envelope
from llm.batching import note_no_batches, says_no_batches_since, uses_batches
from llm.client.transport import fetch_batch, fetch_file, hand_over_batch, list_batches, load_remote
from llm.configuration import ModelInfo, configured_model
from llm.errors import describe_failure
from llm.models import LlmBatch, LlmCall
from llm.records import settle_call
from llm.retrying import wait_before_retry

MOST_REQUESTS = 1_000
HANDING_OVER = timedelta(minutes=3)
LOOK_EVERY = timedelta(minutes=1)
# The interface promises a day; somewhat later we stop waiting.
PATIENCE = timedelta(hours=26)
TIMEOUT_S = 120.0
UNDER_WAY = frozenset({"validating", "in_progress", "finalizing", "cancelling"})

log = structlog.get_logger(__name__)


def hand_over_waiting(now: datetime) -> int:
    """Hand the calls that wait to the configured model's batch interface; returns how many went.

    Calls that can wait for nothing (LLM_BATCH is off, another model is set, the server takes no batches) are released:
    the row goes, and whoever asks again is answered at once.
    """
    info = configured_model()
    waiting = LlmCall.objects.filter(outcome=LlmCall.Outcome.WAITING)
    if not uses_batches() or not info.is_configured or says_no_batches_since(info, now):
        waiting.delete()
        return 0
    waiting.exclude(model=info.model[:200], server_host=info.host[:255]).delete()
    batch = _claim_waiting(info, now)
    if batch is None:
        return 0
    try:
        reply = load_remote(hand_over_batch(_write_lines(batch), str(batch.uid), info, TIMEOUT_S))
    except CallFailed as error:
        _note_not_handed_over(batch, error.failure, info, now)
        return 0
    _start(batch, str(reply.get("id") or ""), now)
    log.info("llm.batch_handed_over", batch=batch.pk, requests=batch.requests)
    return batch.requests


def look_after_batches(now: datetime) -> int:
    """Find the batches that are due for a look, and bring home what has ended; returns how many ended."""
    due = LlmBatch.objects.filter(
        status__in=[LlmBatch.Status.SUBMITTING, LlmBatch.Status.RUNNING], next_look_at__lte=now
    ).order_by("next_look_at")
    return sum(_look(batch, now) for batch in due if _win(batch, now))


def _claim_waiting(info: ModelInfo, now: datetime) -> LlmBatch | None:
    with transaction.atomic(durable=True):
        chosen = list(
            LlmCall.objects.select_for_update(skip_locked=True)
            .filter(outcome=LlmCall.Outcome.WAITING, model=info.model[:200], server_host=info.host[:255])
            .order_by("pk")
            .values_list("pk", flat=True)[:MOST_REQUESTS]
        )
        if not chosen:
            return None
        batch = LlmBatch.objects.create(
            address=info.address,
            model=info.model[:200],
            requests=len(chosen),
            created_at=now,
            next_look_at=now + HANDING_OVER,
        )
        LlmCall.objects.filter(pk__in=chosen).update(outcome=LlmCall.Outcome.ASKED, batch=batch)
    return batch


def _write_lines(batch: LlmBatch) -> bytes:
    calls = LlmCall.objects.filter(batch=batch).order_by("pk").values_list("request_id", "masked_request")
    lines = [
        json.dumps(
            {"custom_id": str(request_id), "method": "POST", "url": "/v1/chat/completions", "body": request},
            ensure_ascii=False,
        )
        for request_id, request in calls
    ]
    return ("\n".join(lines) + "\n").encode()


def _note_not_handed_over(batch: LlmBatch, failure: Failure, info: ModelInfo, now: datetime) -> None:
    """A clear no gives the calls back; anything else may have started it, so the next look decides."""
    if failure.kind is FailureKind.REJECTED and failure.status in (200, 404, 405, 501):
        note_no_batches(info, now)
    if failure.may_have_cost and failure.kind is not FailureKind.NO_CREDIT:
        return
    _give_up(batch, describe_failure(failure, info).staff_message, now, costs_nothing=True)


def _start(batch: LlmBatch, remote_id: str, now: datetime) -> None:
    LlmBatch.objects.filter(pk=batch.pk, status=LlmBatch.Status.SUBMITTING).update(
        status=LlmBatch.Status.RUNNING, remote_id=remote_id[:200], next_look_at=now + LOOK_EVERY, failures=0
    )


def _win(batch: LlmBatch, now: datetime) -> bool:
    """One worker looks at a time; one that dies over it is succeeded when the lease ends."""
    return bool(
        LlmBatch.objects.filter(pk=batch.pk, status=batch.status, next_look_at=batch.next_look_at).update(
            next_look_at=now + HANDING_OVER
        )
    )


def _look(batch: LlmBatch, now: datetime) -> bool:
    """True when the batch has ended with this look."""
    info = _info_of(batch)
    is_too_late = now - batch.created_at > PATIENCE
    if info is None:
        return _give_up(batch, "another model is set up now", now)
    try:
        remote = _find_remote(batch, info, cancels=is_too_late)
        if remote is None:
            return _give_up(batch, "the provider does not know the batch", now, costs_nothing=True)
        if batch.status == LlmBatch.Status.SUBMITTING:
            _start(batch, str(remote.get("id") or ""), now)
            return False
        if remote.get("status") in UNDER_WAY and not is_too_late:
            LlmBatch.objects.filter(pk=batch.pk).update(next_look_at=now + LOOK_EVERY, failures=0)
            return False
        for name in ("output_file_id", "error_file_id"):
            if remote.get(name):
                _bring_home(batch, fetch_file(str(remote[name]), info, TIMEOUT_S), info)
    except CallFailed as error:
        return _note_failed_look(batch, error.failure, info, now, is_too_late=is_too_late)
    return _finish(batch, str(remote.get("status") or ""), now)


def _info_of(batch: LlmBatch) -> ModelInfo | None:
    """The configured model, where it is still the one that the batch was handed to: only for that there is a key."""
    info = configured_model()
    return info if (info.address, info.model[:200]) == (batch.address, batch.model) else None


def _find_remote(batch: LlmBatch, info: ModelInfo, *, cancels: bool) -> dict[str, Any] | None:
    if batch.status == LlmBatch.Status.RUNNING:
        return load_remote(fetch_batch(batch.remote_id, info, TIMEOUT_S, cancels=cancels))
    listed = load_remote(list_batches(info, TIMEOUT_S)).get("data")
    for remote in listed if isinstance(listed, list) else []:
        marks = remote.get("metadata") if isinstance(remote, dict) else None
        if isinstance(marks, dict) and marks.get("rekindle_batch") == str(batch.uid):
            return dict(remote)
    return None


def _note_failed_look(batch: LlmBatch, failure: Failure, info: ModelInfo, now: datetime, *, is_too_late: bool) -> bool:
    if is_too_late or (failure.kind is FailureKind.REJECTED and failure.status == 404):
        return _give_up(batch, describe_failure(failure, info).staff_message, now)
    wait = wait_before_retry(min(batch.failures + 1, 10), seed=batch.pk, retry_after_s=failure.retry_after_s)
    LlmBatch.objects.filter(pk=batch.pk).update(next_look_at=now + timedelta(seconds=wait), failures=F("failures") + 1)
    return False


def _bring_home(batch: LlmBatch, lines: bytes, info: ModelInfo) -> None:
    """Settle the call of every line; a line that means nothing to us is passed over."""
    open_calls = {
        str(call.request_id): call for call in LlmCall.objects.filter(batch=batch, outcome=LlmCall.Outcome.ASKED)
    }
    for line in lines.decode("utf-8", errors="replace").splitlines():
        try:
            result = load_strict_json(line)
            call = open_calls.pop(str(UUID(result["custom_id"])), None)
        except (ValueError, TypeError, KeyError):
            continue
        if call is not None:
            _settle_line(call, result, info)


def _settle_line(call: LlmCall, result: dict[str, Any], info: ModelInfo) -> None:
    try:
        answer = read_envelope(_take_body(result))
    except CallFailed as error:
        failure, described = error.failure, describe_failure(error.failure, info)
        settle_call(
            call,
            described.outcome,
            usage=failure.usage,
            latency_ms=None,
            response=failure.text,
            error=described.kept,
            may_have_cost=failure.may_have_cost,
        )
        return
    settle_call(call, LlmCall.Outcome.OK, usage=answer.usage, latency_ms=None, response=answer.text)


def _take_body(result: dict[str, Any]) -> bytes:
    response = result.get("response")
    if not isinstance(response, dict):
        raise CallFailed(failure_from_error(result.get("error") or "no answer in the batch", status=500))
    status, body = response.get("status_code"), response.get("body")
    if status != 200:
        error = body.get("error") if isinstance(body, dict) else body
        raise CallFailed(failure_from_error(error or "no answer", status=status if isinstance(status, int) else 500))
    return json.dumps(body).encode()


def _finish(batch: LlmBatch, remote_status: str, now: datetime) -> bool:
    """What came is home; calls that the batch left out cost nothing and are asked alone."""
    with transaction.atomic(durable=True):
        left_out = LlmCall.objects.filter(batch=batch, outcome=LlmCall.Outcome.ASKED).update(
            outcome=LlmCall.Outcome.TIMED_OUT, error=f"the batch ended ({remote_status[:40]}) without it",
            reserved_tokens=0, reserved_cost=0,
        )  # fmt: skip
        LlmBatch.objects.filter(pk=batch.pk).update(
            status=LlmBatch.Status.ENDED, ended_at=now, error="" if not left_out else f"{left_out} left out"
        )
    log.info("llm.batch_ended", batch=batch.pk, status=remote_status[:40], left_out=left_out)
    return True


def _give_up(batch: LlmBatch, why: str, now: datetime, *, costs_nothing: bool = False) -> bool:
    """The calls are asked alone; what they may have cost stays reserved unless nothing was handed over for certain."""
    released = {"reserved_tokens": 0, "reserved_cost": 0} if costs_nothing else {}
    with transaction.atomic(durable=True):
        LlmCall.objects.filter(batch=batch, outcome=LlmCall.Outcome.ASKED).update(
            outcome=LlmCall.Outcome.UNREACHABLE, error=why[:1_000], **released
        )
        LlmBatch.objects.filter(pk=batch.pk).update(status=LlmBatch.Status.FAILED, ended_at=now, error=why[:1_000])
    log.warning("llm.batch_failed", batch=batch.pk)
    return True
