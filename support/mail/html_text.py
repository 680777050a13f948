"""The text of an HTML mail: read, never rendered. Nothing is fetched, run or kept of its markup. Pure.

Quotations get the marks that plain mail has ("> "), so that one way of cutting fits both.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser

LONGEST_HTML = 2_000_000
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
_SPACES = re.compile(r"[ \t\r\n\f\xa0]+")


def make_text(html: str) -> str:
    """Never raises; what is broken in it is read as a browser would, roughly."""
    reader = _Reader()
    reader.feed(html[:LONGEST_HTML])
    reader.close()
    return reader.finish()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._lines: list[tuple[int, str]] = []
        self._line = ""
        self._quoted = 0
        self._silent: list[str] = []
        self._link = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "body":  # also of a mail that never closes its head
            self._silent.clear()
        if self._silent or tag in _SILENT:
            if tag not in _EMPTY:
                self._silent.append(tag)
            return
        if tag in _BLOCKS:
            self._end_line()
        if tag == "blockquote":
            self._quoted += 1
        elif tag == "li":
            self._line = "- "
        elif tag == "a":
            self._link = dict(attrs).get("href") or ""
        elif tag == "td" and self._line.strip():
            self._line += " "

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
            self._line += _SPACES.sub(" ", data)

    def finish(self) -> str:
        self._end_line()
        lines = [f"{'>' * depth} {line}".rstrip() if depth else line for depth, line in self._lines]
        return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")

    def _end_link(self) -> None:
        """Where a link leads is said beside its words: what they say is not always true."""
        if re.match(r"https?://", self._link, re.IGNORECASE) and self._link not in self._line:
            self._line += f" ({_SPACES.sub('', self._link)[:300]})"
        self._link = ""

    def _end_line(self) -> None:
        self._lines.append((self._quoted, self._line.strip()))
        self._line = ""
