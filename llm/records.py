"""Writes the ledger: an intent before each request, its outcome after it, and template texts as what they are.

Each write is a transaction of its own and refuses to sit inside another one (`durable`): a rolled-back ledger would
forget money that was spent, and a transaction held over the network would block others.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from llm.answers import LONGEST_ANSWER_CHARS, Usage
from llm.budget import check_budget, estimate_request, lock_budget, price_tokens, price_usage, read_limits
from llm.completion import Completion
from llm.configuration import ModelInfo
from llm.errors import BudgetExceeded
from llm.ladder import Step
from llm.masking import PersonalValue, clean_untrusted, clean_values, mask_values
from llm.models import LlmCall
from llm.prompts import Prompt, render_values

LONGEST_ERROR_CHARS = 1_000


@dataclass(frozen=True)
class Attempt:
    """One request of a completion, before it is made."""

    completion_id: UUID
    number: int
    purpose: str
    prompt: Prompt
    step: Step
    request: dict[str, Any]
    scope: str = ""
    reuse_key: str = ""


def open_call(attempt: Attempt, info: ModelInfo, now: datetime) -> LlmCall:
    """Commit the intent and reserve what it may cost, before the network is touched.

    Raises BudgetExceeded, with a row that says so, when a cap would be broken; nothing is sent then.
    """
    limits = read_limits()
    estimate = estimate_request(attempt.request)
    call = LlmCall(
        completion_id=attempt.completion_id,
        attempt=attempt.number,
        is_repair=attempt.step.repair is not None,
        purpose=attempt.purpose,
        scope=attempt.scope,
        reuse_key=attempt.reuse_key,
        prompt_name=attempt.prompt.name,
        prompt_version=attempt.prompt.version,
        model=info.model[:200],
        server_host=info.host[:255],
        mode=attempt.step.manner.mode,
        masked_request=attempt.request,
        currency=limits.currency if limits.has_prices else "",
        created_at=now,
        keep_until=keep_until(now),
    )
    with transaction.atomic(durable=True):
        lock_budget()
        refusal: BudgetExceeded | None = None
        try:
            check_budget(limits, estimate, completion_id=attempt.completion_id, now=now, scope=attempt.scope)
        except BudgetExceeded as error:
            refusal = error
            call.outcome, call.error = LlmCall.Outcome.OVER_BUDGET, error.staff_message
        else:
            cost = price_tokens(limits, estimate.prompt_tokens, estimate.completion_tokens)
            call.reserved_tokens, call.reserved_cost = estimate.tokens, cost or Decimal(0)
        call.save(force_insert=True)
    if refusal:
        raise refusal
    return call


def settle_call(
    call: LlmCall,
    outcome: str,
    *,
    usage: Usage,
    latency_ms: int,
    response: str = "",
    error: str = "",
    may_have_cost: bool = True,
) -> None:
    """Write the outcome of an open call and replace its reservation by what was used, where that is known.

    Only a call that is still open is settled, so settling twice changes nothing.
    """
    settled: dict[str, Any] = {
        "outcome": outcome,
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "cost": price_usage(read_limits(), usage),
        "latency_ms": latency_ms,
        "response": clean_untrusted(response, LONGEST_ANSWER_CHARS),
        "error": clean_untrusted(error, LONGEST_ERROR_CHARS),
    }
    if not may_have_cost:
        settled |= {"reserved_tokens": 0, "reserved_cost": Decimal(0)}
    elif usage.total is not None:
        settled |= {"reserved_tokens": usage.total, "reserved_cost": settled["cost"] or Decimal(0)}
    with transaction.atomic(durable=True):
        LlmCall.objects.filter(pk=call.pk, outcome=LlmCall.Outcome.ASKED).update(**settled)


def record_template_call(
    prompt: Prompt,
    variables: Mapping[str, Any],
    data: Mapping[str, Any],
    *,
    purpose: str,
    now: datetime,
    known_personal_values: Iterable[str | PersonalValue] = (),
) -> Completion:
    """Write down that a text came from a template, not from a model, and hand it out like an answer.

    Touches no network, so it may run inside a transaction. `data` is kept masked, like all that the ledger holds.
    """
    prompt.check_variables(variables)
    given = clean_values({"variables": dict(variables), "data": dict(data)}, prompt.max_value_chars)
    masked = mask_values(given, known_personal_values).values
    call = LlmCall.objects.create(
        completion_id=uuid4(),
        purpose=purpose,
        prompt_name=prompt.name,
        prompt_version=prompt.version,
        masked_request={"variables": json.loads(render_values(masked["variables"]))},
        response=render_values(masked["data"]),
        outcome=LlmCall.Outcome.TEMPLATE,
        created_at=now,
        keep_until=keep_until(now),
    )
    return Completion(
        data=dict(data),
        call_id=call.request_id,
        prompt_name=prompt.name,
        prompt_version=prompt.version,
        model="",
        label=_("Template text, not AI"),
        mode="",
        is_template=True,
    )


def keep_until(now: datetime) -> datetime:
    """When a row that is written now may go (LLM_KEEP_CALLS_DAYS)."""
    return now + timedelta(days=int(getattr(settings, "LLM_KEEP_CALLS_DAYS", 90)))


def delete_expired_calls(now: datetime) -> int:
    """Delete ledger rows whose time has passed; returns how many. Running it again deletes nothing more."""
    deleted, _by_model = LlmCall.objects.filter(keep_until__lte=now).delete()
    return deleted
