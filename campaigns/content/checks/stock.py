"""What a text says about stock against the stock of the products that it speaks of."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from django.utils.translation import gettext as _

from campaigns.content.findings import Finding, Verdict

from .amounts import Claim
from .reading import Draft, Reading, products_meant, read_support
from .sheet import FactSheet, Product
from .text import blank, content_stems, is_negated, sentence_around, sentence_span

LOW_STOCK = 10
SCARCE_STOCK = 20
#: The least and the most that words about the stock allow.
STOCK_BOUNDS: dict[str, tuple[int, int | None]] = {
    "few": (1, LOW_STOCK), "one": (1, 1), "many": (LOW_STOCK + 1, None), "none": (0, 0), "some": (1, None),
}  # fmt: skip


def check_stock(sheet: FactSheet, draft: Draft) -> Iterator[Finding]:
    """Figures exactly; "almost sold out" up to ten, "back in stock" from one."""
    for reading in draft.readings:
        for claim in reading.of_kind("stock"):
            stocks = _stocks_of_noun(reading, claim.end, sheet) or _stocks(reading, claim.start, sheet)
            if _is_of_shop(sheet, reading, claim) or _is_counted_in_facts(sheet, reading, claim):
                continue
            true = any(
                stock < value if claim.unit == "under" else stock == value for stock in stocks for value in claim.values
            ) or _is_all_together(sheet, reading, claim)
            if not true and _OF_THE_NTH.match(reading.masked[claim.end : claim.end + 20]):
                true = any(p.stock in claim.values for p in sheet.products)
            if not true:
                yield reading.finding("stock", "block", _message(stocks), (claim.start, claim.end))
        text = reading.rest
        for start, end, bound in find_stock_phrases(reading):
            stocks = _stocks(reading, start, sheet)
            text = blank(text, [(start, end)])
            if not any(fits_bound(stock, bound) for stock in stocks):
                verdict: Verdict = "warn" if _is_of_reader(reading, start, end) else "block"
                yield reading.finding("stock", verdict, _message(stocks), (start, end))
        for match in _VAGUE.finditer(text):
            stocks = _stocks(reading, match.start(), sheet)
            if not any(stock <= SCARCE_STOCK for stock in stocks):
                yield reading.finding("stock", "warn", _("The facts do not say that these are few."), match.span())


def _is_all_together(sheet: FactSheet, reading: Reading, claim: Claim) -> bool:
    """ "We have 14 in stock across both sizes": what there is of the products named up to here, or of all, added up."""
    if not _TOGETHER.search(sentence_around(reading.passage.text, claim.start)):
        return False
    named = {p for s, _e, p in reading.mentions if s < claim.start}
    groups = (named, set(sheet.products), {p for p in sheet.products if p.category in {n.category for n in named}})
    return any(Decimal(sum(p.stock or 0 for p in group)) in claim.values for group in groups if len(group) > 1)


def _is_of_reader(reading: Reading, start: int, end: int) -> bool:
    """ "Running low on tea?", "the last one may be in your pen": what the reader has at home, and not what the shop has."""
    phrase = reading.masked[start:end]
    if not _AT_HOME.search(phrase):
        return False
    low, high = sentence_span(reading.masked, start)
    if reading.masked[high : high + 1] == "?":
        return True
    return bool(_READER_HAS.search(reading.masked[low:high]))


def _stocks_of_noun(reading: Reading, end: int, sheet: FactSheet) -> list[int]:
    """ "Five tins are left": of the products named in the text that are tins."""
    found = re.match(
        r"\s+(?:[a-z]+\s+)?(?!are\b|left\b)([a-z]{3,12}?)(?:e?s)?\s+(?:are|is|left|remain)",
        reading.masked[end : end + 40],
        re.I,
    )
    if not found:
        return []
    named = {p for _s, _e, p in reading.mentions}
    return [p.stock for p in named if p.stock is not None and found[1].lower() in f"{p.name} {p.category}".lower()]


def _is_of_shop(sheet: FactSheet, reading: Reading, claim: Claim) -> bool:
    """ "14,000 records on our shelves", where the facts count the same things."""
    support = read_support(sheet)
    here = content_stems(sentence_around(reading.passage.text, claim.start))
    return any(
        set(known.values) & set(claim.values) and here & content_stems(sentence_around(support.masked, known.start))
        for known in support.of_kind("number", "count", "stock")
        if max(known.values, default=0) > SCARCE_STOCK
    )


def _is_counted_in_facts(sheet: FactSheet, reading: Reading, claim: Claim) -> bool:
    """ "There are 14 fabrics to choose from", where a line of the facts says "14 fabrics"."""
    found = re.match(r"\s+([a-z]{4,})", reading.masked[claim.end : claim.end + 24], re.I)
    if not found:
        return False
    facts = read_support(sheet).passage.text
    is_rest = _IS_REST.search(sentence_around(reading.passage.text, claim.start))
    return any(
        not is_rest or _IS_REST.search(sentence_around(facts, match.start()))  # "order 6 bottles" leaves no six
        for value in claim.values
        for match in re.finditer(rf"(?<![\d.,]){value:f}\s+(?:[a-z]+\s+)?{found[1]}\b", facts, re.I)
    )


def find_stock_phrases(reading: Reading) -> Iterator[tuple[int, int, str]]:
    """Where the text speaks of the stock without a figure, and what the stock must be for that: "few", "one", "many",
    "none" or "some"."""
    text = reading.rest
    for pattern, bound in _PHRASES:
        for match in list(pattern.finditer(text)):
            text = blank(text, [match.span()])
            if not is_negated(reading.masked, match.start()):
                yield match.start(), match.end(), bound


def fits_bound(stock: int, bound: str) -> bool:
    """Whether so many are few, one, many, none or some; standing_facts asks the same in SQL."""
    low, high = STOCK_BOUNDS[bound]
    return stock >= low and (high is None or stock <= high)


def _stocks(reading: Reading, place: int, sheet: FactSheet) -> list[int]:
    meant: tuple[Product, ...] = products_meant(reading, place, sheet)
    return [product.stock for product in meant if product.stock is not None]


def _message(stocks: list[int]) -> str:
    return _("The stock is another.") if stocks else _("The facts do not know the stock of what is meant.")


_I = re.IGNORECASE
_PHRASES: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(
            r"\b(?:almost|nearly|close\s+to|about\s+to\s+be|virtually|practically)\s+(?:all\s+)?(?:sold\s+out|gone|out\s+of\s+stock|out)\b|\bselling\s+(?:out\b|fast|quickly)|\bflying\s+off|\bgoing\s+fast"
            r"|\b(?:very\s+|extremely\s+)?low\s+(?:in\s+|on\s+)?stock|\bstock(?:s)?\s+(?:is|are)\s+(?:very\s+|running\s+)?(?:low|limited|short)|\brunning\s+low\b|\b(?:last|final)\s+few\b(?!\s+(?:days?|hours?|weeks?|weekends?|chances?))|\b(?:only|just)\s+a\s+(?:few|handful|couple)\b|\b(?:a\s+)?(?:few|handful|couple)\s+(?:\w+\s+){0,2}(?:left|remain)"
            r"|\blast\s+(?:pairs|pieces|units|items|ones|sizes|stocks?)\b|\bscarce\b|\bhardly\s+any\b|\bvery\s+few\b|即将(?:售罄|断货|卖完|卖光|告罄|缺货)|(?:快要?|马上就?要?)(?:断货|没了|没货)|快卖完|快要?卖光|快要?售罄|所剩无几|所剩不多|库存(?:紧张|不多|告急|有限)|热卖中|卖断货|最后几[件双个只套条顶把款]|抢购一空|仅剩少量|少量库存",
            _I,
        ),
        "few",
    ),
    (
        re.compile(
            r"\b(?:the|our)\s+(?:very\s+)?last\s+(?:(?:one|pair|piece|item)\b|\ue000)|\b(?:an?|the)\s+(?:single|lone|sole|solitary)\s+(?:\w+\s+){0,2}?\ue000*\s*(?:\w+\s+)?(?:remains?|remaining|(?:is\s+)?left)\b",
            _I,
        ),
        "one",
    ),
    (
        re.compile(
            r"\b(?:plenty|lots)\s+(?:left|in\s+stock|of\s+(?:(?:the|our|these)\s+)?(?:them|stock|sizes|\ue000))|\bfully\s+stocked|\bhuge\s+stock|(?:库存|货源|现货|备货)(?:非常|十分|很|都)?(?:充足|充裕|很多)|大量现货|要多少有多少",
            _I,
        ),
        "many",
    ),
    (
        re.compile(
            r"\b(?:dozens|scores|hundreds|thousands|heaps|loads|stacks)\s+of\s+(?:the\s+|our\s+|these\s+)?\ue000|[几数][十百千][件双个只台套条顶把款份瓶盒]",
            _I,
        ),
        "many",
    ),
    (re.compile(r"\bsold[\s-]out\b|\bout\s+of\s+stock\b|售罄|缺货|断货|卖完|卖光", _I), "none"),
    (
        re.compile(
            r"\b(?:back\s+)?in\s+stock\b|\brestocked\b|\ue000\s+(?:is|are)\s+(?:back|here\s+again)\b|\bback\s+on\s+(?:the|our)\s+shel(?:f|ves)|\bavailable\s+(?:again|now|immediately)|\bready\s+to\s+ship|现货|有货|(?<!等待)(?<!正在)(?<!等)补货(?![中后])|(?<!等)(?<!待)到货(?!后|时|提醒|通知|会|再|即)|上架",
            _I,
        ),
        "some",
    ),
)
_IS_REST = re.compile(r"\bleft\b|\bremain|\bonly\b|\blast\b|\bin\s+stock\b|[仅只]剩|库存", _I)
_OF_THE_NTH = re.compile(r"\s+of\s+the\s+(?:first|second|third|former|latter|other)\b", _I)
_TOGETHER = re.compile(r"\b(?:both|all|across|together|altogether|in\s+total)\b|共|合计|加起来", _I)
_AT_HOME = re.compile(
    r"running\s+low|(?:almost|nearly|close\s+to|virtually|practically)\s+(?:all\s+)?(?:gone|out)$|last\s+(?:few|1|one|pair)\b|hardly\s+any"
    r"|very\s+few|(?:few|handful|couple)\s+(?:\w+\s+){0,2}(?:left|remain)|快(?:没|用完)|所剩",
    _I,
)
_READER_HAS = re.compile(
    r"\byou(?:'re|'ll|'ve|\s+(?:are|may|might|must|could|have|will))\b|\b(?:in|on|of|from)\s+your\b"
    r"|\byour\b[^,;]{0,40}\b(?:must|may|might|could|should|probably|by\s+now)\b|\bif\s+your\b|您家|您的?.{0,8}(?:是不是|快|应该|可能)",
    _I,
)
_VAGUE = re.compile(
    r"\blimited\s+(?:stock|quantit|number|edition|run|availab)\w*|\bwhile\s+(?:stocks?|supplies|they)\s+lasts?|\bbefore\s+(?:they|it)(?:'s|'re|\s+are|\s+is)?\s+(?:gone|sells?\s+out)|数量有限|先到先得|售完即止",
    _I,
)
