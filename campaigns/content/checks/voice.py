"""The brand voice: banned words block; words to avoid, and a tone beyond the voice's limits, want a look."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from django.utils.translation import gettext as _

from campaigns.content.findings import Finding

from .phrases import find_phrase, read_words
from .reading import Draft, find_name
from .sheet import FactSheet
from .text import Passage

_LONGEST_EXCERPT: Final = 80


def check_banned_words(sheet: FactSheet, draft: Draft) -> Iterator[Finding]:
    """A word or a claim that the shop never says. In the name of a product or of the shop it is only shown: a text
    cannot call the thing anything else."""
    for words, start, end in _find_phrases(draft, sheet.voice.banned):
        excerpt = words.excerpt(start, end)
        if _is_in_name(sheet, words.text, start, end):
            message = _("A banned word of the brand voice stands in a name.")
            yield Finding("voice-banned", "warn", words.field, message, excerpt)
        else:
            yield Finding("voice-banned", "block", words.field, _("The brand voice never says this."), excerpt)


def check_avoided_words(sheet: FactSheet, draft: Draft) -> Iterator[Finding]:
    """A word that the shop would rather not say."""
    for words, start, end in _find_phrases(draft, sheet.voice.avoid):
        message = _("The brand voice would rather not say this.")
        yield Finding("voice-avoid", "warn", words.field, message, words.excerpt(start, end))


def check_tone(sheet: FactSheet, draft: Draft) -> Iterator[Finding]:
    """The limits of the tone: sentences field by field, marks and emoji over the whole text, 您 or 你 in Chinese."""
    rules, is_chinese = sheet.voice, sheet.language.startswith("zh")
    if (rules.sentence_length, rules.exclamation_marks, rules.emoji, rules.address) == (None, None, None, ""):
        return
    words = [read_words(passage.field, passage.raw) for passage in draft.passages]
    for passage in words if rules.sentence_length is not None else ():
        yield from _check_sentences(passage, rules.sentence_length or 0, is_chinese=is_chinese)
    if rules.exclamation_marks is not None:
        message = _("Exclamation marks: %(n)d. The brand voice allows %(most)d.")
        yield from _check_total({p.field: _MARK.findall(p.text) for p in words}, rules.exclamation_marks, message)
    if rules.emoji is not None:
        message = _("Emoji: %(n)d. The brand voice allows %(most)d.")
        # As written: folding takes away the sign that joins a family into one picture.
        yield from _check_total({p.field: _EMOJI.findall(p.raw) for p in words}, rules.emoji, message)
    if rules.address and is_chinese:
        yield from _check_address(words, rules.address)


def count_sentence(sentence: str, *, is_chinese: bool) -> int:
    """Its length: words, in Chinese characters, where a Latin word or a number counts as one."""
    if is_chinese:
        return len(re.findall(r"[\u3400-\u9fff]|[^\W_\u3400-\u9fff]+", sentence))
    return len(re.findall(r"[^\W_]+(?:['-][^\W_]+)*", sentence))


def _find_phrases(draft: Draft, phrases: Sequence[str]) -> Iterator[tuple[Passage, int, int]]:
    if phrases:
        for words in (read_words(passage.field, passage.raw) for passage in draft.passages):
            for phrase in phrases:
                yield from ((words, start, end) for start, end in find_phrase(words.text, phrase))


def _is_in_name(sheet: FactSheet, text: str, start: int, end: int) -> bool:
    names = [product.name for product in sheet.products] + [sheet.shop]
    return any(
        low <= start and end <= high for name in names if len(name) > 1 for low, high in find_name(text, name, ends="")
    )


def _check_sentences(words: Passage, most: int, *, is_chinese: bool) -> Iterator[Finding]:
    """The first sentence of a field that is too long."""
    start = 0
    for end in [*(match.end() for match in _SENTENCE_END.finditer(words.text)), len(words.text)]:
        length = count_sentence(words.text[start:end], is_chinese=is_chinese)
        if length > most:
            message = _describe_length(length, most, is_chinese=is_chinese)
            excerpt = words.excerpt(start, end)[:_LONGEST_EXCERPT]
            yield Finding("voice-tone", "warn", words.field, message, excerpt)
            return
        start = end


def _describe_length(length: int, most: int, *, is_chinese: bool) -> str:
    if is_chinese:
        sentence = _("A sentence of %(n)d characters. The brand voice allows %(most)d.")
    else:
        sentence = _("A sentence of %(n)d words. The brand voice allows %(most)d.")
    return sentence % {"n": length, "most": most}


def _check_total(found: Mapping[str, Sequence[str]], most: int, message: str) -> Iterator[Finding]:
    """At the field in which there are too many."""
    seen = 0
    for field, signs in found.items():
        seen += len(signs)
        if seen > most:
            yield Finding("voice-tone", "warn", field, message % {"n": sum(map(len, found.values())), "most": most})
            return


def _check_address(words: Sequence[Passage], address: str) -> Iterator[Finding]:
    other = "你" if address == "您" else "您"
    for passage in words:
        place = passage.text.find(other)
        if place >= 0:
            message = _("The brand voice says %(address)s to customers.") % {"address": address}
            yield Finding("voice-tone", "warn", passage.field, message, passage.excerpt(place, place + 8))


_PICTURE: Final = "\u231a-\u23ff\u2600-\u27bf\u2b00-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
#: One emoji, with its skin colour or the other emoji that it is joined to; two letters make a flag.
_EMOJI: Final = re.compile(
    rf"[\U0001f1e6-\U0001f1ff]{{2}}|[{_PICTURE}](?:[\ufe0f\U0001f3fb-\U0001f3ff]|\u200d[{_PICTURE}])*"
)
_MARK: Final = re.compile("!")
_SENTENCE_END: Final = re.compile(r"[!?。;\n]+|\.(?=\s|$)")
#: All of the above: what is tried where only a voice is tried.
VOICE_CHECKS: Final = (check_banned_words, check_avoided_words, check_tone)
