"""The small Markdown of a message's body: paragraphs, emphasis and lists, as HTML and as text. Pure: no Django.

Nothing else is read: no HTML, no links, no pictures, no headings. Links, prices and codes come from code, so that a text
cannot bring any. Liquid between {{ and }} or {% and %} goes through untouched.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

_LIQUID: Final = re.compile(r"(\{\{.*?\}\}|\{%.*?%\})", re.DOTALL)
#: Stands for one piece of Liquid while something else reads the text; a writer cannot put it there (`_strip`).
_MARK: Final = "\ue100{}\ue101"
_MARKED: Final = re.compile("\ue100(\\d+)\ue101")
_MARKDOWN: Final = MarkdownIt("zero", {"html": False, "breaks": True}).enable(["list", "emphasis", "newline"])


def hide_liquid(text: str) -> tuple[str, list[str]]:
    """The text with a mark in the place of each piece of Liquid, and the pieces; `show_liquid` puts them back."""
    pieces: list[str] = []

    def keep(match: re.Match[str]) -> str:
        pieces.append(match.group())
        return _MARK.format(len(pieces) - 1)

    return _LIQUID.sub(keep, _strip(text)), pieces


def show_liquid(text: str, pieces: Sequence[str]) -> str:
    """The text with its Liquid again."""
    return _MARKED.sub(lambda match: pieces[int(match.group(1))], text)


def write_html(markdown: str) -> str:
    """HTML in <p>, <strong>, <em>, <ul>, <ol>, <li>, <br>; all else is escaped, the Liquid stands as it was."""
    hidden, pieces = hide_liquid(markdown.strip())
    return show_liquid(render_hidden(hidden), pieces)


def render_hidden(hidden: str) -> str:
    """The HTML of a text whose Liquid is hidden: safe wherever what takes its place is."""
    return str(_MARKDOWN.render(hidden)).strip()


def write_text(markdown: str, *, bullet: str = "- ") -> str:
    """The words without their marks: paragraphs apart, a list with its bullets or numbers (`bullet` "" leaves both out)."""
    hidden, pieces = hide_liquid(markdown.strip())
    return show_liquid(_Reader(bullet).read(_MARKDOWN.parse(hidden)), pieces)


class _Reader:
    """Walks the tokens of a text and writes its blocks."""

    def __init__(self, bullet: str) -> None:
        self.bullet = bullet
        self.blocks: list[str] = []
        self.lists: list[int | None] = []  # the next number of each open list, None for one with bullets
        self.prefix = ""

    def read(self, tokens: Sequence[Token]) -> str:
        for token in tokens:
            self._take(token)
        return "".join(self.blocks).strip()

    def _take(self, token: Token) -> None:
        if token.type == "bullet_list_open":
            self.lists.append(None)
        elif token.type == "ordered_list_open":
            self.lists.append(int(token.attrGet("start") or 1))
        elif token.type in ("bullet_list_close", "ordered_list_close"):
            self.lists.pop()
            if not self.lists:
                self.blocks.append("\n")
        elif token.type == "list_item_open":
            self._begin_item()
        elif token.type == "inline":
            self.blocks.append(self.prefix + _read_inline(token) + ("\n" if self.lists else "\n\n"))
            self.prefix = ""

    def _begin_item(self) -> None:
        number = self.lists[-1]
        mark = self.bullet if number is None or not self.bullet else f"{number}. "
        self.prefix = "  " * (len(self.lists) - 1) * bool(self.bullet) + mark
        if number is not None:
            self.lists[-1] = number + 1


def _read_inline(token: Token) -> str:
    kept = {"softbreak": "\n", "hardbreak": "\n"}
    return "".join(
        child.content if child.type == "text" else kept.get(child.type, "") for child in token.children or ()
    )


def _strip(text: str) -> str:
    return text.replace("\ue100", "").replace("\ue101", "")
