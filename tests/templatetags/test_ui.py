"""Tags of the page frame: links that keep the query, slots, word changes."""

from __future__ import annotations

import re

import pytest
from django.conf import settings
from django.core.paginator import Paginator
from django.template import Context, Template
from django.test import RequestFactory

from retention_site.icons import ICONS, MENU_ICONS
from retention_site.templatetags import ui


def render(source: str, query: str = "", **context: object) -> str:
    request = RequestFactory().get(f"/customers/?{query}")
    return Template("{% load ui %}" + source).render(Context({"request": request, **context}))


def test_a_first_click_sorts_down_and_a_second_one_up() -> None:
    assert 'href="?country=DE&amp;sort=-churn"' in render('{% sort_head "churn" "Risk" %}', "country=DE&page=3")
    again = render('{% sort_head "churn" "Risk" %}', "sort=-churn")
    assert 'href="?sort=churn"' in again
    assert 'aria-sort="descending"' in again


def test_lifting_one_filter_keeps_the_others_and_goes_to_the_first_page() -> None:
    assert render('{% query_without "country" "DE" %}', "country=DE&country=FR&page=2&q=x") == "?country=FR&amp;q=x"
    assert render('{% query_without "q" %}', "q=x") == "?"


def test_a_filter_form_carries_the_rest_of_the_query() -> None:
    assert (
        render('{% keep_query "q" %}', "q=x&sort=-value&page=4") == '<input type="hidden" name="sort" value="-value">'
    )


def test_slots_show_their_fall_back_and_everything_else_is_escaped() -> None:
    shown = ui.slots('Hi {{ customer.first_name | default: "there" }} <b> {{ offer.code }}')
    assert "first name, or “there”</span> &lt;b&gt; " in shown
    assert ">offer: code</span>" in shown
    assert 'title="{{ customer.first_name | default: &quot;there&quot; }}"' in shown


def test_word_changes_are_marked_and_escaped() -> None:
    assert ui.word_changes("We hope it helped", "We hope it <i>") == "We hope it <del>helped</del><ins>&lt;i&gt;</ins>"
    assert ui.word_changes("秋天到了", "冬天到了") == "<del>秋</del><ins>冬</ins>天到了"
    assert ui.word_changes("same", "same") == "same"


@pytest.mark.parametrize(("name", "shown"), [("Ingrid Solberg", "IS"), ("mara", "MA"), ("王小明", "王"), ("", "?")])
def test_initials_of_names(name: str, shown: str) -> None:
    assert ui.initials(name) == shown


def test_page_numbers_leave_out_the_middle() -> None:
    assert ui.page_numbers(Paginator(range(4250), 50), 3) == [1, 2, 3, 4, None, 85]


def test_templates_name_only_icons_that_exist() -> None:
    named = {
        (path.name, name)
        for path in (settings.BASE_DIR / "templates").rglob("*.html")
        for name in re.findall(r'(?:{% icon |\bicon=)"([\w-]+)"', path.read_text())
    }
    assert {pair for pair in named if pair[1] not in ICONS} == set()


#: A mail has its styles in itself: no policy of ours goes with it.
MAILS = {"weekly.html"}


def test_templates_keep_to_the_content_policy() -> None:
    """No style attributes, inline scripts or handlers: the policy would block them in silence."""
    found = (settings.BASE_DIR / "templates").rglob("*.html")
    pages = [path for path in found if "preview" not in path.name and path.name not in MAILS]
    forbidden = re.compile(r"\sstyle=|\son\w+=|<script>|javascript:")
    broken = {path.name for path in pages if forbidden.search(re.sub(r"{[{%#].*?[}%#]}", "", path.read_text()))}
    assert broken == set()


def test_every_menu_entry_names_an_icon_that_exists() -> None:
    assert set(MENU_ICONS.values()) <= set(ICONS)
