"""Composes the message from the slots of a variant, and fills it for one person."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from campaigns.models import Variant
from customers.models import Customer

COMPOSER_VERSION = 1
#: The Content-Security-Policy of the page that an empty-sandbox preview frame shows.
PREVIEW_CSP = "default-src 'none'; style-src 'unsafe-inline'; sandbox"


@dataclass(frozen=True)
class MessageSource:
    """Liquid for the four parts of a message; the same for everybody of an archetype."""

    subject: str
    preheader: str
    html: str
    text: str
    version: int = COMPOSER_VERSION


@dataclass(frozen=True)
class RenderedMessage:
    """One copy, ready to send."""

    subject: str
    preheader: str
    html: str
    text: str


class RenderError(Exception):
    """A source that must not be rendered, or slots that do not fit it; the message alone is parked."""


def compose_source(variant: Variant) -> MessageSource:
    """The Liquid of a variant: a pure function of the variant, its campaign's offer, the shop and the language."""
    raise NotImplementedError


def load_source(variant: Variant) -> MessageSource:
    """The source as it was composed when the variant was last written: what was approved, for ever."""
    raise NotImplementedError


def source_hash(source: MessageSource) -> str:
    """SHA-256 (hex) of version and parts: Variant.content_hash."""
    raise NotImplementedError


def slots_for(customer: Customer, *, language: str, unsubscribe_url: str) -> dict[str, str]:
    """The values that fill a source for one person: plain strings, what Message.slots keeps.
    `language` is the archetype's ("en", "zh")."""
    raise NotImplementedError


def render_message(source: MessageSource, slots: Mapping[str, str]) -> RenderedMessage:
    """Fill a source. Deterministic; raises RenderError."""
    raise NotImplementedError


def render_preview(variant: Variant, customer: Customer | None, *, now: dt.datetime) -> RenderedMessage:
    """The copy that `customer` would get, with a dead unsubscribe link; None stands for somebody of whom we know nothing."""
    raise NotImplementedError
