"""Finds personal values that nobody told us about: links, addresses of mail, accounts, cards, ids, addresses, telephones.

Everything is searched in the plain form of a text (`llm.plain_form`), so that full-width digits, odd spaces and
percent-encoding hide nothing, and in what its base64 words decode to. No Django here.
"""

import re
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from llm.national_ids import find_cards, find_ibans, find_national_ids, passes_iban, passes_luhn
from llm.network_names import URL, find_network_names, find_secrets, find_urls
from llm.phone_numbers import find_phone_numbers
from llm.plain_form import PlainForm, read_plainly
from llm.postal_addresses import find_addresses

__all__ = ["PersonalKind", "Span", "decode_words", "detect_spans", "guess_kind", "passes_iban", "passes_luhn"]

DEFAULT_REGIONS = ("GB", "CN", "US")

# Han and kana directly before an address are the sentence that it stands in.
_LOCAL = r"(?:(?![\u3000-\u9fff])[\w.+'%-]){1,64}"
_AT = r"(?:[ \n]?@[ \n]?|[ ]{1,2}@[ ]{1,2}|[ ]?[\[(]\s?(?:at|@)\s?[\])][ ]?)"
_DOT = r"(?:[.。]|[ ]\.[ ]|[ ]?[\[(]\s?(?:dot|\.)\s?[\])][ ]?)"
_TOP = r"(?:(?![\u3000-\u9fff])[^\W\d_]){2,24}(?![\w@])"
EMAIL = re.compile(
    rf"{_LOCAL}(?:[ ]\.[ ](?:(?![\u3000-\u9fff])[\w-]){{1,64}}(?=[ ]@)){{0,2}}{_AT}(?:[\w-]{{1,63}}{_DOT}){{1,8}}{_TOP}"
    rf"|{_LOCAL}@[\w-]{{1,63}}(?:\.[\w-]{{1,63}}){{1,8}}"
    rf"|{_LOCAL}@\[[0-9a-fA-F.:]{{3,40}}\]"
    r"|\"[^\"\n@]{1,64}\"@(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}"
    # 张伟@例子.中国 (RFC 6531): nothing else is written so.
    r"|[\u4e00-\u9fff]{1,6}@(?:[\w-]{1,63}\.){1,4}(?:[\u4e00-\u9fff]{2,4}|[A-Za-z]{2,24})"
    r"|\b[\w.+-]{2,64} at [\w-]{2,63} dot (?:com|net|org|co|io|de|fr|cn|uk|test|example)\b"
    # "look at fernweh.com" is no address, "zoe at gmail.com" and "zoe.q at fernweh.com" are.
    r"|\b[\w.+-]{2,64} at (?:gmail|googlemail|outlook|hotmail|yahoo|icloud|proton|protonmail|gmx|web|qq|163|126|sina|foxmail)"
    r"\.(?:com?|net|de|me|cn|uk|fr)\b"
    r"|\b(?=[\w.+-]{0,63}[\d._+-]\w)[A-Za-z][\w.+-]{1,63} at (?:[\w-]{2,63}\.){1,3}"
    r"(?:com|net|org|co|io|de|fr|cn|uk|test|example)\b",
    re.IGNORECASE,
)
WORD = re.compile(r"[A-Za-z0-9+/_-]{6,}={0,2}")
LONGEST_WORD = 4_000


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


def detect_spans(text: str, regions: Sequence[str] = DEFAULT_REGIONS, *, plain: PlainForm | None = None) -> list[Span]:
    """Personal values by their form; where two detectors agree on a place, the earlier in this order wins.

    `regions` are ISO 3166 codes, the shop's country first; `plain` the text's plain form where it is known already.
    """
    plain = plain or read_plainly(text)
    found: list[Span] = []
    for kind, start, end in _detect(plain.text, regions):
        if all(end <= span.start or span.end <= start for span in found):
            found.append(Span(start, end, kind, ""))
    places = [(span.kind, *plain.place(span.start, span.end)) for span in found]
    spans = [Span(start, end, kind, text[start:end]) for kind, start, end in places]
    return [*spans, *_detect_in_words(text, regions, spans)]


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


def decode_words(text: str) -> Iterator[tuple[int, int, str]]:
    """Words that may be base64, each with what it decodes to, begun at each of the four places where it may begin."""
    for match in WORD.finditer(text):
        word = match[0].rstrip("=")[:LONGEST_WORD]
        if word[1:].islower() or word.isdigit() or (word.isupper() and word.isalpha()):
            continue
        for offset in range(4):
            part = word[offset:]
            part = part[: len(part) - 1] if len(part) % 4 == 1 else part
            try:
                decoded = b64decode(
                    part + "=" * (-len(part) % 4), altchars=b"-_" if "-" in part or "_" in part else None
                )
            except (NotBase64, ValueError):
                continue
            yield match.start(), match.end(), decoded.decode("utf-8", "ignore")


Finder = Callable[[str, Sequence[str]], list[tuple[int, int]]]


def _detect(text: str, regions: Sequence[str]) -> Iterator[tuple[PersonalKind, int, int]]:
    finders: tuple[tuple[PersonalKind, Finder], ...] = (
        (PersonalKind.URL, lambda text, regions: find_urls(text)),
        (PersonalKind.EMAIL, lambda text, regions: _find_all(EMAIL, text)),
        (PersonalKind.URL, lambda text, regions: find_secrets(text)),
        (PersonalKind.IBAN, lambda text, regions: find_ibans(text)),
        (PersonalKind.ID, lambda text, regions: find_network_names(text)),
        (PersonalKind.ADDRESS, lambda text, regions: find_addresses(text)),
        (PersonalKind.CARD, lambda text, regions: find_cards(text)),
        (PersonalKind.ID, find_national_ids),
        (PersonalKind.PHONE, find_phone_numbers),
    )
    for kind, find in finders:
        for start, end in find(text, regions):
            yield kind, start, end


def _detect_in_words(text: str, regions: Sequence[str], known: list[Span]) -> Iterator[Span]:
    """Base64 words of which something personal is the content."""
    done = -1
    for start, end, decoded in decode_words(text):
        if start <= done or len(decoded) < 8 or not decoded.isprintable():
            continue
        if any(start < span.end and span.start < end for span in known):
            continue
        inner = next(_detect(read_plainly(decoded).text, regions), None)
        if inner is not None:
            done = start
            yield Span(start, end, inner[0], text[start:end])


def _find_all(pattern: re.Pattern[str], text: str) -> list[tuple[int, int]]:
    return [match.span() for match in pattern.finditer(text)]
