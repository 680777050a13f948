"""Chinese, which has no spaces, cut into words: by rjieba (jieba-rs), which is told the words of `concepts.txt` first."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from .ideas import Idea, load_lexicon, merge_concepts
from .word_lists import read_list

if TYPE_CHECKING:
    import rjieba

STOP_CHINESE: Final = frozenset(read_list("stop Chinese"))
EVERYDAY: Final = frozenset(read_list("everyday Chinese"))
#: What its dictionary calls adverbs (就要), conjunctions (不管), pronouns (怎么样), prepositions and particles names nothing.
_FUNCTION_KINDS: Final = frozenset(["d", "c", "r", "p", "u", "uj", "ul", "ud", "uv", "uz", "ug", "y", "e", "o", "zg"])
#: How many, with what is counted by: 一包, 两盒.
_COUNTED: Final = re.compile("[一二两三四五六七八九十几半每][\u3400-\u9fff]{1,2}")
#: A word of two that begins so is one: 对付 has nothing to do with paying.
_PREPOSITIONS: Final = frozenset("对以为从与被把应")
_RUN: Final = re.compile("[\u3400-\u9fff]+")
#: Two texts are seldom cut alike at every place, so a text has all its pieces of so many characters besides its words.
_PIECES: Final = range(1, 5)
#: The words of our lists count as everyday ones of its dictionary, whose 60 million have some thousand of each.
_AS_OFTEN_AS: Final = 20_000


def cut_chinese(run: str) -> list[Idea]:
    """The ideas of a run of Chinese characters in order, without words that every sentence has."""
    concepts, found, rest = load_lexicon().chinese, [], ""
    for word, kind in _segmenter().tag(run, False):
        if len(word) == 1 and word not in concepts and word not in STOP_CHINESE:
            rest += word
            continue
        found += _pair(rest)
        rest = ""
        if word in concepts:
            found.append(merge_concepts(concepts[word], word))
        elif word not in STOP_CHINESE:
            is_little = kind in _FUNCTION_KINDS or word in EVERYDAY or _COUNTED.fullmatch(word)
            found += [Idea(word, word, is_usual=True)] if is_little else _look_into(word)
    return found + _pair(rest)


def find_pieces(text: str) -> set[str]:
    """Every one to four characters that stand beside each other: a word of a question that is among them stands in the text."""
    runs = _RUN.findall(text)
    return {run[at : at + length] for run in runs for length in _PIECES for at in range(len(run) - length + 1)}


@lru_cache(maxsize=1)
def _segmenter() -> rjieba.Jieba:
    import rjieba  # only here: its dictionary is read in some 0.4 s

    segmenter = rjieba.Jieba()
    for term in sorted({*load_lexicon().chinese, *STOP_CHINESE}):
        if len(term) > 1:
            segmenter.add_word(term, _AS_OFTEN_AS, "n")
    return segmenter


def _look_into(word: str) -> list[Idea]:
    """A word as it is, or the ideas that it is made of: 退货费 is a return and what it costs, 卡里 in the card."""
    for shortest in (1, 2) if word[0] not in _PREPOSITIONS else (2,):
        found, rest = _take_apart(word, shortest)
        if found and not rest:
            return found
    concepts = load_lexicon().chinese.get(word[1:]) if len(word) > 2 else None
    if concepts:  # what is done with it stands before it: 考驾照
        return [Idea(word[0], word[0], is_usual=True), merge_concepts(concepts, word[1:])]
    return [*found, Idea(word, word)]  # 支付宝 has 支付 in it, and is something else


def _take_apart(word: str, shortest: int) -> tuple[list[Idea], str]:
    """The ideas of `shortest` characters or more in a word, the longest first, and what is left of it."""
    lexicon, found, rest, at = load_lexicon(), [], "", 0
    while at < len(word):
        for length in range(min(lexicon.longest_chinese, len(word) - at), shortest - 1, -1):
            piece = word[at : at + length]
            if piece in lexicon.chinese:
                found.append(merge_concepts(lexicon.chinese[piece], piece))
            elif piece not in STOP_CHINESE:
                continue
            at += length
            break
        else:
            rest += word[at]
            at += 1
    return found, rest


def _pair(rest: str) -> list[Idea]:
    """Single characters that no dictionary joins: overlapping pairs of them; one alone as it is."""
    if len(rest) <= 2:
        return [Idea(rest, rest, is_usual=len(rest) == 1)] if rest else []
    return [Idea(rest[at : at + 2], rest[at : at + 2]) for at in range(len(rest) - 1)]
