"""The Markdown of a body: paragraphs, emphasis and lists, and nothing else that a mail could be broken by."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.content.markup import hide_liquid, show_liquid, write_html, write_text

LIST = "We *really* have:\n\n- tents\n- **stoves**\n\nCome by."


def test_paragraphs_emphasis_and_lists_become_html() -> None:
    html = write_html(LIST)
    for part in ("<p>We <em>really</em> have:</p>", "<li>tents</li>", "<strong>stoves</strong>", "<p>Come by.</p>"):
        assert part in html


def test_the_text_has_the_words_without_their_marks() -> None:
    assert write_text(LIST) == "We really have:\n\n- tents\n- stoves\n\nCome by."
    assert write_text("1. one\n2. two") == "1. one\n2. two"
    assert write_text("1. one\n2. two", bullet="") == "one\ntwo"


@pytest.mark.parametrize(
    "brought",
    ["<b>x</b>", "<script>x</script>", "[here](https://evil.test)", "![x](https://evil.test/p.gif)", "# Head",
     "<https://evil.test>", "`code`", "> said", "---", "| a | b |", "https://evil.test", "javascript:alert(1)"],
)  # fmt: skip
def test_nothing_else_becomes_markup(brought: str) -> None:
    html = write_html(brought)
    assert html.startswith("<p>")
    assert not any(
        tag in html for tag in ("<a", "<img", "<script", "<b>", "<h1", "<code", "<blockquote", "<hr", "<table")
    )


def test_liquid_goes_through_untouched() -> None:
    tag = '{{ first_name | default: "*you* & <me>" }}'
    assert tag in write_html(f"Hi *{tag}*")
    assert f"<em>{tag}</em>" in write_html(f"Hi *{tag}*")
    assert write_text(f"- {tag}") == f"- {tag}"


def test_marks_inside_a_number_do_not_hide_it_from_the_checks() -> None:
    assert write_text("Take 5**0**% off") == "Take 50% off"


@given(st.text(max_size=300))
def test_liquid_that_is_hidden_comes_back(text: str) -> None:
    plain = text.replace("\ue100", "").replace("\ue101", "")
    assert show_liquid(*hide_liquid(text)) == plain


@given(st.text(max_size=300))
def test_any_text_can_be_written(text: str) -> None:
    assert "<script" not in write_html(text).lower().replace("&lt;script", "")
    write_text(text)
