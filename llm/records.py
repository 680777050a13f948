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
from django.db import connection, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from llm.answers import LONGEST_ANSWER_CHARS, Usage
from llm.budget import (
    check_budget,
    estimate_request,
    lock_budget,
    price_tokens,
    price_usage,
    read_limits,
    read_overrun,
    scale_estimate,
)
from llm.completion import Completion
from llm.configuration import ModelInfo, hide_secrets
from llm.errors import BudgetExceeded
from llm.ladder import Step
from llm.masking import PersonalValue, clean_untrusted, mask_untrusted
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


def open_call(attempt: Attempt, info: ModelInfo, now: datetime, *, lease_s: float) -> LlmCall | None:
    """Commit the intent, take a place at the server and reserve what the call may cost, before the network is touched.

    None, and nothing written, while all LLM_MAX_CONCURRENCY places are taken. A place is the open row itself: it is
    given back when the call is settled, or after `lease_s` by the clock of the database when its worker died.
    Raises BudgetExceeded, with a row that says so, when a cap would be broken; nothing is sent then.
    """
    with transaction.atomic(durable=True):
        lock_budget()
        if not has_free_place(info):
            return None
        call, refusal = reserve_call(attempt, info, now)
        if refusal is None:
            call.lease_until = Now() + timedelta(seconds=lease_s)
        call.save(force_insert=True)
    if refusal:
        raise refusal
    return call


def has_free_place(info: ModelInfo) -> bool:
    """True while fewer than LLM_MAX_CONCURRENCY calls are open at the server (0: as many as come)."""
    places = read_places()
    return not places or count_open_calls(info) < places


def count_open_calls(info: ModelInfo) -> int:
    """Calls that hold a place at the server."""
    return LlmCall.objects.filter(
        server_host=info.host[:255], outcome=LlmCall.Outcome.ASKED, lease_until__gt=Now()
    ).count()  # fmt: skip


def read_places() -> int:
    """LLM_MAX_CONCURRENCY: how many requests of all workers one server gets at a time; 0 is no limit."""
    return int(getattr(settings, "LLM_MAX_CONCURRENCY", 4) or 0)


def settle_call(
    call: LlmCall,
    outcome: str,
    *,
    usage: Usage,
    latency_ms: int | None,
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
        "response": clean_untrusted(hide_secrets(response), LONGEST_ANSWER_CHARS),
        "error": clean_untrusted(hide_secrets(error), LONGEST_ERROR_CHARS),
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
    given = {"variables": dict(variables), "data": dict(data)}
    masked = mask_untrusted(given, prompt.max_value_chars, known_personal_values).values
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


def settle_lost_calls() -> int:
    """Settle open calls whose worker died (their lease is over for a minute); returns how many.

    What they may have cost stays reserved: nobody knows whether the server answered. Running it again changes nothing.
    """
    return LlmCall.objects.filter(
        outcome=LlmCall.Outcome.ASKED, batch=None, lease_until__lt=Now() - timedelta(minutes=1)
    ).update(outcome=LlmCall.Outcome.TIMED_OUT, error=gettext_noop("The worker ended before the answer came."))  # fmt: skip


def delete_expired_calls(now: datetime) -> int:
    """Delete ledger rows whose time has passed; returns how many. Running it again deletes nothing more.

    What they cost is added up by scope and day in the same statement, so that no cap is forgotten with them.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH gone AS (DELETE FROM llm_llmcall WHERE keep_until <= %s"
            " RETURNING scope, created_at, reserved_tokens, reserved_cost),"
            ' kept AS (INSERT INTO llm_llmpastspend (scope, "on", calls, tokens, cost)'
            " SELECT scope, (created_at AT TIME ZONE %s)::date, count(*), sum(reserved_tokens), sum(reserved_cost)"
            " FROM gone GROUP BY 1, 2 HAVING sum(reserved_tokens) > 0"
            ' ON CONFLICT (scope, "on") DO UPDATE SET calls = llm_llmpastspend.calls + EXCLUDED.calls,'
            " tokens = llm_llmpastspend.tokens + EXCLUDED.tokens, cost = llm_llmpastspend.cost + EXCLUDED.cost)"
            " SELECT count(*) FROM gone",
            [now, settings.SHOP_TIME_ZONE],
        )
        return int(cursor.fetchone()[0])


def reserve_call(attempt: Attempt, info: ModelInfo, now: datetime) -> tuple[LlmCall, BudgetExceeded | None]:
    """The row of a call with its reservation, not yet saved; with the refusal where a cap would be broken.

    Under `lock_budget`, in the transaction that saves the row.
    """
    limits = read_limits()
    estimate = scale_estimate(estimate_request(attempt.request), read_overrun(info))
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
    try:
        check_budget(limits, estimate, completion_id=attempt.completion_id, now=now, scope=attempt.scope)
    except BudgetExceeded as error:
        call.outcome, call.error = LlmCall.Outcome.OVER_BUDGET, error.kept
        return call, error
    cost = price_tokens(limits, estimate.prompt_tokens, estimate.completion_tokens)
    call.reserved_tokens, call.reserved_cost = estimate.tokens, cost or Decimal(0)
    return call, None
