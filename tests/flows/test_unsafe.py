"""What finds unsafe messages finds forged ones, and leaves good ones alone."""

from __future__ import annotations

import pytest

from .unsafe import find_demands_outside_text, find_foreign_addresses, find_unsafe_nodes

OWN = ("tarnside.test",)


@pytest.mark.parametrize(
    "html",
    [
        "<script>alert(1)</script>",
        "<p onclick=x()>hi</p>",
        '<a href="https://evil-shop.test/x">hi</a>',
        '<a href="https://tarnside.test.evil-shop.test/">hi</a>',
        '<a href="//evil-shop.test">hi</a>',
        '<a href="javascript:alert(1)">hi</a>',
        '<img src="https://tarnside.test/i.png">',
        '<td background="https://evil-shop.test/i.png">',
        '<p style="background:url(https://evil-shop.test/i.png)">',
        "<style>@import 'https://evil-shop.test/x.css'</style>",
        "<svg onload=alert(1)></svg>",
        "<iframe></iframe>",
        '<meta http-equiv="refresh" content="0;url=x">',
        '<form action="/x"><input></form>',
        '<base href="https://evil-shop.test">',
    ],
)
def test_forged_message_is_found(html: str) -> None:
    assert find_unsafe_nodes(f"<html><body>{html}</body></html>", OWN)


def test_good_message_is_left_alone() -> None:
    html = '<p style="color:#222">Hi</p><a href="https://shop.tarnside.test/x?y=1">Look</a><a href="#">Unsubscribe</a>'

    assert find_unsafe_nodes(html, OWN) == []
    assert find_foreign_addresses("See https://tarnside.test/jackets, hello@tarnside.test. 3.5 mm. Bye.So", OWN) == []


@pytest.mark.parametrize(
    "text",
    [
        "evil-shop.test", "see https://evil-shop.test/x", "www.evil-shop.test", "write to deals@evil-shop.test",
        "ｅｖｉｌ－ｓｈｏｐ．ｔｅｓｔ", "evil-shop。test", "evil-shop . test", "javascript:alert(1)",
        "tarnside.test.evil-shop.test",
    ],
)  # fmt: skip
def test_foreign_address_in_words_is_found(text: str) -> None:
    assert find_foreign_addresses(f"Hello, {text} now", OWN)


def test_attack_that_is_only_text_on_a_page_is_no_harm_and_elsewhere_is() -> None:
    signs = ("evil-shop.test",)

    assert not find_demands_outside_text(
        "<p>&lt;script src=//evil-shop.test&gt;</p><a href='/x?q=evil-shop.test'>x</a>", signs
    )
    assert find_demands_outside_text("<a href='https://evil-shop.test'>x</a>", signs)
    assert find_demands_outside_text("<script>evil-shop.test</script>", signs)
