"""How a mail looks that a person asked for: on the paper of every campaign's message, and the same as plain text."""

from __future__ import annotations

from collections.abc import Iterable

from css_inline import CSSInliner
from django.conf import settings
from django.utils.functional import cached_property
from django.utils.html import escape
from django.utils.translation import get_language

from campaigns.content.channels.email import DARK, STYLE, TABLE


def lay_out(
    subject: str, paragraphs: Iterable[str], *, url: str, button: str, quote: str = "", notes: Iterable[str] = ()
) -> tuple[str, str]:
    """Such a mail as HTML and as plain text: what it is about, perhaps a quotation, one button, and what else is to be known."""
    paragraphs, notes = list(paragraphs), [note for note in notes if note]
    plain = [*paragraphs, f"“{quote}”" if quote else "", f"{button}:\n{url}", *notes]
    page = _PAGE.format(
        language=get_language() or "en",
        subject=escape(subject),
        shop=escape(settings.SHOP_NAME),
        paragraphs="".join(f"<p>{escape(text)}</p>" for text in paragraphs),
        quote=f'<blockquote class="quote">{escape(quote)}</blockquote>' if quote else "",
        url=escape(url),
        button=escape(button),
        notes="".join(f'<p class="note">{escape(note)}</p>' for note in notes),
        dark=DARK[:-1] + ".quote{color:#d8d0c7!important;border-color:#5a5148!important}}",
        table=TABLE,
    )
    return _tailor.inliner.inline(page), "\n\n".join(part for part in plain if part)


_PAGE = """<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark">
<title>{subject}</title>
<style>{dark}</style>
</head>
<body class="paper">
<table {table} class="sheet" width="100%"><tr><td class="around" align="center">
<table {table} class="card" width="100%">
<tr><td class="head"><p class="brand">{shop}</p></td></tr>
<tr><td class="body">{paragraphs}{quote}
<table {table}><tr><td class="go"><a class="go-to" href="{url}">{button}</a></td></tr></table>
</td></tr>
<tr><td class="foot">{notes}</td></tr>
</table></td></tr></table>
</body>
</html>"""
_MORE_STYLE = """
.body { text-align: left } .foot { text-align: left }
.quote { margin: 0 0 20px; padding: 2px 0 2px 14px; border-left: 3px solid #e2d8cd; color: #4d463f }
.note { margin: 0 0 8px }
"""


class _Tailor:
    """Made when the first such mail is: the stylesheet is parsed once."""

    @cached_property
    def inliner(self) -> CSSInliner:
        return CSSInliner(
            inline_style_tags=False, keep_style_tags=True, extra_css=STYLE + _MORE_STYLE, load_remote_stylesheets=False
        )


_tailor = _Tailor()
