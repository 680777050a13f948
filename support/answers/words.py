"""Takes texts in English and Chinese apart into ideas that can be compared, across wordings and across the two languages.

An idea is a line of `concepts.txt` or a word: English without its ending (`stems`), Chinese as a kept library cuts it
(`chinese_words`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from support.triage.folding import fold_text
from support.triage.rules import find_language

from .chinese_words import cut_chinese, find_pieces
from .ideas import Concept, Idea, load_lexicon, merge_concepts
from .stems import stem
from .word_lists import read_list

_CJK: Final = "\u3400-\u9fff"
_RUN: Final = re.compile(rf"[{_CJK}]+|[^\W{_CJK}_]+(?:['’.-][^\W{_CJK}_]+)*")
_IS_CJK: Final = re.compile(rf"[{_CJK}]")

#: "12.50 euros for Denmark" says what it costs without the word.
_MONEY: Final = re.compile(r"[£$€¥]\s?\d|\d\s?(?:euro|eur\b|pound|gbp|dollar|usd|yuan|cny|欧元|英镑|美元|元)")
#: "10 to 19 o'clock" says whether somebody is there in the evening.
_CLOCK: Final = re.compile(r"\d\s?(?:am\b|pm\b|o'clock|uhr\b|点)|\b\d{1,2}:\d\d\b")
#: What is said of the rest of the world says nothing of Europe.
_BEYOND: Final = re.compile("(?:欧盟|欧洲)(?:以外|之外)")
_CLOCK_TIME: Final = "=clock_time"
_COST: Final = Idea("=cost", "")

STOP_WORDS: Final = frozenset(read_list("stop words"))
_BETWEEN: Final = frozenset(("it", "them", "someth", "this", "that", "my", "me", "you", "us", "these", "one"))
#: "send it back", and "send the blue kettle back": these stand behind what the verb is about, so many words away.
_PARTICLES: Final = frozenset(("back", "togeth", "up", "off", "out", "away"))
_FARTHEST: Final = 4
_NUMBERS: Final = frozenset(("one", "two", "three", "four", "five", "six", "eight", "ten", "twelve", "few"))


def find_ideas(text: str) -> list[Idea]:
    """The ideas of a text in order, without words that every sentence has. Any text; "" gives none."""
    found: list[Idea] = []
    words: list[str] = []
    for run in _RUN.findall(_fold(text)):
        if _IS_CJK.match(run):
            found += _match_words(words)
            words = []
            found += cut_chinese(run)
        else:
            words += [part for part in re.split(r"[-.]", run) if part] if not run.isnumeric() else [run]
    return found + _match_words(words)


def find_keys(text: str, *, strictly: bool = False) -> set[str]:
    """Everything that a text speaks of: the keys of its ideas, its pieces of Chinese, and what an amount of money says.

    `strictly` leaves out what only stands in its characters, however they are cut: for what is to carry a claim.
    """
    folded = _fold(text)
    keys = {key for idea in find_ideas(text) for key in idea.spoken} | ({_COST.key} if _MONEY.search(folded) else set())
    keys |= {_CLOCK_TIME} if not strictly and _CLOCK.search(folded) else set()
    pieces = {piece for piece in find_pieces(_BEYOND.sub(" ", folded)) if not strictly or len(piece) > 1}
    known = {} if strictly else load_lexicon().chinese  # however the text was cut: 空瓶 stands in 十个空瓶
    keys |= {concept.key for piece in pieces & known.keys() if len(piece) > 1 for concept in known[piece]}
    return _add_wholes(keys) | pieces


def hold_keys(ideas: Iterable[Idea]) -> set[str]:
    """Every key that a text with these ideas has, those that are made of several included."""
    return _add_wholes({key for idea in ideas for key in idea.spoken})


def _add_wholes(keys: set[str]) -> set[str]:
    wholes = load_lexicon().made_of
    return keys | {whole for whole, parts in wholes.items() if parts <= keys}


def is_chinese(text: str) -> bool:
    """Whether a text is written in Chinese: as many of its characters as it has words in other letters, or more."""
    return find_language(text) == "zh"


def _fold(text: str) -> str:
    return fold_text(text).lower()


def _match_words(words: list[str]) -> list[Idea]:
    """The longest phrase of the lexicon at each place, or the word itself."""
    lexicon, stems, found, at = load_lexicon(), [stem(word) for word in words], [], 0
    while at < len(words):
        if words[at] == "hours" and at and _is_number(words[at - 1]):  # "after two hours" tells of no opening hours
            found.append(Idea("=time", words[at], is_usual=True, claims_little=True))
            at += 1
            continue
        if concepts := _match_apart(stems, at):
            found.append(merge_concepts(concepts, words[at]))
            at += 1
            continue
        for length in range(min(lexicon.longest_english + 1, len(words) - at), 0, -1):
            concepts = lexicon.english.get(tuple(stems[at : at + length])) or _match_around(stems[at : at + length])
            if concepts and (length > 1 or words[at] not in STOP_WORDS):
                found.append(merge_concepts(concepts, " ".join(words[at : at + length])))
                at += length
                break
        else:
            if words[at] not in STOP_WORDS and len(words[at]) > 1:
                found.append(_read_word(stems[at], words[at]))
            at += 1
    return found


def _is_number(word: str) -> bool:
    return word.isnumeric() or word in _NUMBERS


def _read_word(stemmed: str, word: str) -> Idea:
    is_usual = word.isnumeric() or stemmed in _everyday()
    return Idea(stemmed, word, is_usual=is_usual, claims_little=word.isnumeric())


@lru_cache(maxsize=1)
def _everyday() -> frozenset[str]:
    """What people say around a question: who it is for, that they waited, that they wonder."""
    return frozenset(map(stem, read_list("everyday")))


def _match_apart(stems: list[str], at: int) -> list[Concept] | None:
    """A verb whose particle comes later; what stands between is read by itself."""
    for behind in range(at + 3, min(at + _FARTHEST + 1, len(stems))):
        if stems[behind] in _PARTICLES:
            return load_lexicon().english.get((stems[at], stems[behind]))
    return None


def _match_around(stems: list[str]) -> list[Concept] | None:
    """A phrase of two words with one between that stands for the thing: "send it back"."""
    if len(stems) != 3 or stems[1] not in _BETWEEN:
        return None
    return load_lexicon().english.get((stems[0], stems[2]))
