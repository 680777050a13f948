"""Small tags of the page frame: icons, fields, sort heads, chips, slots and word changes."""

from __future__ import annotations

import difflib
import re
from typing import Any

from django import template
from django.core.paginator import Paginator
from django.forms import BoundField, CheckboxInput
from django.http import QueryDict
from django.template.context import Context
from django.urls import Resolver404, resolve
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from campaigns.content.markup import hide_liquid, render_hidden, show_liquid
from campaigns.content.told import tell_finding
from customers.told import tell
from retention_site.icons import FLAME, ICONS, MENU_ICONS

register = template.Library()
#: What says where in a list a page begins; another filter or sort begins anew.
PLACES = ("page", "after", "before")

_MERGE_TAG = re.compile(r"\{\{\s*(?P<name>[^{}|]+?)\s*(?P<filters>\|[^{}]*)?\}\}")
_WORD = re.compile(r"[\u3400-\u9fff]|[^\s\u3400-\u9fff]+\s*|\s+")  # Chinese changes character by character
_FALL_BACK = re.compile(r"default:\s*[\"'“](?P<words>[^\"'”]*)[\"'”]")


@register.simple_tag
def icon(name: str, size: str = "") -> SafeString:
    """An icon beside words, hidden from screen readers; the words carry the meaning. size: "", small, large."""
    return format_html(
        '<svg class="icon {}" viewBox="0 0 20 20" width="18" height="18" aria-hidden="true"><path d="{}"/></svg>',
        size,
        ICONS.get(name, ICONS["target"]),  # a misspelt icon is no reason to break a page; a test finds it
    )


@register.simple_tag
def menu_icon(url: str) -> SafeString:
    """The icon of a menu entry, found by its address; a new entry without one gets a plain ring."""
    try:
        name = resolve(url).view_name
    except Resolver404:
        name = ""
    return icon(MENU_ICONS.get(name, "target"))


@register.simple_tag
def flame(size: int = 24) -> SafeString:
    """The mark of Rekindle."""
    return format_html(
        '<svg class="mark" width="{0}" height="{0}" viewBox="0 0 24 24" aria-hidden="true">'
        '<path class="flame" d="{1}"/><path class="core" d="{2}"/></svg>',
        size,
        *FLAME,
    )


@register.filter
def finding_words(kept: object) -> str:
    """The sentence of a finding, which is kept in English, in the language of the page."""
    return tell_finding(str(kept))


@register.filter
def told(kept: object) -> str:
    """A sentence that a row keeps (a reason, a failure), in the language of the page; what a person typed stays as it is."""
    return tell(str(kept or ""))


@register.filter
def person_name(user: Any) -> str:
    """How a colleague is called: full name, else log-in name; "" for nobody."""
    return "" if user is None else str(user.get_full_name() or user.get_username())


@register.filter
def initials(name: object) -> str:
    """Ingrid Solberg -> IS, 王小明 -> 王; for the round face beside a name."""
    words: list[str] = re.findall(r"\w+", str(name))
    if not words:
        return "?"
    if not words[0][0].isascii():
        return words[0][0]
    return (words[0][0] + (words[-1][0] if len(words) > 1 else words[0][1:2])).upper()


@register.inclusion_tag("parts/field.html")
def field(bound: BoundField, label: str = "", help_at_end: bool = False) -> dict[str, Any]:
    """One form field: label, help, control, and its error beside it."""
    return {
        "field": bound,
        "label": label or bound.label,
        "help_at_end": help_at_end,
        "is_check": isinstance(bound.field.widget, CheckboxInput),
        "error_id": f"{bound.auto_id}_error",
        "help_id": f"{bound.auto_id}_helptext",
    }


