"""A text classifier that people can look into: TF-IDF over words and characters, and logistic regression.

English by words and pairs of words and by three to five characters inside words; Chinese, which has no spaces, by single
characters and pairs. Trained with scikit-learn, kept as vocabulary and weights (JSON and numbers, no code), and applied with
numpy alone. Joachims 1998 and Zhang and LeCun 2017 ("Which Encoding is the Best for Text Classification in Chinese,
English, Japanese and Korean?") say why characters do as well as segmented words.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

LONGEST_TEXT: Final = 2_000
TEST_SHARE: Final = 0.2
Floats = NDArray[np.float64]


class TextClassifier:
    """Settings in `__init__`, learned values end in `_`. `language` is "zh" or "en"; deterministic for a `random_state`.

    `each_alone` learns each of several classes against all others, some ten times as fast; what `predict_proba` gives is then
    in order, and no probability that one may count on.
    """

    def __init__(
        self,
        language: str,
        *,
        strength: float = 5.0,
        most_features: int = 100_000,
        random_state: int = 7,
        each_alone: bool = False,
    ) -> None:
        self.each_alone = each_alone
        self.language = language
        self.strength = strength
        self.most_features = most_features
        self.random_state = random_state

    def fit(self, texts: Sequence[str], labels: Sequence[str]) -> TextClassifier:
        """Raises ValueError where there are fewer than two kinds of label."""
        if len(set(labels)) < 2:
            raise ValueError("all texts have the same label")
        self._make_vectorizers(least=2 if len(texts) >= 200 else 1)
        matrix = self._fit_transform([text[:LONGEST_TEXT] for text in texts])
        told = np.asarray(labels)
        self.classes_ = sorted({str(label) for label in labels})
        if self.each_alone and len(self.classes_) > 2:
            alone = [self._fit_model(matrix, told == label) for label in self.classes_]
            weights = np.vstack([model.coef_ for model in alone])
            self.constants_ = np.concatenate([model.intercept_ for model in alone]).astype(np.float64)
        else:
            model = self._fit_model(matrix, told)
            weights, self.constants_ = model.coef_, model.intercept_.astype(np.float64)
        self.weights_ = weights.astype(np.float32)
        return self

    def _fit_model(self, matrix: Any, labels: Any) -> Any:
        from sklearn.linear_model import LogisticRegression

        solver = "liblinear" if len(np.unique(labels)) == 2 else "lbfgs"  # which stops too early on so many columns
        model = LogisticRegression(
            C=self.strength, solver=solver, max_iter=200, class_weight="balanced", random_state=self.random_state
        )
        return model.fit(matrix, labels)

    def predict_proba(self, texts: Sequence[str]) -> Floats:
        """Probabilities, a row a text, a column a class of `classes_`."""
        matrix = self._transform([text[:LONGEST_TEXT] for text in texts])
        logits = np.asarray(matrix @ self.weights_.T.astype(np.float64)) + self.constants_
        if len(self.classes_) == 2:
            second = 1 / (1 + np.exp(-logits[:, 0]))
            return np.column_stack([1 - second, second])
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True), dtype=np.float64)

    def explain(self, text: str, label: str, *, most: int = 5) -> list[str]:
        """The pieces of the text that speak most for `label`."""
        row = self._transform([text[:LONGEST_TEXT]]).tocsr()
        at = self.classes_.index(label)
        weights = self.weights_[at] if len(self.classes_) > 2 else self.weights_[0] * (1 if at == 1 else -1)
        scored = [
            (float(value * weights[column]), int(column)) for column, value in zip(row.indices, row.data, strict=True)
        ]
        told = [self._name(column) for score, column in sorted(scored, reverse=True)[:most] if score > 0]
        return list(dict.fromkeys(name.strip() for name in told if name.strip()))

    def to_bytes(self) -> bytes:
        """Everything that is needed to predict, without code: `from_bytes` of somebody else's file can run nothing."""
        head = {
            "language": self.language,
            "classes": self.classes_,
            "vocabularies": [
                {term: int(column) for term, column in vectorizer.vocabulary_.items()}
                for vectorizer in self._vectorizers
            ],
            "settings": [self.strength, self.most_features, self.random_state],
        }
        kept = io.BytesIO()
        frequencies = [vectorizer.idf_ for vectorizer in self._vectorizers]
        np.savez_compressed(
            kept,
            head=np.frombuffer(json.dumps(head, ensure_ascii=False).encode(), dtype=np.uint8),
            weights=self.weights_,
            constants=self.constants_,
            **{f"idf{number}": idf for number, idf in enumerate(frequencies)},
        )
        return kept.getvalue()

    @classmethod
    def from_bytes(cls, raw: bytes) -> TextClassifier:
        """Raises ValueError for anything that `to_bytes` did not make."""
        with np.load(io.BytesIO(raw), allow_pickle=False) as kept:
            head = json.loads(bytes(kept["head"]).decode())
            strength, most, seed = head["settings"]
            made = cls(head["language"], strength=strength, most_features=most, random_state=seed)
            made._make_vectorizers(least=1)
            for number, (vectorizer, vocabulary) in enumerate(
                zip(made._vectorizers, head["vocabularies"], strict=True)
            ):
                vectorizer.vocabulary_ = vocabulary
                vectorizer.fixed_vocabulary_ = True
                vectorizer.idf_ = kept[f"idf{number}"]
            made.classes_ = [str(label) for label in head["classes"]]
            made.weights_, made.constants_ = kept["weights"], kept["constants"]
        return made

    def _make_vectorizers(self, *, least: int) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer

        half = self.most_features // 2
        common: dict[str, Any] = {"sublinear_tf": True, "dtype": np.float32, "min_df": least}
        if self.language == "zh":
            kinds = [{"analyzer": "char", "ngram_range": (1, 2), "max_features": self.most_features}]
        else:
            kinds = [
                {
                    "analyzer": "word",
                    "ngram_range": (1, 2),
                    "token_pattern": r"(?u)\b\w+\b",
                    "max_features": half,
                },
                {"analyzer": "char_wb", "ngram_range": (3, 5), "max_features": half},
            ]
        self._vectorizers = [TfidfVectorizer(**common, **kind) for kind in kinds]

    def _fit_transform(self, texts: Sequence[str]) -> Any:
        from scipy.sparse import hstack

        return hstack([vectorizer.fit_transform(texts) for vectorizer in self._vectorizers]).tocsr()

    def _transform(self, texts: Sequence[str]) -> Any:
        from scipy.sparse import hstack

        return hstack([vectorizer.transform(texts) for vectorizer in self._vectorizers]).tocsr()

    def _name(self, column: int) -> str:
        """The piece of text that a column counts."""
        for vectorizer in self._vectorizers:
            if column < len(vectorizer.vocabulary_):
                return next(str(term) for term, place in vectorizer.vocabulary_.items() if place == column)
            column -= len(vectorizer.vocabulary_)
        raise IndexError(column)


def is_held_back(text: str) -> bool:
    """Whether a text is for measuring: decided by its letters alone, so that copies never stand on both sides."""
    letters = re.sub(r"[\W\d_]+", "", text.lower())
    return int(hashlib.sha256(letters.encode()).hexdigest()[:8], 16) / 2**32 < TEST_SHARE
