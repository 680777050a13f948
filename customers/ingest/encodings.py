"""Finds out how a text file is encoded, by reading all of it once, and its SHA-256 on the way."""

from __future__ import annotations

import codecs
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from django.utils.translation import gettext as _

from .damage import CHUNK, weigh
from .schema import FileProblem

CANDIDATES = ("utf-8", "cp1252")
CHINESE = "gb18030"
#: Of the runs of bytes above ASCII in a Chinese file nearly all are of whole characters, two bytes each. Western text has
#: its accents one by one, and Cyrillic or Greek words are as often odd as even.
EVEN_RUNS = 0.9
#: Those of UTF-32 first: in its small-endian form it begins with that of UTF-16.
MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
#: First bytes of things that people take for tables.
STRANGERS = (
    (b"PK\x03\x04", "xlsx"),
    (b"\xd0\xcf\x11\xe0", "xls"),
    (b"%PDF", "pdf"),
    (b"\x1f\x8b", "gz"),
    (b"{\\rtf", "rtf"),
)


@dataclass(frozen=True)
class Content:
    """What was found by reading a file once. `encoding` is empty for a file that is not text; `is_damaged`: some of its bytes
    are no letters in it."""

    sha256: str
    size: int
    encoding: str
    is_damaged: bool = False


def inspect_content(path: Path, *, encoding: str = "", is_text: bool = True) -> Content:
    """Hash the file and find its encoding: a byte-order mark, else UTF-8, else GB 18030 where it looks Chinese, else
    Windows-1252. One that is damaged in places is what most of it is.

    Raises FileProblem for an empty file, a file that is no text, and one that is not in `encoding` where that is given.
    """
    with path.open("rb") as file:
        head = file.read(4096)
    if not head:
        raise FileProblem(_("The file is empty."))
    digest = hashlib.sha256()
    names = _candidates(head, encoding) if is_text else ("",)
    found = ""
    for number, name in enumerate(names):
        if not found and _can_decode(path, name, digest if number == 0 else None):
            found = name
    is_damaged = False
    if is_text and (not found or (names is CANDIDATES and found == "cp1252")):
        found, is_damaged = _look_closer(path, names, found)
    if is_text and not found:
        raise FileProblem(_say_unreadable(encoding))
    return Content(digest.hexdigest(), path.stat().st_size, found, is_damaged)


def _look_closer(path: Path, names: tuple[str, ...], found: str) -> tuple[str, bool]:
    """The encoding of a file that is whole in none, or only in one in which nearly every byte is a letter, and whether it is
    damaged; empty where it is in none of them."""
    weight = weigh(path, names[0])
    if weight.is_likely:
        return names[0], True
    if names is CANDIDATES and _looks_chinese(path):
        if _can_decode(path, CHINESE, None):
            return CHINESE, False
        if weigh(path, CHINESE).is_likely:
            return CHINESE, True
    if found:
        return found, False
    return (names[0], True) if weight.is_possible else ("", False)


def _candidates(head: bytes, encoding: str) -> tuple[str, ...]:
    for magic, kind in STRANGERS:
        if head.startswith(magic):
            raise FileProblem(
                _("This is a file of the kind “%(kind)s”, not a table in text. Save it as CSV (UTF-8) or Parquet.")
                % {"kind": kind}
            )
    marked = next((name for mark, name in MARKS if head.startswith(mark)), "")
    if encoding == "utf-16" and marked == "utf-32":  # it would be read with a blank after each letter
        raise FileProblem(_say_unreadable(encoding))
    if encoding:
        return (encoding,)
    if marked:
        return (marked,)
    if wide := _find_utf32(head):
        return (wide,)
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if max(even, odd) >= len(head) * 0.2 and min(even, odd) <= len(head) * 0.01:
        return ("utf-16-be",) if even > odd else ("utf-16-le",)  # without its mark: every second byte is NUL
    if even + odd > len(head) * 0.05:
        raise FileProblem(_("This is not a text file. Save the table as CSV (UTF-8) or Parquet."))
    return CANDIDATES


def _find_utf32(head: bytes) -> str:
    """UTF-32 without its mark: of each four bytes the two highest are NUL, and the lowest hardly ever is."""
    blank = [head[place::4].count(0) for place in range(4)]
    quarter = len(head) // 4
    if not quarter:
        return ""
    for high, low, name in (((2, 3), 0, "utf-32-le"), ((0, 1), 3, "utf-32-be")):
        if all(blank[place] >= quarter * 0.99 for place in high) and blank[low] <= quarter * 0.01:
            return name
    return ""


def _can_decode(path: Path, name: str, digest: hashlib._Hash | None) -> bool:
    """Whether all of the file is valid in the encoding; feeds every byte to `digest` whatever the answer."""
    decoder = codecs.getincrementaldecoder(name)("strict") if name else None
    is_valid = True
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            if digest is not None:
                digest.update(chunk)
            elif not is_valid:
                return False
            if decoder is not None and is_valid:
                is_valid = _feed(decoder, chunk, final=False)
    return is_valid and (decoder is None or _feed(decoder, b"", final=True))


def _looks_chinese(path: Path) -> bool:
    """Whether the bytes above ASCII come in pairs; a run that a chunk cuts in two counts for nothing worth minding."""
    even = runs = 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            lengths = [len(run) for run in re.findall(rb"[\x80-\xff]+", chunk)]
            runs += len(lengths)
            even += sum(length % 2 == 0 for length in lengths)
    return runs > 0 and even >= EVEN_RUNS * runs


def _feed(decoder: codecs.IncrementalDecoder, chunk: bytes, *, final: bool) -> bool:
    try:
        decoder.decode(chunk, final)
    except UnicodeError:
        return False
    return True


def _say_unreadable(encoding: str) -> str:
    if encoding:
        return _("The file is not written in %(name)s. Leave the encoding out, or name the right one.") % {
            "name": encoding
        }
    return _("The file is neither UTF-8, UTF-16 nor Windows-1252. Save it as CSV in UTF-8, or name its encoding.")
