"""When an offer ends or begins, in words: "today only", "last chance", "until Christmas", "all week"."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator

from django.utils.translation import gettext as _

from campaigns.content.findings import Finding

from .reading import Draft, Reading, read_support
from .sheet import FactSheet
from .text import FILLER, OFFER_WORDS, is_negated, sentence_around, sentence_span

SOON_DAYS = 3
LATER_DAYS = 7


def check_deadlines(sheet: FactSheet, draft: Draft) -> Iterator[Finding]:
    """ "Today only", "ends tomorrow", "last chance": as true as the last day of the offer makes them."""
    for reading in draft.readings:
        text = reading.masked
        for pattern, is_true in _DEADLINES:
            for match in pattern.finditer(text):
                if _DAY_IS.search(text[max(0, match.start() - 40) : match.start()]) and re.search(
                    "last|最后", match.group(), re.I
                ):
                    continue  # "Sunday is the last day": the day itself is looked at elsewhere
                if not is_true(sheet) and _is_of_order(text, match):
                    message = _("The facts say nothing of when an order leaves.")
                    yield reading.finding("deadline", "warn", message, match.span())
                elif not is_true(sheet):
                    message = _("The offer does not end then.")
                    yield reading.finding("deadline", "block", message, match.span())
        for match in _SOON.finditer(text):
            if is_negated(text, match.start()):
                continue
            left = sheet.days_left
            if left is None or left > LATER_DAYS or left < 0:
                yield reading.finding("urgency", "block", _("The facts know of no end this near."), match.span())
            elif left > SOON_DAYS:
                yield reading.finding("urgency", "warn", _("The end is some days away."), match.span())
        for match in _VAGUE.finditer(text):
            if sheet.days_left is None or not 0 <= sheet.days_left <= LATER_DAYS:
                yield reading.finding("urgency", "warn", _("Urgency that the facts do not bear out."), match.span())
        for match in _ENDLESS.finditer(text):
            if sheet.valid_until:
                yield reading.finding("deadline", "block", _("The offer has a last day."), match.span())
        yield from _check_next_week(sheet, reading)
        yield from _check_holidays(sheet, reading)
        yield from _check_lasting(sheet, reading)
        yield from _check_clock(sheet, reading)
        yield from _check_start(sheet, reading)


def _is_of_order(text: str, match: re.Match[str]) -> bool:
    """ "Order by tonight and it is in tomorrow's batch" speaks of the parcel, and not of the offer."""
    sentence = sentence_around(text, match.start())
    is_order = re.search(r"\border(?:ed)?\s*$|下单", text[max(0, match.start() - 8) : match.end() + 4], re.I)
    return bool(is_order) and bool(_LEAVES.search(sentence)) and not OFFER_WORDS.search(sentence)


def _check_next_week(sheet: FactSheet, reading: Reading) -> Iterator[Finding]:
    """ "Your discount works all next week" needs days of the offer in it."""
    if sheet.send_date is None or sheet.valid_until is None:
        return
    monday = sheet.send_date + dt.timedelta(days=7 - sheet.send_date.weekday())
    for match in _NEXT_WEEK.finditer(reading.masked):
        sentence = sentence_around(reading.passage.text, match.start())
        if (
            sheet.valid_until < monday
            and (OFFER_WORDS.search(sentence) or _TAKES_OFF.search(sentence))
            and not _OF_PARCEL.search(sentence)
        ):
            yield reading.finding("deadline", "block", _("The offer does not end then."), match.span())


def _check_holidays(sheet: FactSheet, reading: Reading) -> Iterator[Finding]:
    """ "Until Christmas" is a day; "a present before Christmas" is none."""
    for match in _HOLIDAY.finditer(reading.rest):
        cue, said = (
            (match["cue"] or "").lower(),
            re.sub(r"[\s']+", " ", (match["name"] or match["zh"]).lower().replace("'", "")),
        )
        if cue in {"before", "by"} and not OFFER_WORDS.search(sentence_around(reading.masked, match.start())):
            continue
        until = sheet.valid_until
        if any(
            said.startswith(zh) and en in read_support(sheet).passage.text.lower() for zh, en in _IN_ENGLISH.items()
        ):
            continue
        month, first, last = _days_of_holiday(said, until.year if until else 0)
        if not month and said in " ".join(read_support(sheet).passage.text.lower().replace("'", "").split()):
            continue
        before = 1 if cue == "before" else 0
        if until is None or until.month != month or not first - before <= until.day <= last:
            yield reading.finding("date", "block", _("The offer does not end then."), match.span())


def _days_of_holiday(said: str, year: int) -> tuple[int, int, int]:
    """Month and first and last day; zeros for a feast whose day moves and that no rule here gives."""
    if year and re.match(r"black friday|cyber monday|thanksgiving", said):
        fourth = 22 + (3 - dt.date(year, 11, 22).weekday()) % 7
        shift = {"b": 1, "c": 4, "t": 0}[said[0]]
        day = dt.date(year, 11, fourth) + dt.timedelta(days=shift)
        return day.month, day.day, day.day
    return next((days for name, days in _HOLIDAYS.items() if said.startswith(name)), (0, 0, 0))


def _check_lasting(sheet: FactSheet, reading: Reading) -> Iterator[Finding]:
    """ "All week" needs an offer of at least five days."""
    for pattern, least in _LASTING:
        for match in pattern.finditer(reading.masked):
            is_offer = OFFER_WORDS.search(sentence_around(reading.masked, match.start()))
            first = sheet.valid_from or sheet.send_date
            if is_offer and sheet.valid_until and first and (sheet.valid_until - first).days + 1 < least:
                yield reading.finding("date", "block", _("The offer is shorter than that."), match.span())


def _check_clock(sheet: FactSheet, reading: Reading) -> Iterator[Finding]:
    """An hour is a claim too; the end of the last day is none."""
    known = {hour for match in _CLOCK.finditer(read_support(sheet).passage.text) for hour in _clock(match)}
    for match in _CLOCK.finditer(reading.rest):
        if _clock(match).isdisjoint(known) and not _is_end_of_day(match.group()) and _is_hour_of_shop(reading, match):
            yield reading.finding("hour", "block", _("The facts give no such hour."), match.span())


def _is_hour_of_shop(reading: Reading, match: re.Match[str]) -> bool:
    """The hour of an offer, a delivery or a shop; "tea at four o'clock" is the reader's own."""
    sentence = sentence_around(reading.passage.text, match.start())
    start, end = sentence_span(reading.passage.text, match.start())
    # "On August 5 at 7 pm she reads": a day that is named with its hour is an appointment.
    is_dated = any(start <= day.start < end and day.weekday is None and not day.edge for day in reading.dates)
    return is_dated or bool(OFFER_WORDS.search(sentence) or _HOUR_OF_SHOP.search(sentence))


