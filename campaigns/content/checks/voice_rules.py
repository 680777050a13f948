"""What a brand voice lets a text say and how loud it may be, read from the facts; odd JSON is no rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class VoiceRules:
    """The measurable part of a voice in one language.

    `sentence_length` counts words in English and characters in Chinese, for each sentence; the other two count over the
    whole text. None is no limit. `address` is the only form of "you" that a Chinese text may use, "" where either may.
    """

    banned: tuple[str, ...] = ()
    avoid: tuple[str, ...] = ()
    sentence_length: int | None = None
    exclamation_marks: int | None = None
    emoji: int | None = None
    address: str = ""


def read_voice_rules(voice: Any) -> VoiceRules:
    """Never raises: what cannot be read limits nothing."""
    if not isinstance(voice, Mapping):
        return VoiceRules()
    limits = voice.get("limits")
    limits = limits if isinstance(limits, Mapping) else {}
    address = limits.get("address")
    return VoiceRules(
        banned=_read_phrases(voice.get("banned")),
        avoid=_read_phrases(voice.get("avoid")),
        sentence_length=_read_count(limits.get("sentence_length")),
        exclamation_marks=_read_count(limits.get("exclamation_marks")),
        emoji=_read_count(limits.get("emoji")),
        address=address if address in ("您", "你") else "",
    )


def _read_phrases(value: Any) -> tuple[str, ...]:
    if not isinstance(value, Sequence) or isinstance(value, str | bytes):
        return ()
    return tuple(dict.fromkeys(phrase.strip() for phrase in value if isinstance(phrase, str) and phrase.strip()))


def _read_count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
