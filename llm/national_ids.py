"""Finds numbers that a state or a bank gave to a person: national ids, accounts, cards. Checksums by python-stdnum.

A form that says enough by itself counts everywhere; bare digits whose checksum fits by chance every tenth time count
only in the country of the shop, or where the words before them announce them. No Django here.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module

from llm.phone_numbers import is_named_otherwise

IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?:[ .-]?[A-Za-z0-9]){11,30}")
CARD = re.compile(
    r"(?<![\dA-Za-z])\d(?:[ -]{0,2}\d){11,18}(?![\dA-Za-z])|(?<![\dA-Za-z])\d{4}(?:[./\n]\d{4}){3}(?![\dA-Za-z])"
)
#: Issuers: Visa, Mastercard, American Express, Diners, Discover, JCB, UnionPay, Maestro, RuPay, Mir.
ISSUER = re.compile(
    r"4(?:\d{15}|\d{18})|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}"
    r"|3(?:0[0-5]|095|[689]\d)\d{11,14}|6(?:011|4[4-9]\d|5\d\d)\d{12}|35(?:2[89]|[3-8]\d)\d{12}|62\d{14,17}"
    r"|(?:50|5[6-9]|6[0-9])\d{14,17}|81\d{14}|220[0-4]\d{12}"
)
FOURS = re.compile(r"\d{4}([ -]{1,2}|[./\n])\d{4}\1\d{4}\1\d{4}(?:\1\d{1,3})?")
ANNOUNCED = re.compile(
    r"(?:(?<![A-Za-z])(?:ssn|social security|national insurance|nino|ni|passport|identity card|id card|national id"
    r"|driver'?s? licen[cs]e"
    r"|tax (?:id|number)|tin|nhs|steuer-?id(?:nummer)?|idnr|ausweis|dni|nie|nif|bsn|burgerservicenummer|codice fiscale|pesel"
    r"|personnummer|cpr|cpf|sin|aadhaar|pan|pps|nir|sécurité sociale|bank account|account|sort code|card)\b"
    r"(?:\s+(?:no|nr|number|num|code|is))*|身[份分][证證](?:[号號][码碼]?|是)?|港澳通行证|回乡证|台胞证|居住证|护照(?:号码?)?|驾驶?证号|社保号?|银行卡(?:号码?)?|卡号|账号|账户"
    r"|信用卡(?:号码?)?)[\s:：#.=是为]{0,4}(?:is\s+)?$",
    re.IGNORECASE,
)
ANYTHING = re.compile(r"(?<![A-Za-z0-9])(?P<letters>[A-Z]{1,6}[ -]?)?\d(?:[ .-]?\d|[ .-]?[A-Z]{1,4}(?![A-Za-z])){3,22}")
LOOK_BACK = 40


@dataclass(frozen=True)
class Form:
    """How the ids of a country are written; `module` of stdnum checks them. `is_plain` needs the shop's country."""

    country: str
    pattern: re.Pattern[str]
    module: str
    is_plain: bool = False


def _form(country: str, pattern: str, module: str = "", *, is_plain: bool = False) -> Form:
    return Form(country, re.compile(rf"(?<![A-Za-z0-9])(?:{pattern})(?![A-Za-z0-9])"), module, is_plain)


