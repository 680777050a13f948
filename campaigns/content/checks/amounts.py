"""Percentages, money, time spans and counts in a folded text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Literal

#: At most 15 digits: a longer row is no amount, and would be read once from each of its digits.
NUMBER = r"\d{1,3}(?:[.,' ]\d{3}){1,5}(?:[.,]\d{1,2})?(?!\d)|\d{1,15}(?:[.,]\d{1,15})?"
#: What goods are counted in.
MEASURES = (
    "(?:[件双个只台套条顶把款份瓶盒支张本辆部罐饼包袋箱桶块枚颗斤册幅对副束片根棵盆团座粒卷株杯听盏组提串筒壶床]"
    "|口(?![之味]))"
)
_START = r"(?<![\d.])(?<!\d,)(?<![\w])"

Kind = Literal["percent", "money", "off", "span", "stock", "count", "number"]


@dataclass(frozen=True)
class Claim:
    """text[start:end] says a number. `values` are its readings (1.299 is two); `unit` is a currency sign or word in
    lower case, "day" or "minute" for a span, or the noun that is counted."""

    kind: Kind
    start: int
    end: int
    values: tuple[Decimal, ...]
    unit: str = ""


def read_number(text: str) -> tuple[Decimal, ...]:
    """The readings of a number as people write it: 1,299.00 and 1.299,00 and 12,5 and 1 299; () for none."""
    digits = re.sub(r"[' ]", "", text)
    separators = re.findall("[.,]", digits)
    if not separators:
        return _decimals(digits)
    last = separators[-1]
    plain = digits.replace("," if last == "." else ".", "")
    if plain.count(last) > 1:
        return _decimals(plain.replace(last, ""))
    point, thousands = plain.replace(last, "."), plain.replace(last, "")
    if len(set(separators)) == 1 and len(plain.split(last)[1]) == 3:
        return _decimals(thousands) + (_decimals(point) if last == "." else ())
    return _decimals(point)


def find_percents(text: str) -> Iterator[Claim]:
    """Shares off the price. Chinese 折 names the share that is paid: 8折 is 20 % off."""
    for pattern, read in _PERCENTS:
        for match in pattern.finditer(text):
            if values := read(match):
                yield Claim("percent", match.start(), match.end(), values)


def find_money(text: str) -> Iterator[Claim]:
    """Amounts with a currency before or after."""
    for match in _MONEY.finditer(text):
        number = match["after"] or match["before"]
        unit = (match["sign"] or match["word"] or "").lower().replace(" ", "")
        scale = Decimal(1000) if match["kilo"] else Decimal(1)
        yield Claim("money", match.start(), match.end(), tuple(v * scale for v in read_number(number)), unit)
    for match in _FROM_BASKET.finditer(text):
        yield Claim("money", match.start("n"), match.end("n"), read_number(match["n"]))
    for match in _MINOR.finditer(text):
        yield Claim("money", match.start(), match.end(), tuple(v / 100 for v in read_number(match["n"])), match["u"])


def find_bare_discounts(text: str) -> Iterator[Claim]:
    """ "50 off", "save 20", 立减50: percent or money, the text does not say."""
    for match in _BARE.finditer(text):
        number = next(group for group in match.groups() if group)
        yield Claim("off", match.start(), match.end(), read_number(number))


def find_spans(text: str) -> Iterator[Claim]:
    """Lengths of time; the values are in days, in minutes where the unit is "minute"."""
    for match in _SPAN.finditer(text):
        if match["zh"] == "年" and re.fullmatch(r"19\d\d|20\d\d", match["n"] or ""):
            continue  # a year, and no length of time
        word = (match["unit"] or match["zh"] or match["one"]).lower()
        size, unit = _SPAN_UNITS[word.rstrip("s") if word.isascii() else word]
        yield Claim("span", match.start(), match.end(), tuple(v * size for v in read_number(match["n"] or "1")), unit)


def find_stock(text: str) -> Iterator[Claim]:
    """How many are left; the unit is "under" where the text says that it is fewer."""
    for pattern in _STOCK:
        for match in pattern.finditer(text):
            unit = "under" if re.search(r"fewer|less|under|不足|不到", match.group(), re.I) else "left"
            yield Claim("stock", match.start(), match.end(), read_number(match["n"]), unit)


def find_counts(text: str) -> Iterator[Claim]:
    """Numbers of people, stars, reviews, shops: what a shop may boast of. Without a figure ("thousands of") no values."""
    for pattern in _COUNTS:
        for match in pattern.finditer(text):
            groups = match.groupdict()
            scale = _SCALES.get(groups.get("scale") or "", 1)
            values = tuple(value * scale for value in read_number(groups.get("n") or ""))
            yield Claim("count", match.start(), match.end(), values, stem_noun(groups.get("noun") or ""))


def find_numbers(text: str) -> Iterator[Claim]:
    """Every number that nothing else has read; the unit is the word behind it."""
    for match in _REST.finditer(text):
        yield Claim("number", match.start("n"), match.end("n"), read_number(match["n"]), stem_noun(match["noun"] or ""))


def stem_noun(noun: str) -> str:
    """customers -> customer."""
    return noun.lower().rstrip("s")


def _decimals(digits: str) -> tuple[Decimal, ...]:
    try:
        return (Decimal(digits),)
    except InvalidOperation:
        return ()


def _plain(match: re.Match[str]) -> tuple[Decimal, ...]:
    return read_number(match["n"])


def _paid_percent(match: re.Match[str]) -> tuple[Decimal, ...]:
    """ "Pay 80 % of the price" takes 20 % off."""
    return tuple(100 - value for value in read_number(match["n"] or match["n2"]))


def _share_paid(match: re.Match[str]) -> tuple[Decimal, ...]:
    return tuple(100 - (value if value >= 10 else value * 10) for value in read_number(match["n"]))


def _half(_match: re.Match[str]) -> tuple[Decimal, ...]:
    return (Decimal(50),)


def _tenths(match: re.Match[str]) -> tuple[Decimal, ...]:
    return tuple(value * 10 for value in read_number(match["n"]))


def _fraction(match: re.Match[str]) -> tuple[Decimal, ...]:
    groups = match.groupdict()
    over = _PARTS.get((groups.get("part") or "").lower()) or int(groups.get("d") or 0)
    if not over:
        return ()
    exact = Decimal(100) * (int(match["n"]) if match["n"].isdigit() else 1) / over
    return tuple({exact, exact.quantize(Decimal("0.1")), exact.quantize(Decimal(1))})


_PARTS = {"half": 2, "third": 3, "quarter": 4, "fifth": 5, "sixth": 6, "eighth": 8, "tenth": 10}
_PART_WORDS = "|".join(_PARTS)
_SAVE = r"(?:save|saving|knock(?:ed|ing)?|take|taking|cut|slash(?:ed)?)"
_I = re.IGNORECASE
_PERCENT_WORD = r"(?:%|percent\b|per[\s-]?cent\b|pct\b)"
_PERCENTS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], tuple[Decimal, ...]]], ...] = (
    (
        re.compile(
            rf"{_START}(?P<n>{NUMBER})[\s-]*{_PERCENT_WORD}(?=\s+of\s+(?:the\s+|its\s+|their\s+|what\b)(?:\w+\s+){{0,2}}?(?:price|cost|amount|costs?)\b)"
            rf"|(?<=[Pp]ay )(?:only |just )?(?P<n2>{NUMBER})[\s-]*{_PERCENT_WORD}(?!\s*(?:off|less))",
            _I,
        ),
        _paid_percent,
    ),
    (
        re.compile(rf"{_START}(?P<n>{NUMBER})[\s-]*(?:%|percent\b|per[\s-]?cent\b|pct\b|percentage\s+points?)", _I),
        _plain,
    ),
    (re.compile(rf"(?<=[^\x00-\x7f])(?P<n>{NUMBER})\s*%"), _plain),
    (re.compile(rf"百分之\s*(?P<n>{NUMBER})"), _plain),
    (re.compile(rf"(?<![\d.])(?<!\d,)(?P<n>{NUMBER})\s*折(?![叠页扇射痕腾伞中返])"), _share_paid),
    (re.compile(rf"(?:优惠|降价?|减|省|便宜|让利|少)了?\s*(?P<n>{NUMBER})\s*成"), _tenths),
    (
        re.compile(
            r"\bhalf[\s-]*(?:price|off\b)|\b(?:save|saving)\s+(?:up\s+to\s+|as\s+much\s+as\s+|around\s+|about\s+|more\s+than\s+)?half\b(?!\s+(?:an?|your|the|my)\b)|\bhalf\s+(?:of\s+)?(?:the|its|their)\s+(?:\w+\s+)?(?:price|cost)|\bat\s+half\b"
            r"|\b1/2[\s-]*(?:price|off)|\b(?:cut|slashed|reduced)\s+(?:\w+\s+)?(?:in|by)\s+half|\bhalv(?:ed|ing)\b"
            r"|半价|对折|减半|半折",
            _I,
        ),
        _half,
    ),
    (re.compile(rf"\b(?P<n>an?|\d)[\s-]+(?P<part>{_PART_WORDS})s?\s+(?:off|less|cheaper|discount)\b", _I), _fraction),
    (re.compile(rf"\b{_SAVE}\s+(?P<n>an?|\d)[\s-]+(?P<part>{_PART_WORDS})s?\b", _I), _fraction),
    (
        re.compile(
            rf"\b(?:cut|slashed|reduced|down|drop(?:ped)?|lowered)\s+by\s+(?P<n>an?|\d)[\s-]+(?P<part>{_PART_WORDS})s?\b",
            _I,
        ),
        _fraction,
    ),
    (re.compile(r"\b(?P<n>\d)/(?P<d>\d{1,2})\s+off\b", _I), _fraction),
)
_CODES = (
    "EUR|GBP|USD|CHF|JPY|CNY|RMB|SEK|NOK|DKK|PLN|CZK|HUF|RON|AUD|CAD|NZD|HKD|SGD|TWD|NTD|INR|KRW|BRL|ZAR|TRY|RUB|MXN|THB"
    "|AED|ILS|MYR|PHP|IDR|VND|UAH|ISK"
)
#: In capitals, or those that people write small: "try four" is no Turkish money.
_CURRENCY_CODE = rf"(?:(?-i:{_CODES})|eur|gbp|usd|cny|rmb|chf)"
_SIGNS = (
    rf"\b(?:US|AU|CA|NZ|HK|NT|A|C|S|R)?\$|\$|[€£¥₩₹₽₺฿₫₱₴₪]|人民币|\b{_CURRENCY_CODE}(?![A-Za-z])|\bRs\.?|\bkr\b\.?"
)
_WORDS = (
    rf"(?:US|AU|CA|NZ|HK|NT)?\$|[€£¥₩₹₽₺฿₫₱₴₪]|{_CURRENCY_CODE}\b|euros?\b|pounds?(?:\s+sterling)?\b|quid\b|dollars?\b|bucks?\b"
    r"|yuan\b|renminbi\b|yen\b|kronor\b|kroner\b|kronen\b|kr\b|francs?\b|rupees?\b|z[lł]oty\b|zł\b|Kč|fr\b"
    r"|欧元|英镑|美元|美金|日元|港[币元]|新?台币|瑞士?法?郎|人民币|元|块钱?|圆"
)
_MONEY = re.compile(
    rf"(?P<sign>{_SIGNS})\s?(?P<after>{NUMBER})(?P<kilo>k\b)?(?:,-)?"
    rf"|(?<![\d.])(?<!\d,)(?<![A-Za-z_])(?P<before>{NUMBER})(?:,-)?[\s-]?(?P<word>{_WORDS})",
    _I,
)
_FROM_BASKET = re.compile(
    rf"(?:满|凑够|达到?)\s*(?P<n>{NUMBER})(?![\d.]|\s*(?:[件双个岁天月年周级分小秒团公克米名位人本瓶盒份套只条张支枚颗粒页杯家次首集章步课节%]|包(?!邮)|{_WORDS}))",
    _I,
)
_MINOR = re.compile(rf"{_START}(?P<n>{NUMBER})\s?(?P<u>(?<=\d)p\b|pence\b|cents?\b|¢)", _I)
_BARE = re.compile(
    rf"{_START}({NUMBER})\s+(?:(?:[a-z]+\s+)?discount|off)\b(?!-)"
    rf"|\b(?:save|discount\s+of|reduced\s+by|reduction\s+of|knock|minus)\s+(?:up\s+to\s+|an?\s+extra\s+)?({NUMBER})(?![\d%]|\s*%)"
    rf"|(?:立减|直减|直降|减免|满减|再减|减|立省|省|优惠)\s*({NUMBER})(?![\d%折]|\s*[%折成])",
    _I,
)
_DAY = Decimal(1)
_HOUR = _DAY / 24
_SPAN_UNITS: dict[str, tuple[Decimal, str]] = {
    **dict.fromkeys(("second", "sec", "秒"), (Decimal(1) / 60, "minute")),
    **dict.fromkeys(("minute", "min", "分钟"), (Decimal(1), "minute")),
    **dict.fromkeys(("hour", "hr", "小时"), (_HOUR, "day")),
    **dict.fromkeys(("day", "night", "天", "日"), (_DAY, "day")),
    **dict.fromkeys(("week", "周", "星期"), (7 * _DAY, "day")),
    "fortnight": (14 * _DAY, "day"),
    **dict.fromkeys(("month", "月"), (30 * _DAY, "day")),
    **dict.fromkeys(("year", "年"), (360 * _DAY, "day")),
}
_SPAN = re.compile(
    rf"(?<![\d.])(?<!\d,)(?<![A-Za-z_])(?P<n>{NUMBER})(?:[\s-]*(?:(?:working|business|full|whole|more|extra)[\s-]+)?"
    r"(?P<unit>seconds?|minutes?|mins?|hours?|hrs?|days?|nights?|weeks?|months?|years?)\b"
    r"|(?<!最后1)\s*多?个?(?:工作)?(?P<zh>秒|分钟|小时|天|日|周|星期|(?<=个)月|年))"
    r"|\ban?\s+(?:whole\s+|full\s+|entire\s+)?(?P<one>day|week|month|year|fortnight)\b",
    _I,
)
_NOUNS = (
    r"customers?|people|persons?|shoppers?|buyers?|members?|subscribers?|users?|readers?|hikers?|families|households|fans"
    r"|reviews?|ratings?|stars?|orders|sales|purchases|sold|shops?|stores?|branches|countries|cities|awards?|experts?"
    r"|employees|staff|followers|products|items|brands|points|entries|winners|parcels|visitors|clients|lovers|walkers"
    r"|runners|climbers|testers|judges|models|years\s+running"
)
_COUNTS = (
    re.compile(
        rf"{_START}(?P<n>{NUMBER})\s*[kKmM+]?\s*\+?[\s-]*(?!(?:in|at|from|of)\s+(?:the|our|your)\b)(?:[a-z'-]+\s+){{0,2}}?(?P<noun>{_NOUNS})\b",
        _I,
    ),
    re.compile(
        rf"{_START}(?!24/7|1\s+of\b)(?P<n>{NUMBER})"
        rf"\s*(?:(?:out\s+of|in|of)\s*|/\s?(?=\d{1, 2}\b|100\b))(?P<noun>\d+)\b(?!\s*(?:%|per))",
        _I,
    ),
    re.compile(r"(?P<noun>#)\s?(?P<n>1)(?!\d)|\bno\.?\s?1\b|\bnumber[\s-]1\b", _I),
    re.compile(
        r"\b(?:hundreds|thousands|millions|dozens|tens\s+of\s+thousands)\s+of\s+(?:[a-z'-]+\s+){0,2}?"
        rf"(?P<noun>{_NOUNS})\b",
        _I,
    ),
    re.compile(
        rf"(?<![\d.])(?<!\d,)(?P<n>{NUMBER})\s*(?P<scale>[万千百]?)[多余+]?\s*(?:[位名人]|个?(?=顾客|客户|用户|会员|好评|评价)|条?(?=好评|评价)|星|家(?=门?店)"
        r"|★)(?P<noun>[顾客户用会员好评价]{0,2})"
    ),
    re.compile(r"(?:数|上|近|超|过|成)[十百千万亿]{1,6}(?P<noun>[名位人家]|顾客|客户|用户)"),
    re.compile(
        r"[一二两三四五六七八九十百千数\d]{1,12}[百千万亿](?:[多余]?[名位个])?(?P<noun>[名位人家]|顾客|客户|用户|会员|买家|好评|读者|家庭|粉丝|网友|球友|宝妈|妈妈|车主|玩家|学员|女性|男性|人次)"
    ),
)
_SCALES = {"万": 10_000, "千": 1_000, "百": 100}
_PIECES = r"pairs?|pieces?|items?|units?|sets?|of\s+(?:them|these|those|our|the)|copies|bottles?|boxes"
_STOCK = (
    re.compile(
        rf"(?:\b(?:only|just|fewer\s+than|less\s+than|under|about|the\s+last|our\s+last|last|final)\s+)?{_START}(?P<n>{NUMBER})"
        r"(?!\s*(?:%|per)|\s+of\s+(?:those|them|these)\b(?!\s+(?:left|remain)))(?=\s+(?:[^\s.,!?;:]+\s+){0,6}?(?:left(?!\s+(?:an?|us|their|your|the)\b)|remain(?:ing|s)?|in\s+stock|available|still\s+here|to\s+go(?!\s+(?:about|through|with|for|to|over|back|into|out)\b)|in\s+(?:the|our)\s+(?:warehouse|shops?|store|cellar|studio|workshop))\b)",
        _I,
    ),
    re.compile(rf"\b(?:last|final|only|just)\s+(?:remaining\s+)?(?P<n>{NUMBER})(?=\s+(?:(?:{_PIECES})\b|\ue000))", _I),
    re.compile(
        r"\b(?:we(?:\s+only|\s+still|\s+just)?\s+(?:have|hold|keep|stock)|there\s+(?:are|is)|we've\s+(?:only\s+)?got|down\s+to(?:\s+(?:our|the))?(?:\s+last)?"
        rf"|stock(?:\s+(?:of|is|level))?:?|inventory(?:\s+of)?:?)\s*(?:only|just|exactly|now)?\s*(?P<n>{NUMBER})(?!\s*(?:%|per|day)|\s+(?:more\s+)?(?:days?|weeks?|weekends?|chances?|things?|ways?|reasons?|questions?|rules?|kinds?|sorts?|secrets?)\b)",
        _I,
    ),
    re.compile(
        r"(?:[仅只还现]剩下?|剩余|仅余|剩下|最后|库存(?:数量)?(?:[仅只还]?[剩有]?|不足|不到|为)|[仅只还]有|现货|限量)\s*:?\s*"
        rf"(?:最后)?(?:不到|不足)?(?P<n>{NUMBER})\s*{MEASURES}(?![事心])"
    ),
    re.compile(
        rf"{_START}(?P<n>{NUMBER})(?=\s+(?:(?:of\s+(?:them|these|those)\s+)?(?:are|is)\s+(?:\w+\s+){{1,3}}(?:warehouse|shelf|shelves|store\s*room|stock\s*room)"
        r"|\ue000+\s+(?:are|is)\s+(?:waiting|ready|here|sitting|packed)))\b",
        _I,
    ),
    re.compile(rf"(?:仓库|库房|货架上?)里?(?:还|只|仅)?有\s*(?P<n>{NUMBER})\s*{MEASURES}"),
    re.compile(rf"(?<![\d.])(?<!\d,)(?P<n>{NUMBER})\s*{MEASURES}(?=\s*(?:现货|库存|在库|可售|有货))"),
)
_REST = re.compile(rf"(?P<n>(?<!\d)(?:{NUMBER}))(?:[\s-]*(?P<noun>[A-Za-z°]+|[\u4e00-\u9fff]))?")
