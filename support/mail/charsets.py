"""Bytes of mail as text, whatever their charset says of itself. Pure: no framework.

Declared names are often wrong or unknown. What cannot be decoded as declared is tried as UTF-8, then as GB 18030, whose
rules are strict enough to refuse most other bytes; the last resort replaces what it cannot read and loses nothing else.
"""

from __future__ import annotations

import codecs

#: What mail calls by another name than Python, or by the name of a smaller set than is meant (as browsers do: WHATWG Encoding).
_MEANT = {
    "gb2312": "gb18030", "gbk": "gb18030", "cp936": "gb18030", "x-gbk": "gb18030", "gb_2312-80": "gb18030",
    "iso-8859-1": "cp1252", "latin-1": "cp1252", "latin1": "cp1252", "us-ascii": "utf-8", "ascii": "utf-8",
    "ansi_x3.4-1968": "utf-8", "ks_c_5601-1987": "cp949", "euc-kr": "cp949", "iso-8859-9": "cp1254", "shift_jis": "cp932",
    "x-sjis": "cp932", "iso-2022-jp": "iso2022_jp_ext", "iso-2022-kr": "iso2022_kr", "utf8": "utf-8",
    "unicode-1-1-utf-7": "utf-7",
    "big5": "big5hkscs", "unknown-8bit": "utf-8", "default": "utf-8",
}  # fmt: skip


#: Python's own encodings, which no mail means.
_NOT_MEANT = {
    "unicode_escape",
    "raw_unicode_escape",
    "unicode-escape",
    "raw-unicode-escape",
    "idna",
    "punycode",
    "undefined",
    "charmap",
}


def decode_bytes(raw: bytes, charset: str = "") -> str:
    """The text, which can be written as UTF-8; never raises. A byte-order mark wins over the declared name."""
    return _decode(raw, charset).encode("utf-8", "replace").decode()  # UTF-7 can hold halves of signs


def _decode(raw: bytes, charset: str) -> str:
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if raw.startswith(mark):
            return raw.decode(name, "replace")
    declared = charset.strip().strip("'\"").lower()
    declared = "" if declared in _NOT_MEANT else declared
    for name in dict.fromkeys([_MEANT.get(declared, declared or "utf-8"), "utf-8", "gb18030"]):
        try:
            return raw.decode(name)
        except (LookupError, ValueError):  # unknown, or other bytes than it has
            continue
    return raw.decode(_known(_MEANT.get(declared, declared)), "replace")


def undo_surrogates(text: str) -> str:
    """Text in which the email package kept bytes that are no ASCII, read as what they are."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return decode_bytes(text.encode("utf-8", "surrogateescape"))
    return text


def _known(name: str) -> str:
    try:
        return codecs.lookup(name).name if name else "utf-8"
    except (LookupError, ValueError):
        return "utf-8"
