"""The prompts against a real language model on this machine: what it writes is measured, not judged."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.utils import timezone
from pytest_django import Settings

from campaigns.content.evaluation import evaluate_prompts
from campaigns.content.golden import read_golden_briefs
from llm.models import LlmCall
from retention_site.embedded.local_model import ensure_model, serve_model

pytestmark = [pytest.mark.model, pytest.mark.slow, pytest.mark.django_db]


@pytest.fixture(scope="module")
def model_address() -> Iterator[str]:
    said: list[str] = []
    path = ensure_model("smollm2-135m", said.append)
    if path is None:
        pytest.skip(f"the weights of the 135M model could not be had: {' '.join(said)}")
    with serve_model(path) as base_url:
        yield base_url


def test_golden_briefs_get_figures_from_a_real_model(model_address: str, settings: Settings) -> None:
    settings.LLM_BASE_URL, settings.LLM_MODEL, settings.LLM_API_KEY = model_address, "smollm2-135m", "x"
    settings.LLM_TIMEOUT_S = 180.0
    briefs = [brief for brief in read_golden_briefs() if brief.language == "en"][:2]

    [evaluation] = evaluate_prompts(now=timezone.now(), briefs=briefs)

    figures = evaluation.figures
    assert figures["briefs"] == 2
    assert figures["schema"] >= 0.5, evaluation.trials
    assert 0 <= figures["usable"] <= figures["schema"]
    assert figures["tokens"] > 100
    assert LlmCall.objects.filter(purpose="evaluate_prompt", model="smollm2-135m").count() >= 2
    for trial in evaluation.trials:
        words = " ".join((trial["words"] or {}).values())
        assert not any(character in words for character in "0123456789%{}[]<>")
