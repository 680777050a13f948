"""The response cache: the newest good answer in the ledger to a request that is equal in everything that matters.

There is no second store. An answer can be reused for LLM_REUSE_HOURS, and never longer than the ledger keeps its row.
Answers are kept masked, so one that is reused gets the personal values of the request at hand.
"""

import hashlib
import json
from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from llm.answers import Answer, CallFailed, read_object
from llm.budget import read_limits
from llm.completion import Completion
from llm.configuration import ModelInfo
from llm.errors import describe_failure
from llm.models import LlmCall
from llm.records import Attempt, keep_until


def make_reuse_key(attempt: Attempt, info: ModelInfo) -> str:
    """Hash of the address, the model, the prompt's name and version, the mode and the whole masked request."""
    prompt, mode = attempt.prompt, str(attempt.step.manner.mode)
    parts = [info.base_url, info.model, prompt.name, prompt.version, mode, attempt.request]
    return hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def reuse_answer(attempt: Attempt, info: ModelInfo, now: datetime, *, from_batches: bool = False) -> Completion | None:
    """An earlier answer to an equal request, written down as reused at no cost; None when there is none.

    Its data is still masked. Nothing is sent, so neither a cap nor a server that is down stands in the way.
    `from_batches` also takes the answer of a batch, however old: nobody has taken it yet.
    """
    found = _find_answer(attempt.reuse_key, now, from_batches=from_batches)
    if found is None:
        return None
    try:
        data = read_object(Answer(found.response), attempt.prompt.schema)
    except CallFailed as error:
        # What a batch brings is checked only here, where the schema is known.
        described = describe_failure(error.failure, info)
        LlmCall.objects.filter(pk=found.pk).update(outcome=described.outcome, error=described.kept)
        return None
    call = _record_reuse(attempt, found, now)
    return Completion(
        data=data,
        call_id=call.request_id,
        prompt_name=attempt.prompt.name,
        prompt_version=attempt.prompt.version,
        model=info.model,
        label=info.label,
        mode=str(attempt.step.manner.mode),
        was_reused=True,
    )


def _find_answer(reuse_key: str, now: datetime, *, from_batches: bool) -> LlmCall | None:
    hours = float(getattr(settings, "LLM_REUSE_HOURS", 24))
    is_fresh = Q(created_at__gt=now - timedelta(hours=hours))
    if from_batches:
        is_fresh |= Q(batch__isnull=False)
    answers = LlmCall.objects.filter(
        is_fresh, reuse_key=reuse_key, outcome=LlmCall.Outcome.OK, was_reused=False, keep_until__gt=now
    )  # fmt: skip
    return answers.order_by("-created_at", "-pk").first()


def _record_reuse(attempt: Attempt, found: LlmCall, now: datetime) -> LlmCall:
    limits = read_limits()
    with transaction.atomic(durable=True):
        return LlmCall.objects.create(
            completion_id=attempt.completion_id,
            attempt=attempt.number,
            purpose=attempt.purpose,
            scope=attempt.scope,
            prompt_name=found.prompt_name,
            prompt_version=found.prompt_version,
            model=found.model,
            server_host=found.server_host,
            mode=found.mode,
            masked_request=attempt.request,
            response=found.response,
            cost=Decimal(0) if limits.has_prices else None,
            currency=limits.currency if limits.has_prices else "",
            outcome=LlmCall.Outcome.OK,
            reuse_key=attempt.reuse_key,
            was_reused=True,
            answered_by=found.request_id,
            created_at=now,
            keep_until=keep_until(now),
        )
