"""Words by which filters and readers know unwanted mail. One of them is nothing; their weights add up.

The subject counts twice: filters and people both read it first. A word inside the name of a product, of the shop or in
the sentence of the offer is no word of the author's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from django.utils.translation import gettext as _

from campaigns.content.findings import Finding

from .reading import Draft, Reading, read_support
from .sheet import FactSheet

#: The sum of the weights from which a text looks like unwanted mail.
LIMIT: Final = 3.0
SUBJECT_FACTOR: Final = 2.0


def check_spam_words(sheet: FactSheet, draft: Draft) -> Iterator[Finding]:
    """One warning for the draft, at the field that weighs most, with the words that made it."""
    facts = read_support(sheet).passage.text.lower()
    heaviest: dict[str, tuple[float, Reading]] = {}
    for reading in draft.readings:
        for word, weight in _find_words(reading, facts):
            if weight > heaviest.get(word, (0.0, reading))[0]:
                heaviest[word] = weight, reading
    if sum(weight for weight, _reading in heaviest.values()) < LIMIT:
        return
    _weight, reading = max(heaviest.values(), key=lambda entry: entry[0])
    message = _("Filters take this for unwanted mail. Say it in plainer words.")
    yield Finding("spam", "warn", reading.passage.field, message, " · ".join(heaviest)[:120])


def _find_words(reading: Reading, facts: str) -> Iterator[tuple[str, float]]:
    """The words of a field with their weights there; what the facts say themselves is the shop's word."""
    factor = SUBJECT_FACTOR if reading.passage.field == "subject" else 1.0
    for pattern, weight in WORDS:
        for match in pattern.finditer(reading.masked):
            word = " ".join(match.group().lower().split())
            if word not in facts:
                yield word, weight * factor


def _words(weight: float, *patterns: str) -> tuple[re.Pattern[str], float]:
    return re.compile("|".join(patterns), re.IGNORECASE), weight


#: Weight 3 alone is enough, 1.5 in the subject is; 1 needs company. Chosen by hand from what nobody writes to a friend.
WORDS: Final = (
    _words(
        3,
        r"\bmake\s+money\s+(?:fast|online|from\s+home)\b|\bearn\s+(?:cash|extra\s+cash|\$)|\bget\s+rich\b"
        r"|\bdouble\s+your\s+(?:income|money)\b",
        r"\bmillion\s+dollars\b|\bcash\s+prize|\bwire\s+transfer\b|\bcasino\b|\bviagra\b|\blottery\b"
        r"|\bmiracle\s+(?:cure|pill)\b",
        r"\bthis\s+is\s+not\s+(?:a\s+)?(?:spam|scam)\b|\bdear\s+friend\b|\byou\s+(?:have\s+been|are"
        r"|'ve\s+been)\s+(?:specially\s+)?(?:selected|chosen)\b|\byou(?:'re|\s+are)\s+a\s+winner\b|\byou(?:'ve"
        r"|\s+have)?\s+won\b",
        r"发财|暴富|日赚|躺赚|中奖|彩票|博彩|代开发票|稳赚不赔|恭喜您?(?:被选中|获奖|中奖|成为幸运)|幸运用户|包治百病"
        r"|点击(?:领奖|提现)",
    ),
    _words(
        1.5,
        r"\bact\s+(?:now|immediately|fast)\b|\b(?:click|tap)\s+(?:here|below|now)\b|\border\s+now\b|\bbuy\s+now\b"
        r"|\bdon't\s+delete\b|\bonce\s+in\s+a\s+lifetime\b",
        r"\b100\s?%\s+(?:free|guaranteed|satisf\w+|risk)|\brisk[\s-]free\b|\bno\s+(?:obligation|strings\s+attached"
        r"|catch|hidden\s+(?:fees|costs))\b|\bsatisfaction\s+guaranteed\b",
        r"\b(?:amazing|incredible|unbelievable|insane|crazy)\s+(?:deals?|offers?|prices?|savings|discounts?)\b"
        r"|\bcash\s+bonus\b|\bextra\s+cash\b|\bfree\s+money\b|\burgent\b|\bwinner\b",
        r"立即(?:抢购|点击|领取|下单|购买)|马上(?:抢|领)|速抢|秒杀|疯抢|抢疯|惊爆|震撼|血亏|跳楼价|清仓大甩卖|亏本"
        r"|不买后悔|点击(?:这里|下方|链接|领取)|免费领|零风险|绝对(?:免费|划算)"
        r"|100\s?%\s?(?:正品|满意|有效)|最后机会|不容错过",
    ),
    _words(
        1,
        r"\bfree!|\bguarantee[ds]?\b|\bhurry\b|\blimited\s+time\b|\bexclusive\s+(?:deal|offer)|\bspecial\s+promotion\b"
        r"|\bbargain\b|\bcheap(?:est)?\b|\blowest\s+price|\bbest\s+price|\bdeal\s+of\s+the\b|\binstant(?:ly)?\b"
        r"|\bwhile\s+(?:stocks?|supplies)\s+lasts?\b|\bdon't\s+miss\b|\bnow\s+or\s+never\b",
        r"\${2,}|€{2,}|£{2,}|\bwow\b|\bbonus\b|\bgift\s+card\b|\bprize\b|\bcongratulations\b|\blast\s+chance\b"
        r"|\bclearance\b",
        r"限时|抢购|爆款|特价|大促|清仓|福利|红包|赶紧|手慢无|错过|独家|超值|钜惠|巨惠|狂欢|优惠大放送|劲爆|全网最低"
        r"|大礼包|免费",
    ),
)