@register.inclusion_tag("parts/sort_head.html", takes_context=True)
def sort_head(context: Context, name: str, label: str, numeric: bool = False, first: str = "down") -> dict[str, Any]:
    """A <th> whose link sorts by `name`: ?sort=name or ?sort=-name; first says which way the first click goes."""
    query: QueryDict = context["request"].GET.copy()
    current = query.get("sort", "")
    is_current = current.lstrip("-") == name
    goes_down = first == "down" if not is_current else not current.startswith("-")
    query["sort"] = f"-{name}" if goes_down else name
    _forget_place(query)
    return {
        "label": label,
        "numeric": numeric,
        "is_current": is_current,
        "is_descending": current.startswith("-"),
        "url": f"?{query.urlencode()}",
    }


@register.simple_tag(takes_context=True)
def query_without(context: Context, name: str, value: str | None = None) -> str:
    """The present query string without one parameter (or one of its values) and without the page: for a chip's cross."""
    query: QueryDict = context["request"].GET.copy()
    kept = [] if value is None else [one for one in query.getlist(name) if one != str(value)]
    query.setlist(name, kept)
    if not kept:
        query.pop(name, None)
    _forget_place(query)
    return f"?{query.urlencode()}"


@register.simple_tag(takes_context=True)
def keep_query(context: Context, *without: str) -> SafeString:
    """Hidden inputs that carry the present query through a GET form, except the names given and the page."""
    pairs = [
        (name, value)
        for name, values in context["request"].GET.lists()
        if name not in (*without, *PLACES)
        for value in values
    ]
    return format_html_join("", '<input type="hidden" name="{}" value="{}">', pairs)


def _forget_place(query: QueryDict) -> None:
    for name in PLACES:
        query.pop(name, None)


@register.filter
def page_numbers(paginator: Paginator[Any], current: int) -> list[int | None]:
    """The page numbers to offer, with None where some are left out."""
    gap = str(Paginator.ELLIPSIS)
    return [
        None if str(one) == gap else int(one)
        for one in paginator.get_elided_page_range(current, on_each_side=1, on_ends=1)
    ]


@register.filter
def slots(text: object) -> SafeString:
    """Text with Liquid merge tags, shown with slots that look like slots; everything else is escaped."""
    source, shown, end = str(text or ""), [], 0
    for match in _MERGE_TAG.finditer(source):
        shown.append(conditional_escape(source[end : match.start()]))
        shown.append(format_html('<span class="slot" title="{}">{}</span>', match.group(0), _slot_words(match)))
        end = match.end()
    shown.append(conditional_escape(source[end:]))
    return format_html_join("", "{}", ((piece,) for piece in shown))


@register.filter
def prose(text: object) -> SafeString:
    """The body of a message as staff read it: its Markdown as HTML, its merge tags as slots, all else escaped."""
    hidden, pieces = hide_liquid(str(text or ""))
    html = render_hidden(hidden)  # escapes whatever is no mark of Markdown
    return SafeString(show_liquid(html, [str(slots(piece)) for piece in pieces]))


@register.simple_tag
def word_changes(before: str, after: str) -> SafeString:
    """What a person changed in a text, word by word, as <ins> and <del>."""
    old, new = _WORD.findall(before), _WORD.findall(after)
    pieces: list[SafeString] = []
    for kind, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            pieces.append(conditional_escape("".join(old[a:b])))
            continue
        if b > a:
            pieces.append(format_html("<del>{}</del>", "".join(old[a:b])))
        if d > c:
            pieces.append(format_html("<ins>{}</ins>", "".join(new[c:d])))
    return format_html_join("", "{}", ((piece,) for piece in pieces))


def _slot_words(match: re.Match[str]) -> str:
    thing, _dot, part = match.group("name").replace("_", " ").rpartition(".")
    name = part if thing in ("", "customer") else f"{thing}: {part}"
    fall_back = _FALL_BACK.search(match.group("filters") or "")
    if fall_back is None:
        return name
    return _("%(name)s, or “%(words)s”") % {"name": name, "words": fall_back.group("words")}
