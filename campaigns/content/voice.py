"""How the shop speaks: what a voice may hold, the revision that counts, and saving a new one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from campaigns.models import BrandVoice

from .checks.phrases import find_phrase, read_words
from .revisions import add_revision, read_newest
from .tidying import tidy_line

LANGUAGES: Final = ("en", "zh")
LONGEST_PERSONALITY: Final = 600
#: Of each list: how many entries, and how long one may be. A voice that nobody can keep in mind helps no draft.
LISTS: Final[Mapping[str, tuple[int, int]]] = {
    "do": (10, 160), "dont": (10, 160), "examples": (6, 300), "banned": (60, 60), "avoid": (60, 60),
}  # fmt: skip
#: Lists of phrases that the guard-rails look for.
PHRASES: Final = ("banned", "avoid")
#: Least and most of each limit of the tone; None is no limit.
LIMITS: Final[Mapping[str, tuple[int, int]]] = {
    "sentence_length": (5, 120),
    "exclamation_marks": (0, 20),
    "emoji": (0, 20),
}
ADDRESSES: Final = ("", "您", "你")
LONGEST_NOTE: Final = 300


def make_empty_voice() -> dict[str, Any]:
    """The voice of a language for which nothing was written."""
    limits: dict[str, Any] = dict.fromkeys(LIMITS)
    return {"personality": "", **{name: [] for name in LISTS}, "limits": limits | {"address": ""}}


def clean_voice_text(given: Mapping[str, Any], language: str) -> dict[str, Any]:
    """The voice of one language in its shape: personality, do, dont, examples, banned, avoid, limits.

    `limits` holds sentence_length (words, in Chinese characters), exclamation_marks, emoji (both for a whole text; None
    is no limit) and, in Chinese, address ("您", "你" or ""). What is missing is empty; spaces, invisible signs and
    doubles go. Raises ValidationError with a dict by field, also where an example breaks the rules that it stands under.
    """
    if language not in LANGUAGES:
        raise ValidationError(_("This language is not known: %(language)s.") % {"language": language[:20]})
    unknown = set(given) - {"personality", "limits", *LISTS}
    if unknown:
        raise ValidationError(_("These cannot be written: %(names)s.") % {"names": ", ".join(sorted(unknown))})
    faults: dict[str, list[str]] = {}
    voice: dict[str, Any] = {"personality": _clean_personality(given.get("personality", ""), faults)}
    voice |= {name: _clean_list(name, given.get(name, []), faults) for name in LISTS}
    voice["limits"] = _clean_limits(given.get("limits", {}), language, faults)
    if not faults:
        _find_contradictions(voice, faults)
    if faults:
        raise ValidationError(faults)
    return voice


def read_voice() -> BrandVoice | None:
    """The revision that counts; None before the first."""
    return read_newest(BrandVoice)


def describe_voice(voice: BrandVoice | None, language: str) -> dict[str, Any]:
    """What the facts keep of a voice: its number as `version` and its texts in one language; {} where it has none."""
    texts = voice.texts.get(language) if voice else None
    return {"version": voice.number, **texts} if voice and texts and texts != make_empty_voice() else {}


def add_voice(
    user: User,
    texts: Mapping[str, Mapping[str, Any]],
    *,
    base: int,
    note: str = "",
    restored_from: BrandVoice | None = None,
    now: dt.datetime,
) -> BrandVoice:
    """Save a revision. A language that is not given stays as in revision `base`. Raises as `clean_voice_text` (a dict by
    language and field, "en.banned") and `add_revision` do. `approval.voice` asks for the right and checks texts again."""
    cleaned = _keep_others(base)
    faults: dict[str, Any] = {}
    for language, given in texts.items():
        try:
            cleaned[language] = clean_voice_text(given, language)
        except ValidationError as error:
            found = error.message_dict if hasattr(error, "error_dict") else {"": error.messages}
            faults |= {f"{language}.{name}".rstrip("."): told for name, told in found.items()}
    if faults:
        raise ValidationError(faults)
    return add_revision(
        BrandVoice, base=base, texts=cleaned, note=clean_note(note), saved_by=user, saved_at=now,
        restored_from=restored_from,
    )  # fmt: skip


def clean_note(note: str) -> str:
    """What changed, in one line."""
    return tidy_line(note)[:LONGEST_NOTE]


def _keep_others(base: int) -> dict[str, Any]:
    before = BrandVoice.objects.filter(number=base).first()
    kept = before.texts if before is not None else {}
    return {language: kept.get(language) or make_empty_voice() for language in LANGUAGES}


def _clean_personality(given: Any, faults: dict[str, list[str]]) -> str:
    text = tidy_line(given) if isinstance(given, str) else None
    if text is None:
        faults["personality"] = [_("Write words here.")]
    elif len(text) > LONGEST_PERSONALITY:
        faults["personality"] = [_("At most %(count)d characters.") % {"count": LONGEST_PERSONALITY}]
    return text or ""


def _clean_list(name: str, given: Any, faults: dict[str, list[str]]) -> list[str]:
    most, longest = LISTS[name]
    if not isinstance(given, Sequence) or isinstance(given, str) or not all(isinstance(one, str) for one in given):
        faults[name] = [_("This has to be a list of texts.")]
        return []
    lines = {line.casefold(): line for line in reversed([tidy_line(one) for one in given]) if line}
    entries = list(reversed(lines.values()))
    told = []
    if len(entries) > most:
        told.append(_("At most %(n)d: leave out what matters least.") % {"n": most})
    told += [
        _("“%(words)s …” is too long: at most %(most)d characters.") % {"words": line[:30], "most": longest}
        for line in entries
        if len(line) > longest
    ]
    if name in PHRASES:
        told += [
            _("“%(words)s” would be found in every other text. Write a whole word.") % {"words": line}
            for line in entries
            if len(line) == 1 and (line.isascii() or not line.isalpha())
        ]
    if told:
        faults[name] = told
    return entries


def _clean_limits(given: Any, language: str, faults: dict[str, list[str]]) -> dict[str, Any]:
    limits: dict[str, Any] = make_empty_voice()["limits"]
    if not isinstance(given, Mapping) or set(given) - set(limits):
        faults["limits"] = [_("These limits are known: %(names)s.") % {"names": ", ".join(limits)}]
        return limits
    for name, (least, most) in LIMITS.items():
        value = given.get(name)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most):
            faults[name] = [_("A whole number from %(least)d to %(most)d.") % {"least": least, "most": most}]
        else:
            limits[name] = value
    address = given.get("address") or ""
    if address not in ADDRESSES or (address and language != "zh"):
        faults["address"] = [_("Choose 您 or 你, in Chinese only.")]
    else:
        limits["address"] = address
    return limits


def _find_contradictions(voice: Mapping[str, Any], faults: dict[str, list[str]]) -> None:
    """A phrase on both lists, or an example that says what is banned, would teach a model to break the rules."""
    both = {phrase.casefold() for phrase in voice["banned"]} & {phrase.casefold() for phrase in voice["avoid"]}
    if both:
        faults["avoid"] = [_("Already banned: %(words)s.") % {"words": ", ".join(sorted(both))}]
    for example in voice["examples"]:
        words = read_words("", example).text
        said = [phrase for phrase in voice["banned"] if any(find_phrase(words, phrase))]
        if said:
            sentence = _("The example “%(example)s …” says what is banned: %(words)s.")
            faults.setdefault("examples", []).append(sentence % {"example": example[:30], "words": ", ".join(said)})
