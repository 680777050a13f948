"""The form of a draft: presence, length, hidden signs, markup, place-holders, links, the way out."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from campaigns.content.findings import Finding, Verdict

from .reading import BODY_FIELDS, Draft
from .sheet import FactSheet

SUBJECT_WARN, SUBJECT_BLOCK = 60, 120
PREHEADER_WARN = 110
WHOLE_WARN, WHOLE_BLOCK = 1500, 4000


def check_presence(sheet: FactSheet, draft: Draft) -> Iterator[Finding]:
    """A message needs a subject and a text."""
    if not draft.text_of("subject").strip():
        yield Finding("empty", "block", "subject", _("The subject is empty."))
    if not draft.text_of(*BODY_FIELDS).strip():
        yield Finding("empty", "block", "body", _("The text is empty."))


def check_length(sheet: FactSheet, draft: Draft) -> Iterator[Finding]:
    """Mail programs cut long subjects; nobody reads a long mail."""
    verdict: Verdict
    subject, preheader = len(draft.text_of("subject")), len(draft.text_of("preheader"))
    if subject > SUBJECT_WARN:
        verdict = "block" if subject > SUBJECT_BLOCK else "warn"
        message = _("The subject has %(signs)d characters; mail programs show about %(limit)d.")
        yield Finding("length", verdict, "subject", message % {"signs": subject, "limit": SUBJECT_WARN})
    if preheader > PREHEADER_WARN:
        yield Finding("length", "warn", "preheader", _("The preheader is longer than mail programs show."))
    if len(draft.whole) > WHOLE_WARN:
        verdict = "block" if len(draft.whole) > WHOLE_BLOCK else "warn"
        yield Finding("length", verdict, "body", _("The text is too long to be read. Cut it."))


def check_hidden_characters(sheet: FactSheet, draft: Draft) -> Iterator[Finding]:
    """Signs that nobody sees and that turn or hide words."""
    for passage in draft.passages:
        for place, sign in enumerate(passage.raw):
            category = unicodedata.category(sign)
            if (
                (category in {"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"} or sign == "\ufffd")
                and sign not in "\n\r\t"
                and not _in_emoji(passage.raw, place)
            ):
                message = _("There is an invisible or broken character (%(code)s). Delete it.") % {
                    "code": f"U+{ord(sign):04X}"
                }
                yield Finding("hidden", "block", passage.field, message)
                break


def check_markup(sheet: FactSheet, draft: Draft) -> Iterator[Finding]:
    """Texts are plain; code makes the HTML."""
    for passage in draft.passages:
        for match in _MARKUP.finditer(passage.raw):
            message = _("Texts hold no HTML. Write plain words.")
            yield Finding("markup", "block", passage.field, message, match.group()[:80])


def check_placeholders(sheet: FactSheet, draft: Draft) -> Iterator[Finding]:
    """Merge tags that nobody fills, and gaps that were left open."""
    for passage in draft.passages:
        text = _LINK_TEXT.sub(r"\1", passage.raw)
        for match in _TAG.finditer(text):
            name = re.split(r"[|\s]", match["name"].strip())[0] if match["name"].strip() else ""
            if name not in sheet.merge_tags or not _FILTERS.fullmatch(match["name"].partition("|")[2]):
                yield Finding("merge-tag", "block", passage.field, _("There is no such merge tag."), match.group()[:80])
        text = _TAG.sub(" ", text)
        for match in _GAP.finditer(text):
            message = _("A gap was left open here. Merge tags are written {{ first_name }}.")
            yield Finding("placeholder", "block", passage.field, message, match.group()[:80])


def check_links(sheet: FactSheet, draft: Draft) -> Iterator[Finding]:
    """Addresses that are not the shop's."""
    for passage in draft.passages:
        for match in _SPELLED_OUT.finditer(passage.text):
            message = _("This address is not the shop's. Links are put in by the offer.")
            yield passage_finding(passage.field, "block", message, passage.excerpt(*match.span()))
        for match in _ADDRESS.finditer(passage.text):
            verdict = _judge_address(match.group().rstrip(".,;:!?)'\""), sheet)
            if verdict:
                message = _("This address is not the shop's. Links are put in by the offer.")
                yield passage_finding(passage.field, verdict, message, passage.excerpt(*match.span()))


def find_addresses(text: str) -> Iterator[re.Match[str]]:
    """Addresses of pages and of mail, as programs link them and as people spell them out."""
    yield from _SPELLED_OUT.finditer(text)
    yield from _ADDRESS.finditer(text)


def passage_finding(field: str, verdict: str, message: str, excerpt: str) -> Finding:
    """A finding about an address."""
    return Finding("link", "warn" if verdict == "warn" else "block", field, message, excerpt)


def check_unsubscribe(sheet: FactSheet, draft: Draft) -> Iterator[Finding]:
    """Only a composed message has its footer."""
    if sheet.is_composed and draft.has_body and not _UNSUBSCRIBE.search(draft.text_of("body")):
        yield Finding("unsubscribe", "block", "body", _("The way to unsubscribe is missing."))