def _clock(match: re.Match[str]) -> set[int]:
    """Minutes since midnight: "3 pm", 15:00 and 下午3点 are one; "3 o'clock" and 3点 may be either."""
    said = re.sub(r"[\s.]", "", match.group().lower())
    if said == "noon":
        return {12 * 60}
    digits = re.findall(r"\d+", match.group())
    hour, minute = int(digits[0]), int(digits[1]) if len(digits) > 1 else 0
    before = match.string[max(0, match.start() - 6) : match.start()].rstrip()
    is_late = "pm" in said or bool(re.search("(?:[下中]午|晚上?)$", before))
    is_early = "am" in said or bool(re.search("(?:上午|早上?|[凌清]晨)$", before))
    if hour > 12 or (":" in said and not is_late and not is_early):
        return {hour * 60 + minute}
    hours = [hour % 12 + 12] if is_late else [hour % 12] if is_early else [hour % 12, hour % 12 + 12]
    return {each * 60 + minute for each in hours}


def _is_end_of_day(hour: str) -> bool:
    return re.sub(r"[\s.]", "", hour.lower()) in {"23:59", "24:00", "11:59pm", "24点", "12am"}


def _check_start(sheet: FactSheet, reading: Reading) -> Iterator[Finding]:
    if sheet.send_date and sheet.valid_from and sheet.valid_from > sheet.send_date:
        for match in _FROM_TODAY.finditer(reading.masked):
            yield reading.finding("date", "block", _("The offer does not begin then."), match.span())
    for match in _STARTS.finditer(reading.masked):
        shift = 1 if re.search("tomorrow|明", match.group(), re.I) else 0
        if sheet.send_date and sheet.valid_from != sheet.send_date + dt.timedelta(days=shift):
            yield reading.finding("date", "block", _("The offer does not begin then."), match.span())


def _ends_in(days: int) -> Callable[[FactSheet], bool]:
    return lambda sheet: sheet.days_left == days


