"""Finds personal values that nobody told us about: addresses of mail, telephones, cards, accounts, secret links."""

import re
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

# Han and kana directly before an address are the sentence that it stands in.
EMAIL = re.compile(r"(?:(?![\u3000-\u9fff])[\w.+'%-]){1,64}(?:@|＠|%40)[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
URL = re.compile(r"(?:https?://|www\.)[^\s<>\"'，。！？、）】」]{1,2000}", re.IGNORECASE)
CARD = re.compile(r"(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)")
IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]){11,30}")
PHONE = re.compile(r"(?<![A-Za-z0-9_.,])(?:\+|\(|0)?\d(?:[ ().\-/\u00a0]{0,2}\d){6,14}(?![A-Za-z0-9_])")
DATE = re.compile(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}")
TOKEN = re.compile(r"(?=[^/]*[A-Za-z])(?=[^/]*\d)[A-Za-z0-9_.~%=-]{16,}|[A-Za-z0-9_~%=-]{32,}")

FEWEST_PHONE_DIGITS = 9


class PersonalKind(StrEnum):
    """What a masked value is; the placeholder says it to the model."""

    NAME = "NAME"
    EMAIL = "EMAIL"
    PHONE = "PHONE"
    CARD = "CARD"
    IBAN = "IBAN"
    ADDRESS = "ADDRESS"
    URL = "URL"
    ID = "ID"


@dataclass(frozen=True)
class Span:
    """Where a personal value stands in a text, and what is put back for it."""

    start: int
    end: int
    kind: PersonalKind
    value: str


def detect_spans(text: str) -> list[Span]:
    """Personal values by their form; where two detectors agree on a place, the earlier in this order wins."""
    found: list[Span] = []
    for kind, ranges in (
        (PersonalKind.URL, _find_urls(text)),
        (PersonalKind.EMAIL, _find_all(EMAIL, text)),
        (PersonalKind.IBAN, _find_ibans(text)),
        (PersonalKind.CARD, [r for r in _find_all(CARD, text) if passes_luhn(text[slice(*r)])]),
        (PersonalKind.PHONE, [r for r in _find_all(PHONE, text) if _is_phone_like(text[slice(*r)])]),
    ):
        for start, end in ranges:
            if all(end <= span.start or span.end <= start for span in found):
                found.append(Span(start, end, kind, text[start:end]))
    return found


def guess_kind(value: str) -> PersonalKind:
    """What a known value without a kind is, by its form."""
    if "@" in value:
        return PersonalKind.EMAIL
    if URL.match(value):
        return PersonalKind.URL
    digits = sum(c.isdigit() for c in value)
    if digits >= 7 and not any(c.isalpha() for c in value):
        return PersonalKind.PHONE
    return PersonalKind.ID if digits else PersonalKind.NAME


def passes_luhn(text: str) -> bool:
    """The check digit of payment cards (ISO/IEC 7812-1)."""
    digits = [int(c) for c in text if c.isdigit()]
    doubled = [d if i % 2 == 0 else d * 2 - 9 * (d > 4) for i, d in enumerate(reversed(digits))]
    return len(digits) >= 13 and len(set(digits)) > 1 and sum(doubled) % 10 == 0


def passes_iban(text: str) -> bool:
    """The check digits of an account number (ISO 13616, ISO 7064 mod 97-10)."""
    compact = "".join(c for c in text.upper() if c.isalnum())
    if not 15 <= len(compact) <= 34 or not compact.isascii():
        return False
    return int("".join(str(int(c, 36)) for c in compact[4:] + compact[:4])) % 97 == 1


def _find_all(pattern: re.Pattern[str], text: str) -> list[tuple[int, int]]:
    return [match.span() for match in pattern.finditer(text)]


def _find_urls(text: str) -> list[tuple[int, int]]:
    """Only links that may carry something of a person: a query, a log-in, a fragment, a token in the path."""
    found = []
    for match in URL.finditer(text):
        link = match[0].rstrip(".,;:!?)]}")
        try:
            parts = urlsplit(link if "://" in link else f"https://{link}")
            is_personal = bool(parts.query or parts.fragment or "@" in parts.netloc or TOKEN.search(parts.path))
        except ValueError:
            is_personal = True
        if is_personal:
            found.append((match.start(), match.start() + len(link)))
    return found


def _find_ibans(text: str) -> list[tuple[int, int]]:
    """The pattern may run on into the words that follow: the longest beginning whose check digits fit counts."""
    found = []
    for match in IBAN.finditer(text):
        ends = [match.start() + i + 1 for i, c in enumerate(match[0]) if c.isalnum()][14:]
        fitting = [end for end in reversed(ends) if passes_iban(text[match.start() : end])]
        if fitting:
            found.append((match.start(), fitting[0]))
    return found


def _is_phone_like(text: str) -> bool:
    """Long enough, or written like a telephone number; a date is not one."""
    digits = sum(c.isdigit() for c in text)
    if DATE.fullmatch(text) or DATE.match(text):
        return False
    return digits >= FEWEST_PHONE_DIGITS or text[0] in "+(0"
