"""What a file is, by its content: its name and what the sender calls it prove nothing. Pure.

A short list of what customers send (pictures, films, PDF, texts, office files without macros) is let in; all others are
refused with a
reason. Nothing is unpacked or run: of a ZIP only the list of names is read.
"""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import dataclass

#: An office file has some dozens of parts; one with more is made to keep a machine busy.
MOST_PARTS = 5_000


@dataclass(frozen=True)
class Kind:
    """A content type with the ending that files of it get; or why a file is refused."""

    content_type: str = ""
    ending: str = ""
    refusal: str = ""


_ACTIVE, _PROGRAM, _ARCHIVE, _MACROS, _UNKNOWN = "active", "program", "archive", "macros", "unknown"
#: (where, bytes, kind); the longest that fits decides.
_SIGNATURES: tuple[tuple[int, bytes, Kind], ...] = (
    (0, b"%PDF-", Kind("application/pdf", "pdf")),
    (0, b"\x89PNG\r\n\x1a\n", Kind("image/png", "png")),
    (0, b"\xff\xd8\xff", Kind("image/jpeg", "jpg")),
    (0, b"GIF87a", Kind("image/gif", "gif")),
    (0, b"GIF89a", Kind("image/gif", "gif")),
    (0, b"BM", Kind("image/bmp", "bmp")),
    (0, b"II*\x00", Kind("image/tiff", "tif")),
    (0, b"MM\x00*", Kind("image/tiff", "tif")),
    (0, b"\x1aE\xdf\xa3", Kind("video/webm", "webm")),
    (0, b"ID3", Kind("audio/mpeg", "mp3")),
    (0, b"OggS", Kind("audio/ogg", "ogg")),
    (0, b"MZ", Kind(refusal=_PROGRAM)),
    (0, b"\x7fELF", Kind(refusal=_PROGRAM)),
    (0, b"\xca\xfe\xba\xbe", Kind(refusal=_PROGRAM)),
    (0, b"\xcf\xfa\xed\xfe", Kind(refusal=_PROGRAM)),
    (0, b"#!", Kind(refusal=_PROGRAM)),
    (0, b"L\x00\x00\x00\x01\x14\x02\x00", Kind(refusal=_PROGRAM)),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Kind(refusal=_MACROS)),
    (0, b"{\\rtf", Kind(refusal=_MACROS)),
    (0, b"Rar!", Kind(refusal=_ARCHIVE)),
    (0, b"7z\xbc\xaf\x27\x1c", Kind(refusal=_ARCHIVE)),
    (0, b"\x1f\x8b", Kind(refusal=_ARCHIVE)),
    (0, b"BZh", Kind(refusal=_ARCHIVE)),
    (0, b"\xfd7zXZ", Kind(refusal=_ARCHIVE)),
    (257, b"ustar", Kind(refusal=_ARCHIVE)),
    (32769, b"CD001", Kind(refusal=_ARCHIVE)),
)
_BRANDS = {
    b"heic": Kind("image/heic", "heic"), b"heix": Kind("image/heic", "heic"), b"mif1": Kind("image/heif", "heif"),
    b"avif": Kind("image/avif", "avif"), b"qt  ": Kind("video/quicktime", "mov"), b"M4A ": Kind("audio/mp4", "m4a"),
}  # fmt: skip
_OFFICE = {
    "word/": Kind("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx"),
    "xl/": Kind("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"),
    "ppt/": Kind("application/vnd.openxmlformats-officedocument.presentationml.presentation", "pptx"),
}
_OPEN = {
    b"application/vnd.oasis.opendocument.text": "odt", b"application/vnd.oasis.opendocument.spreadsheet": "ods",
    b"application/vnd.oasis.opendocument.presentation": "odp",
}  # fmt: skip
_MARKUP = re.compile(
    rb"<\s*(?:!doctype|html|head|body|script|svg|iframe|\?xml|\w+:\w+|object|embed|form|meta|link|a\s|img\s)", re.I
)


def find_kind(content: bytes) -> Kind:
    """The kind of a file, or a kind with the reason for which it is refused."""
    if content.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _look_into_zip(content)
    if content[4:8] == b"ftyp":
        return _BRANDS.get(content[8:12], Kind("video/mp4", "mp4"))
    if content[:4] == b"RIFF":
        inner = {
            b"WEBP": Kind("image/webp", "webp"),
            b"WAVE": Kind("audio/wav", "wav"),
            b"AVI ": Kind("video/x-msvideo", "avi"),
        }
        return inner.get(content[8:12], Kind(refusal=_UNKNOWN))
    fitting = [(len(mark), kind) for at, mark, kind in _SIGNATURES if content[at : at + len(mark)] == mark]
    if fitting:
        return max(fitting, key=lambda pair: pair[0])[1]
    return _read_as_text(content)


def _look_into_zip(content: bytes) -> Kind:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
            names = [part.filename for part in parts]
            if len(parts) > MOST_PARTS:
                return Kind(refusal=_ARCHIVE)
            if any(name.lower().endswith(("vbaproject.bin", ".exe", ".dll", ".js", ".vbs")) for name in names):
                return Kind(refusal=_MACROS)
            if any(name.startswith("Basic/") or name.startswith("Scripts/") for name in names):
                return Kind(refusal=_MACROS)
            if parts and parts[0].filename == "mimetype" and parts[0].file_size < 100:
                said = archive.read(parts[0]).strip()
                return Kind(said.decode("ascii"), _OPEN[said]) if said in _OPEN else Kind(refusal=_ARCHIVE)
    except (zipfile.BadZipFile, ValueError, NotImplementedError, RuntimeError, OSError, EOFError):
        return Kind(refusal=_UNKNOWN)
    if "[Content_Types].xml" not in names:
        return Kind(refusal=_ARCHIVE)
    return next(
        (kind for start, kind in _OFFICE.items() if any(name.startswith(start) for name in names)),
        Kind(refusal=_ARCHIVE),
    )


def _read_as_text(content: bytes) -> Kind:
    """Text in UTF-8 or GB 18030 without control signs; text that a browser would run is refused."""
    if _MARKUP.search(content[:4096]):
        return Kind(refusal=_ACTIVE)
    if re.search(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]", content):
        return Kind(refusal=_UNKNOWN)
    for charset in ("utf-8", "gb18030"):
        try:
            content.decode(charset)
        except ValueError:
            continue
        return Kind("text/plain", "txt")
    return Kind(refusal=_UNKNOWN)
