"""What models did and cost, read from the ledger for the page of the model. Nothing here writes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import connection

from llm.budget import Limits, read_day_spend, start_of_day
from llm.models import LlmCall

# A row that stands for a request to a server, whether or not an answer came.
_SENT = "NOT was_reused AND outcome NOT IN ('template', 'over_budget', 'waiting')"
_FAILED = f"{_SENT} AND outcome NOT IN ('ok', 'asked')"


@dataclass(frozen=True)
class PurposeFigures:
    """Calls for one purpose; times in milliseconds, None where none was measured."""

    purpose: str
    sent: int
    failed: int
    reused: int
    over_budget: int
    templates: int
    p50_ms: float | None
    p95_ms: float | None
    tokens: int
    cost: Decimal

    @property
    def failed_share(self) -> float | None:
        """Of what was sent, 0 to 1."""
        return self.failed / self.sent if self.sent else None


@dataclass(frozen=True)
class DayFigures:
    """What counted against the caps on one day of the shop."""

    on: date
    sent: int
    failed: int
    tokens: int
    cost: Decimal


@dataclass(frozen=True)
class Trouble:
    """Failures of one kind for one purpose, with how many there were on each day, and the last one in words."""

    purpose: str
    outcome: str
    count: int
    by_day: tuple[int, ...]
    last_at: datetime
    last_error: str

    @property
    def label(self) -> str:
        """The outcome in the reader's language."""
        return str(LlmCall.Outcome(self.outcome).label)


@dataclass(frozen=True)
class Cap:
    """A limit and what of it is used, in tokens or in money."""

    name: str
    used: Decimal
    most: Decimal
    is_money: bool

    @property
    def left(self) -> Decimal:
        """What is left; never below nothing."""
        return max(Decimal(0), self.most - self.used)

    @property
    def is_short(self) -> bool:
        """Less than a tenth is left."""
        return self.left * 10 < self.most


def read_purposes(now: datetime, *, days: int = 30) -> list[PurposeFigures]:
    """Calls by purpose in the last days, the most frequent first; medians and 95th percentiles of what was sent."""
    rows = _fetch(
        f"SELECT purpose, count(*) FILTER (WHERE {_SENT}) AS sent, count(*) FILTER (WHERE {_FAILED}) AS failed,"
        " count(*) FILTER (WHERE was_reused) AS reused, count(*) FILTER (WHERE outcome = 'over_budget') AS over_budget,"
        " count(*) FILTER (WHERE outcome = 'template') AS templates,"
        f" percentile_cont(0.5) WITHIN GROUP (ORDER BY latency_ms) FILTER (WHERE {_SENT}) AS p50_ms,"
        f" percentile_cont(0.95) WITHIN GROUP (ORDER BY latency_ms) FILTER (WHERE {_SENT}) AS p95_ms,"
        " sum(reserved_tokens) AS tokens, sum(reserved_cost) AS cost"
        " FROM llm_llmcall WHERE created_at >= %s GROUP BY purpose ORDER BY count(*) DESC, purpose",
        [_first_day(now, days)],
    )
    return [PurposeFigures(**row) for row in rows]


def read_days(now: datetime, *, days: int = 30) -> list[DayFigures]:
    """One entry for each of the last days, today last; calls whose rows are gone count with what they cost."""
    first = _first_day(now, days)
    rows = _fetch(
        "SELECT day, sum(sent)::bigint AS sent, sum(failed)::bigint AS failed, sum(tokens)::bigint AS tokens,"
        " sum(cost) AS cost FROM (SELECT (created_at AT TIME ZONE %s)::date AS day,"
        f" count(*) FILTER (WHERE {_SENT}) AS sent, count(*) FILTER (WHERE {_FAILED}) AS failed,"
        " sum(reserved_tokens) AS tokens, sum(reserved_cost) AS cost FROM llm_llmcall WHERE created_at >= %s GROUP BY 1"
        ' UNION ALL SELECT "on", calls, 0, tokens, cost FROM llm_llmpastspend WHERE "on" >= %s) AS parts GROUP BY day',
        [settings.SHOP_TIME_ZONE, first, first.date()],
    )
    by_day = {row.pop("day"): row for row in rows}
    empty = {"sent": 0, "failed": 0, "tokens": 0, "cost": Decimal(0)}
    on = [first.date() + timedelta(days=number) for number in range(days)]
    return [DayFigures(on=day, **by_day.get(day, empty)) for day in on]


def read_troubles(now: datetime, *, days: int = 14) -> list[Trouble]:
    """Failures by purpose and kind over the last days, the most frequent first."""
    first = _first_day(now, days)
    rows = _fetch(
        "SELECT purpose, outcome, count(*) AS count, max(created_at) AS last_at,"
        " (array_agg(error ORDER BY created_at DESC, id DESC))[1] AS last_error,"
        " array_agg((created_at AT TIME ZONE %s)::date - %s::date) AS days_in FROM llm_llmcall"
        f" WHERE created_at >= %s AND ({_FAILED} OR outcome = 'over_budget')"
        " GROUP BY purpose, outcome ORDER BY count(*) DESC, purpose, outcome",
        [settings.SHOP_TIME_ZONE, first.date(), first],
    )
    troubles = []
    for row in rows:
        on = row.pop("days_in")
        troubles.append(Trouble(**row, by_day=tuple(on.count(number) for number in range(days))))
    return troubles


def read_scopes(now: datetime, *, days: int = 30, most: int = 5) -> list[tuple[str, int, Decimal]]:
    """The scopes ("campaign:12") that used most in the last days, with tokens and cost; what is reused costs nothing."""
    rows = _fetch(
        "SELECT scope, sum(reserved_tokens) AS tokens, sum(reserved_cost) AS cost FROM llm_llmcall"
        " WHERE scope <> '' AND created_at >= %s GROUP BY scope HAVING sum(reserved_tokens) > 0"
        " ORDER BY sum(reserved_tokens) DESC, scope LIMIT %s",
        [_first_day(now, days), most],
    )
    return [(row["scope"], row["tokens"], row["cost"]) for row in rows]


def read_day_caps(limits: Limits, now: datetime) -> list[Cap]:
    """The day's caps that are set, with what is used of them today."""
    spent = read_day_spend(now)
    caps = []
    if limits.day_tokens is not None:
        caps.append(Cap("LLM_DAILY_TOKEN_CAP", Decimal(spent.tokens), Decimal(limits.day_tokens), False))
    if limits.day_cost is not None:
        caps.append(Cap("LLM_DAILY_COST_CAP", spent.cost, limits.day_cost, True))
    return caps


def add_days(days: list[DayFigures]) -> Mapping[str, Any]:
    """Calls, failures, tokens and cost of some days together."""
    return {
        "sent": sum(day.sent for day in days),
        "failed": sum(day.failed for day in days),
        "tokens": sum(day.tokens for day in days),
        "cost": sum((day.cost for day in days), Decimal(0)),
    }


def _first_day(now: datetime, days: int) -> datetime:
    """Midnight, by the shop's clock, of the first of so many days that end with today."""
    return start_of_day(start_of_day(now) - timedelta(days=days - 1, hours=-12))


def _fetch(sql: str, values: list[Any]) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