FORMS = (
    # Province, day of birth, and no check: people mistype the last digit, and the rest says enough.
    _form(
        "CN",
        r"(?:1[1-5]|2[123]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[123])\d{4}[ -]?"
        r"(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])[ -]?\d{3}[\dXx]",
    ),
    _form("GB", r"(?i:(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d\d ?\d\d ?\d\d ?[A-D])"),
    # Number plates of the mainland.
    _form(
        "CN",
        r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-HJ-Z][·• ]?(?=[A-Z]{0,5}\d)[A-HJ-NP-Z0-9]{5,6}",
    ),
    _form("US", r"\d{3}-\d{2}-\d{4}", "us.ssn"),
    _form("DE", r"[1-9]\d ?\d{3} ?\d{3} ?\d{3}", "de.idnr", is_plain=True),
    _form("DE", r"[1-9]\d \d{3} \d{3} \d{3}", "de.idnr"),
    _form("FR", r"[1-478] ?\d{2} ?\d{2} ?\d[\dAB] ?\d{3} ?\d{3} ?\d{2}", "fr.nir"),
    _form("ES", r"\d{8}[ -]?[A-HJ-NP-TV-Za-hj-np-tv-z]", "es.dni"),
    _form("ES", r"[XYZxyz][ -]?\d{7}[ -]?[A-HJ-NP-TV-Za-hj-np-tv-z]", "es.nie"),
    _form("IT", r"[A-Za-z]{6}\d{2}[A-Za-z]\d{2}[A-Za-z]\d{3}[A-Za-z]", "it.codicefiscale"),
    _form("NL", r"\d{9}|\d{4}\.\d{2}\.\d{3}", "nl.bsn", is_plain=True),
    _form("BE", r"\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}", "be.nn"),
    _form("BE", r"\d{11}", "be.nn", is_plain=True),
    _form("CH", r"756\.?\d{4}\.?\d{4}\.?\d{2}", "ch.ssn"),
    _form("AT", r"\d{4} ?\d{6}", "at.vnr", is_plain=True),
    _form("PL", r"\d{11}", "pl.pesel", is_plain=True),
    _form("SE", r"(?:19|20)?\d{6}[-+]\d{4}", "se.personnummer"),
    _form("DK", r"\d{6}-?\d{4}", "dk.cpr", is_plain=True),
    _form("NO", r"\d{6} ?\d{5}", "no.fodselsnummer", is_plain=True),
    _form("FI", r"\d{6}[-+A-FU-Y]\d{3}[0-9A-Y]", "fi.hetu"),
    _form("PT", r"\d{9}", "pt.nif", is_plain=True),
    _form("IE", r"\d{7}[A-Wa-w][A-IWa-iw]?", "ie.pps", is_plain=True),
    _form("BR", r"\d{3}\.\d{3}\.\d{3}-\d{2}", "br.cpf"),
    _form("CA", r"\d{3}[ -]?\d{3}[ -]?\d{3}", "ca.sin", is_plain=True),
    _form("AU", r"\d{3} ?\d{3} ?\d{3}", "au.tfn", is_plain=True),
    _form("IN", r"[2-9]\d{3} \d{4} \d{4}", "in_.aadhaar"),
    _form("KR", r"\d{6}-[1-8]\d{6}", "kr.rrn"),
    _form("MX", r"[A-Za-z]{4}\d{6}[HMhm][A-Za-z]{5}[0-9A-Za-z]\d", "mx.curp"),
    _form("ZA", r"\d{13}", "za.idnr", is_plain=True),
    _form("HK", r"[A-Z]{1,2}\d{6}\([0-9A]\)"),
)


def find_national_ids(text: str, regions: Sequence[str]) -> list[tuple[int, int]]:
    """Ids by form and checksum, and whatever is announced as one (passports, licences, card and account numbers)."""
    home = regions[:1]
    found = [
        match.span()
        for form in FORMS
        if not form.is_plain or form.country in home
        for match in form.pattern.finditer(text)
        if _fits(form.module, match[0])
    ]
    return [*found, *_find_announced(text)]


def find_ibans(text: str) -> list[tuple[int, int]]:
    """Account numbers (ISO 13616). The pattern may run on into the words that follow: the longest beginning that is
    valid counts."""
    found = []
    for match in IBAN.finditer(text):
        ends = [match.start() + i + 1 for i, c in enumerate(match[0]) if c.isalnum()][14:]
        fitting = [end for end in reversed(ends) if passes_iban(text[match.start() : end])]
        if fitting:
            found.append((match.start(), fitting[0]))
    return found


def find_cards(text: str) -> list[tuple[int, int]]:
    """Payment cards: an issuer's range or four groups of four, and the check digit (ISO/IEC 7812-1)."""
    return [
        m.span()
        for m in CARD.finditer(text)
        if _is_card(m[0]) and not (m[0].isdigit() and is_named_otherwise(text, m.start()))
    ]


def passes_luhn(text: str) -> bool:
    """The check digit of payment cards; never for a digit repeated."""
    digits = "".join(c for c in text if c.isdigit())
    return len(digits) >= 12 and len(set(digits)) > 1 and _fits("luhn", digits)


def passes_iban(text: str) -> bool:
    """Check digits, length and structure of an account number of its country."""
    return text.isascii() and _fits("iban", text.upper())


def _is_card(written: str) -> bool:
    digits = "".join(c for c in written if c.isdigit())
    return bool(ISSUER.fullmatch(digits) or FOURS.fullmatch(written)) and passes_luhn(digits)


def _find_announced(text: str) -> Iterator[tuple[int, int]]:
    """The letters before the digits are a part of the number, or the word that announces it."""
    for match in ANYTHING.finditer(text):
        for start in dict.fromkeys((match.start(), match.start() + len(match["letters"] or ""))):
            if ANNOUNCED.search(text[max(0, start - LOOK_BACK) : start]):
                yield start, match.end()
                break


def _fits(module: str, written: str) -> bool:
    return not module or _checker(module)(written)


@cache
def _checker(module: str) -> Callable[[str], bool]:
    """stdnum has a module for each number; most processes never meet one."""
    check: Callable[[str], bool] = import_module(f"stdnum.{module}").is_valid
    return check
