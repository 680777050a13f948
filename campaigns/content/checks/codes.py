"""Codes: the one of the facts, or none."""

from __future__ import annotations

import re
from collections.abc import Iterator

from django.utils.translation import gettext as _

from campaigns.content.findings import Finding

from .reading import Draft, Reading, read_support
from .sheet import FactSheet, names_of_products


def check_codes(sheet: FactSheet, draft: Draft) -> Iterator[Finding]:
    """A code that is not the one of the facts; a code where there is none; none where there is one."""
    for reading in draft.readings:
        for start, end in _find_codes(reading, sheet):
            yield reading.finding("code", "block", _("The facts do not give this code."), (start, end))
        for match in _NO_CODE.finditer(reading.masked):
            if sheet.code:
                yield reading.finding("code", "block", _("The offer does need its code."), match.span())
        if not sheet.code:
            text = _NO_CODE.sub(lambda match: " " * len(match.group()), reading.masked)
            for match in _HAS_CODE.finditer(text):
                if not _HAS_CODE.search(read_support(sheet).passage.text):
                    yield reading.finding("code", "block", _("The offer has no code."), match.span())


def _find_codes(reading: Reading, sheet: FactSheet) -> Iterator[tuple[int, int]]:
    found: set[tuple[int, int]] = set()
    for pattern in (_AFTER_WORD, _AT_CHECKOUT, _LOOKS_LIKE_CODE, _CHINESE):
        for match in pattern.finditer(reading.masked):
            token, span = match["code"], match.span("code")
            if span in found or (pattern is not _LOOKS_LIKE_CODE and not _is_token(match)):
                continue
            known = f"{names_of_products(sheet)}\n{read_support(sheet).passage.text}"
            if _is_exempt(token) or re.search(rf"(?<!\w){re.escape(token)}(?!\w)", known):
                continue
            if pattern is _LOOKS_LIKE_CODE and _POSTCODE.match(
                reading.passage.text[max(0, span[0] - 5) : span[1] + 4].strip()
            ):
                continue
            if not any(start < span[1] and span[0] < end for start, end in found):
                found.add(span)
    yield from sorted(found)


def _is_token(match: re.Match[str]) -> bool:
    """A word after "code" is one where it has a figure, capitals or quotes, or no ordinary meaning there."""
    token = match["code"]
    has_form = any(sign.isdigit() for sign in token) or (token.isupper() and len(token) > 2)
    return has_form or bool(match.groupdict().get("quote")) or token.lower() not in _ORDINARY


def _is_exempt(token: str) -> bool:
    return token.upper() in _ACRONYMS or bool(re.fullmatch(r"\d+|20\d\d-\d\d-\d\d", token))


_I = re.IGNORECASE
_AFTER_WORD = re.compile(
    r"(?<!dress )(?<!zip )(?<!post )(?<!the country )\b(?:promo(?:tion(?:al)?)?|discount|coupon|voucher|gift|offer)?\s*"
    r"(?:code|coupon|voucher\s+code)s?\b"
    r"(?:\s+(?:is|word|called|of))?\s*[:=]?\s*(?P<quote>[\"'*`«„\[(]+)?\s*(?P<code>[A-Za-z0-9][A-Za-z0-9_-]{2,})",
    _I,
)
_AT_CHECKOUT = re.compile(
    r"\b(?:[Uu]se|[Ee]nter|[Aa]pply|[Qq]uote|[Tt]ype(?:\s+in)?|[Ww]ith|[Ee]ingeben|[Ii]nput|[Aa]dd|[Rr]edeem|[Pp]aste)\s+(?:[Tt]he\s+|[Yy]our\s+)?(?P<quote>[\"'*`]+)?(?P<code>[A-Z][A-Z0-9_-]{3,})\b"
    r"(?!\s+(?:PRO|SALE))"
    r"|(?!)(?P<unused>x)"
)
_LOOKS_LIKE_CODE = re.compile(r"(?<![\w-])(?P<code>(?=[A-Z0-9_-]*[A-Z])(?=[A-Z0-9_-]*\d)[A-Z][A-Z0-9_-]{3,})(?![\w])")
_CHINESE = re.compile(
    r"(?:优惠码|折扣码|券码|兑换码|促销码|口令|优惠代码|代码|暗号|输入|使用|填写|凭)\s*[:为是]?\s*(?P<quote>[\"'「『【《]+)?\s*(?P<code>[A-Za-z0-9][A-Za-z0-9_-]{2,})"
)
_NO_CODE = re.compile(
    r"\b(?:no|without(?:\s+an?y?)?|don't\s+need\s+an?y?|do\s+not\s+need\s+an?y?)\s+(?:promo\s+|discount\s+|voucher\s+|coupon\s+)?(?:code|coupon)s?\b|(?:无需|无须|不用|不需要?|不必|免|没有?)(?:任何|输入?|填写?|记)?(?:优惠码|折扣码|券码|输码|优惠券)",
    _I,
)
_HAS_CODE = re.compile(
    r"\b(?:promo(?:tion(?:al)?)?|discount|coupon|voucher|offer|your|personal|unique|secret|the|this)\s+code\b|\b(?:use|enter|apply|with)\s+(?:an?\s+|the\s+)?code\b|\bcode\s*:|\bcoupons?\b|\bvouchers?\b"
    r"|优惠码|折扣码|券码|兑换码|促销码|优惠券|代金券",
    _I,
)
_POSTCODE = re.compile(r".*\b[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}")
_ACRONYMS = frozenset(
    ["GORE-TEX", "YKK", "UPF", "USB-C", "COVID-19", "HTML", "HTTPS", "DWR", "PFAS", "RDS", "EUR", "GBP", "USD"]
)
_ORDINARY = frozenset(
    [
        "below",
        "above",
        "at",
        "before",
        "when",
        "to",
        "is",
        "in",
        "on",
        "and",
        "for",
        "by",
        "until",
        "from",
        "with",
        "that",
        "you",
        "your",
        "we",
        "here",
        "will",
        "now",
        "today",
        "works",
        "work",
        "applies",
        "apply",
        "gives",
        "takes",
        "expires",
        "ends",
        "needed",
        "required",
        "necessary",
        "has",
        "was",
        "are",
        "the",
        "this",
        "of",
        "off",
        "into",
        "if",
        "once",
        "stays",
        "valid",
        "runs",
        "can",
        "only",
        "as",
        "while",
        "just",
        "it",
        "its",
        "which",
        "or",
        "but",
        "then",
        "during",
        "within",
        "after",
        "through",
        "till",
        "right",
        "inside",
        "already",
        "waiting",
        "attached",
        "still",
        "does",
        "must",
        "may",
        "should",
        "goes",
        "lasts",
        "makes",
        "cuts",
        "brings",
        "gets",
        "knocks",
        "saves",
        "good",
        "there",
        "field",
        "box",
        "conduct",
        "entered",
        "automatically",
        "review",
        "reviews",
        "name",
        "names",
        "step",
        "steps",
        "both",
        "each",
        "also",
        "again",
        "alone",
        "checkout",
        *re.findall(
            r"\w+",
            "they them their he she his her our ours my mine yours us all any some every everything one these those come comes"
            " cost costs become becomes drop drops turn turns let lets help helps shown buys pays pay reduces lowers opens"
            " unlocks stops yields means see like because so not per",
        ),
    ]
)
