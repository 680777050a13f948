"""E-mail: one column of HTML with its CSS inlined, light and dark, and the same in plain text.

The page below has classes, one stylesheet dresses it, and `css_inline` writes the rules into the elements, because mail
programs drop stylesheets. What depends on the reader's dark mode stays in a <style> of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Final

from css_inline import CSSInliner
from django.utils.translation import gettext as _

from campaigns.content.composing import Frame, MessageSource, Pick, Words, add_fall_backs, describe_offer, phrases_in
from campaigns.content.findings import Finding
from campaigns.content.liquid_engine import escape_around_tags, fill, literal
from campaigns.content.markup import hide_liquid, show_liquid, write_html, write_text

from .filled import Measure, RenderedMessage, one_line

#: What the law of some countries wants before the words, from the shop's country rules; "" for all others.
SUBJECT_PREFIX: Final = "{{ subject_prefix }}"
SUBJECT_SHOWN: Final = 60
PREHEADER_SHOWN: Final = 90


class EmailWriter:
    """Subject, preheader, body and button; the body is opening, story and invitation with the offer between."""

    key = "email"
    parts = ("subject", "preheader", "opening", "story", "invitation", "button_label")

    def compose(self, words: Words, frame: Frame) -> MessageSource:
        said = Words(*(add_fall_backs(part, frame.language) for part in _parts_of(words)))
        return MessageSource(
            subject=SUBJECT_PREFIX + said.subject,
            preheader=said.preheader,
            html=_compose_html(said, frame),
            text=_compose_text(said, frame),
            links=_list_links(frame),
        )

    def fill(self, source: MessageSource, slots: Mapping[str, str]) -> RenderedMessage:
        slots = plain_links(source) | dict(slots)
        return RenderedMessage(
            subject=one_line(fill(source.subject, slots, is_html=False)),
            preheader=one_line(fill(source.preheader, slots, is_html=False)),
            html=fill(source.html, slots, is_html=True),
            text=fill(source.text, slots, is_html=False),
        )

    def measure(self, copy: RenderedMessage) -> list[Measure]:
        return [
            Measure(_("Subject"), len(copy.subject), SUBJECT_SHOWN, _("characters")),
            Measure(_("Preheader"), len(copy.preheader), PREHEADER_SHOWN, _("characters")),
        ]

    def find_faults(self, copy: RenderedMessage) -> list[Finding]:
        if 'href="#"' in copy.html:
            return []
        return [Finding("no_unsubscribe", "block", "body", _("The link to unsubscribe is missing."))]


def plain_links(source: MessageSource) -> dict[str, str]:
    """The slots that follow nobody: each link leads straight to its page, and no picture is asked for."""
    return {f"link_{number}": url for number, url in enumerate(source.links, start=1)} | {"open_pixel": ""}


def _list_links(frame: Frame) -> tuple[str, ...]:
    """The button, then the wares in their order; one address has one number."""
    return tuple(dict.fromkeys([frame.sender.button_url, *(pick.url for pick in frame.picks if pick.url)]))


def _number_link(url: str, frame: Frame) -> str:
    return f"{{{{ link_{_list_links(frame).index(url) + 1} }}}}"


def _parts_of(words: Words) -> tuple[str, ...]:
    return words.subject, words.preheader, words.opening, words.story, words.invitation, words.button_label


def _compose_html(words: Words, frame: Frame) -> str:
    hidden, pieces = hide_liquid(_PAGE.format(**_fill_places(words, frame)))
    return show_liquid(_INLINER.inline(hidden), pieces) + "\n"


def _fill_places(words: Words, frame: Frame) -> dict[str, str]:
    phrases, sender = phrases_in(frame.language), frame.sender
    terms = describe_offer(frame.offer, frame.language)
    return {
        "language": phrases.html_language,
        "dark": DARK,
        "subject": escape_around_tags(words.subject),
        "preheader": escape_around_tags(words.preheader),
        "shop": literal(escape(sender.name)),
        "greeting": phrases.greeting,
        "body": write_html(words.opening) + "\n" + write_html(words.story),
        "picks": _compose_picks(frame, phrases.picks),
        "offer": f'<p class="offer">{literal(escape(terms))}</p>' if terms else "",
        "invitation": write_html(words.invitation),
        "url": _number_link(sender.button_url, frame),
        "button": escape_around_tags(words.button_label or phrases.button),
        "why": literal(escape(phrases.why.format(shop=sender.name))),
        "unsubscribe": phrases.unsubscribe,
        "preferences": phrases.preferences,
        "reasons": phrases.reasons,
        "address": literal(escape(sender.postal_address)),
        "pixel": _PIXEL,
    }


def _compose_picks(frame: Frame, heading: str) -> str:
    if not frame.picks:
        return ""
    rows = "".join(
        f'<tr><td class="pick">{_link_pick(pick, frame)}</td><td class="pick price">{literal(escape(pick.price_tag))}</td></tr>'
        for pick in frame.picks
    )
    return f'<p class="over">{heading}</p><table {TABLE} class="picks" width="100%">{rows}</table>'


def _link_pick(pick: Pick, frame: Frame) -> str:
    name = literal(escape(pick.name))
    if not pick.url:
        return f'<b class="name">{name}</b>'
    return f'<a class="name" href="{_number_link(pick.url, frame)}">{name}</a>'


def _compose_text(words: Words, frame: Frame) -> str:
    phrases, sender = phrases_in(frame.language), frame.sender
    picks = "\n".join(f"- {pick.name}{f': {pick.price_tag}' if pick.price_tag else ''}" for pick in frame.picks)
    parts = [
        phrases.greeting,
        write_text(words.opening),
        write_text(words.story),
        f"{phrases.picks}\n{literal(picks)}" if picks else "",
        literal(describe_offer(frame.offer, frame.language)),
        write_text(words.invitation),
        f"{words.button_label or phrases.button}: {_number_link(sender.button_url, frame)}",
    ]
    body = "\n\n".join(part.strip() for part in parts if part.strip())
    why = literal(phrases.why.format(shop=sender.name))
    way_out = (
        f"{phrases.preferences}: {{{{ preferences_url }}}}\n{phrases.reasons} {{{{ preferences_url }}}}why/\n"
        f"{phrases.unsubscribe}: {{{{ unsubscribe_url }}}}"
    )
    return f"{body}\n\n-- \n{why}\n{way_out}\n{literal(sender.postal_address)}\n"


#: Asked for only where the person agreed to it; for everybody else the slot is "".
_PIXEL: Final = (
    '{% if open_pixel != \'\' %}<img src="{{ open_pixel }}" width="1" height="1" alt="" border="0">{% endif %}'
)
TABLE: Final = 'role="presentation" cellpadding="0" cellspacing="0" border="0"'
_PAGE: Final = f"""<!doctype html>
<html lang="{{language}}">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark">
<title>{{subject}}</title>
<style>{{dark}}</style>
</head>
<body class="paper">
<div class="peek">{{preheader}}</div>
<table {TABLE} class="sheet" width="100%"><tr><td class="around" align="center">
<table {TABLE} class="card" width="100%">
<tr><td class="head"><p class="brand">{{shop}}</p></td></tr>
<tr><td class="body">
<p class="ink">{{greeting}}</p>
{{body}}
{{picks}}
{{offer}}
{{invitation}}
<table {TABLE}><tr><td class="go"><a class="go-to" href="{{url}}">{{button}}</a></td></tr></table>
</td></tr>
<tr><td class="foot">{{why}}<br>
<a class="out" href="{{{{{{{{ preferences_url }}}}}}}}">{{preferences}}</a> ·
<a class="out" href="{{{{{{{{ preferences_url }}}}}}}}why/">{{reasons}}</a> ·
<a class="out" href="{{{{{{{{ unsubscribe_url }}}}}}}}">{{unsubscribe}}</a><br>
{{address}}</td></tr>
</table></td></tr></table>{{pixel}}
</body>
</html>"""
_FONT: Final = (
    "font-family:-apple-system,BlinkMacSystemFont,'Segoe UI','PingFang SC','Microsoft YaHei',Arial,sans-serif;"
)
#: The one stylesheet of a message. Only what mail programs understand: no variables, no grid, no shorthand for fonts.
STYLE: Final = f"""
.paper {{ margin: 0; padding: 0; background: #f6f3ef }}
.peek {{ display: none; max-height: 0; overflow: hidden }}
.around {{ padding: 24px 12px }}
.card {{ max-width: 560px; background: #ffffff; border-radius: 14px }}
.head {{ padding: 28px 28px 8px }}
.brand {{ margin: 0; {_FONT} font-size: 16px; font-weight: 700; letter-spacing: -.01em; color: #2b2723 }}
.body {{ padding: 8px 28px 28px; {_FONT} font-size: 16px; line-height: 1.6; color: #2b2723 }}
.body p {{ margin: 0 0 16px }}
.body ul, .body ol {{ margin: 0 0 16px; padding: 0 0 0 22px }}
.body li {{ margin: 0 0 6px }}
.body .over {{ margin: 0 0 6px; font-size: 13px; color: #6d655c }}
.picks {{ margin: 0 0 20px }}
.pick {{ padding: 10px 0; border-top: 1px solid #eee8e1; {_FONT} font-size: 15px; line-height: 1.4; color: #2b2723 }}
.name {{ color: #2b2723; font-weight: 600; text-decoration: none }}
.price {{ padding-left: 16px; text-align: right; white-space: nowrap }}
.body .offer {{ padding: 14px 16px; border-radius: 10px; background: #fbeee6; color: #8a3410; font-weight: 600 }}
.go {{ border-radius: 10px; background: #b9460a }}
.go-to {{ display: inline-block; padding: 13px 24px; border-radius: 10px; {_FONT} font-size: 16px; font-weight: 600;
  color: #ffffff; text-decoration: none }}
.foot {{ padding: 20px 28px 28px; border-top: 1px solid #eee8e1; {_FONT} font-size: 12px; line-height: 1.6; color: #6d655c }}
.out {{ color: #6d655c }}
"""
DARK: Final = (
    "@media (prefers-color-scheme:dark){.paper{background:#1b1815!important}.card{background:#26221e!important}"
    ".body,.brand,.name,.pick{color:#f1ece6!important}.pick,.foot{border-color:#3a342e!important}"
    ".foot,.out,.over{color:#b0a69b!important}.offer{background:#3b2a20!important;color:#f3b48e!important}}"
)
_INLINER: Final = CSSInliner(
    inline_style_tags=False, keep_style_tags=True, extra_css=STYLE, load_remote_stylesheets=False
)
