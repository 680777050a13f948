"""Every way in which a model server fails: what staff read, what the ledger keeps, how many requests it provokes."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils.translation import override

from llm import errors
from llm.client import complete
from llm.models import LlmCall
from llm.prompts import Prompt
from tests import model_server as faults
from tests.llm.conftest import NOON
from tests.model_server import ModelServer, Step, answer

pytestmark = pytest.mark.django_db

GOOD = {"subject": "Your garden is waiting", "opening": "The shelves are full again."}
FACTS = {"shop": "Fernweh", "customer": {"language": "en", "likes": "garden"}}


def ask(prompt: Prompt, **changes: Any) -> Any:
    return complete(prompt, FACTS, purpose="draft", now=NOON, **changes)


# The step, the error, whether it may pass by itself, the outcomes in the ledger, one for each request.
FINAL_FAULTS: dict[str, tuple[Step, type[errors.ModelError], bool, list[str]]] = {
    "429": (faults.fault_429(), errors.ModelRateLimited, True, ["rate_limited"]),
    "no credit": (faults.fault_insufficient_quota(), errors.ModelRateLimited, False, ["rate_limited"]),
    "402": (faults.fault_error(402, "Payment required"), errors.ModelRateLimited, False, ["rate_limited"]),
    "wrong key": (faults.fault_wrong_key("key-of-the-tests"), errors.ModelRequestRejected, False, ["error"]),
    "unknown model": (faults.fault_unknown_model(), errors.ModelRequestRejected, False, ["error"]),
    "500": (faults.fault_500(), errors.ModelUnreachable, True, ["unreachable"] * 3),
    "502": (faults.fault_error(502, "Bad gateway"), errors.ModelUnreachable, True, ["unreachable"]),
    "503": (faults.fault_error(503, "Overloaded"), errors.ModelUnreachable, True, ["unreachable"]),
    "504": (faults.fault_error(504, "Gateway time-out"), errors.ModelTimedOut, True, ["timed_out"]),
    "dropped": (faults.fault_dropped(), errors.ModelUnreachable, True, ["unreachable"]),
    "cut body": (faults.fault_cut_body(), errors.ModelUnreachable, True, ["unreachable"]),
    "cut in silence": (faults.fault_cut_body(says_length=False), errors.ModelAnswerInvalid, True, ["bad_output"]),
    "bad envelope": (faults.fault_bad_envelope(), errors.ModelAnswerInvalid, True, ["bad_output"]),
    "no choices": (faults.fault_no_choices(), errors.ModelAnswerInvalid, True, ["bad_output"]),
    "error with 200": (faults.fault_error_with_200(), errors.ModelUnreachable, True, ["unreachable"] * 3),
    "html": (faults.fault_html(), errors.ModelRequestRejected, False, ["error"]),
    "over-long": (faults.fault_over_long(), errors.ModelAnswerCutOff, False, ["cut_off"] * 2),
    "refusal": (faults.fault_refusal(), errors.ModelRefused, False, ["refused"]),
    "refusal in words": (faults.fault_refusal_in_words(), errors.ModelRefused, False, ["refused"]),
    "content filter": (faults.fault_content_filter(), errors.ModelRefused, False, ["refused"]),
    "empty": (faults.fault_empty(), errors.ModelAnswerInvalid, False, ["bad_output"] * 3),
    "bad JSON": (faults.fault_bad_json(), errors.ModelAnswerInvalid, False, ["bad_output"] * 3),
    "doubled keys": (
        faults.fault_doubled_keys('{"subject": "a", "subject": "b", "opening": "c"}'),
        errors.ModelAnswerInvalid,
        False,
        ["bad_output"] * 3,
    ),
    "missing property": (answer({"subject": "a"}), errors.ModelAnswerInvalid, False, ["bad_output"] * 3),
    "extra property": (answer({**GOOD, "bcc": "x"}), errors.ModelAnswerInvalid, False, ["bad_output"] * 3),
    "a list": (faults.answer_text('["subject"]'), errors.ModelAnswerInvalid, False, ["bad_output"] * 3),
    "NaN": (
        faults.answer_text('{"subject": NaN, "opening": "a"}'),
        errors.ModelAnswerInvalid,
        False,
        ["bad_output"] * 3,
    ),
    "nested too deep": (faults.answer_text('{"a":' * 3_000), errors.ModelAnswerInvalid, False, ["bad_output"] * 3),
    "far too long": (faults.answer_text("x" * 2_000_000), errors.ModelAnswerInvalid, True, ["bad_output"]),
}


@pytest.mark.parametrize("name", FINAL_FAULTS)
def test_fault_becomes_a_sentence_for_staff_and_a_row_for_each_request(
    name: str, model_server: ModelServer, invitation: Prompt
) -> None:
    step, kind, is_retryable, outcomes = FINAL_FAULTS[name]
    model_server.always(step)

    with pytest.raises(kind) as caught:
        ask(invitation)

    assert type(caught.value) is kind
    assert caught.value.is_retryable is is_retryable
    assert len(caught.value.staff_message) > 30
    assert "key-of-the-tests" not in caught.value.staff_message
    calls = LlmCall.objects.order_by("attempt")
    assert [call.outcome for call in calls] == outcomes
    assert model_server.count == len(outcomes)
    assert all(call.error and call.latency_ms is not None for call in calls)


@pytest.mark.parametrize("step", [faults.fault_slow_head(), faults.fault_slow_body()], ids=["head", "body"])
def test_slow_server_is_given_up_at_the_total_deadline(
    step: Step, model_server: ModelServer, invitation: Prompt
) -> None:
    model_server.always(step)

    with pytest.raises(errors.ModelTimedOut) as caught:
        ask(invitation, timeout_s=0.4)

    assert caught.value.is_retryable
    assert model_server.count == 1
    assert LlmCall.objects.get().outcome == LlmCall.Outcome.TIMED_OUT


def test_deadline_is_for_all_requests_of_a_completion_together(model_server: ModelServer, invitation: Prompt) -> None:
    # Wide apart, so that a busy machine does not lose the second request.
    model_server.always(faults.answer_text("no object", wait_s=1.2))

    with pytest.raises(errors.ModelTimedOut):
        ask(invitation, timeout_s=2.0)

    assert model_server.count == 2


def test_server_that_is_down_is_unreachable_and_costs_nothing(
    model_server: ModelServer, settings: Any, invitation: Prompt
) -> None:
    settings.LLM_BASE_URL = "http://127.0.0.1:9/v1"

    with pytest.raises(errors.ModelUnreachable, match=r"127\.0\.0\.1:9"):
        ask(invitation)

    assert LlmCall.objects.get().reserved_tokens == 0


def test_redirect_is_not_followed(model_server: ModelServer, invitation: Prompt) -> None:
    with ModelServer() as elsewhere:
        model_server.always(faults.fault_redirect(f"{elsewhere.base_url}/chat/completions"))

        with pytest.raises(errors.ModelRequestRejected):
            ask(invitation)

        assert elsewhere.requests == []
    assert model_server.count == 1


def test_rate_limit_passes_on_when_the_server_wants_to_be_asked_again(
    model_server: ModelServer, invitation: Prompt
) -> None:
    model_server.always(faults.fault_429(retry_after_s=17))

    with pytest.raises(errors.ModelRateLimited) as caught:
        ask(invitation)

    assert caught.value.retry_after_s == 17


def test_missing_usage_is_kept_as_unknown_and_the_estimate_counts(
    model_server: ModelServer, invitation: Prompt
) -> None:
    model_server.always(answer(GOOD, usage={}))

    ask(invitation)

    call = LlmCall.objects.get()
    assert (call.prompt_tokens, call.completion_tokens) == (None, None)
    assert call.reserved_tokens > invitation.max_tokens


def test_nothing_is_sent_without_a_configured_model(
    model_server: ModelServer, settings: Any, invitation: Prompt
) -> None:
    settings.LLM_MODEL = ""

    with pytest.raises(errors.NotConfigured):
        ask(invitation)

    assert model_server.requests == []
    assert not LlmCall.objects.exists()


@pytest.mark.parametrize("address", ["not an address", "http://", "http://[::1", "ftp://127.0.0.1/v1"])
def test_nonsense_as_an_address_is_said_to_staff(settings: Any, address: str, invitation: Prompt) -> None:
    settings.LLM_BASE_URL, settings.LLM_MODEL = address, "m"

    with pytest.raises(errors.ModelError):
        ask(invitation)


def test_who_asks_is_told_in_their_language_and_the_ledger_keeps_english(
    model_server: ModelServer, invitation: Prompt
) -> None:
    model_server.always(faults.fault_429())
    with override("zh-hans"), pytest.raises(errors.ModelError) as caught:
        ask(invitation)
    assert not str(caught.value).isascii()
    assert caught.value.kept.isascii()
    assert caught.value.kept in set(LlmCall.objects.values_list("error", flat=True))
