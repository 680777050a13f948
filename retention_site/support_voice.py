"""Tells support how the shop speaks: the brand voice belongs to campaigns, which support does not know."""

from __future__ import annotations

from typing import Any

from campaigns.content.prompts.voices import describe_voice as describe_for_model
from campaigns.content.voice import describe_voice, read_voice


def describe_support_voice(language: str) -> dict[str, Any]:
    """The newest voice as a model reads it, "en" or "zh"; {} where nothing is written. Examples are of mails that sell,
    and stay out."""
    told = describe_for_model(describe_voice(read_voice(), language), language, is_short=True)
    return {name: value for name, value in told.items() if name != "examples"}
