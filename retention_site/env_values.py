"""Reads single settings from the environment; a value that cannot be right gets a sentence that names it."""

from __future__ import annotations

import os
from collections.abc import Collection
from typing import TypeVar
from zoneinfo import ZoneInfo

from django.core.exceptions import ImproperlyConfigured

Number = TypeVar("Number", int, float)

_YES, _NO = {"1", "true", "yes", "on"}, {"0", "false", "no", "off"}


def read_text(name: str, default: str = "") -> str:
    """Set but empty counts as not set, as for all of these."""
    return os.environ.get(name, "").strip() or default


def read_flag(name: str, *, default: bool = False) -> bool:
    text = read_text(name, "1" if default else "0").lower()
    if text not in _YES | _NO:
        raise ImproperlyConfigured(f"{name} must be 1 or 0, not “{text}”.")
    return text in _YES


def read_number(name: str, default: Number, *, least: float = 0, most: float = float("inf")) -> Number:
    """A number of the default's type; raises ImproperlyConfigured for other text and outside `least` to `most`."""
    text, kind = read_text(name), type(default)
    if not text:
        return default
    wanted = "a whole number" if kind is int else "a number"
    bounds = f"at least {least:g}" if most == float("inf") else f"from {least:g} to {most:g}"
    try:
        value = kind(text)
    except ValueError:
        value = None
    if value is None or not least <= value <= most:
        raise ImproperlyConfigured(f"{name} must be {wanted}, {bounds}, not “{text}”.")
    return value


def read_choice(name: str, default: str, choices: Collection[str]) -> str:
    """One of the choices, as it is written there; capitals do not matter."""
    text = read_text(name, default)
    for choice in choices:
        if text.lower() == choice.lower():
            return choice
    raise ImproperlyConfigured(f"{name} must be one of {', '.join(choices)}, not “{text}”.")


def read_list(name: str, default: str = "") -> list[str]:
    """Separated by commas; spaces around an entry go."""
    return [entry.strip() for entry in read_text(name, default).split(",") if entry.strip()]


def read_currency(name: str, default: str) -> str:
    text = read_text(name, default).upper()
    if len(text) != 3 or not text.isalpha() or not text.isascii():
        raise ImproperlyConfigured(f"{name} must be an ISO 4217 code such as EUR, not “{text}”.")
    return text


def read_time_zone(name: str, default: str) -> str:
    text = read_text(name, default)
    try:
        return ZoneInfo(text).key
    except (ValueError, KeyError, OSError):  # what zoneinfo raises for odd names, unknown ones, and folders
        raise ImproperlyConfigured(f"{name} must be a time zone such as Europe/London, not “{text}”.") from None
