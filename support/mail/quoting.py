"""Cuts off what a mail repeats: quotations, the head of the mail it answers, signatures. Pure.

What is cut is kept beside it. Where nothing would remain, nothing is cut. Answers written between the lines of a
quotation keep it,
because they mean nothing without it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_MARK = re.compile(r"^\s*[>|]")
#: "On 3 March 2026, Kim wrote:" and its kin; mail programs break it over up to three lines.
_ATTRIBUTION = re.compile(
    r"^\s*(?:(?:On|Am|Le|El|Il|Op|Den|Em|Dnia|W dniu)\s.{4,240}?\s?"
    r"(?:wrote|schrieb|a écrit|écrit|escribió|ha scritto|schreef|skrev|escreveu|napisał(?:\(a\))?)(?:\s.{0,120})?\s?[:：]"
    r"|(?:在\s*)?\d{4}\s?[-年/.].{4,200}?(?:写道|寫道|发来)\s?[:：]"
    r"|在\s?.{4,200}?(?:写道|寫道)\s?[:：])\s*$",
    re.IGNORECASE,
)
#: On one line, begun with the writer: "Tarnside <help@tarnside.test> wrote:".
_NAMED = re.compile(
    r"^\s*.{0,160}[<(][^\s<>()]+@[^\s<>()]+[>)].{0,60}?(?:wrote|schrieb|写道|寫道)\s?[:：]\s*$", re.IGNORECASE
)
_DIVIDER = re.compile(
    r"^\s*(?:-{2,}\s*(?:Original Message|Original-Nachricht|Ursprüngliche Nachricht"
    r"|Message d'origine|Mensaje original|Forwarded message"
    r"|原始邮件|原邮件|原始郵件|转发邮件)\s*-{2,}|_{20,})\s*$",
    re.IGNORECASE,
)
_HEAD = re.compile(
    r"^\s*\*?(?:From|Sent|To|Cc|Subject|Date|Von|Gesendet|An|Betreff|Datum|De|Envoyé|À|Objet|发件人|发送时间|日期|收件人|抄送|主题|主旨)\*?\s?[:：]\*?\s?\S",
    re.IGNORECASE,
)
_SIGNATURE = re.compile(r"^--\s?$")
_PROGRAM = re.compile(
    r"^\s*(?:Sent from (?:my |Mail for |Outlook|Yahoo).{0,40}"
    r"|Get Outlook for .{0,30}|Von meinem \S+ gesendet|Gesendet (?:mit|von) .{0,50}"
    r"|Envoyé de mon .{0,30}|Enviado desde mi .{0,30}|(?:发自|來自|来自)\s?(?:我的)?\s?.{0,24})\s*$",
    re.IGNORECASE,
)


#: A longer line attributes nothing, and a search through it could be made to take for ever.
LONGEST_ATTRIBUTION = 500
MOST_BLANK_LINES = 4


@dataclass(frozen=True)
class Parts:
    """`said` is what the writer adds; `is_cut` where the whole holds more than that."""

    said: str
    is_cut: bool


def cut_quoted(text: str) -> Parts:
    """What is new in a mail's text. The whole is the caller's to keep."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    said = _drop_signature(_drop_quotation(lines))
    kept = "\n".join(said).strip()
    whole = text.strip()
    if not kept:
        return Parts(whole, False)
    return Parts(kept, len(re.sub(r"\s+", "", kept)) < len(re.sub(r"\s+", "", whole)))


def _drop_quotation(lines: list[str]) -> list[str]:
    for number in range(len(lines)):
        if _DIVIDER.match(lines[number]) and _is_head(lines, number + 1):
            return lines[:number]
        if _is_head(lines, number):
            return lines[:number]
        if width := _attribution_at(lines, number):
            return lines[:number] + _answers_within(lines[number + width :])
    return _drop_trailing_marks(lines)


def _attribution_at(lines: list[str], number: int) -> int:
    """How many lines an attribution that begins here takes; 0 where none does."""
    if len(lines[number]) > LONGEST_ATTRIBUTION or not lines[number].strip():
        return 0
    if _NAMED.match(lines[number]):
        return 1
    for width in (1, 2, 3):
        part = lines[number : number + width]
        if all(0 < len(line.strip()) <= LONGEST_ATTRIBUTION for line in part) and _ATTRIBUTION.match(
            " ".join(line.strip() for line in part)
        ):
            return width
    return 0


def _answers_within(lines: list[str]) -> list[str]:
    """What stands below an attribution: nothing where it is not marked, and what is not marked where it is."""
    filled = [line for line in lines if line.strip()]
    if not filled or not _MARK.match(filled[0]):
        return []
    said = [line for line in lines if not _MARK.match(line)]
    if not any(line.strip() for line in said):
        return []
    is_below = all(not _MARK.match(line) for line in lines[_last_mark(lines) + 1 :]) and _is_one_block(lines)
    return lines[_last_mark(lines) + 1 :] if is_below else lines


def _is_one_block(lines: list[str]) -> bool:
    """The marked lines follow each other, blank ones aside: the answer stands below, not between."""
    first = next(number for number, line in enumerate(lines) if _MARK.match(line))
    return all(_MARK.match(line) or not line.strip() for line in lines[first : _last_mark(lines) + 1])


def _last_mark(lines: list[str]) -> int:
    return max((number for number, line in enumerate(lines) if _MARK.match(line)), default=-1)


def _is_head(lines: list[str], number: int) -> bool:
    """Three fields of the head of a mail within five lines, as Outlook and web mail put it before what they answer."""
    filled = next((at for at in range(number, min(number + MOST_BLANK_LINES, len(lines))) if lines[at].strip()), None)
    if filled is None or not _HEAD.match(lines[filled][:LONGEST_ATTRIBUTION]):
        return False
    return sum(bool(_HEAD.match(line[:LONGEST_ATTRIBUTION])) for line in lines[filled : filled + 6]) >= 3


def _drop_trailing_marks(lines: list[str]) -> list[str]:
    end = len(lines)
    while end and (not lines[end - 1].strip() or _MARK.match(lines[end - 1])):
        end -= 1
    return lines[:end] if end else lines


def _drop_signature(lines: list[str]) -> list[str]:
    for number, line in enumerate(lines):
        if _SIGNATURE.match(line) and any(before.strip() for before in lines[:number]):
            lines = lines[:number]
            break
    end = len(lines)
    while end and (not lines[end - 1].strip() or _PROGRAM.match(lines[end - 1])):
        end -= 1
    return lines[:end]
