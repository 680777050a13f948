"""Texts cut into pieces as scikit-learn cuts them, so that nothing that only predicts has to load it."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.triage.classifier import TextClassifier
from support.triage.people_only import LANGUAGES, find_kept_file, learn_recogniser, mark_examples, read_examples
from support.triage.pieces import CUTS, cut_characters, cut_inside_words, cut_words
from tests.support.golden_set import ROOT

TEXTS = st.text(st.sampled_from("aZ é'-._ \n\t\u3000今天0,ß"), max_size=40)
OURS = {
    "words": (cut_words, {"analyzer": "word", "ngram_range": (1, 2), "token_pattern": r"(?u)\b\w+\b"}),
    "inside": (cut_inside_words, {"analyzer": "char_wb", "ngram_range": (3, 5)}),
    "characters": (cut_characters, {"analyzer": "char", "ngram_range": (1, 2)}),
}


@pytest.mark.parametrize("name", OURS)
@settings(max_examples=100, derandomize=True)
@given(text=TEXTS)
def test_pieces_are_those_of_scikit_learn(name: str, text: str) -> None:
    from sklearn.feature_extraction.text import TfidfVectorizer

    cut, settings_of_theirs = OURS[name]
    assert cut(text) == TfidfVectorizer(**settings_of_theirs).build_analyzer()(text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_weights_are_those_of_scikit_learn(language: str) -> None:
    from sklearn.feature_extraction.text import TfidfVectorizer

    texts = [one.text for one in read_examples(language)][:250]
    known = TextClassifier(language).fit(texts, ["yes" if at % 3 else "no" for at in range(len(texts))])
    theirs = [TfidfVectorizer(analyzer=cut, sublinear_tf=True, min_df=2) for cut in CUTS[language]]
    rows = np.hstack([one.fit_transform(texts).toarray() for one in theirs])
    for text, row in zip(texts[:20], rows, strict=False):
        columns, values = known._weigh(text)
        assert columns == np.flatnonzero(row).tolist()
        assert np.allclose(values, row[columns], atol=1e-5)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_kept_was_learned_from_the_examples_as_they_are(language: str) -> None:
    """If this fails: ./rekindle manage learn_people_only, and commit what it wrote."""
    told = json.loads(find_kept_file(language).read_text(encoding="utf-8"))
    examples = read_examples(language)
    assert told["learned_from"] == mark_examples(examples)
    texts = [one.text for one in examples[::7]]
    anew = TextClassifier.from_plain(learn_recogniser(language)).predict_proba(texts)
    assert np.abs(TextClassifier.from_plain(told).predict_proba(texts) - anew).max() < 0.01


def test_a_process_that_asks_what_is_for_people_only_loads_no_scikit_learn() -> None:
    code = (
        "import sys; from support.triage.escalating import find_reason_to_escalate as find;"
        " print(find('I have lost the will to live'), find('我已经写好起诉状了，等着上法庭吧'),"
        " any(name.split('.')[0] in ('sklearn', 'scipy') for name in sys.modules))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120, check=True
    )
    assert ran.stdout.split() == ["self_harm", "legal", "False"]
