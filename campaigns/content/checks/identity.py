"""Whose letter it is and where the shop is: the name below the text, and the branches that it speaks of."""

from __future__ import annotations

import re
from collections.abc import Iterator

from django.utils.translation import gettext as _

from campaigns.content.findings import Finding

from .reading import BODY_FIELDS, Draft, Reading, read_support
from .sheet import FactSheet

LONGEST_SIGNATURE = 60


def check_signature(sheet: FactSheet, draft: Draft) -> Iterator[Finding]:
    """The last line is nearly the shop's name and is not: another shop's. A person's name is none of either."""
    for reading in draft.readings:
        if reading.passage.field not in BODY_FIELDS or not sheet.shop:
            continue
        text = reading.passage.text.rstrip()
        start = text.rfind("\n") + 1
        if start and len(text) - start <= LONGEST_SIGNATURE and _is_nearly(sheet.shop, text[start:]):
            message = _("The text is signed with another name than the shop's.")
            yield reading.finding("signature", "block", message, (start, len(text)))


def check_branches(sheet: FactSheet, draft: Draft) -> Iterator[Finding]:
    """ "Our Seattle store", where the facts know one in Portland."""
    known = {match["place"].lower() for match in _BRANCH.finditer(read_support(sheet).passage.text)}
    if not known:
        return
    facts = f"{sheet.shop}\n{read_support(sheet).passage.text}".lower()
    for reading in draft.readings:
        for match in _BRANCH.finditer(reading.passage.text):
            if match["place"].lower() not in facts:
                message = _("The facts know of no such branch.")
                yield reading.finding("place", "block", message, _span(reading, match))


def _span(reading: Reading, match: re.Match[str]) -> tuple[int, int]:
    return match.start("place"), min(match.end(), len(reading.passage.text))


def _is_nearly(shop: str, line: str) -> bool:
    """Part of the shop's name stands in the line, but not that by which it is known: "Maple Street Toys" for "Tumble Tree
    Toys", 纸上书屋 for 纸间书屋."""
    if shop.lower() in line.lower():
        return False
    if _HAN.search(shop):
        signed = _CLOSING.sub("", line).strip(" ,.!。-—")
        own = "".join(_HAN.findall(shop))
        return len(own) >= 4 and len(signed) <= len(own) + 2 and signed.endswith(own[-2:]) and signed[:1] != own[:1]
    own_words = _WORD.findall(shop.lower())
    signed_words = re.findall(r"[A-Z][\w'&-]+", line)
    if len(own_words) < 2 or not 2 <= len(signed_words) <= 5 or len(signed_words) < len(line.split()) - 2:
        return False
    lower = {word.lower() for word in signed_words}
    return own_words[-1] in lower and own_words[0] not in lower


_HAN = re.compile(r"[\u4e00-\u9fff]")
_WORD = re.compile(r"(?!the\b)[a-zà-ÿ][\wà-ÿ'-]+")
_CLOSING = re.compile(r"敬上|谨启|团队|全体.*$|小编|店长")
_BRANCH = re.compile(
    r"\b(?:our|the)\s+(?P<place>[A-Z][a-zà-ÿ]{2,})\s+(?:store|shop|showroom|branch|boutique|workshop)\b"
)
