"""Finds what must never stand in a message or on a page: a pure reading of HTML and text. Tested with forged messages."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from html.parser import HTMLParser
from urllib.parse import urlsplit

#: A message is paragraphs, lists, tables and links; nothing else has any business in it.
HARMLESS = frozenset({
    "html", "head", "title", "meta", "style", "body", "div", "span", "p", "br", "hr", "table", "tbody", "thead", "tr",
    "td", "th", "a", "b", "i", "em", "strong", "u", "ul", "ol", "li", "h1", "h2", "h3", "h4", "center",
})  # fmt: skip
LINKS = frozenset({
    "href", "src", "srcset", "action", "formaction", "background", "poster", "data", "cite", "ping",
})  # fmt: skip
DOMAIN = re.compile(
    r"(?<![\w.@-])(?:[a-z][a-z0-9+.-]*:)?(?://)?((?:[a-z0-9-]{1,63}\.){1,8}[a-z]{2,24})(?![\w-])", re.IGNORECASE
)
MAIL = re.compile(r"[\w.+-]+@([\w-]+(?:\.[\w-]+)+)")
SCHEME = re.compile(r"\b(?:javascript|vbscript|data|file):", re.IGNORECASE)


def find_unsafe_nodes(html: str, hosts: Iterable[str]) -> list[str]:
    """Nodes, attributes and links of a message that may not be there; `hosts` are the shop's own."""
    reader = _Reader(tuple(hosts))
    reader.feed(html)
    reader.close()
    return reader.found


def find_foreign_addresses(text: str, hosts: Iterable[str]) -> list[str]:
    """Domains and mail addresses in plain words that are not the shop's, also in full width and with odd dots."""
    own = tuple(hosts)
    plain = unicodedata.normalize("NFKC", text).replace("。", ".").replace("\u2024", ".")
    plain = re.sub(r"\s*\.\s*(?=test\b|com\b|net\b|cn\b)", ".", plain)
    domains = [match[1].lower() for match in DOMAIN.finditer(plain)] + [m[1].lower() for m in MAIL.finditer(plain)]
    foreign = [domain for domain in domains if not _is_own(domain, own) and _is_domain(domain)]
    return foreign + SCHEME.findall(plain)


def find_demands_outside_text(html: str, signs: Iterable[str]) -> list[str]:
    """On our own pages, which have scripts: attributes and scripts that carry a sign of an attack."""
    reader = _PageReader(tuple(signs))
    reader.feed(html)
    reader.close()
    return reader.found


def _is_own(host: str, own: Iterable[str]) -> bool:
    return any(host == base or host.endswith(f".{base}") for base in own if base)


def _is_domain(host: str) -> bool:
    return host.rpartition(".")[2] in {"test", "com", "net", "org", "cn", "io", "shop", "example"}


class _Reader(HTMLParser):
    def __init__(self, hosts: tuple[str, ...]) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._hosts = hosts

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in HARMLESS:
            self.found.append(f"<{tag}>")
        for name, value in attrs:
            self._check_attribute(tag, name, value or "")

    def _check_attribute(self, tag: str, name: str, value: str) -> None:
        if name.startswith("on") or (tag == "meta" and name == "http-equiv" and value.lower() == "refresh"):
            self.found.append(f"{tag} {name}")
        if name == "style" and re.search(r"url\(|expression|@import", value, re.IGNORECASE):
            self.found.append(f"{tag} style {value}")
        if name in LINKS and value and not value.startswith("#"):  # a fragment stays on its page
            parts = urlsplit(value)
            if parts.scheme not in ("http", "https") or not _is_own((parts.hostname or "").lower(), self._hosts):
                self.found.append(f"{tag} {name}={value}")

    def handle_data(self, data: str) -> None:
        if self.cdata_elem == "style" and re.search(r"url\(|@import|expression", data, re.IGNORECASE):
            self.found.append("style")


class _PageReader(HTMLParser):
    def __init__(self, signs: tuple[str, ...]) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._signs = signs

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            is_live = name in LINKS or name.startswith(("on", "hx-"))
            if (
                is_live
                and any(sign in (value or "") for sign in self._signs)
                and not (value or "").startswith(("/", "?"))
            ):
                self.found.append(f"{tag} {name}={value}")
        if tag in ("iframe", "svg", "img") and any(name == "onload" for name, _value in attrs):
            self.found.append(f"{tag} onload")

    def handle_data(self, data: str) -> None:
        if self.cdata_elem == "script" and any(sign in data for sign in self._signs):
            self.found.append("script")
