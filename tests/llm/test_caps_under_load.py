"""Ten at once against every cap: the ledger is looked at all the while, and is never above it.

The guarantee, said exactly. A request is made only if what was used and what is reserved, with its own estimate, is within
every cap. So as long as the server keeps to its estimate (max_tokens is part of the request) no cap is ever passed. A
server that uses more than it was allowed can take the ledger over a cap by what the calls that were open at that moment,
at most LLM_MAX_CONCURRENCY, used beyond their reservation; after that nothing is opened any more.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from llm.budget import Spend, estimate_request, read_day_spend, sum_spend
from llm.client import complete
from llm.errors import BudgetExceeded, ModelError
from llm.models import LlmCall
from llm.prompts import Prompt
from tests.llm.conftest import NOON
from tests.model_server import ModelServer, answer, answer_text

GOOD = {"subject": "Your garden is waiting", "opening": "The shelves are full again."}
FACTS = {"shop": "Fernweh", "customer": {"language": "en"}}
WORKERS = 10
EACH = 5
pytestmark = pytest.mark.django_db(transaction=True)


def work_at_once(prompt: Prompt, each: int = EACH) -> Counter[str]:
    """Ten threads with connections of their own, each asking several times; what came of it."""
    outcomes: Counter[str] = Counter()
    start = threading.Barrier(WORKERS)

    def work() -> None:
        try:
            start.wait()
            for _ in range(each):
                try:
                    complete(prompt, FACTS, purpose="draft", now=NOON, scope="campaign:1")
                    outcomes["ok"] += 1
                except ModelError as error:
                    outcomes[type(error).__name__] += 1
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


@contextmanager
def watched() -> Iterator[Callable[[], Spend]]:
    """Look at the ledger all the while; gives the most tokens and the most money that ever stood in it."""
    seen: list[Spend] = []
    done = threading.Event()

    def look() -> None:
        try:
            while not done.wait(0.005):
                seen.append(read_day_spend(NOON))
        finally:
            connection.close()

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield lambda: Spend(max(spend.tokens for spend in seen), max(spend.cost for spend in seen))
    finally:
        done.set()
        watcher.join()


@pytest.mark.parametrize(
    "cap", ["LLM_DAILY_TOKEN_CAP", "LLM_CAMPAIGN_TOKEN_CAP", "LLM_DAILY_COST_CAP", "LLM_CAMPAIGN_COST_CAP"]
)
@pytest.mark.parametrize("places", [0, 4])
def test_the_ledger_is_never_above_the_cap(
    cap: str, places: int, model_server: ModelServer, settings: Any, invitation: Prompt
) -> None:
    settings.LLM_PRICE_IN_PER_MTOK = settings.LLM_PRICE_OUT_PER_MTOK = "1"
    settings.LLM_MAX_CONCURRENCY = places
    setattr(settings, cap, "0.003" if "COST" in cap else 3_000)
    model_server.always(answer(GOOD, wait_s=0.02))

    with watched() as most:
        outcomes = work_at_once(invitation)

    assert set(outcomes) == {"ok", "BudgetExceeded"} and sum(outcomes.values()) == WORKERS * EACH
    assert model_server.count == outcomes["ok"]
    assert 2_000 < most().tokens <= 3_000  # all of it would have used 8,000
    assert most().cost <= Decimal("0.003")


@pytest.mark.parametrize("cap", ["LLM_CALL_TOKEN_CAP", "LLM_CALL_COST_CAP"])
def test_no_completion_goes_above_the_cap_of_a_call_whatever_it_is_asked_again(
    cap: str, model_server: ModelServer, settings: Any, invitation: Prompt
) -> None:
    """The server never gives the form, so every completion would ask three times."""
    settings.LLM_PRICE_IN_PER_MTOK = settings.LLM_PRICE_OUT_PER_MTOK = "1"
    settings.LLM_MAX_CONCURRENCY = settings.LLM_BREAKER_FAILURES = 0
    estimate = _estimate(invitation, model_server)
    limit = estimate + 400
    setattr(settings, cap, str(Decimal(limit) / 1_000_000) if "COST" in cap else limit)
    model_server.always(answer_text("no object", usage={"prompt_tokens": 250, "completion_tokens": 150}, wait_s=0.02))

    outcomes = work_at_once(invitation, each=2)

    assert set(outcomes) <= {"BudgetExceeded", "ModelAnswerInvalid"} and outcomes["BudgetExceeded"]
    spends = [_spend_of(completion) for completion in set(LlmCall.objects.values_list("completion_id", flat=True))]
    assert max(spend.tokens for spend in spends) <= limit
    assert max(spend.cost for spend in spends) <= Decimal(limit) / 1_000_000


@pytest.mark.parametrize("times", [3, 60], ids=["thrice what it may", "more than is believed"])
@pytest.mark.parametrize("cap", ["LLM_DAILY_TOKEN_CAP", "LLM_CAMPAIGN_COST_CAP"])
def test_a_server_that_uses_more_than_it_may_passes_a_cap_by_what_was_open_and_no_more(
    cap: str, times: int, model_server: ModelServer, settings: Any, invitation: Prompt
) -> None:
    settings.LLM_PRICE_IN_PER_MTOK = settings.LLM_PRICE_OUT_PER_MTOK = "1"
    settings.LLM_MAX_CONCURRENCY = places = 3
    estimate = _estimate(invitation, model_server)
    used = times * estimate
    limit = 8 * estimate
    setattr(settings, cap, str(Decimal(limit) / 1_000_000) if "COST" in cap else limit)
    model_server.always(answer(GOOD, usage={"prompt_tokens": 100, "completion_tokens": used - 100}, wait_s=0.02))

    with watched() as most:
        outcomes = work_at_once(invitation)

    assert outcomes["BudgetExceeded"]
    beyond = places * (used - estimate)
    assert most().tokens <= limit + beyond
    assert sum_spend(LlmCall.objects.all()).tokens == outcomes["ok"] * used <= limit + beyond
    asked = model_server.count
    with pytest.raises(BudgetExceeded):
        complete(invitation, FACTS, purpose="draft", now=NOON, scope="campaign:1")
    assert model_server.count == asked


def _estimate(prompt: Prompt, server: ModelServer) -> int:
    """What the first request of a completion reserves."""
    complete(prompt, FACTS, purpose="draft", now=NOON)
    request = server.chats[0].json
    LlmCall.objects.all().delete()
    server.forget()
    return estimate_request(request).tokens


def _spend_of(completion: Any) -> Spend:
    return sum_spend(LlmCall.objects.filter(completion_id=completion))
