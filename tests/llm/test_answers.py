"""Nothing that a server can send gets further than a checked object or a known failure."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm.answers import Answer, CallFailed, FailureKind, failure_from_error, read_envelope, read_object

SCHEMA = {
    "type": "object",
    "properties": {"subject": {"type": "string", "minLength": 1, "maxLength": 60}},
    "required": ["subject"],
    "additionalProperties": False,
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(st.fixed_dictionaries({}, optional={"choices": JSON, "usage": JSON, "error": JSON}) | JSON)
def test_any_json_is_an_answer_or_a_known_failure(envelope: Any) -> None:
    try:
        assert isinstance(read_envelope(json.dumps(envelope).encode()), Answer)
    except CallFailed as error:
        assert error.failure.detail


@given(
    st.fixed_dictionaries(
        {"message": st.fixed_dictionaries({}, optional={"content": JSON, "refusal": JSON})},
        optional={"finish_reason": JSON},
    ),
    JSON,
)
def test_any_choice_is_an_answer_or_a_known_failure(choice: Any, usage: Any) -> None:
    try:
        answer = read_envelope(json.dumps({"choices": [choice], "usage": usage}).encode())
        assert answer.text.strip()
    except CallFailed as error:
        assert error.failure.detail


@given(st.binary())
def test_any_bytes_are_an_answer_or_a_known_failure(body: bytes) -> None:
    with pytest.raises(CallFailed):
        read_envelope(body)


@given(st.text() | JSON.map(json.dumps) | JSON.map(lambda value: f"Sure: {json.dumps(value)} done"))
def test_any_text_is_an_object_that_fits_or_a_known_failure(text: str) -> None:
    try:
        data = read_object(Answer(text), SCHEMA)
        assert list(data) == ["subject"]
        assert 1 <= len(data["subject"]) <= 60
    except CallFailed as error:
        assert error.failure.kind in (FailureKind.BAD_OUTPUT, FailureKind.REFUSED)


@given(JSON, st.integers(200, 599))
def test_any_error_body_is_classified(body: Any, status: int) -> None:
    assert failure_from_error(body, status=status).detail is not None


def test_what_is_wrong_is_said_without_the_text_that_is_wrong() -> None:
    with pytest.raises(CallFailed) as caught:
        read_object(Answer(json.dumps({"subject": "secret " * 20})), SCHEMA)

    assert caught.value.failure.detail == "$.subject has to fit maxLength 60"
    assert caught.value.failure.is_shaped


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (400, {"message": "context length"}, FailureKind.REJECTED),
        (402, {"message": "no credit"}, FailureKind.NO_CREDIT),
        (403, {"code": "billing_not_active"}, FailureKind.NO_CREDIT),
        (429, {"type": "insufficient_quota"}, FailureKind.NO_CREDIT),
        (429, "slow down", FailureKind.RATE_LIMITED),
        (200, {"code": 429}, FailureKind.RATE_LIMITED),
        (200, {"code": 502}, FailureKind.SERVER_ERROR),
        (504, None, FailureKind.TIMED_OUT),
        (529, {"type": "overloaded"}, FailureKind.SERVER_ERROR),
    ],
)
def test_errors_are_told_apart(status: int, error: Any, kind: FailureKind) -> None:
    assert failure_from_error(error, status=status).kind is kind


def test_raw_line_end_inside_a_text_is_taken() -> None:
    assert read_object(Answer('{"subject": "Dear you,\n\nwelcome"}'), SCHEMA) == {"subject": "Dear you,\n\nwelcome"}
