"""Caps on what models may cost, held before each call by an estimate and after it by what was really used.

The estimate is reserved in the ledger under a lock in the same transaction that writes the intent, so that many
workers at once cannot go over the cap together. Where the server does not say what it used, the estimate stands. A
server that uses more than it was allowed (hidden thoughts that max_tokens does not limit) has its estimates raised.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_UP, Decimal
from math import ceil
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection
from django.db.models import Sum
from django.db.models.functions import Greatest
from django.utils.translation import gettext_noop

from llm.answers import Usage
from llm.configuration import ModelInfo
from llm.errors import BudgetExceeded
from llm.models import LlmCall, LlmPastSpend, LlmServerHealth

TURN_OVERHEAD_TOKENS = 16
MICRO = Decimal("0.000001")
# Any number serves, as long as nobody else takes it: "llm" in ASCII.
BUDGET_LOCK = 0x6C6C6D
# A server that claims to have used more than so many times the estimate is not believed further than that.
LARGEST_OVERRUN = Decimal(20)


@dataclass(frozen=True)
class Limits:
    """Caps and prices from the settings; None is no cap, no price. Money is in `currency`."""

    call_tokens: int | None
    day_tokens: int | None
    campaign_tokens: int | None
    call_cost: Decimal | None
    day_cost: Decimal | None
    campaign_cost: Decimal | None
    price_in_per_mtok: Decimal | None
    price_out_per_mtok: Decimal | None
    currency: str

    @property
    def has_prices(self) -> bool:
        """True when a call can be given a cost."""
        return self.price_in_per_mtok is not None and self.price_out_per_mtok is not None


@dataclass(frozen=True)
class Estimate:
    """What a request may use at most."""

    prompt_tokens: int
    completion_tokens: int

    @property
    def tokens(self) -> int:
        """Question and answer together."""
        return self.prompt_tokens + self.completion_tokens


@dataclass(frozen=True)
class Spend:
    """What has been used or reserved."""

    tokens: int
    cost: Decimal


def read_limits() -> Limits:
    """LLM_CALL_, LLM_DAILY_ and LLM_CAMPAIGN_TOKEN_CAP, the same with COST_CAP, and the LLM_PRICE_ settings."""
    return Limits(
        call_tokens=_read_whole("LLM_CALL_TOKEN_CAP"),
        day_tokens=_read_whole("LLM_DAILY_TOKEN_CAP"),
        campaign_tokens=_read_whole("LLM_CAMPAIGN_TOKEN_CAP"),
        call_cost=_read_money("LLM_CALL_COST_CAP"),
        day_cost=_read_money("LLM_DAILY_COST_CAP"),
        campaign_cost=_read_money("LLM_CAMPAIGN_COST_CAP"),
        price_in_per_mtok=_read_money("LLM_PRICE_IN_PER_MTOK"),
        price_out_per_mtok=_read_money("LLM_PRICE_OUT_PER_MTOK"),
        currency=str(getattr(settings, "LLM_PRICE_CURRENCY", "") or "USD")[:3],
    )


def estimate_request(request: dict[str, Any]) -> Estimate:
    """An upper estimate without a tokenizer: two ASCII characters, or half of any other character, make a token."""
    texts = [str(message["content"]) for message in request["messages"]]
    texts.append(str(request.get("response_format", "")))
    prompt_tokens = sum(estimate_tokens(text) + TURN_OVERHEAD_TOKENS for text in texts)
    answer_tokens = request.get("max_tokens") or request.get("max_completion_tokens") or 0
    return Estimate(prompt_tokens, int(answer_tokens))


def estimate_tokens(text: str) -> int:
    """Tokens that a text has at most, for the tokenizers in use (English has about 4 characters a token)."""
    ascii_count = sum(character.isascii() for character in text)
    return (ascii_count + 1) // 2 + 2 * (len(text) - ascii_count)


def price_tokens(limits: Limits, prompt_tokens: int, completion_tokens: int) -> Decimal | None:
    """Cost in the currency of the limits, rounded up to a millionth; None without prices."""
    if limits.price_in_per_mtok is None or limits.price_out_per_mtok is None:
        return None
    cost = prompt_tokens * limits.price_in_per_mtok + completion_tokens * limits.price_out_per_mtok
    return (cost / 1_000_000).quantize(MICRO, rounding=ROUND_UP)


def price_usage(limits: Limits, usage: Usage) -> Decimal | None:
    """Cost of what a server says it used; None where it did not say or there are no prices."""
    if usage.prompt_tokens is None or usage.completion_tokens is None:
        return None
    return price_tokens(limits, usage.prompt_tokens, usage.completion_tokens)


def lock_budget() -> None:
    """Until the end of this transaction nobody else reserves anything."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [BUDGET_LOCK])


def check_budget(limits: Limits, estimate: Estimate, *, completion_id: UUID, now: datetime, scope: str = "") -> None:
    """Raise BudgetExceeded when this request could take its completion, its campaign or its day over a cap.

    Call it under `lock_budget`, in the transaction that reserves the estimate.
    """
    cost = price_tokens(limits, estimate.prompt_tokens, estimate.completion_tokens) or Decimal(0)
    so_far = sum_spend(LlmCall.objects.filter(completion_id=completion_id))
    _check_call(limits, Spend(so_far.tokens + estimate.tokens, so_far.cost + cost))
    if scope:
        spent = read_scope_spend(scope)
        _check_campaign(limits, spent, Spend(spent.tokens + estimate.tokens, spent.cost + cost))
    today = read_day_spend(now)
    _check_day(limits, today, Spend(today.tokens + estimate.tokens, today.cost + cost))


