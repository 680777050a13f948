"""A text classifier that people can look into: TF-IDF over words and characters, and logistic regression.

English by words and pairs of words and by three to five characters inside words; Chinese, which has no spaces, by single
characters and pairs (`pieces`). Trained with scikit-learn, kept as vocabulary and weights (JSON and numbers, no code), and
applied with numpy alone: who only predicts never loads scikit-learn. Joachims 1998 and Zhang and LeCun 2017 ("Which Encoding
is the Best for Text Classification in Chinese, English, Japanese and Korean?") say why characters do as well as segmented words.
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

from .pieces import CUTS, Vocabulary

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
        matrix = self._learn_pieces([text[:LONGEST_TEXT] for text in texts], least=2 if len(texts) >= 200 else 1)
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
        logits = np.zeros((len(texts), len(self.weights_))) + self.constants_
        for row, text in enumerate(texts):
            columns, values = self._weigh(text)
            logits[row] += self.weights_[:, columns] @ values
        if len(self.classes_) == 2:
            second = 1 / (1 + np.exp(-logits[:, 0]))
            return np.column_stack([1 - second, second])
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True), dtype=np.float64)

    def explain(self, text: str, label: str, *, most: int = 5) -> list[str]:
        """The pieces of the text that speak most for `label`."""
        columns, values = self._weigh(text)
        at = self.classes_.index(label)
        weights = self.weights_[at] if len(self.classes_) > 2 else self.weights_[0] * (1 if at == 1 else -1)
        scored = [(float(value * weights[column]), column) for column, value in zip(columns, values, strict=True)]
        told = [self._name(column) for score, column in sorted(scored, reverse=True)[:most] if score > 0]
        return list(dict.fromkeys(name.strip() for name in told if name.strip()))

    def to_bytes(self) -> bytes:
        """Everything that is needed to predict, without code: `from_bytes` of somebody else's file can run nothing."""
        head = {
            "language": self.language,
            "classes": self.classes_,
            "vocabularies": [{**known.columns} for known in self._vocabularies],
            "settings": [self.strength, self.most_features, self.random_state],
        }
        kept = io.BytesIO()
        frequencies: dict[str, Any] = {f"idf{number}": known.idf for number, known in enumerate(self._vocabularies)}
        np.savez_compressed(
            kept,
            head=np.frombuffer(json.dumps(head, ensure_ascii=False).encode(), dtype=np.uint8),
            weights=self.weights_,
            constants=self.constants_,
            **frequencies,
        )
        return kept.getvalue()

    def to_plain(self) -> dict[str, Any]:
        """The same as JSON that a person can read: each piece with its rarity and its weights, in hundredths."""
        weights = _count_hundredths(self.weights_.T)
        pieces, first = [], 0
        for known in self._vocabularies:
            rarity = _count_hundredths(known.idf)
            pieces.append({term: [rarity[at], *weights[first + at]] for term, at in sorted(known.columns.items())})
            first += len(known.columns)
        constants = _count_hundredths(self.constants_)
        return {"language": self.language, "classes": self.classes_, "constants": constants, "pieces": pieces}

    @classmethod
    def from_plain(cls, told: dict[str, Any]) -> TextClassifier:
        """What `to_plain` made."""
        made = cls(told["language"])
        rows = [np.array([*pieces.values()], dtype=np.float32) / 100 for pieces in told["pieces"]]
        made._vocabularies = [
            Vocabulary({term: at for at, term in enumerate(pieces)}, row[:, 0])
            for pieces, row in zip(told["pieces"], rows, strict=True)
        ]
        made.classes_, made.constants_ = told["classes"], np.array(told["constants"]) / 100
        made.weights_ = np.ascontiguousarray(np.vstack(rows)[:, 1:].T)
        return made

    @classmethod
    def from_bytes(cls, raw: bytes) -> TextClassifier:
        """Raises ValueError for anything that `to_bytes` did not make."""
        with np.load(io.BytesIO(raw), allow_pickle=False) as kept:
            head = json.loads(bytes(kept["head"]).decode())
            strength, most, seed = head["settings"]
            made = cls(head["language"], strength=strength, most_features=most, random_state=seed)
            made._vocabularies = [
                Vocabulary(columns, kept[f"idf{number}"]) for number, columns in enumerate(head["vocabularies"])
            ]
            made.classes_ = [str(label) for label in head["classes"]]
            made.weights_, made.constants_ = kept["weights"], kept["constants"]
        return made

    def _learn_pieces(self, texts: Sequence[str], *, least: int) -> Any:
        """The matrix of texts by pieces: the commonest ones of each way of cutting, each in `least` texts or more."""
        from scipy.sparse import hstack
        from sklearn.feature_extraction.text import TfidfVectorizer

        cuts = CUTS[self.language]
        vectorizers = [
            TfidfVectorizer(
                analyzer=cut,
                sublinear_tf=True,
                dtype=np.float32,
                min_df=least,
                max_features=self.most_features // len(cuts),
            )
            for cut in cuts
        ]
        matrix = hstack([vectorizer.fit_transform(texts) for vectorizer in vectorizers]).tocsr()
        self._vocabularies = [
            Vocabulary({term: int(column) for term, column in one.vocabulary_.items()}, one.idf_) for one in vectorizers
        ]
        return matrix

    def _weigh(self, text: str) -> tuple[list[int], Floats]:
        """The columns that a text has, over all ways of cutting, and their weights."""
        columns: list[int] = []
        values: list[Floats] = []
        first = 0
        for cut, known in zip(CUTS[self.language], self._vocabularies, strict=True):
            own, weights = known.weigh(cut(text[:LONGEST_TEXT]))
            columns += [first + column for column in own]
            values.append(weights)
            first += len(known.columns)
        return columns, np.concatenate(values)

    def _name(self, column: int) -> str:
        """The piece of text that a column counts."""
        for known in self._vocabularies:
            if column < len(known.columns):
                return next(term for term, place in known.columns.items() if place == column)
            column -= len(known.columns)
        raise IndexError(column)


def _count_hundredths(numbers: Any) -> Any:
    return np.rint(np.asarray(numbers) * 100).astype(int).tolist()


def is_held_back(text: str) -> bool:
    """Whether a text is for measuring: decided by its letters alone, so that copies never stand on both sides."""
    letters = re.sub(r"[\W\d_]+", "", text.lower())
    return int(hashlib.sha256(letters.encode()).hexdigest()[:8], 16) / 2**32 < TEST_SHARE
