"""No invented sentence reaches a person unmarked, and most true ones are left alone."""

from __future__ import annotations

import pytest

from support.answers.validation import check_answer
from tests.support.golden_set import GOLDEN_ARTICLES, GOLDEN_QUESTIONS, OTHER_SHOPS, load_base, load_questions
from tests.support.inventor import invent


@pytest.mark.parametrize(("shop", "seed"), [("", 1), ("", 2), ("", 3), ("bicycles", 1), ("garden", 1)])
def test_every_invented_sentence_is_marked(shop: str, seed: int) -> None:
    unmarked, marked, true, invented = [], [], 0, 0
    articles, questions = OTHER_SHOPS[shop] if shop else (GOLDEN_ARTICLES, GOLDEN_QUESTIONS)
    for draft in invent(load_base(articles), load_questions(questions), seed=seed):
        for sentence in check_answer(draft.text, draft.passages):
            if sentence.text in draft.invented:
                invented += 1
                unmarked += [sentence.text] if sentence.is_supported else []
            else:
                true += 1
                marked += [] if sentence.is_supported else [sentence.text]
    assert invented > 150
    assert unmarked == []
    assert len(marked) <= 0.02 * true
