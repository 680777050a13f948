"""Work that can wait goes to the provider's batch interface, where it has one: the row in the ledger is the queue.

`complete(..., may_wait=True)` writes a waiting row and raises AnswerPending; the caller's own row waits and asks again
later. `llm.client.batches` hands waiting rows over and brings answers back into the ledger; the equal request then finds
its answer there, as in the response cache. What a batch does not answer is asked alone. Off unless LLM_BATCH=1.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from llm.budget import lock_budget
from llm.completion import Completion
from llm.configuration import ModelInfo
from llm.errors import AnswerPending
from llm.models import LlmCall, LlmServerHealth
from llm.records import Attempt, reserve_call
from llm.reuse import reuse_answer

# Servers are upgraded: after so long one that took no batches is offered one again.
FORGET_AFTER = timedelta(days=7)
LOOK_AGAIN_S = 120.0


def uses_batches() -> bool:
    """LLM_BATCH: whether work that can wait may be handed over in batches."""
    return bool(getattr(settings, "LLM_BATCH", False))


def says_no_batches_since(info: ModelInfo, now: datetime) -> datetime | None:
    """When the server last said that it takes no batches; None where it never did, or long ago."""
    row = LlmServerHealth.objects.filter(address=info.address, model=info.model[:200]).first()
    since = row.no_batches_since if row else None
    return since if since and since > now - FORGET_AFTER else None


def note_no_batches(info: ModelInfo, now: datetime) -> None:
    """Remember that the server takes no batches."""
    LlmServerHealth.objects.update_or_create(
        address=info.address, model=info.model[:200], defaults={"no_batches_since": now}
    )


def claim_or_wait(attempt: Attempt, info: ModelInfo, now: datetime) -> Completion | None:
    """The answer that a batch brought, or None where the request has to be asked alone.

    Raises AnswerPending while a batch is still to bring it (the first time this writes the waiting row, with its
    reservation), and BudgetExceeded. Equal requests wait together on one row.
    """
    answered = reuse_answer(attempt, info, now, from_batches=True)
    if answered:
        return answered
    with transaction.atomic(durable=True):
        lock_budget()
        newest = LlmCall.objects.filter(reuse_key=attempt.reuse_key, was_reused=False).order_by("-pk").first()
        if newest and _is_pending(newest):
            raise AnswerPending(LOOK_AGAIN_S)
        if not uses_batches() or says_no_batches_since(info, now) or (newest and newest.batch_id):
            return None
        call, refusal = reserve_call(attempt, info, now)
        if refusal is None:
            call.outcome = LlmCall.Outcome.WAITING
        call.save(force_insert=True)
    if refusal:
        raise refusal
    raise AnswerPending(LOOK_AGAIN_S)


def _is_pending(call: LlmCall) -> bool:
    in_batch = call.outcome == LlmCall.Outcome.ASKED and call.batch_id is not None
    return in_batch or call.outcome == LlmCall.Outcome.WAITING
