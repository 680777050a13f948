"""What a model is told of the brand voice: words, not settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

#: A small model follows a few rules better than many; the guard-rails hold it to all of them anyway.
_SHORT: Final = {"do": 4, "dont": 4, "examples": 1, "banned": 20, "avoid": 10}
#: What a model is told a list is.
_NAMES: Final = {"do": "do", "dont": "dont", "examples": "examples", "banned": "never_say", "avoid": "rather_not"}
_LIMITS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "sentence_length": "at most {n} words to a sentence",
        "exclamation_marks": "at most {n} exclamation marks",
        "emoji": "at most {n} emoji",
        "none_exclamation_marks": "no exclamation marks",
        "none_emoji": "no emoji",
    },
    "zh": {
        "sentence_length": "每句不超过{n}个字",
        "exclamation_marks": "感叹号不超过{n}个",
        "emoji": "表情符号不超过{n}个",
        "none_exclamation_marks": "不用感叹号",
        "none_emoji": "不用表情符号",
        "您": "称呼顾客用“您”，不用“你”",
        "你": "称呼顾客用“你”，不用“您”",
    },
}


def describe_voice(voice: Mapping[str, Any], language: str, *, is_short: bool) -> dict[str, Any]:
    """The voice of the facts as a model reads it, {} where there is none; `is_short` leaves out the ends of the lists."""
    told: dict[str, Any] = {"personality": voice.get("personality") or ""}
    for name, said in _NAMES.items():
        entries = voice.get(name) or []
        told[said] = list(entries[: _SHORT[name]] if is_short else entries)
    told["limits"] = _describe_limits(voice.get("limits") or {}, "zh" if language == "zh" else "en")
    return {name: value for name, value in told.items() if value}


def _describe_limits(limits: Mapping[str, Any], language: str) -> Sequence[str]:
    words, told = _LIMITS[language], []
    for name in ("sentence_length", "exclamation_marks", "emoji"):
        value = limits.get(name)
        if value is not None:
            told.append(words[name if value else f"none_{name}"].format(n=value))
    address = words.get(limits.get("address") or "")
    return [*told, address] if address else told
