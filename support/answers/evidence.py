"""How well a passage carries a question: what the question names and the article does not, and the kind of answer asked for.

These are the figures by which a question is refused. The words that the article lacks say most: "deliver on Saturdays" finds
the article on delivery, but nothing there speaks of Saturdays.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from .articles import split_sentences
from .goods import holds_for_all, is_good
from .ideas import Idea
from .ranking import Base, Found, unique_ideas
from .words import find_ideas, find_keys

_CLAUSE: Final = re.compile(r"[,;.!?，；。！？、\n]+\s*|\s[-–—]+\s|——")
_ASKS: Final = re.compile(
    r"\b(?:who|what|when|where|why|how|which|can|could|do|does|did|is|are|will|would|should|may|must|has|have)\b"
    r"|吗|呢|多久|多少|怎么|如何|几|哪|什么|能|可以|是否|谁|有没有|要不要|还是",
    re.I,
)
#: What a clause that only tells how it came about counts, beside one that asks.
TOLD_WEIGHT: Final = 0.4
#: Before the name of a thing that the customer has in mind, and not the sort of it.
_OWN: Final = r"(?:my|our|the|this|these|those|his|her|their)"
#: "What is the weather": the thing itself is asked for.
_ASKED_FOR: Final = re.compile(r"\b(?:what|who|where|how|which)(?:'s|\s+(?:is|are|was|were|about))\s+$", re.I)
#: Somebody does something with the thing; "how long do boots last" asks about boots themselves.
_DOES: Final = re.compile(
    r"\b(?:i|we|you|me|my|us|your|i'm|i've|i'd|it's|shipping|postage|delivery|guarantee|warranty|returns?|refunds?|repairs?|discount)\b|[退换寄送买订发修取付收拆邮运赔我你您]",
    re.I,
)
#: What the lack of a compound counts, where its greater part is there.
PART_HELD: Final = 0.4
#: "Where is the leather from": the words that ask are among those that every sentence has.
_ORIGIN: Final = re.compile(
    r"\bwhere\s+(?:is|are|does|do)\b(?!.*\b(?:you|i|we|ship|send|sent|deliver\w*|order\w*)\b)"
    r".*\b(?:from|made|produced|manufactured|built|sewn|grown|printed|woven|knitted|stitched|dyed|sourced|roasted|picked|harvested|assembled)\s*\??$"
    r"|哪(?:里|儿|个国家|国)?(?:产|做|生产|制造|进口|种)的?|产自哪|是哪国",
    re.I,
)
#: What depends on the sort of thing: who mends shoes need not mend bags.
_DONE_TO_THINGS: Final = frozenset(
    ["=repair", "=rent", "=lease", "=trade_in", "=engrave", "=inspect", "=recycle", "=stock"]
)
_AUXILIARY: Final = re.compile(r"\b(?:is|are|was|were|do|does|did|can|could|will|would|should|has|have|had)\s+$", re.I)
FLATNESS: Final = 0.5
#: The ideas of a question with what each counts.
Weights = list[tuple[Idea, float]]
_NUMBER_WORDS: Final = (
    r"(?:\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|twelve|half|every|first|once|twice|monthly|yearly|daily)\b"
    r"|[一二三四五六七八九十半两每]|数)"
)
_TIME: Final = (
    rf"{_NUMBER_WORDS}.{{0,24}}(?:day|week|month|year|hour|minute|am\b|pm\b|o'clock|天|日|周|月|年|小时|分钟|点|次)"
    r"|\d[.:]\d\d|same day|at once|immediately|立即|当天|马上|次日|as soon as"
)
_MONEY: Final = (
    r"[£$€¥]|\d.{0,8}(?:euro|pound|dollar|percent|%|eur\b|gbp|usd|英镑|欧元|美元|元|%)"
    r"|free|no charge|免|refund|you pay|costs?\b|承担|费用"
)
_HOW_LONG: Final = (
    r"\bhow (?:long|fast|soon|quickly|often|many (?:days|weeks|months|years|hours))|\bwhen\b|\buntil when|what time"
    r"|opening hours|多久|几天|什么时候|多长时间|几点|几年|多少天|几个月|有效期|何时"
)
_HOW_MUCH: Final = (
    r"\bhow much\b|\bwhat (?:does|do) .*\bcosts?\b|what (?:do|will) .*\b(?:pay|charge)\b"
    r"|多少钱|便宜多少|多少费|费多少|运费多少"
)
#: What is asked for, and what a passage must have to say it.
_KINDS: Final = tuple(
    (re.compile(asked, re.I), re.compile(said, re.I))
    for asked, said in (
        (_HOW_LONG, _TIME),
        (_HOW_MUCH, _MONEY),
        (r"\bhow many\b|多少|几", _NUMBER_WORDS),
        (r"\btemperature\b|\bhow hot\b|多少度|温度", r"degree|°|度"),
        (r"\bweigh|\bheavy\b|多重|重量", r"\d.{0,3}(?:kg|g\b|gram|kilo|lb|ounce|克|公斤|斤)"),
        (r"\bwhich\b.{0,30}\bbest\b|\brecommend|哪款|推荐", r"recommend|best for|ideal|suit|推荐|适合"),
    )
)


@dataclass(frozen=True)
class Evidence:
    """How far an article answers a question; each 0 to 1.

    `missing` is the share of the question's weight that the article does not have, `worst` the weight of the weightiest
    idea among it, `missing_close` the share that neither the best sentence nor its neighbours nor the title have.
    `beside` is the share of the best sentence's weight that the question does not have, times the share of the question's
    that the title does not: a sentence that has all the words and is about something else, in an article about something
    else. `own` is what the title and the best sentence have of the question, each word the more the fewer articles have it: about
    .7 for one that no other article has. `telling` is how many words of the question tell something. `lacking` are the words that
    the article does not have, the weightiest first: those that nearly every question has only where there are no others.
    """

    missing: float
    worst: float
    missing_close: float
    wrong_kind: float
    lacking: tuple[str, ...] = ()
    beside: float = 0.0
    own: float = 0.0
    telling: int = 0


def weigh_evidence(question: str, weights: Weights, found: Found, base: Base) -> Evidence:
    """What an article that was found has of a question, and what it lacks; `weights` are of `weigh_question`."""
    number = base.articles.index(found.article)
    held = base.keys_of(number)
    close = _keys_close_to_best(found)
    if _DOES.search(question) and holds_for_all(found, held):
        weights = _leave_goods(weights, base)
    total = sum(weight for _idea, weight in weights) or 1.0
    lacking = [(idea, weight * _rate_lack(idea, held)) for idea, weight in weights if not held & {*idea.answered_by}]
    far = sum(weight * _rate_lack(idea, close) for idea, weight in weights if not close & {*idea.answered_by})
    most = _weigh_idea(Idea("\0", ""), base)
    return Evidence(
        missing=sum(weight for _idea, weight in lacking) / total if weights else 1.0,
        worst=max((weight for _idea, weight in lacking), default=0.0) / most,
        missing_close=far / total if weights else 1.0,
        wrong_kind=float(_asks_for_another_kind(question, found)),
        lacking=_name_lacking(lacking),
        beside=_rate_beside(question, weights, found, base),
        own=_rate_own(weights, found, base),
        telling=sum(not idea.is_usual for idea, _weight in weights),
    )


def _rate_beside(question: str, weights: Weights, found: Found, base: Base) -> float:
    """How far the best sentence, and the title, are about something else than the question is."""
    title = find_keys(found.article.title)
    total = sum(weight for _idea, weight in weights) or 1.0
    untitled = sum(weight * _rate_lack(idea, title) for idea, weight in weights if not title & {idea.key, *idea.same})
    asked = {key for idea, _weight in weights for key in (idea.key, *idea.same)} | find_keys(question)
    said = unique_ideas(find_ideas(found.passages[0][0].text)) if found.passages else []
    spoken = [({*idea.spoken}, _weigh_idea(idea, base)) for idea in said]
    other = sum(weight for keys, weight in spoken if not asked & keys)
    return untitled / total * other / (sum(weight for _keys, weight in spoken) or 1.0)


def _rate_own(weights: Weights, found: Found, base: Base) -> float:
    """How much of the question the title and the best sentence have that few articles have."""
    held = find_keys(" ".join([found.article.title, *(passage.text for passage, _score in found.passages[:1])]))
    telling = sum(base.weigh(idea) for idea, _weight in weights if not idea.is_usual and held & {idea.key, *idea.same})
    return telling / base.weigh(Idea("\0", ""))


def find_lacking(weights: Weights) -> tuple[str, ...]:
    """What no article has of a question for which none was found: all of it."""
    return _name_lacking(weights)


def _name_lacking(lacking: Weights) -> tuple[str, ...]:
    """As they were written. "The articles do not speak of: get, long" would tell nobody anything."""
    telling = [pair for pair in lacking if not pair[0].is_usual] or lacking
    return tuple(idea.text for idea, _weight in sorted(telling, key=lambda pair: -pair[1]))


def _rate_lack(idea: Idea, held: set[str]) -> float:
    """How much it counts that an idea is not there: less for a Chinese word of which the greater part is (羊毛衫 of 羊毛), and
    for an English one that ends in a word that is (a teapot is a pot)."""
    text = idea.text
    if text.isascii():
        return PART_HELD if text.isalpha() and held & _find_heads(text.lower()) else 1.0
    is_compound = len(text) > 2 and not idea.key.startswith("=")
    return PART_HELD if is_compound and {text[:-1], text[1:]} & held else 1.0


@lru_cache(maxsize=2_000)
def _find_heads(word: str) -> frozenset[str]:
    """The keys of the words in which a closed compound may end, each part of three letters at least: "raincoat" of "coat"."""
    heads = (word[at:] for at in range(3, len(word) - 2))
    return frozenset(
        key for head in heads for idea in find_ideas(head) if is_good(idea) for key in (idea.key, *idea.same)
    )


def _leave_goods(weights: Weights, base: Base) -> Weights:
    """What is asked about tells more than the thing for which it is asked: that counts as a usual word, where anything
    else is asked about at all."""
    others = [idea for idea, _weight in weights if not is_good(idea) and not idea.is_usual]
    if not others or any(map(_is_done_to_things, others)):
        return weights
    return [
        (idea, min(weight, _weigh_idea(replace(idea, is_usual=True), base)) if is_good(idea) else weight)
        for idea, weight in weights
    ]


def _is_done_to_things(idea: Idea) -> bool:
    return not _DONE_TO_THINGS.isdisjoint((idea.key, *idea.same))


def weigh_question(question: str, base: Base) -> Weights:
    """The ideas of a question with their weights. Sentences beside those that ask only tell how it came about, and do not
    count, unless nothing else says what is asked about; nor do, fully, the clauses that ask nothing."""
    sentences = split_sentences(question)
    asking = [sentence for sentence in sentences if sentence.rstrip().endswith(("?", "？"))]
    if all(idea.is_usual for sentence in asking for idea in find_ideas(sentence)):
        asking = sentences  # "How late can I do that?" asks about what was told before it
    clauses = [clause for sentence in asking or sentences for clause in _CLAUSE.split(sentence) if clause.strip()]
    asks = [bool(_ASKS.search(clause)) for clause in clauses]
    named = [unique_ideas(find_ideas(clause)) for clause in clauses]
    weights: dict[str, tuple[Idea, float]] = {}
    is_done = any(_is_done_to_things(idea) for ideas in named for idea in ideas)
    for clause, ideas, is_asking in zip(clauses, named, asks, strict=True):
        factor = 1.0 if is_asking or not any(asks) else TOLD_WEIGHT
        for idea in ideas:
            if not is_done and _is_at_hand(idea, clause, base):
                idea = replace(idea, is_usual=True)
            known = weights.get(idea.key)
            weights[idea.key] = (idea, max(_weigh_idea(idea, base) * factor, known[1] if known else 0.0))
        if _ORIGIN.search(clause):
            weights["=made_in"] = (Idea("=made_in", "from"), _weigh_idea(Idea("=made_in", "from"), base))
    return list(weights.values())


def _is_at_hand(idea: Idea, clause: str, base: Base) -> bool:
    """ "The jacket", "my brogues": what the customer has or has ordered, of which no article and no list of ours speaks. What
    holds of things holds of it, so that it is not named says little. "Do you mend bags" names no such thing."""
    if idea.key.startswith("=") or not idea.text.isascii() or base.speaks_of(idea):
        return False
    found = re.search(rf"\b{_OWN}\s+(?P<between>[a-z-]+\s+)?{re.escape(idea.text)}\b", clause, re.I)
    if found is None or _ASKED_FOR.search(clause[: found.start()]):
        return False
    # "Are the lamps dimmable": what is said of the thing is no part of its name.
    return not (found["between"] and _AUXILIARY.search(clause[: found.start()]))


def _weigh_idea(idea: Idea, base: Base) -> float:
    """Flatter than for finding: that a shop writes of delivery everywhere makes it no less what the question is about."""
    most = base.weigh(Idea("\0", ""))
    return FLATNESS * most * (0.25 if idea.is_usual else 1.0) + (1 - FLATNESS) * base.weigh(idea)


def _keys_close_to_best(found: Found) -> set[str]:
    if not found.passages:
        return set()
    best = found.passages[0][0]
    near = [
        passage.text
        for passage, _score in found.passages
        if abs(passage.position - best.position) <= 1 and passage.is_chinese == best.is_chinese
    ]
    return find_keys("\n".join([found.article.title, *near]))


def _asks_for_another_kind(question: str, found: Found) -> bool:
    """The question wants a time, a sum, a number, and the sentences that fit best have none."""
    said: Sequence[str] = [passage.text for passage, _score in found.passages[:3]]
    for asked, answered in _KINDS:
        if asked.search(question):
            return not any(answered.search(text) for text in said)
    return False
