"""Taking a text apart for translation and putting it together: the form and the facts stay with code."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.content.translating import Untranslatable, put_together, take_apart, words_of

TEXT = {
    "subject": 'Dry feet, {{ first_name | default: "you" }}?',
    "opening": "It is **wet**: take 10% off with HIKE10, or €50.\n\n- Jackets\n- Tents until 14 December 2026",
}


def test_only_words_are_sent() -> None:
    lines = take_apart(TEXT)
    assert words_of(lines) == [
        "Dry feet, ⟦a⟧?", "It is **wet**: take ⟦a⟧ off with ⟦b⟧, or ⟦c⟧.", "Jackets", "Tents until ⟦a⟧ December ⟦b⟧",
    ]  # fmt: skip
    assert not any(character.isdigit() for line in words_of(lines) for character in line)


def test_the_answer_gets_its_form_and_its_facts_back() -> None:
    lines = take_apart(TEXT)
    parts = put_together(lines, ["⟦a⟧，脚干吗？", "天**湿**：用⟦b⟧减⟦a⟧，或⟦c⟧。", "夹克", "帐篷，⟦b⟧年十二月⟦a⟧日止"])
    assert parts["subject"] == '{{ first_name | default: "you" }}，脚干吗？'
    assert parts["opening"] == "天**湿**：用HIKE10减10%，或€50。\n\n- 夹克\n- 帐篷，2026年十二月14日止"


@pytest.mark.parametrize(
    "answer",
    [["a"], ["Füße, ⟦a⟧?", "⟦a⟧ ⟦b⟧", "x", "⟦a⟧ ⟦b⟧"], ["⟦a⟧", "⟦a⟧ ⟦b⟧ ⟦c⟧ ⟦c⟧", "x", "⟦a⟧ ⟦b⟧"]],
)
def test_a_line_or_a_mark_that_is_missing_is_refused(answer: list[str]) -> None:
    with pytest.raises(Untranslatable):
        put_together(take_apart(TEXT), answer)


@given(st.text(max_size=200))
def test_saying_the_same_gives_the_same_words(text: str) -> None:
    lines = take_apart({"opening": text})
    if "⟦" in text:
        return
    again = put_together(lines, words_of(lines)).get("opening", "")
    assert again.split() == text.split()
