"""Texts that are nearly the same are found, exactly and without comparing each with each."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.content.likeness import ALIKE, find_alike, measure_likeness, shingle

ENGLISH = (
    "The paths are muddy again and the evenings are short. We have added warm jackets and dry boots since you were last"
    " here. If something did not fit, tell us what it was. Come and have a look when you have a moment."
)
CHINESE = (
    "山里的路又泥泞了，天也黑得早。自您上次来过，我们添了厚外套和防水靴。上次有什么不合适的，请告诉我们。有空来看看。"
)


def test_likeness_by_hand() -> None:
    assert shingle("Abc, de!") == {"abcd", "bcde"}
    assert measure_likeness(shingle("abcde"), shingle("bcdef")) == pytest.approx(1 / 3)
    assert measure_likeness(shingle(""), shingle("abcd")) == 0.0
    assert shingle("ＡＢＣＤ") == shingle("a b c d")


@pytest.mark.parametrize(
    ("one", "other", "is_alike"),
    [
        (ENGLISH, ENGLISH.upper(), True),
        (ENGLISH, ENGLISH.replace("jackets", "trousers"), True),
        (ENGLISH, ENGLISH.replace("If something did not fit, tell us what it was. ", ""), True),
        (ENGLISH, "We have warm jackets and dry boots. Wear both, and go out.", False),
        (CHINESE, CHINESE.replace("厚外套", "羽绒服"), True),
        (CHINESE, "山里的路又泥泞了。带上新的登山杖，我们周六见。", False),
        (ENGLISH, CHINESE, False),
    ],
)
def test_a_word_changed_leaves_a_text_the_same_and_another_thought_does_not(
    one: str, other: str, is_alike: bool
) -> None:
    assert bool(list(find_alike([one, other]))) is is_alike


@given(st.lists(st.text(alphabet="abcd ", max_size=14), max_size=12))
def test_the_pairs_are_those_of_comparing_each_with_each(texts: list[str]) -> None:
    sets = [shingle(text) for text in texts]
    wanted = {(i, j) for i, j in combinations(range(len(texts)), 2) if measure_likeness(sets[i], sets[j]) >= ALIKE}
    assert {(i, j) for i, j, _likeness in find_alike(texts)} == wanted


def test_texts_that_share_little_are_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    real = measure_likeness
    monkeypatch.setattr("campaigns.content.likeness.measure_likeness", lambda a, b: calls.append(1) or real(a, b))
    texts = [" ".join(chr(97 + (n * k) % 26) * 3 + str(n * 7919 + k) for k in range(30)) for n in range(200)]
    assert list(find_alike(texts)) == []
    assert len(calls) < 200 * 199 / 2 / 10
