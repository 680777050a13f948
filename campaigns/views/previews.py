"""A text as one customer would get it, for a sandboxed frame: what is stored, or what was just typed."""

from __future__ import annotations

import json
from html import escape
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_http_methods

from campaigns.content.channels import Measure, RenderedMessage, find_writer
from campaigns.content.editing import LONGEST, LONGEST_PART
from campaigns.content.rendering import PREVIEW_CSP, RenderError, render_preview
from campaigns.content.samples import pick_customer
from campaigns.models import Variant

from .access import get_variant_for

#: What a text looks like where the reader's device is light or dark; otherwise the frame follows the device.
THEMES: Final = {"light": "not all", "dark": "all"}
_DARK_RULE: Final = "@media (prefers-color-scheme:dark)"


@require_http_methods(["GET", "HEAD", "POST"])
@xframe_options_sameorigin
def show_preview(request: HttpRequest, pk: int) -> HttpResponse:
    """The message as `?whose=N` (the N-th sample of the archetype, or "nobody") would get it. `?as=text` gives the plain
    part, `?theme=light|dark` the look. POST shows what was typed and stores nothing."""
    variant = get_variant_for(request.user, pk)
    if request.method == "POST":
        _take_words(variant, request)
    # Who may not see customers gets the copy for somebody of whom nothing is known.
    whose = request.GET.get("whose", "1") if request.user.has_perm("customers.view_customer") else "nobody"
    try:
        copy = render_preview(variant, pick_customer(variant, whose), now=timezone.now())
    except RenderError as error:
        return _frame(f"<p>{_('This text cannot be shown')}: {escape(str(error))}</p>")
    if variant.archetype.channel != "email":
        return show_card(variant.archetype.channel, copy, request.GET.get("theme", ""))
    if request.GET.get("as") == "text":
        response = HttpResponse(copy.text, content_type="text/plain; charset=utf-8")
        response["Content-Security-Policy"] = PREVIEW_CSP
        return response
    return _frame(choose_theme(copy.html, request.GET.get("theme", "")))


def choose_theme(html: str, theme: str) -> str:
    """A message as a light or a dark device shows it."""
    return html.replace(_DARK_RULE, f"@media {THEMES[theme]}") if theme in THEMES else html


def _take_words(variant: Variant, request: HttpRequest) -> None:
    """Put what was typed into the row in memory, cut to what a column may hold."""
    for name in find_writer(variant.archetype.channel).parts:
        if name in request.POST:
            typed = request.POST[name].replace("\r\n", "\n").replace("\x00", "")
            setattr(variant, name, typed[: LONGEST.get(name, LONGEST_PART)])
    if variant.facts.get("products"):
        variant.shows_products = "shows_products" in request.POST


def show_card(channel: str, copy: RenderedMessage, theme: str = "") -> HttpResponse:
    """A page of our own for what is no e-mail: the text as a phone shows it, or the payload."""
    return _frame(_write_card(channel, copy, theme))


def _write_card(channel: str, copy: RenderedMessage, theme: str) -> str:
    if channel == "sms":
        shown = f'<p class="bubble">{escape(copy.text)}</p>'
    elif channel == "push":
        payload = json.loads(copy.text)
        shown = (
            f'<div class="push"><b>{escape(payload["title"])}</b><p>{escape(payload["body"])}</p>'
            f"<small>{escape(payload['link'])}</small></div>"
        )
    else:
        shown = f"<pre>{escape(copy.text)}</pre>"
    measures = "".join(_write_measure(measure) for measure in find_writer(channel).measure(copy))
    dark = f"@media {THEMES[theme]}" if theme in THEMES else _DARK_RULE
    style = _STYLE + dark + _DARK_STYLE
    return (
        f'<!doctype html><html lang="{get_language()}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><style>{style}</style></head>'
        f"<body>{shown}<ul>{measures}</ul></body></html>"
    )


def _write_measure(measure: Measure) -> str:
    mark = ' class="over"' if measure.is_over else ""
    words = _("%(value)d of %(most)d %(unit)s") % {
        "value": measure.value, "most": measure.most, "unit": measure.unit,
    }  # fmt: skip
    return f"<li{mark}>{escape(measure.label)}: {escape(words)}</li>"


def _frame(html: str) -> HttpResponse:
    response = HttpResponse(html)
    response["Content-Security-Policy"] = PREVIEW_CSP
    return response


_STYLE: Final = (
    "body{margin:0;padding:24px 18px;background:#f6f3ef;color:#2b2723;font:16px/1.5 -apple-system,'Segoe UI','PingFang SC',"
    "Arial,sans-serif;overflow-wrap:anywhere}p{margin:0}.bubble{max-width:320px;padding:12px 16px;background:#fff;"
    "border-radius:18px 18px 18px 4px}.push{max-width:360px;padding:14px 16px;background:#fff;border-radius:18px}"
    ".push small{color:#6d655c}pre{margin:0;padding:14px;background:#fff;border-radius:10px;font:13px/1.5 monospace;"
    "white-space:pre-wrap}ul{list-style:none;margin:14px 0 0;padding:0;font-size:13px;color:#6d655c}.over{color:#a3330a}"
)
_DARK_STYLE: Final = (
    "{body{background:#1b1815;color:#f1ece6}.bubble,.push,pre{background:#2c2723}ul,.push small{color:#b0a69b}"
    ".over{color:#f3b48e}}"
)