def read_day_spend(now: datetime) -> Spend:
    """Used and reserved on the shop's day (SHOP_TIME_ZONE) of `now`, whoever asks and wherever they are."""
    day = start_of_day(now)
    today = LlmCall.objects.filter(created_at__gte=day, created_at__lt=day + timedelta(days=1))
    return _add_past(sum_spend(today), LlmPastSpend.objects.filter(on=day.date()))


def read_scope_spend(scope: str) -> Spend:
    """Used and reserved for one scope ("campaign:12") on all days, also by calls whose rows are no longer kept."""
    return _add_past(sum_spend(LlmCall.objects.filter(scope=scope)), LlmPastSpend.objects.filter(scope=scope))


def start_of_day(now: datetime) -> datetime:
    """Midnight of the shop's day in which `now` lies."""
    return now.astimezone(ZoneInfo(settings.SHOP_TIME_ZONE)).replace(hour=0, minute=0, second=0, microsecond=0)


def sum_spend(calls: Any) -> Spend:
    """Tokens and cost that the given calls count for."""
    sums = calls.aggregate(tokens=Sum("reserved_tokens"), cost=Sum("reserved_cost"))
    return Spend(sums["tokens"] or 0, sums["cost"] or Decimal(0))


def read_overrun(info: ModelInfo) -> Decimal:
    """By how much the estimates for a model are multiplied; 1 for one that keeps to what it is allowed."""
    row = LlmServerHealth.objects.filter(address=info.address, model=info.model[:200]).first()
    return row.overrun if row else Decimal(1)


def note_overrun(info: ModelInfo, *, used: int, reserved: int) -> None:
    """Remember that a call used more than was reserved for it. Nothing is forgotten but with the row."""
    if used <= reserved or reserved <= 0:
        return
    factor = min(LARGEST_OVERRUN, (read_overrun(info) * used / reserved).quantize(Decimal("0.01"), rounding=ROUND_UP))
    row, _created = LlmServerHealth.objects.get_or_create(address=info.address, model=info.model[:200])
    LlmServerHealth.objects.filter(pk=row.pk).update(overrun=Greatest("overrun", factor))


def scale_estimate(estimate: Estimate, factor: Decimal) -> Estimate:
    """The estimate for a server that uses so many times as much."""
    return Estimate(ceil(estimate.prompt_tokens * factor), ceil(estimate.completion_tokens * factor))


def _add_past(spend: Spend, past: Any) -> Spend:
    sums = past.aggregate(tokens=Sum("tokens"), cost=Sum("cost"))
    return Spend(spend.tokens + (sums["tokens"] or 0), spend.cost + (sums["cost"] or Decimal(0)))


def _check_call(limits: Limits, needed: Spend) -> None:
    if limits.call_tokens is not None and needed.tokens > limits.call_tokens:
        text = gettext_noop(
            "This text may need %(need)d tokens and the limit for one call is %(cap)d. "
            "Shorten the input or raise LLM_CALL_TOKEN_CAP."
        )
        raise BudgetExceeded(text, {"need": needed.tokens, "cap": limits.call_tokens})
    if limits.call_cost is not None and needed.cost > limits.call_cost:
        text = gettext_noop(
            "This text may cost %(need)s %(currency)s and the limit for one call is %(cap)s. "
            "Shorten the input or raise LLM_CALL_COST_CAP."
        )
        raise BudgetExceeded(text, {"need": needed.cost, "cap": limits.call_cost, "currency": limits.currency})


def _check_campaign(limits: Limits, used: Spend, needed: Spend) -> None:
    if limits.campaign_tokens is not None and needed.tokens > limits.campaign_tokens:
        text = gettext_noop(
            "This text does not fit into what is left of this campaign's %(cap)d model tokens (%(used)d are used). "
            "Write it yourself or raise LLM_CAMPAIGN_TOKEN_CAP."
        )
        raise BudgetExceeded(text, {"used": used.tokens, "cap": limits.campaign_tokens})
    if limits.campaign_cost is not None and needed.cost > limits.campaign_cost:
        text = gettext_noop(
            "This text does not fit into what is left of this campaign's %(cap)s %(currency)s for models "
            "(%(used)s are used). Write it yourself or raise LLM_CAMPAIGN_COST_CAP."
        )
        words = {"used": used.cost, "cap": limits.campaign_cost, "currency": limits.currency}
        raise BudgetExceeded(text, words)


def _check_day(limits: Limits, used: Spend, needed: Spend) -> None:
    if limits.day_tokens is not None and needed.tokens > limits.day_tokens:
        text = gettext_noop(
            "This text does not fit into what is left of today's %(cap)d model tokens (%(used)d are used). "
            "Try again tomorrow or raise LLM_DAILY_TOKEN_CAP."
        )
        raise BudgetExceeded(text, {"used": used.tokens, "cap": limits.day_tokens})
    if limits.day_cost is not None and needed.cost > limits.day_cost:
        text = gettext_noop(
            "This text does not fit into what is left of today's %(cap)s %(currency)s for models (%(used)s are used). "
            "Try again tomorrow or raise LLM_DAILY_COST_CAP."
        )
        raise BudgetExceeded(text, {"used": used.cost, "cap": limits.day_cost, "currency": limits.currency})


def _read_whole(name: str) -> int | None:
    value = getattr(settings, name, None)
    return None if value in (None, "") else int(value)


def _read_money(name: str) -> Decimal | None:
    value = getattr(settings, name, None)
    return None if value in (None, "") else Decimal(str(value))
