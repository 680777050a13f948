"""The server of the drafting benchmark answers every prompt of drafts as a model would, and counts what it read and wrote."""

from __future__ import annotations

import json

import pytest

from benchmarks.drafting import write_a_draft
from campaigns.content.prompts.drafts import find_prompt
from llm.answers import Answer, read_object


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(
    ("channel", "is_capable"), [("email", False), ("email", True), ("sms", False), ("push", False)]
)
def test_an_answer_fits_the_schema_in_the_language_of_the_prompt(language: str, channel: str, is_capable: bool) -> None:
    prompt = find_prompt(language, is_capable=is_capable, channel=channel)
    request = {
        "messages": [{"role": "system", "content": prompt.system}, {"role": "user", "content": prompt.user}],
        "response_format": {"type": "json_schema", "json_schema": {"schema": dict(prompt.schema)}},
    }

    reply = json.loads(write_a_draft(request).body)

    content = reply["choices"][0]["message"]["content"]
    data = read_object(Answer(content), prompt.schema)
    assert all(str(value).isascii() == (language == "en") for value in data.values())
    asked = sum(len(turn["content"].encode()) for turn in request["messages"])
    assert asked / 4 < reply["usage"]["prompt_tokens"] < asked
    assert reply["usage"]["completion_tokens"] == -(-len(content.encode()) // 4)
