"""A field of a draft as the checks read it: folded to one way of writing, each sign traceable to the words on the page."""

from __future__ import annotations

import html
import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from .spelled import find_spelled

#: Stands for a sign that is spoken for: a product's name, or a claim that was already read. No text can hold it.
FILLER = "\ue000"
_FOLDED = {
    "’": "'",
    "‘": "'",
    "“": '"',
    "”": '"',
    "–": "-",
    "—": "-",
    "−": "-",
    "‐": "-",
    "‑": "-",
    "⁄": "/",
    "，": ", ",
    "、": ", ",
}
#: Merge tags and addresses, which are no words of a language. The part before the @ is bounded, as RFC 5321 bounds it:
#: without that, a row of signs would be read once from each of them.
NOT_WORDS = re.compile(r"\{\{[^{}]*\}\}|https?://\S+|[^\s@]{1,64}@\S+")
#: A sentence that speaks of a reduction.
OFFER_WORDS = re.compile(
    r"%|(?<!show )(?<!showing )(?<!set )(?<!day )(?<!time )(?<!switch )(?<!turn )(?<!dust )(?<!round )(?<!finish )(?<!ward )"
    r"\boff\b(?!-)|\bsale\b|\bdeal\b|\bcode\b|\boffer\b|\bdiscount|\bprice|折|优惠|特价|促销",
    re.IGNORECASE,
)
LONGEST_SIDE = 400
_SENTENCE_END = re.compile(r"[!?。\n;]|\.(?=\s|$|\ue000)")


@dataclass(frozen=True)
class Passage:
    """One field. `text` is what is read; `origin[i]` is where its sign i begins and ends in `raw`; `spelled` are the
    places in `text` at which a number stands that was written in words."""

    field: str
    raw: str
    text: str
    origin: tuple[tuple[int, int], ...]
    spelled: frozenset[int]

    def excerpt(self, start: int, end: int) -> str:
        """The words on the page behind text[start:end]."""
        if not self.origin or start >= len(self.origin) or end <= start:
            return ""
        return self.raw[self.origin[start][0] : self.origin[min(end, len(self.origin)) - 1][1]].strip()[:120]


def read_passage(field: str, raw: str) -> Passage:
    """Width, quotes, dashes and spaces are folded, hidden signs dropped, numbers in words turned into digits."""
    folded = fold_passage(field, raw)
    return _with_digits(field, folded.raw, folded.text, list(folded.origin))


def fold_passage(field: str, raw: str) -> Passage:
    """The same, with numbers left as they were written."""
    raw = html.unescape(raw)
    folded: list[str] = []
    origin: list[tuple[int, int]] = []
    for place, sign in enumerate(raw):
        # A comma that follows no digit ends a clause also without a space behind it: 50克,198元 holds no decimal comma.
        is_pause = sign == "," and place > 0 and not raw[place - 1].isdigit() and raw[place + 1 : place + 2].strip()
        for plain in ", " if is_pause else _fold(sign):
            folded.append(plain)
            origin.append((place, place + 1))
    return Passage(field, raw, "".join(folded), tuple(origin), frozenset())


