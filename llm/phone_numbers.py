"""Finds telephone numbers in plain text: what `phonenumbers` holds valid, and what is plainly written as one.

Numbers that nobody can have (07700 900..., 555-01..) are found too: they stand in tests, and the same rule finds those
that are newer than the tables. Order numbers, barcodes, dates and prices are none. No Django here.
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

CANDIDATE = re.compile(r"(?<![A-Za-z0-9_.,])(?:\+ ?|\()?\d(?:[ ().\-/]{0,3}\d){6,17}(?![A-Za-z0-9_])")
DATE = re.compile(r"(?:\d{4}([-/. ])\d{1,2}\1\d{1,2}|\d{1,2}([-/. ])\d{1,2}\2\d{4})(?!\d)")
MONEY = re.compile(r"\d{1,3}(?:[., ]\d{3})*[.,]\d{2}(?: |$)")
ANNOUNCED = re.compile(
    r"(?:(?<![A-Za-z])(?:tel|telephone|phone|mobile|cell|handy|fax|whatsapp|sms|call|ring|text|dial|reach|telefon|móvil)(?![A-Za-z])"
    r"|电话|手机|致电|拨打|打给|联系方式|联系我|号码是|電話|手機|聯絡)\D{0,20}$",
    re.IGNORECASE,
)
NAMED_OTHERWISE = re.compile(
    r"(?:(?<![A-Za-z])(?:order|invoice|parcel|tracking|sku|isbn|ean|upc|gtin|barcode|article|item|ref|reference|batch|serial|model)\b"
    r"(?:\s+(?:no|number|id|code))?|订单(?:号|编号)?|运单号?|快递单号?|货号|条码|批号|型号)\W{0,4}(?:is\s+|是)?$",
    re.IGNORECASE,
)
BRITISH_MOBILE = re.compile(r"07\d{9}")
NORTH_AMERICAN = re.compile(r"\(?[2-9]\d{2}\)?[ .-]{1,2}[2-9]\d{2}[ .-]\d{4}")
# Eleven Chinese digits, as one reads a mobile number out; or English ones, double and triple ones among them.
SPOKEN = re.compile(
    r"(?<![一二三四五六七八九零〇])[一幺壹][三四五六七八九叁肆伍陆柒捌玖]"
    r"(?:[ -]?[一二三四五六七八九零〇幺两壹贰叁肆伍陆柒捌玖]){9}"
    r"|(?<![A-Za-z])(?:(?:(?:double|triple)[ -])?(?:zero|oh|one|two|three|four|five|six|seven|eight|nine)[ ,-]{1,2}){6,14}"
    r"(?:zero|oh|one|two|three|four|five|six|seven|eight|nine|(?:double|triple)[ -]\w{2,5})(?![A-Za-z])",
    re.IGNORECASE,
)
LOOK_BACK = 32
FEWEST_ANNOUNCED_DIGITS = 6
BARCODE_DIGITS = (12, 13)


def find_phone_numbers(text: str, regions: Sequence[str]) -> list[tuple[int, int]]:
    """Where telephone numbers stand. `regions`: ISO 3166 codes, the shop's own country first."""
    found = []
    for match in CANDIDATE.finditer(text):
        if _is_phone(match[0], text, match.start(), tuple(regions)):
            found.append(match.span())
    return found + [match.span() for match in SPOKEN.finditer(text)]


def is_named_otherwise(text: str, at: int) -> bool:
    """The words before say that the digits at this place are an order, a parcel or an article."""
    return bool(NAMED_OTHERWISE.search(text[max(0, at - LOOK_BACK) : at]))


def write_in_other_ways(number: str, regions: Sequence[str]) -> list[str]:
    """A known number with and without its country's code, as people write it down elsewhere."""
    import phonenumbers

    ways: list[str] = []
    for region in regions:
        try:
            parsed = phonenumbers.parse(number, region)
        except phonenumbers.NumberParseException:
            continue
        national = phonenumbers.national_significant_number(parsed)
        if len(national) >= FEWEST_ANNOUNCED_DIGITS:
            code = str(parsed.country_code)
            ways += [f"{code}{national}", f"00{code}{national}", f"{code}0{national}", f"0{national}", national]
        if number.lstrip().startswith("+"):
            break
    return list(dict.fromkeys(ways))


def _is_phone(written: str, text: str, at: int, regions: tuple[str, ...]) -> bool:
    digits = sum(c.isdigit() for c in written)
    if DATE.match(written) or MONEY.match(written):
        return False
    if ANNOUNCED.search(text[max(0, at - LOOK_BACK) : at]):
        return True
    if is_named_otherwise(text, at):
        return False
    is_grouped = not written.lstrip("+").isdigit()
    if written.startswith("+"):
        return digits >= 8 and (is_grouped or _is_possible(written, regions))
    if written.startswith("00"):
        return _is_valid_abroad(written)
    if NORTH_AMERICAN.fullmatch(written) or BRITISH_MOBILE.fullmatch(written):
        return True
    if written.startswith(("0", "(0")) and 9 <= digits <= 12:
        return is_grouped or _is_possible(written, regions[:1])
    if digits in BARCODE_DIGITS and not is_grouped and _is_barcode(written):
        return False
    return _is_valid(written, regions if is_grouped else _regions_of_bare_digits(regions))


def _regions_of_bare_digits(regions: tuple[str, ...]) -> tuple[str, ...]:
    """Ten digits in a row are a number at home; elsewhere only eleven of a Chinese mobile speak for themselves."""
    return tuple(dict.fromkeys((*regions[:1], "CN")))


@lru_cache(maxsize=1024)
def _is_possible(written: str, regions: Iterable[str]) -> bool:
    import phonenumbers

    for region in regions:
        try:
            if phonenumbers.is_possible_number(phonenumbers.parse(written, region)):
                return True
        except phonenumbers.NumberParseException:
            continue
    return False


@lru_cache(maxsize=1024)
def _is_valid(written: str, regions: Iterable[str]) -> bool:
    """Valid, and written as a number of that country is: with its trunk prefix where it has one."""
    import phonenumbers

    for region in regions:
        for match in phonenumbers.PhoneNumberMatcher(written, region, leniency=phonenumbers.Leniency.VALID):
            if match.end - match.start == len(written):
                return True
    return False


def _is_barcode(written: str) -> bool:
    from stdnum import ean

    return bool(ean.is_valid(written))


def _is_valid_abroad(written: str) -> bool:
    """`00` before a country's code; a number that begins with zeros to fill its places is none."""
    compact = "".join(c for c in written if c.isdigit())[2:]
    is_grouped = not written.isdigit()
    return _is_possible(f"+{compact}", ("ZZ",)) if is_grouped else _is_valid(f"+{compact}", ("ZZ",))
