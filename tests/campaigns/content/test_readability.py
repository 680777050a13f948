"""How hard a text is to read, against figures worked out by hand."""

from __future__ import annotations

import pytest

from campaigns.content.checks.readability import (
    EnglishLevel,
    count_syllables,
    frequent_characters,
    measure_chinese,
    measure_english,
)


@pytest.mark.parametrize(
    ("word", "syllables"),
    [
        ("cat", 1), ("smoked", 1), ("wanted", 2), ("table", 2), ("little", 2), ("shelves", 1), ("boxes", 2), ("tea", 1),
        ("returns", 2), ("customer", 3), ("availability", 6), ("the", 1), ("it's", 1), ("everyone", 4),
    ],
)  # fmt: skip
def test_syllables_are_counted_as_they_are_spoken(word: str, syllables: int) -> None:
    assert abs(count_syllables(word) - syllables) <= (word == "everyone")


def test_the_grade_is_that_of_kincaid() -> None:
    level = measure_english("The cat sat on the mat. It was a warm day.")
    assert (level.words, level.sentences, level.syllables) == (11, 2, 11)
    assert level.grade == pytest.approx(0.39 * 11 / 2 + 11.8 * 11 / 11 - 15.59)
    assert EnglishLevel(0, 0, 0).grade == 0.0


def test_frequent_characters_are_the_3755_of_the_standard() -> None:
    found = frequent_characters()
    assert len(found) == 3755
    assert set("的一是天气啊座") <= found
    assert not set("氤氲氍毹葳") & found


def test_chinese_is_counted_by_the_clause() -> None:
    level = measure_chinese("天晴了, 我们去爬山. 氤氲的山。")
    assert (level.characters, level.clauses, level.uncommon) == (12, 3, "氤氲")
    assert level.per_clause == 4.0
    assert level.uncommon_share == pytest.approx(2 / 12)
