"""The text of an HTML mail: read, never rendered. Nothing is fetched, run or kept of its markup. Pure.

Quotations get the marks that plain mail has ("> "), so that one way of cutting fits both.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser

#: Of a longer mail the beginning is read: a page can be made so that reading it takes the square of its length.
LONGEST_HTML = 300_000
MOST_NESTED = 50
_SILENT = {
    "script",
    "style",
    "head",
    "title",
    "template",
    "noscript",
    "object",
    "svg",
    "math",
    "iframe",
    "textarea",
    "select",
}
_BLOCKS = {
    "p", "div", "br", "tr", "table", "ul", "ol", "li", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "pre", "section", "article",
    "header", "footer", "blockquote", "dl", "dt", "dd",
}  # fmt: skip
_EMPTY = {"br", "hr", "img", "meta", "link", "input", "col", "wbr", "base"}
#: A whole tag; a whole declaration; an angle by itself.
_ANY_TAG = re.compile(r"(</?[a-zA-Z][^<>]{0,4000}>)|(<[!?][^<>]{0,4000}>)|<")
_SPACES = re.compile(r"[ \t\r\n\f\xa0]+")


def make_text(html: str) -> str:
    """Never raises; what is broken in it is read as a browser would, roughly."""
    reader = _Reader()
    reader.feed(_leave_whole_tags(html[:LONGEST_HTML]))
    reader.close()
    return reader.finish()


def _leave_whole_tags(html: str) -> str:
    """Without comments and declarations, and with "&lt;" for each "<" that no ">" follows: over what is never closed, the
    standard library's parser takes the square of its length."""
    parts, at = [], 0
    while (begun := html.find("<!--", at)) >= 0:
        parts.append(html[at:begun])
        ended = html.find("-->", begun + 4)
        at = ended + 3 if ended >= 0 else len(html)
    parts.append(html[at:])
    return _ANY_TAG.sub(lambda found: found[0] if found[1] else "" if found[2] else "&lt;", "".join(parts))


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._lines: list[tuple[int, str]] = []
        self._line: list[str] = []
        self._quoted = 0
        self._silent: list[str] = []
        self._link = ""
        self._link_words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "body":  # also of a mail that never closes its head
            self._silent.clear()
        if self._silent or tag in _SILENT:
            if tag not in _EMPTY and len(self._silent) < MOST_NESTED:
                self._silent.append(tag)
            return
        if tag in _BLOCKS:
            self._end_line()
        if tag == "blockquote":
            self._quoted = min(self._quoted + 1, MOST_NESTED)
        elif tag == "li":
            self._line = ["- "]
        elif tag == "a":
            self._link, self._link_words = dict(attrs).get("href") or "", []
        elif tag == "td" and self._line:
            self._line.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if self._silent:
            if tag in self._silent:  # what was opened within it and never closed ends with it
                while self._silent.pop() != tag:
                    pass
            return
        if tag == "a":
            self._end_link()
        if tag in _BLOCKS:
            self._end_line()
        if tag == "blockquote":
            self._quoted = max(self._quoted - 1, 0)

    def handle_data(self, data: str) -> None:
        if not self._silent:
            words = _SPACES.sub(" ", data)
            self._line.append(words)
            self._link_words.append(words)

    def finish(self) -> str:
        self._end_line()
        lines = [f"{'>' * depth} {line}".rstrip() if depth else line for depth, line in self._lines]
        return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")

    def _end_link(self) -> None:
        """Where a link leads is said beside its words: what they say is not always true."""
        link = _SPACES.sub("", self._link)[:300]
        if re.match(r"https?://", link, re.IGNORECASE) and link not in "".join(self._link_words)[:1000]:
            self._line.append(f" ({link})")
        self._link, self._link_words = "", []

    def _end_line(self) -> None:
        self._lines.append((self._quoted, "".join(self._line).strip()))
        self._line = []
