"""The prompts of campaign texts: kept texts under their versions, and what a slot can never hold."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from campaigns.content.channels import find_writer
from campaigns.content.prompts import (
    ANGLES,
    DraftTask,
    TranslationTask,
    build_draft,
    build_translation,
    find_prompt,
    read_draft,
    wording_en,
    wording_zh,
)
from campaigns.models import Angle
from customers.models import Channel
from llm.prompts import Prompt, list_prompts

DIGESTS = Path(__file__).parent / "prompt_digests.json"
OURS = [prompt for prompt in list_prompts() if prompt.name.startswith("archetype.")]


def task(**changes: Any) -> DraftTask:
    given: dict[str, Any] = {
        "channel": "email", "language": "en", "is_capable": True, "card": {"what_they_like": "Tents"},
        "facts": {"shop": "Tarnside", "products": [{"name": "Fjell " + "x" * 200}] * 9, "code": "HIKE10", "percent": "10"},
        "brief": {"goal": "Bring them back", "avoid": ""}, "angle": "likes",
    }  # fmt: skip
    return DraftTask(**(given | changes))


def digest(prompt: Prompt) -> str:
    whole = json.dumps(asdict(prompt), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(whole.encode()).hexdigest()[:16]


def test_a_changed_prompt_has_a_new_version() -> None:
    kept = json.loads(DIGESTS.read_text(encoding="utf-8"))
    for prompt in OURS:
        name = f"{prompt.name} v{prompt.version}"
        assert name in kept, f"a new version: keep {name}: {digest(prompt)} in {DIGESTS.name} beside the older ones"
        assert kept[name] == digest(prompt), f"{name} says something else than it did: raise its VERSION"


@pytest.mark.parametrize("channel", Channel.values)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_channel_has_a_prompt_that_writes_columns_of_its_texts(channel: str, language: str) -> None:
    for is_capable in (False, True):
        prompt = find_prompt(language, is_capable=is_capable, channel=channel)
        slots = set(prompt.schema["properties"]) - {"points"}
        assert slots <= set(find_writer(channel).parts)
        assert language in prompt.name


@pytest.mark.parametrize("prompt", OURS, ids=lambda prompt: prompt.name)
def test_no_promise_can_be_written_into_a_slot(prompt: Prompt) -> None:
    patterns = re.findall(r'"pattern": "((?:[^"\\]|\\.)*)"', json.dumps(prompt.schema))
    assert patterns
    for pattern in (json.loads(f'"{found}"') for found in patterns):
        assert re.search(pattern, "Come and look")
        assert re.search(pattern, "来看看新品吧")
        for said in (
            "Take 50 off",
            "half % off",
            "{{ coupon }}",
            "[here]",
            "<b>now</b>",
            'say "yes"',
            "a\nb",
            "back\\slash",
        ):
            assert not re.search(pattern, said), said


def test_angles_are_the_models_in_both_languages() -> None:
    assert set(ANGLES) == set(wording_en.ANGLES) == set(wording_zh.ANGLES) == set(Angle.values)
    assert len(set(ANGLES.values())) == len(ANGLES)


def test_what_leaves_is_the_allow_list_and_nothing_more() -> None:
    prompt, variables = build_draft(task())
    prompt.check_variables(variables)
    sent = prompt.render_user_turn(variables)
    assert "HIKE10" not in sent, "the offer is put in by code"
    assert variables["brief"] == {"goal": "Bring them back"}
    assert len(variables["wares"]) == 6
    assert all(len(name) <= 80 for name in variables["wares"])
    assert variables["angle"] == wording_en.ANGLES["likes"]


def test_building_a_prompt_is_a_pure_function() -> None:
    assert build_draft(task()) == build_draft(task())
    assert build_draft(task(facts={"policies": ["Returns are free."]}))[1]["brief"]["policies"] == ["Returns are free."]
    corrected = build_draft(task(previous={"subject": "Hi"}, faults=["subject: too loud"]))[1]
    assert corrected["previous"] == {"subject": "Hi"}
    assert corrected["faults"] == ["subject: too loud"]


def test_points_become_a_list() -> None:
    words = read_draft({"story": "How to dry them.", "points": ["Air them", "- Fold them"], "subject": " Hi "})
    assert words == {"subject": "Hi", "story": "How to dry them.\n\n- Air them\n- Fold them"}


def test_a_translation_asks_for_its_language() -> None:
    for language in ("en", "zh"):
        prompt, variables = build_translation(TranslationTask(language, "Tarnside", ["Hi ⟦a⟧"]))
        prompt.check_variables(variables)
        assert prompt.name == f"archetype.translation.{language}"
