"""All that the door writes, it may write under the database role of the drafting work."""

from __future__ import annotations

from typing import Any

import pytest

from llm import errors
from llm.breaker import read_breaker
from llm.client import complete
from llm.configuration import configured_model
from llm.drafting_role import acting_as_drafter
from llm.models import LlmCall, LlmServerHealth, LlmServerMode
from llm.prompts import Prompt
from tests import model_server as faults
from tests.llm.conftest import NOON
from tests.model_server import ModelServer, answer

GOOD = {"subject": "Your garden is waiting", "opening": "The shelves are full again."}
FACTS = {"shop": "Fernweh", "customer": {"language": "en"}}


@pytest.mark.django_db(transaction=True)
def test_ledger_breaker_reuse_and_waiting_rows_can_be_written(
    model_server: ModelServer, settings: Any, invitation: Prompt
) -> None:
    settings.LLM_BREAKER_FAILURES = 2

    def ask(**changes: Any) -> Any:
        return complete(invitation, FACTS, purpose="draft", now=NOON, **changes)

    with acting_as_drafter() as is_held:
        assert is_held
        model_server.script(answer(GOOD, usage={"prompt_tokens": 100, "completion_tokens": 900}))
        ask()
        assert ask(may_reuse=True).was_reused
        model_server.always(faults.fault_error(503, "Overloaded"))
        for _ in range(2):
            with pytest.raises(errors.ModelUnreachable):
                ask()
        with pytest.raises(errors.ServerPaused):
            ask()
        model_server.always(answer(GOOD))
        assert ask(despite_pause=True).data == GOOD
        settings.LLM_BATCH = True
        with pytest.raises(errors.AnswerPending):
            complete(invitation, FACTS | {"shop": "Other"}, purpose="draft", now=NOON, may_wait=True)

    assert not read_breaker(configured_model(), NOON).is_open
    assert LlmServerHealth.objects.get().overrun > 1
    assert LlmServerMode.objects.count() == 1
    assert LlmCall.objects.filter(outcome="waiting").count() == 1
