"""Goes wherever the pages lead: every link of every page, as a person with a browser would find them."""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

from django.http.response import HttpResponseBase
from django.test import Client

#: What a browser asks for by itself or on a click, and what the pages' own scripts ask for.
ATTRIBUTES = frozenset({"href", "src", "hx-get"})
_NUMBERS = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d+")
_LEFT_OPEN = re.compile(r"%\(\w+\)[sd]|\bNaN\b|&lt;\w[\w.]* object")


@dataclass
class Walk:
    """Addresses seen, those that answered with an error (and the page that led there), and texts that a template left open."""

    seen: set[str] = field(default_factory=set)
    refused: list[tuple[str, int, str]] = field(default_factory=list)
    left_open: list[tuple[str, str]] = field(default_factory=list)


def walk(client: Client, *, alike: int) -> Walk:
    """Follow links from Home inside this site; of addresses that differ in numbers or query alone, `alike` are opened."""
    client.raise_request_exception = False  # an error is told with all the others
    done, kinds, queue = Walk(), Counter[str](), deque([("/", "")])
    while queue:
        address, origin = queue.popleft()
        kind = _name_kind(address)
        if address in done.seen or kinds[kind] >= alike:
            continue
        done.seen.add(address)
        kinds[kind] += 1
        response = client.get(address)
        if response.status_code in (301, 302):
            queue.extend((there, address) for there in _inside(address, response["Location"]))
        elif response.status_code >= 400:
            done.refused.append((address, response.status_code, origin))
        elif response["Content-Type"].startswith("text/html"):
            html = _read(response)
            done.left_open += [(address, found) for found in _LEFT_OPEN.findall(html)]
            for link in find_links(html):
                queue.extend((there, address) for there in _inside(address, link))
    return done


def find_links(html: str) -> list[str]:
    """What the page leads to, in its order."""
    reader = _Links()
    reader.feed(html)
    return reader.found


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name in ATTRIBUTES and value]


def _inside(page: str, link: str) -> Iterator[str]:
    """The path and query of a link that stays on this site."""
    there = urlsplit(urljoin(f"http://testserver{page}", link))
    if there.scheme == "http" and there.netloc == "testserver" and not there.path.startswith("/static/"):
        yield f"{there.path}?{there.query}" if there.query else there.path


def _name_kind(address: str) -> str:
    path, _, query = address.partition("?")
    return _NUMBERS.sub("N", path) + ("?" if query else "")


def _read(response: HttpResponseBase) -> str:
    body: bytes = response.getvalue() if response.streaming else response.content  # type: ignore[attr-defined]
    return body.decode(response.charset)
