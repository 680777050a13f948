"""What is asked again waits longer each time, spread out, and never less than the server wants."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm import errors
from llm.client import complete
from llm.prompts import Prompt
from llm.retrying import wait_before_retry
from tests import model_server as faults
from tests.llm.conftest import NOON
from tests.model_server import ModelServer, answer

GOOD = {"subject": "Your garden is waiting", "opening": "The shelves are full again."}
FACTS = {"shop": "Fernweh", "customer": {"language": "en"}}


@given(st.integers(1, 40), st.integers(), st.one_of(st.none(), st.floats(0, 100_000)))
def test_waits_lie_between_their_bounds_and_depend_on_the_seed_alone(
    tries: int, seed: int, retry_after_s: float | None
) -> None:
    wait = wait_before_retry(tries, seed=seed, retry_after_s=retry_after_s)

    assert wait == wait_before_retry(tries, seed=seed, retry_after_s=retry_after_s)
    assert 0.75 * min(30 * 2.0 ** (tries - 1), 900) <= wait <= 900 * 1.25
    assert wait >= min(retry_after_s or 0, 900)


def test_those_who_failed_together_do_not_come_back_together() -> None:
    waits = {round(wait_before_retry(1, seed=row, retry_after_s=60), 3) for row in range(50)}

    assert len(waits) == 50
    assert min(waits) >= 60
    assert max(waits) <= 75


@pytest.mark.django_db
@pytest.mark.parametrize("status", [429, 503])
def test_short_wait_that_the_server_names_is_waited_once(
    status: int, model_server: ModelServer, invitation: Prompt
) -> None:
    model_server.script(faults.fault_error(status, "later", headers={"Retry-After": "0.2"}))
    model_server.always(answer(GOOD))

    assert complete(invitation, FACTS, purpose="draft", now=NOON).data == GOOD
    assert model_server.count == 2


@pytest.mark.django_db
@pytest.mark.parametrize(("retry_after", "count"), [("0.1", 2), ("60", 1), ("", 1), ("soon", 1), ("-1", 1)], ids=str)
def test_longer_waits_are_left_to_the_row(
    retry_after: str, count: int, model_server: ModelServer, invitation: Prompt
) -> None:
    headers = {"Retry-After": retry_after} if retry_after else {}
    model_server.always(faults.fault_error(429, "later", headers=headers))

    with pytest.raises(errors.ModelRateLimited):
        complete(invitation, FACTS, purpose="draft", now=NOON)

    assert model_server.count == count


@pytest.mark.django_db
def test_no_wait_that_would_outlast_the_deadline(model_server: ModelServer, invitation: Prompt, settings: Any) -> None:
    model_server.always(faults.fault_429(retry_after_s=4))

    with pytest.raises(errors.ModelRateLimited):
        complete(invitation, FACTS, purpose="draft", now=NOON, timeout_s=3)

    assert model_server.count == 1
