"""Sensitive inferences: what a shop may have guessed of somebody and must never say, and knowledge told like spying.

A text about a thing is none ("tea for the months of pregnancy"); a text that tells the reader who they are is ("you are
expecting", "as a Muslim", 您的糖尿病). So each pattern needs the reader ("you", "your", 您) in a fixed place beside the
trait. Conditions ("if you are pregnant") ascribe nothing. The categories are those of Article 9 of the GDPR, with money,
age, family events and whereabouts, which offend as much.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from django.utils.translation import gettext as _

from campaigns.content.findings import Finding

from .reading import Draft, Reading
from .sensitive_words import (
    CHINESE_EVENTS,
    CHINESE_KINSHIP,
    CHINESE_PEOPLE,
    CHINESE_STATES,
    CHINESE_STRONG,
    CHINESE_THINGS,
    CONDITIONS,
    NATIONALITIES,
    PEOPLE,
    STATES,
    STRONG,
    THINGS,
)
from .sheet import FactSheet
from .text import FILLER, sentence_span


def check_sensitive_inferences(sheet: FactSheet, draft: Draft) -> Iterator[Finding]:
    """The reader's health, faith, sexuality, origin, politics, money, age, family or whereabouts, told to their face."""
    message = _("This tells somebody a private thing that we have inferred. Leave it out.")
    for reading in draft.readings:
        text = _without_wares(sheet, reading)
        found = (match for pattern in _ASCRIPTIONS for match in pattern.finditer(text))
        spans = [m.span() for m in found if not _is_condition(text, m.start()) and not _is_ware(sheet, text, m)]
        for span in longest_spans([*spans, *_told_to_reader(sheet, text)]):
            if _OF_PETS.search(text[max(0, span[0] - 12) : span[1]]):
                continue
            yield reading.finding("sensitive", "block", message, span)


def check_creepy_knowledge(sheet: FactSheet, draft: Draft) -> Iterator[Finding]:
    """ "We saw that you looked at it three times": true, and nobody wants to read it."""
    message = _("This sounds like spying. Say what there is, not what we saw them do.")
    for reading in draft.readings:
        for match in _CREEPY.finditer(reading.masked):
            yield reading.finding("creepy", "warn", message, match.span())


def _told_to_reader(sheet: FactSheet, text: str) -> Iterator[tuple[int, int]]:
    """A word that is about somebody in a sentence with "you": whatever stands between them. A word that a product or a
    category has in its name is about the product."""
    wares = " ".join(f"{product.name} {product.category}" for product in sheet.products).lower()
    for match in _STRONG.finditer(text):
        start, end = sentence_span(text, match.start())
        sentence = text[start:end]
        is_said = _READER.search(sentence) and not _OF_OTHERS.search(text[start : match.start()])
        if is_said and not _is_condition(text, match.start()) and match.group().lower() not in wares:
            yield match.span()