def check_address(sheet: FactSheet, draft: Draft) -> Iterator[Finding]:
    """A composed message shows the postal address, where the facts give one. A shop without any cannot submit at all."""
    address = " ".join(sheet.postal_address.split()).lower()
    body = " ".join(draft.text_of("body").split()).lower()
    if sheet.is_composed and draft.has_body and address not in body:
        yield Finding("address", "block", "body", _("The shop's postal address is missing."))


def _in_emoji(text: str, place: int) -> bool:
    """The joiner inside a family of emoji is seen, as one picture."""
    return (
        text[place] == "\u200d"
        and 0 < place < len(text) - 1
        and all(unicodedata.category(sign) in {"So", "Sk", "Mn"} for sign in (text[place - 1], text[place + 1]))
    )


def _judge_address(address: str, sheet: FactSheet) -> str:
    address = html.unescape(address)
    if re.match(r"(?:javascript|data|vbscript|file|ftp):", address, re.I):
        return "block"
    try:
        parts = urlsplit(address if "//" in address else f"//{address}")
        host = (parts.hostname or "").lower().removeprefix("www.")
    except ValueError:
        return "block"
    if "//" in address and "@" in parts.netloc:
        return "block"
    if any(host == domain.removeprefix("www.") or host.endswith(f".{domain}") for domain in sheet.domains):
        return ""
    if sheet.domains or not sheet.shop:
        return "block"
    names = {re.sub(r"[^a-z0-9]", "", sheet.shop.lower()), re.sub(r"[^a-z0-9]", "", sheet.shop.lower().split()[0])}
    labels = host.split(".")
    return "warn" if len(labels) >= 2 and labels[-2].replace("-", "") in names else "block"


_I = re.IGNORECASE
_MARKUP = re.compile(
    r"<\s*/?\s*[a-z!?][^>\n]{0,400}>?|<!--|&(?:#\d+|#x[0-9a-f]+|lt|gt|quot|nbsp);|\bon(?:click|error|load|mouseover)\s*=",
    _I,
)
_LINK_TEXT = re.compile(r"!?\[([^\]\n]{1,120})\](?=\(\s*[^)\s]+)")
_TAG = re.compile(r"\{\{(?P<name>[^{}]*)\}\}")
_FILTERS = re.compile(r"\s*|\s*default\s*:\s*(?:\"[^\"]*\"|'[^']*'|“[^”]*”)\s*|\s*(?:capitalize|strip|escape)\s*")
_GAP = re.compile(
    r"\{%.*?%\}|\{[^{}\n]{0,60}\}|\{\{|\}\}|\$\{?[a-z_]{3,}\}?|%[A-Z_]{3,}%|%%[A-Za-z_]+%%|\*\|[^|\n]+\|\*|%\([a-z_]+\)[sd]|%s\b|#\{[^}]*\}|@@\w+@@|__[A-Za-z]+__"
    r"|\[[A-Za-z\u4e00-\u9fff][^\]\n]{0,60}\]|<<[^>\n]+>>|【[^】\n]*(?:姓名|名字|称呼|客户名|顾客名|公司名|日期|优惠码|产品名|商品名|链接|占位|填写|插入)[^】\n]*】|〔[^〕\n]*〕"
    r"|\byour\s+name\b(?!\s+(?:on|is|in|at)\b)|\b(?:customer|recipient|company|shop|product|brand)\s+name\b|\bfirst\s+name\b|\binsert\s+(?:\w+\s+){0,3}here\b|\blorem\b|\bipsum\b|\bTODO\b|\bTBD\b|\bTBC\b|\bFIXME\b|\bX{2,}\s*%|\b(?-i:XXX+)\b|\bplaceholder\b"
    r"|_{3,}|(?-i:XXX+)|(?:此处|这里)(?:填写|插入)|您的姓名|某某",
    _I,
)
_TLDS = (
    "com|net|org|info|biz|io|co|shop|store|online|site|xyz|top|click|link|me|app|dev|ai|eu|uk|de|fr|es|it|nl|se|no|dk|pl|ch|at"
    "|be|ie|us|ca|au|nz|cn|hk|tw|jp|kr|in|ru|br|test|example|invalid|ly|gl|gg|to|tk|cc|tv"
)
_ADDRESS = re.compile(
    rf"(?:https?|ftp)://[^\s<>\"'，。）)\]]+|\b(?:javascript|data|vbscript):[^\s]+|(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+|(?<![\w@.])(?:[a-z0-9](?:[a-z0-9-]{{0,61}}[a-z0-9])?\.)+(?:{_TLDS})\b(?:/[^\s<>\"'，。]*)?",
    _I | re.ASCII,
)
#: An address that is written so that no program links it, but every reader understands it: shop . com, shop。com
_SPELLED_OUT = re.compile(
    r"\b[a-z0-9-]{3,63}(?:\s+[.。․]\s*|\s*[。․]\s*)(?:com|net|org|cn|ru|xyz|test)\b", _I | re.ASCII
)
_UNSUBSCRIBE = re.compile(r"unsubscribe|退订|取消订阅", _I)