def _ends_this_weekend(sheet: FactSheet) -> bool:
    if sheet.days_left is None or sheet.valid_until is None:
        return False
    return sheet.valid_until.weekday() >= 5 and 0 <= sheet.days_left <= 7


def _ends_in_week(number: int) -> Callable[[FactSheet], bool]:
    def ends(sheet: FactSheet) -> bool:
        if sheet.send_date is None or sheet.valid_until is None:
            return False
        monday = sheet.send_date - dt.timedelta(days=sheet.send_date.weekday())
        return 7 * number <= (sheet.valid_until - monday).days < 7 * (number + 1)

    return ends


def _ends_this_month(sheet: FactSheet) -> bool:
    if sheet.send_date is None or sheet.valid_until is None:
        return False
    return (sheet.send_date.year, sheet.send_date.month) == (sheet.valid_until.year, sheet.valid_until.month)


_I = re.IGNORECASE
_END = (
    r"(?:ends?|ending|expires?|expiring|closes?|finish(?:es)?|stops?|gone|until|till|by|before|through|deadline(?:\s+is)?"
    r"|(?<=is )over|(?<='s )over|(?<=be )over|(?<=all )over"
    r"|last\s+day\s+is)"
)
_BARE_END = rf"(?!\s*(?:on|of|,)?\s*(?:[a-z]+day,?\s*)?(?:the\s+)?(?:\d|{FILLER}|[a-z]+day\b))"
_DEADLINES: tuple[tuple[re.Pattern[str], Callable[[FactSheet], bool]], ...] = (
    (
        re.compile(
            rf"\btoday\s+only\b|\b(?:only|just(?:\s+for)?)\s+today\b|\b(?:1|one|single)[\s-]day[\s-](?:only|sale|offer|deal|flash)"
            rf"|\b{_END}\s+(?:at\s+)?(?:today|tonight|this\s+evening|the\s+end\s+of\s+(?:the\s+day|today)|close\s+of\s+(?:business|play))\b"
            rf"|\b{_END}\s+(?:at\s+)?midnight\b{_BARE_END}|\btonight\s+(?:only|at\s+midnight)|\b(?:today|tonight)\s+is\s+(?:the|your)\s+(?:last|final)"
            rf"|\b(?:last|final)\s+(?:few\s+)?(?:hours?|minutes)\b|\bhours\s+(?:left|remaining|to\s+go)|\b(?:the|your|it's\s+the|its)\s+(?:last|final)\s+day\b(?!\s+(?:of|to\s+order|is))"
            rf"|^\s*(?:last|final)\s+day\b(?!\s+of)|\bends\s+in\s+(?:a\s+few\s+)?hours|\bfor\s+1\s+day\b"
            r"|仅限?[今当][天日]|[限仅]今[天日]|[仅只][此限]?[一1][天日]|(?:(?<!是)|(?<=[今][天日]是)|(?<=就是)|(?<=也是))最后[一1][天日]|[今当][天日晚夜]内?(?:晚上)?(?:\s*(?:24|12)点)?(?:就)?(?:截止|结束|到期|失效|过期|最后)"
            r"|截[止至]到?今[天日晚夜]|只有今[天日]|今[天日]内有效|[当今][天日]有效|最后[几数\d]*个?小时",
            _I,
        ),
        _ends_in(0),
    ),
    (
        re.compile(
            rf"\b{_END}\s+(?:at\s+)?(?:midnight\s+)?tomorrow\b|\btomorrow(?:\s+is|'s)\s+(?:the|your)\s+(?:last|final)|\btomorrow\s+(?:only|it(?:'s|\s+is)?\s+(?:over|gone|ends))"
            r"|[明][天日晚](?:就)?(?:截止|结束|到期|失效|过期)|截[止至]到?明[天日]|[至到]明[天日]|明[天日](?:就?是)?最后",
            _I,
        ),
        _ends_in(1),
    ),
    (
        re.compile(
            rf"\b{_END}\s+(?:at\s+)?(?:midnight\s+)?(?:on\s+)?the\s+day\s+after\s+tomorrow\b"
            r"|后[天日](?:就)?(?:截止|结束|到期|失效|过期)|截[止至]到?后[天日]|[至到]后[天日](?!起)|后天(?:就?是)?最后",
            _I,
        ),
        _ends_in(2),
    ),
    (
        re.compile(
            rf"\b(?:this\s+)?(?<!day )weekend\s+only\b"
            rf"|\bonly\s+this\s+weekend\b|\b{_END}\s+(?:at\s+)?(?:the\s+end\s+of\s+)?(?:this|the)\s+weekend|\bends\s+(?:at\s+the\s+)?weekend"
            r"|仅限(?:本|这个?)?周末|[本这]个?周末(?:截止|结束|前|到期)",
            _I,
        ),
        _ends_this_weekend,
    ),
    (
        re.compile(
            rf"\bthis\s+week\s+only\b|\bonly\s+this\s+week\b(?!end)|\b{_END}\s+(?:at\s+)?(?:the\s+end\s+of\s+(?:the|this)\s+week|this\s+week)\b(?!end)|\ball\s+this\s+week\s+only"
            r"|[仅只]限?[本这]个?周(?!末|[一二三四五六日])|本周内?(?:有效|截止|结束)",
            _I,
        ),
        _ends_in_week(0),
    ),
    (
        re.compile(rf"\b{_END}\s+(?:at\s+the\s+end\s+of\s+)?next\s+week\b(?!end)|下周(?:截止|结束)", _I),
        _ends_in_week(1),
    ),
    (
        re.compile(
            rf"\bthis\s+month\s+only\b|\bonly\s+this\s+month\b|\b{_END}\s+this\s+month|[仅只]限?[本这]个?月(?!底|末)|本月内?有效",
            _I,
        ),
        _ends_this_month,
    ),
)
_HOUR_OF_SHOP = re.compile(
    r"\b(?:we|our|us|orders?|ordered|deliver\w*|ship\w*|dispatch\w*|open\w*|clos\w*|ends?|until|till|starts?|sale|shop|store|"
    r"workshop|class|event|live|last|only|hurry|expires?|stock|over|gone|call|phone|reach|chat|answer|support)\b"
    r"|下单|发货|送达|配送|营业|开门|关门|截止|结束|之?前|开始|开抢|开售|有效|到期|门店|客服|直播|上架|我们|最后",
    _I,
)
_LEAVES = re.compile(
    r"\bbatch\b|\broast|\bbak(?:e|ing)|\bship|\bdispatch|\barriv|\bdeliver|\bpost\b|\bparcel|发出|发货|寄出|送达", _I
)
_DAY_IS = re.compile(
    r"(?:\b(?:mon|tues|wednes|thurs|fri|satur|sun)day|\d(?:st|nd|rd|th)?|\b(?!Today|Tonight|This|That|Here|Now|It|There)[A-Z][a-z]{2,8}|\btomorrow|\ue000)(?:'s|(?:\s*,)?\s+(?:is|was|will\s+be))\s+$"
    r"|(?:[明后]天|\d[日号])[^。!?;\n]{0,16}是[^。!?;,\n]{0,12}的?$"
    r"|(?:[明后]天|周[一二三四五六日天]|\d[日号])\s*,?(?:就?是)?\s*$"
)
_NEXT_WEEK = re.compile(
    r"(?<!until )(?<!till )(?<!before )\bnext\s+week\b(?!end)|下个?(?:周|星期)(?![一二三四五六日天末])", _I
)
_TAKES_OFF = re.compile(r"立?减\s*\d|满\s*\d+.{0,6}[减送赠]|买.{1,3}送|继续有效|[€£$¥]\s?\d+\s+off", _I)
_OF_PARCEL = re.compile(r"arriv|deliver|ship|\bnew\b|再见|送达|发货|上新|到店|结束后|恢复", _I)
_SOON = re.compile(
    r"\b(?:ends?|ending|expires?|expiring)\s+(?:very\s+)?soon\b|\b(?:almost|nearly)\s+(?:over|up|finished)\b|\b(?:last|final)\s+(?:chance|call|reminder|days|opportunity)\b"
    r"|\b(?:time\s+is|is)\s+running\s+out\b|\brunning\s+out\s+of\s+time|\bclock\s+is\s+ticking|\bcountdown\b|\bany\s+minute\b|\babout\s+to\s+(?:end|expire)"
    r"|最后(?:的)?(?:机会|几天|时刻|召集|提醒)|即将(?:结束|到期|截止|过期|失效)|快要?(?:结束|到期|截止|过期)|马上(?:结束|截止|到期|过期)|倒计时",
    _I,
)
_VAGUE = re.compile(
    r"\bhurry\b|\bact\s+(?:now|fast)\b|\bnow\s+or\s+never\b|\b(?:do\s+not|don't)\s+(?:miss\s+(?:out|this|it)|wait)\b|\bbe\s+quick\b|\bbefore\s+it(?:'s|\s+is)\s+too\s+late"
    r"|\blimited[\s-]time\b|\bfor\s+a\s+(?:short|limited)\s+time|\bwhile\s+it\s+lasts|抓紧|赶紧|赶快|限时|手慢无|[不别]要?错过|错过不再|机不可失|欲购从速",
    _I,
)
_ENDLESS = re.compile(
    r"\b(?:never|doesn't|does\s+not|won't)\s+expires?\b|\bno\s+(?:expiry|end\s+date|deadline|time\s+limit)\b|\bvalid\s+(?:forever|indefinitely|any\s*time)|永久有效|长期有效|不限时|无期限",
    _I,
)
_LASTING: tuple[tuple[re.Pattern[str], int], ...] = (
    (re.compile(r"\ball\s+(?:this\s+)?week\b(?!end)|\bthe\s+(?:whole|entire)\s+week\b|整周|一整周", _I), 5),
    (re.compile(r"\ball\s+(?:this\s+)?month\b|\bthe\s+(?:whole|entire)\s+month\b|整月|整个月", _I), 25),
    (re.compile(r"\ball\s+weekend\b|\bthe\s+(?:whole|entire)\s+weekend\b|整个周末", _I), 2),
)
_HOLIDAY = re.compile(
    r"\b(?P<cue>until|till|through|ends?(?:\s+on)?|expires?(?:\s+on)?|valid\s+to|before|by)\s+(?:the\s+end\s+of\s+)?(?P<name>christmas\s+eve|christmas(?:\s+day)?"
    r"|boxing\s+day|new\s+year'?s?\s+eve|new\s+year(?:'?s(?:\s+day)?)?|hallowe'?en|valentine'?s?(?:\s+day)?|black\s+friday|cyber\s+monday|thanksgiving|easter(?:\s+(?:sunday|monday))?|(?:mother|father)'?s'?\s+day)"
    r"|(?P<zh>平安夜|圣诞节?|元旦|跨年夜|情人节|国庆节?|五一|劳动节|儿童节|中秋节?|端午节?|春节|除夕|元宵节?|七夕|妇女节|教师节|重阳节?|清明节?)(?:假期)?(?=之?前|截止|结束|为止|到期)",
    _I,
)
#: Month and first and last day that people may mean by "until then".
_HOLIDAYS = {
    "christmas eve": (12, 24, 24), "christmas": (12, 24, 26), "boxing": (12, 26, 26), "new years eve": (12, 31, 31),
    "new year": (12, 31, 31), "halloween": (10, 31, 31), "valentine": (2, 13, 14), "平安夜": (12, 23, 24), "圣诞": (12, 24, 25),
    "国庆": (10, 1, 8), "五一": (5, 1, 5), "劳动": (5, 1, 5), "儿童": (6, 1, 1), "妇女": (3, 8, 8), "教师": (9, 10, 10),
    "元旦": (12, 31, 31), "跨年夜": (12, 30, 31), "情人节": (2, 13, 14),
}  # fmt: skip
#: Feasts that a Chinese text names after English facts.
_IN_ENGLISH = {
    "圣诞": "christmas",
    "平安夜": "christmas eve",
    "情人节": "valentine",
    "元旦": "new year",
    "春节": "new year",
}
_FROM_TODAY = re.compile(
    r"\bfrom\s+(?:today|now)\s+(?:on\b|until|till|to\b|through)|^from\s+today\b|即日起|今[天日]起", _I
)
_STARTS = re.compile(
    r"\b(?:starts?|starting|begins?|beginning|launch(?:es|ing)?|opens?)\s+(?:today|tomorrow|tonight)\b|[今明][天日](?:开始|开启|起|开抢)",
    _I,
)
_CLOCK = re.compile(
    r"\b\d{1,2}(?::\d{2}|\.\d{2}(?=\s*[ap]\.?m))?\s*(?:[ap]\.?m\b\.?|o'clock)|\b\d{1,2}:\d{2}\b|(?<![\d.:])(?:1\s*点(?![\d建原要心注提理好评亮子])|(?!1\s*点)\d{1,2}\s*点(?!\d|建议|原因|要[点求]|心[得意]|注意|提[示醒]|理由|好处|评[价分]|亮点|子))|\bnoon\b",
    _I,
)