def longest_spans(spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Of spans that overlap, the longest, in their order."""
    kept: list[tuple[int, int]] = []
    for start, end in sorted(spans, key=lambda span: span[0] - span[1]):
        if all(end <= low or start >= high for low, high in kept):
            kept.append((start, end))
    yield from sorted(kept)


def _without_wares(sheet: FactSheet, reading: Reading) -> str:
    """The names of products are blank already; categories are wares as well."""
    text = reading.masked
    for category in {product.category for product in sheet.products if len(product.category) > 1}:
        text = re.sub(re.escape(category), lambda match: FILLER * len(match.group()), text, flags=re.IGNORECASE)
    return text


def _is_condition(text: str, place: int) -> bool:
    """ "If you are pregnant", "whether or not", 如果您: the same clause begins with a condition ."""
    before = re.split(r"[.!?。;:\n]", text[max(0, place - 40) : place])[-1]
    return bool(_CONDITION.search(before))


def _is_ware(sheet: FactSheet, text: str, match: re.Match[str]) -> bool:
    """ "Your pregnancy pillow": the noun behind the trait is a product's, so the trait is the product's too."""
    if not match.groupdict().get("thing"):
        return False
    behind = text[match.end() : match.end() + 24].lstrip(" -的")
    if behind.startswith(FILLER):
        return True
    noun = re.match(r"[a-z]{3,}|[\u4e00-\u9fff]{2}", behind, re.IGNORECASE)
    return bool(noun) and any(
        noun.group().lower() in f"{product.name} {product.category}".lower() for product in sheet.products if noun
    )


_I = re.IGNORECASE
#: The weight of a cat is no secret of the reader's.
_OF_PETS: Final = re.compile(r"(?:[猫狗犬]|\b(?:dog|cat|puppy|kitten|pet)s?\b).*(?:[胖瘦肥]|weight)", _I)
_STRONG: Final = re.compile(rf"\b(?:{STRONG})\b|{CHINESE_STRONG}", _I)
_READER: Final = re.compile(r"\byou(?:r|rs|rself|'re|'ve|'ll|'d)?\b|[您你]", _I)
#: "Did you know that people with diabetes": the trait is other people's.
_OF_OTHERS: Final = re.compile(
    r"\b(?:did|do)\s+you\s+know\b|\b(?:people|women|men|anyone|those|customers|everyone|someone\s+else|friends?"
    r"|mothers|parents|families)\s+(?:with|who|in|under)\b[^.!?\n]{0,30}$|\b(?:our|my|his|her"
    r"|their)\s+(?:own\s+)?(?:\w+\s+)?$"
    r"|[您你]知道吗|(?:很多|许多|有些|不少)(?:人|朋友|妈妈|顾客)|(?:我|我们|她|他|他们|店主"
    r"|创始人)(?:的)?[^,。!?\n您你]{0,10}$",
    _I,
)
_ADVERB: Final = (
    r"(?:\s+(?:now|currently|recently|newly|just|also|probably|likely|perhaps|still|already|soon|really|clearly"
    r"|obviously|finally|officially|going\s+to\s+be"
    r"|about\s+to\s+be|feeling|an?|the|one\s+of\s+(?:our|the|those)))*"
)
_YOU_ARE: Final = (
    rf"\byou(?:'re|\s+are|\s+were|'ve\s+been|\s+have\s+been|\s+(?:may|might|must|could|will)\s+be|'ll\s+be|\s+seem"
    rf"|\s+look|\s+became|\s+got|\s+get|'ve\s+got)(?!\s+not\b){_ADVERB}"
)
_KNOWING: Final = (
    r"\b(?:we|our\s+\w+|i)(?:'ve|\s+have|'d|\s+did|\s+can|\s+could|\s+also)?\s+(?:just\s+|recently\s+)?(?:notice[ds]?"
    r"|saw|seen?|know|knew|heard?|learn(?:ed|t)|understand|realis\w+|realiz\w+|gather(?:ed)?"
    r"|believe|suspect(?:ed)?|guess(?:ed)?|think|remember(?:ed)?|tell|figured|found\s+out|spotted|detect(?:ed)?"
    r"|are\s+aware|were\s+told)\b"
)
_PLACE: Final = (
    r"(?:in\s+(?-i:[A-Z][a-z]+)|at\s+(?:the\s+|a\s+|our\s+)?(?:\w+\s+){0,2}(?:store|shop|mall|airport|station|hospital"
    r"|clinic|hotel|gym|church|mosque|office|home)"
    r"|(?:near|close\s+to|around|outside|past|by|inside)\s+(?:the\s+|a\s+|one\s+of\s+)?(?:our\s+)?(?:\w+\s+)?(?:store"
    r"|shop|mall|airport|station|hospital|clinic|hotel|gym|church|mosque|home|(?-i:[A-Z][a-z]+)))"
)
_RELATIVE: Final = (
    r"(?:husband|wife|partner|spouse|mother|father|mum|mom|dad|parents?|son|daughter|child|baby|brother|sister"
    r"|grandmother|grandfather"
    r"|grandma|grandpa|dog|cat|boyfriend|girlfriend|fianc[eé]e?|loved\s+one)"
)
_ZH_YOU: Final = "(?:您|你|您们|你们)"
_ZH_ADVERB: Final = (
    "(?:已经|已|正在|正|目前|最近|近来|近期|可能|或许|也许|应该|刚刚|刚|现在|又|也|是|在|即将|快要|马上|一直|似乎"
    "|好像|曾|还)*"
)
_ASCRIPTIONS: Final = tuple(
    re.compile(pattern, _I)
    for pattern in (
        rf"{_YOU_ARE}\s+(?:{STATES})",
        rf"\byou(?:'ve|\s+have|\s+had|\s+may\s+have|\s+might\s+have|'ve\s+got)?(?:\s+(?:been|just|recently"
        rf"|also))*\s+(?:have|had|got|suffer(?:ed|ing)?\s+(?:from|with)|liv(?:e|ed|ing)\s+with|diagnosed\s+with"
        rf"|struggl(?:e|ed|ing)\s+with"
        rf"|battl(?:e|ed|ing)|fight(?:ing)?|cop(?:e|ed|ing)\s+with|recover(?:ed|ing)?\s+from|treated\s+for|manag(?:e|ed"
        rf"|ing))?\s*(?:your\s+|a\s+|an\s+|the\s+|some\s+|chronic\s+|type\s+\d\s+)*(?:{CONDITIONS})",
        rf"\byour\s+(?:own\s+|recent\s+|current\s+|late(?=\s)|new\s+|growing\s+|little\s+|upcoming\s+|first\s+"
        rf"|chronic\s+|painful\s+)?(?P<thing>{THINGS}|{CONDITIONS})",
        rf"\b(?:as|being|like)\s+(?:an?|our|a\s+fellow|one\s+of\s+our)\s+(?:\w+\s+){{0,2}}?(?:{PEOPLE})\b(?!\s+(?:would"
        rf"|does|might|shop|store|community))",
        rf"\b(?:fellow|dear|hey|hi|hello|proud)\s+(?:{PEOPLE})s?\b",
        rf"\b(?:{PEOPLE})s?\s+(?:like|such\s+as)\s+you\b(?:r(?:self|selves))?",
        rf"{_KNOWING}[^.!?\n]{{0,50}}\byou(?:r|'re|'ve)?\b[^.!?\n]{{0,40}}\b(?:{STATES}|{CONDITIONS}|{THINGS}"
        rf"|{PEOPLE})\b",
        rf"{_KNOWING}[^.!?\n]{{0,40}}\b(?:money|cash|finances|budgets?)\s+(?:is|are|has\s+been|have\s+been|was|were"
        rf"|may\s+be)\s+(?:\w+\s+)?(?:tight|short|low|scarce|stretched)\b",
        r"\b(?:money|cash|finances)\s+(?:is|are|has\s+been|have\s+been)\s+(?:\w+\s+)?(?:tight|short)\s+for\s+you\b"
        r"|\bhow\s+you\s+vot(?:e|ed)\b|\byou\s+(?:vote[ds]?|voted)\s+(?:for|against)\b",
        rf"\byour\s+(?:late\s+)?{_RELATIVE}\s+(?:\w+\s+)?(?:passed\s+away|died|dying|pass(?:ing|es)|left\s+you"
        rf"|is\s+(?:ill|sick|dying|pregnant|gay)|has\s+(?:cancer|dementia|died|passed))"
        rf"|\b(?:loss|death|passing)\s+of\s+your\s+{_RELATIVE}|\bsorry\s+(?:for|about)\s+your\s+loss\b|\byou(?:'ve"
        rf"|\s+have)?\s+(?:just\s+|recently\s+)?lost\s+your\s+(?:job|{_RELATIVE}|home|pregnancy)\b"
        rf"|\byour\s+late\s+{_RELATIVE}\b",
        r"\b(?:congratulations|congrats|happy|mazel\s+tov|all\s+the\s+best)\s+(?:on|for|with)\s+(?:\w+\s+)?(?:your"
        r"|the)\s+(?:\w+\s+){0,2}(?:pregnancy|engagement|wedding|marriage|newborn|baby|babies|twins|divorce|retirement"
        r"|little\s+(?:one|1)|arrival|promotion|new\s+job|diagnosis|recovery)\b",
        r"\bat\s+(?:the\s+(?:age\s+of|ripe\s+\w+\s+age\s+of)\s+)?\d{2},?\s+you(?:'re|'ve|\s+\w+)"
        r"|\bhappy\s+\d0th\b(?!\s+anniversary)|\byou(?:'ve|\s+have)?\s+(?:just\s+)?turned\s+\d{2}\b"
        r"|\bat\s+your\s+(?:\w+\s+)?age\b|\b(?:people|women|men|someone|customers|those)\s+(?:of\s+)?your\s+age\b"
        r"|\bnow\s+that\s+you(?:'re|\s+are)\s+(?:\w+\s+)?(?:over\s+)?\d{2}\b|\bin\s+your\s+(?:(?:early|mid"
        r"|late)[\s-]+)?(?:\d0s|twenties|thirties|forties|fifties|sixties|seventies|eighties)\b"
        r"|\byou(?:'re|\s+are)\s+(?:turning|over|past|almost|nearly)\s+\d{2}\b(?!\s*(?:%|orders|days|points|weeks"
        r"|months))|\byou(?:'re|\s+are)\s+not\s+getting\s+any\s+younger|\byour\s+(?:advanced|advancing)\s+(?:age"
        r"|years)\b|\byour\s+(?:age|birth\s*date|date\s+of\s+birth)\b(?!\s+(?:group|of))",
        rf"{_KNOWING}[^.!?\n]{{0,30}}\byou(?:'re|\s+are|\s+were|'ve\s+been|\s+have\s+been|\s+went|\s+walked|\s+drove"
        rf"|\s+passed|\s+stayed|\s+live[ds]?)\s+(?:\w+\s+)?{_PLACE}"
        rf"|{_KNOWING}\s+you\s+{_PLACE}|\b(?:phone|gps|app|location|signal)\s+(?:told|tells|shows?|showed"
        rf"|says)\s+(?:us\s+)?(?:that\s+)?you|\byou\s+(?:just\s+)?(?:walked|drove|strolled"
        rf"|passed)\s+(?:right\s+)?{_PLACE}|\byour\s+(?:phone's\s+|current\s+|exact\s+|recent\s+)?(?:location|gps"
        rf"|whereabouts|movements)\b(?!\s+(?:setting|services))|\byou\s+(?:were|are)\s+(?:only\s+)?\d+\s+(?:m|metres?"
        rf"|meters?|km|miles?|minutes?)\s+(?:away\s+)?from\b",
        r"\b(?:congratulations|congrats)\b[^.!?\n]{0,30}\b(?:getting|becoming|being)\s+(?:\w+\s+)?(?:engaged|married"
        r"|divorced|parents?|an?\s+(?:mother|father|mum|mom|dad|parent|grand\w+)|pregnant)\b",
        r"(?<!\ba )(?<!\bany )(?<!\bevery )(?<!\bthe )(?<!\ban )\b(?:mum|mom|mama|mother|dad|father"
        r"|parent)[\s-]to[\s-]be\b|\byou(?:'re|\s+are)\s+(?:going\s+to|about\s+to|soon\s+to)\s+(?:be"
        r"|become)\s+(?:an?\s+)?(?:mum|mom|mother|dad|father|parent|grandmother|grandfather|grandparent)s?\b"
        r"|\bwhen\s+(?:the|your)\s+baby\s+(?:comes|arrives|is\s+born)\b",
        rf"{_YOU_ARE}\s+(?:{NATIONALITIES})\b(?=\s*(?:[.,!?;]|$|and\b|by\s+birth|woman|man))"
        rf"|\byour\s+(?:{NATIONALITIES}|african|asian|latin|jewish|muslim|immigrant|ethnic)\s+(?:roots|heritage"
        rf"|background|origins?|blood|ancest\w+|accent|family|skin)\b",
        rf"\byou\s+(?:were|have\s+been)\s+(?:just\s+)?{_PLACE}",
        # Chinese
        rf"{_ZH_YOU}{_ZH_ADVERB}(?:{CHINESE_STATES})",
        rf"{_ZH_YOU}(?:家)?的(?:{CHINESE_THINGS})",
        rf"(?:作为|身为|像您这样的|像你这样的|同为)(?:[一1][名位个])?(?:{CHINESE_PEOPLE})"
        rf"|{_ZH_YOU}{_ZH_ADVERB}(?:[一1][名位个])?(?:{CHINESE_PEOPLE})",
        r"(?:花呗|借呗|白条|信用卡|房贷|车贷|贷款)[^,。!?\n]{0,4}(?:还清|逾期|没还|压力)",
        rf"恭喜{_ZH_YOU}?(?:家)?[^,。!?\n]{{0,6}}(?:{CHINESE_EVENTS})",
        rf"(?:知道|看到|注意到|发现|得知|听说|了解到|获悉|察觉|留意到|推测|猜|觉得|看得出"
        rf"|想必)[^。!?\n]{{0,8}}{_ZH_YOU}[^。!?\n]{{0,14}}(?:{CHINESE_STATES}|{CHINESE_THINGS}|{CHINESE_PEOPLE}"
        rf"|{CHINESE_EVENTS})",
        rf"{_ZH_YOU}(?:家)?的?(?:{CHINESE_KINSHIP})[^,。!?\n]{{0,6}}(?:去世|过世|离世|病逝|病故|走了|生病|住院|怀孕)"
        rf"|节哀(?:顺变)?",
        rf"{_ZH_YOU}(?:到了?|都|已经?|也|快|年过|刚满?)?(?:这个|这样的|这把|一把)(?:年纪|年龄|岁数)|{_ZH_YOU}(?:都"
        rf"|已经?|也|快|年过|刚满?|今年"
        rf"|马上)+\s*\d{{2}}\s*(?:多)?岁|{_ZH_YOU}[^,。!?\n]{{0,6}}[五六七八九]?十多?岁|像[您你]这个年[纪龄]"
        rf"|{_ZH_YOU}(?:已经?|也|都)?(?:上了年纪"
        rf"|年纪大了|不年轻了|老了)",
        rf"(?:看到|知道|定位到|检测到|发现|注意到)[^,。!?\n]{{0,8}}{_ZH_YOU}(?:昨天|刚刚|刚才|刚|正|现在|最近|今天"
        rf"|上周)*(?:在|去了|路过|到了|经过|来到|住在"
        rf"|出现在)[^,。!?\n]{{1,12}}(?:附近|门店|店|商场|医院|机场|车站|市|区|路|家)|(?:定位|手机|信号|GPS)(?:显示"
        rf"|告诉我们"
        rf"|表明)[^,。!?\n]{{0,6}}{_ZH_YOU}|{_ZH_YOU}(?:的)?(?:实时)?(?:定位|行踪|地理位置|所在位置)",
    )
)
_CONDITION: Final = re.compile(
    r"\b(?:if|whether|unless|when(?:ever)?|in\s+case|should|for\s+(?:anyone|those|people|women|men|mothers)\s+who"
    r"|even\s+if|once|or\s+if)\b[^,]*$|(?:如果|若|如|假如|无论|不管|不论|是否|倘若|万一|要是|当)[^,]*$",
    _I,
)
_LOOKED: Final = (
    r"(?:look(?:ed|ing)|view(?:ed|ing)|brows(?:ed|ing)|click(?:ed|ing)|open(?:ed|ing)|visit(?:ed|ing)|search(?:ed|ing)"
    r"|hover(?:ed|ing)|abandon(?:ed|ing)|stared?|spent|spend(?:ing)?|scroll(?:ed|ing)|read|left|add(?:ed|ing)"
    r"|zoom(?:ed|ing)|check(?:ed|ing)|hesitat(?:ed|ing)|compar(?:ed|ing))"
)
_ZH_LOOKED: Final = (
    "(?:浏览|查看|看了|看过|点击|点开|打开|搜索|搜过|停留|加购|收藏|翻看|反复|犹豫|放进购物车|加入购物车|放进了购物车"
    "|加了购物车)"
)
_CREEPY: Final = re.compile(
    rf"\b(?:we|our\s+\w+)(?:'ve|\s+have|\s+can|\s+could|\s+also)?\s+(?:been\s+)?(?:just\s+)?(?:saw|see|seen|noticed?"
    rf"|know|knew|track(?:ed|ing)?|watch(?:ed|ing)?|spotted|record(?:ed|s)?|monitor(?:ed|ing)?|observed|caught|logged"
    rf"|remember|show(?:s|ed)?)\b[^.!?\n]{{0,30}}\byou(?:'ve|'re|\s+have|\s+were|\s+are|\s+had)?\s+(?:been\s+|just\s+"
    rf"|recently\s+)?{_LOOKED}\b"
    rf"|\b(?:we|our\s+\w+)(?:'ve|\s+have)?\s+(?:been\s+)?(?:track(?:ed|ing)?|watch(?:ed|ing)?|monitor(?:ed|ing)?"
    rf"|follow(?:ed|ing)?)\s+(?:you|your\s+\w+)\b"
    rf"|\byou(?:'ve|\s+have)?\s+{_LOOKED}\b[^.!?\n]{{0,40}}\b(?:\d+\s+(?:times|minutes|seconds|hours)|twice"
    rf"|several\s+times|again\s+and\s+again|over\s+and\s+over|at\s+\d{{1,2}}(?::\d\d)?\s*[ap]\.?m|last\s+night"
    rf"|in\s+the\s+middle\s+of\s+the\s+night)"
    r"|\byou\s+(?:opened|ignored|deleted|haven't\s+opened|have\s+not\s+opened|didn't\s+open|did\s+not\s+open"
    r"|never\s+open(?:ed)?)\s+(?:our|my|the|any|\d+|all|none|one)\b[^.!?\n]{0,20}\b(?:e-?mails?|messages?|newsletters?"
    r"|texts?)"
    rf"|(?:看到|注意到|发现|知道|监测到|留意到|记录到|察觉)(?:了)?[^,。!?\n]{{0,6}}{_ZH_YOU}[^,。!?\n]{{0,10}}{_ZH_LOOKED}"
    rf"|{_ZH_YOU}[^,。!?\n]{{0,8}}{_ZH_LOOKED}[^,。!?\n]{{0,14}}(?:\d+|好几|多)[次遍回分]"
    rf"|{_ZH_YOU}[^,。!?\n]{{0,6}}(?:凌晨|深夜|昨晚"
    rf"|半夜)[^,。!?\n]{{0,8}}{_ZH_LOOKED}|{_ZH_YOU}[^,。!?\n]{{0,8}}(?:没有|没|从未|从不)(?:打开|点开"
    rf"|查看)[^,。!?\n]{{0,6}}(?:邮件|短信|消息)",
    _I,
)