def blank(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """The text with the spans filled, of the same length."""
    signs = list(text)
    for start, end in spans:
        signs[start:end] = FILLER * (end - start)
    return "".join(signs)


def sentence_span(text: str, place: int) -> tuple[int, int]:
    """Start and end of the sentence around a place; a point inside a number or an address ends none. At most 400 signs
    on each side: what stands further off says nothing about the place, and the time stays linear in the text."""
    ends = _sentence_ends(text)
    after = bisect_left(ends, (place, 0))
    start = ends[after - 1][1] if after else 0
    end = ends[after][0] if after < len(ends) else len(text)
    return max(start, place - LONGEST_SIDE), min(end, place + LONGEST_SIDE)


@lru_cache(maxsize=64)
def _sentence_ends(text: str) -> tuple[tuple[int, int], ...]:
    return tuple(match.span() for match in _SENTENCE_END.finditer(text))


def sentence_around(text: str, place: int) -> str:
    """The sentence itself."""
    start, end = sentence_span(text, place)
    return text[start:end]


def is_negated(text: str, place: int) -> bool:
    """What begins at this place is denied: "no discount", "cannot be combined", 不可叠加."""
    before = re.split(r"[.!?。;:\n]|,(?!\d)", text[max(0, place - 50) : place])[-1]
    return bool(_DENIED.search(before))


def content_stems(text: str) -> frozenset[str]:
    """The words that say what a sentence is about, cut to what their forms have in common; pairs of signs in Chinese."""
    words = {
        word.removesuffix("s")[:5] for word in re.findall(r"[a-zà-ÿ]{4,}", text.lower()) if word not in _EMPTY_WORDS
    }
    runs = re.findall(r"[\u4e00-\u9fff]+", text)
    return frozenset(words | {run[i : i + 2] for run in runs for i in range(len(run) - 1)})


def is_instruction(sentence: str) -> bool:
    """How a thing is used, kept or prepared ("steep for 3 minutes at 80 degrees"), where nothing is said of the shop, the
    offer or what the thing can do: its figures promise nothing."""
    if OFFER_WORDS.search(sentence) or _SHOP_SPEAKS.search(sentence):
        return False
    return bool(_IMPERATIVE.search(sentence) or _CHINESE_USE.search(sentence))


#: Words of four letters or more that say nothing of what a sentence is about.
_EMPTY_WORDS = frozenset(
    re.findall(
        r"\w+",
        "free with from this that your have will they them than then when what which every order orders customers items only"
        " just more most also each into over until after before about comes within days weeks months years always",
    )
)
_SHOP_SPEAKS = re.compile(
    r"\b(?:we|our|us|returns?|refund\w*|warrant\w*|guarante\w*|deliver\w*|ship\w*|stock|holds?|lasts?|contains?|weighs?|pay|costs?|interest|instal?lments?)\b"
    r"|我们|本店|退货|换货|退款|保修|质保|联保|送达|发货|配送|包邮|库存|续航|容量|含有|重达",
    re.IGNORECASE,
)
#: The verb stands where a sentence or a clause of it begins, as orders to the reader do.
_IMPERATIVE = re.compile(
    r"(?:^|[,:;(-]|\b(?:and|then|or|just|simply|always|never|first|to)\b)\s*(?:(?:just|simply|always|then|gently)\s+)?"
    r"(?:add|apply|bake|cast|knit|grind|weigh|stretch|spread|boil|brew|charge|check|chew|chill|clean|cook|cool|cover|cut|decant|dig|dissolve|drain|dry|feed|fill|"
    r"heat|hold|infuse|iron|keep|knead|leave|let|massage|mix|open|pat|plant|plug|pour|press|prune|pump|rest|rinse|roast|rub|"
    r"serve|set|simmer|soak|sow|space|spray|sprinkle|steep|stir|store|swirl|turn|use|wait|warm|wash|water|whisk|wipe)\b"
    r"|\b(?:likes?|needs?|wants?|prefers?)\s+(?:\w+\s+){0,3}?(?:water|sun|shade|light|rest|minutes?|hours?|degrees?)\b",
    re.IGNORECASE,
)
_CHINESE_USE = re.compile(
    r"喝|吃|煮|泡|焖|烤|炖|腌|晾|洗|浇水|浇透|充电|保存|存放|冷藏|开封|敷|涂|抹|按摩|静置|醒酒|冰[到镇]|加热|预热|水温|度的水|度以上"
    r"|种植|播种|埋深|埋[入下在]|间距|株距|修剪|施肥|换水|温水|热水|开水|打气|骑行前|起针|平针|研磨|手冲|每[天日周次月]|早晚|睡前"
)
_DENIED = re.compile(
    r"\b(?:no|without(?:\s+(?:an?|any))?)\s+(?:\w+\s+)?$|\b(?:not|never|neither|nor)\s+(?:be\s+|open\s+|always\s+|an?\s+|the\s+|any\s+|our\s+|in\s+|on\s+)*$"
    r"|(?:\bcannot|n't|\b(?:can|will|does|do|is|are)\s+not)\s+(?:be\s+|an?\s+|any\s+|the\s+|work\s+|apply\s+|include\s+|offer\s+|promise\s+|have\s+|use\s+)*$"
    r"|(?<!是)(?:没有(?!比|谁|哪|什么比)|不是|并非|不会|不可|不能|无法|不与|不做|不搞|不玩|不提供|不含|不承诺|不[谈讲说提打要靠含]|无需|不用|不支持|不参与)[^,]{0,10}$|(?<![要得差是])(?:不|没|从不|绝不)$",
    re.IGNORECASE,
)


def _fold(sign: str) -> str:
    if sign in _FOLDED:
        return _FOLDED[sign]
    if sign in "\n\t":
        return sign
    if unicodedata.category(sign) in {"Cc", "Cf", "Co", "Cs", "Cn"}:
        return "\n" if sign == "\r" else ""
    folded = unicodedata.normalize("NFKC", sign)
    return "".join(" " if part.isspace() else _FOLDED.get(part, part) for part in folded)


def _with_digits(field: str, raw: str, text: str, origin: list[tuple[int, int]]) -> Passage:
    signs: list[str] = []
    places: list[tuple[int, int]] = []
    spelled: set[int] = set()
    done = 0
    for start, end, digits in sorted(find_spelled(text)):
        if start < done:
            continue
        signs.append(text[done:start])
        places.extend(origin[done:start])
        if signs and signs[-1][-1:].isdigit():  # "Rug 120" and 七八折 behind it are two numbers
            signs.append(" ")
            places.append((origin[start][0], origin[start][0]))
        spelled.add(len(places))
        signs.append(digits)
        places.extend([(origin[start][0], origin[end - 1][1])] * len(digits))
        if text[end : end + 1] == " " and text[end + 1 : end + 2].isdigit():  # "one 100 g skein" is no 1,100
            signs.append(" ")
            places.append((origin[end - 1][1], origin[end - 1][1]))
        done = end
    signs.append(text[done:])
    places.extend(origin[done:])
    return Passage(field, raw, "".join(signs), tuple(places), frozenset(spelled))
