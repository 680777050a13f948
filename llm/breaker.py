"""The circuit breaker: a server that fails again and again is left alone, for all workers together.

Its state is a row for each address and model. After LLM_BREAKER_FAILURES failures in a row it opens for
LLM_BREAKER_PAUSE_S; then one caller may try (half open), and the answer closes it or doubles the pause. Whoever is
refused pays nothing and waits for nothing.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from llm.answers import Failure, FailureKind
from llm.configuration import ModelInfo, hide_secrets
from llm.errors import ServerPaused, describe_failure
from llm.models import LlmServerHealth

LONGEST_PAUSE_S = 600.0
# Failures that lie so far apart are no row of failures.
FORGET_FAILURES_AFTER = timedelta(minutes=10)
# The server's doing, whatever it was asked. What it says about one request (400, a refusal, a bad answer) is not.
SERVER_KINDS = frozenset(
    {
        FailureKind.TIMED_OUT,
        FailureKind.UNREACHABLE,
        FailureKind.SERVER_ERROR,
        FailureKind.BROKEN_REPLY,
        FailureKind.RATE_LIMITED,
        FailureKind.NO_CREDIT,
    }
)

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class BreakerState:
    """What pages show. `reason` is the last failure in words for staff, "" where there was none lately."""

    is_open: bool = False
    is_probing: bool = False
    failures: int = 0
    opened_at: datetime | None = None
    retry_at: datetime | None = None
    reason: str = ""


def pass_breaker(info: ModelInfo, now: datetime, *, probe_s: float, is_forced: bool = False) -> bool:
    """True where the caller is the one that probes, False where the breaker is closed.

    Raises ServerPaused while it is open or another caller probes. A probe that says nothing within `probe_s` is over.
    `is_forced` probes at once, whatever the row says (a person asked).
    """
    row = _rows(info).first()
    if row is None or row.opened_at is None:
        return False
    free = Q() if is_forced else Q(retry_at__lte=now) & (Q(probe_until=None) | Q(probe_until__lte=now))
    until = now + timedelta(seconds=probe_s)
    if _rows(info).filter(free, opened_at=row.opened_at).update(probe_until=until):
        return True
    waits_until = max(filter(None, (row.retry_at, row.probe_until)))
    raise ServerPaused(info, max(1.0, (waits_until - now).total_seconds()))


def note_answer(info: ModelInfo) -> None:
    """The server answered: the breaker closes and the row of failures is over."""
    closed = _rows(info).filter(failures__gt=0).update(
        failures=0, failed_probes=0, opened_at=None, retry_at=None, probe_until=None
    )  # fmt: skip
    if closed:
        log.info("llm.server_answers_again", host=info.host)


def note_failure(info: ModelInfo, failure: Failure, now: datetime, *, is_probe: bool = False) -> None:
    """Count a failure of the server; the one that is too many opens the breaker, a failed probe doubles the pause."""
    with transaction.atomic():
        row, _created = LlmServerHealth.objects.select_for_update().get_or_create(
            address=info.address, model=info.model[:200]
        )
        is_new_row = row.last_failed_at is None or row.last_failed_at < now - FORGET_FAILURES_AFTER
        row.failures = 1 if is_new_row and row.opened_at is None else row.failures + 1
        row.last_failed_at = now
        row.failure_kind, row.failure_detail = str(failure.kind), hide_secrets(failure.detail)[:300]
        row.failure_status = failure.status
        most = int(getattr(settings, "LLM_BREAKER_FAILURES", 5))
        if row.opened_at is None and 0 < most <= row.failures:
            row.opened_at, row.failed_probes = now, 0
            row.retry_at = now + _pause(row, failure)
            log.warning("llm.server_paused", host=info.host, failures=row.failures, kind=str(failure.kind))
        elif row.opened_at is not None and is_probe:
            row.failed_probes = min(row.failed_probes + 1, 1_000)
            row.retry_at, row.probe_until = now + _pause(row, failure), None
        row.save()


def release_probe(info: ModelInfo) -> None:
    """The probe was not made after all: another caller may make it."""
    _rows(info).filter(opened_at__isnull=False).update(probe_until=None)


def read_breaker(info: ModelInfo, now: datetime) -> BreakerState:
    """The state of the breaker of a model."""
    row = _rows(info).first()
    if row is None or not row.failures:
        return BreakerState()
    failure = Failure(FailureKind(row.failure_kind), row.failure_detail, row.failure_status)
    return BreakerState(
        is_open=row.opened_at is not None,
        is_probing=row.probe_until is not None and row.probe_until > now,
        failures=row.failures,
        opened_at=row.opened_at,
        retry_at=row.retry_at,
        reason=describe_failure(failure, info).staff_message,
    )


def _pause(row: LlmServerHealth, failure: Failure) -> timedelta:
    first = float(getattr(settings, "LLM_BREAKER_PAUSE_S", 30.0))
    seconds = min(first * 2.0 ** min(row.failed_probes, 20), max(first, LONGEST_PAUSE_S))
    return timedelta(seconds=max(seconds, min(failure.retry_after_s or 0.0, LONGEST_PAUSE_S)))


def _rows(info: ModelInfo) -> QuerySet[LlmServerHealth]:
    return LlmServerHealth.objects.filter(address=info.address, model=info.model[:200])
