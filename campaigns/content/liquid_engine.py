"""The one Liquid engine for messages: strict limits, autoescape, plain values only.

An author's template can read the slots by name and nothing else: slots are plain strings, so there is no attribute to
walk; loops, nesting, names and output are bounded, so a template cannot hang or flood.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from html import escape
from typing import Final

from liquid import BoundTemplate, Environment, StrictUndefined
from liquid import escape as escape_value
from liquid.exceptions import LiquidError

from .liquid_forms import Form, make_form

LONGEST_TEMPLATE: Final = 60_000
#: Names that Liquid fills by itself.
_CLOCK: Final = frozenset({"now", "today"})
_TAGS: Final = re.compile(r"(\{\{.*?\}\}|\{%.*?%\})", re.DOTALL)


class RenderError(Exception):
    """A source that must not be rendered, or slots that do not fit it; the message alone is parked."""


class MessageEnvironment(Environment):
    """Limits that a real message never meets and an attack meets within milliseconds."""

    context_depth_limit = 8
    block_nesting_limit = 8
    loop_iteration_limit = 500
    local_namespace_limit = 2_000
    output_stream_limit = 200_000


_HTML: Final = MessageEnvironment(autoescape=True, undefined=StrictUndefined)
_TEXT: Final = MessageEnvironment(autoescape=False, undefined=StrictUndefined)
# A message is one template: nothing is included, and there is no loader to ask.
for _environment in (_HTML, _TEXT):
    for _tag in ("include", "render", "macro", "call", "extends", "block"):
        _environment.tags.pop(_tag, None)
    # What reads the clock would give another message tomorrow, what lifts the escaping would let a name bring markup.
    for _filter in ("date", "safe", "url_decode", "base64_decode", "base64_url_safe_decode"):
        _environment.filters.pop(_filter, None)


def fill(template: str, slots: Mapping[str, str], *, is_html: bool) -> str:
    """Fill one part of a message. Deterministic; raises RenderError in words for staff."""
    values = {key: str(value) for key, value in slots.items()}
    try:
        parsed, form = _parse(template, is_html)
        copy = form.fill(values, escape_value if is_html else str) if form else None
        return str(parsed.render(**values)) if copy is None else copy
    except (LiquidError, RecursionError, ValueError, OverflowError) as error:
        raise RenderError(f"{type(error).__name__}: {str(error)[:200]}") from error


def escape_around_tags(text: str) -> str:
    """HTML of a person's text: everything is escaped but the Liquid in it, line breaks become <br>."""
    parts = _TAGS.split(text)
    return "".join(part if index % 2 else escape(part).replace("\n", "<br>\n") for index, part in enumerate(parts))


def literal(text: str) -> str:
    """Text of ours or of the shop that must not be read as Liquid."""
    return re.sub(r"\{(?=[{%])", "{{ '{' }}", text)


@lru_cache(maxsize=256)
def _parse(template: str, is_html: bool) -> tuple[BoundTemplate, Form | None]:
    if len(template) > LONGEST_TEMPLATE:
        raise RenderError(f"the template is longer than {LONGEST_TEMPLATE} characters")
    parsed = (_HTML if is_html else _TEXT).from_string(template)
    if _CLOCK & set(parsed.variables(include_partials=False)):
        raise RenderError("a message cannot read the clock")
    return parsed, make_form(parsed.nodes)
