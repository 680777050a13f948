"""Files are what their bytes say, whatever they are called."""

from __future__ import annotations

import io
import zipfile

import pytest

from support.mail.kinds import find_kind

from .letters import PDF, PNG


def pack(*names: str, first: tuple[str, bytes] | None = None) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        if first:
            archive.writestr(zipfile.ZipInfo(first[0]), first[1])
        for name in names:
            archive.writestr(name, b"x")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "ending"),
    [
        (PDF, "pdf"), (PNG, "png"), (b"\xff\xd8\xff\xe0rest", "jpg"), (b"GIF89a...", "gif"), (b"RIFF\0\0\0\0WEBPVP8 ", "webp"),
        (b"\0\0\0\x18ftypheic", "heic"), (b"\0\0\0\x18ftypisom", "mp4"), (b"\0\0\0\x14ftypqt  ", "mov"),
        (b"Dear shop,\r\nthe zip broke.", "txt"), ("帐篷坏了".encode("gb18030"), "txt"), (b"a;b\n1;2", "txt"),
        (pack("[Content_Types].xml", "word/document.xml"), "docx"), (pack("[Content_Types].xml", "xl/workbook.xml"), "xlsx"),
        (pack(first=("mimetype", b"application/vnd.oasis.opendocument.text")), "odt"),
    ],
)  # fmt: skip
def test_what_customers_send_is_taken(content: bytes, ending: str) -> None:
    kind = find_kind(content)
    assert (kind.ending, kind.refusal) == (ending, "")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"MZ\x90\0", "program"), (b"\x7fELF\x02", "program"), (b"#!/bin/sh\nrm", "program"),
        (b"<!DOCTYPE html><script>", "active"), (b"  <svg xmlns=''>", "active"), (b"<?xml version='1.0'?><x:y/>", "active"),
        (b"hello <script>alert(1)</script>", "active"),
        (pack("a.txt"), "archive"), (b"Rar!\x1a\x07", "archive"), (b"\x1f\x8b\x08", "archive"),
        (b"7z\xbc\xaf\x27\x1c", "archive"),
        (pack("[Content_Types].xml", "word/vbaProject.bin"), "macros"), (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "macros"),
        (b"{\\rtf1 }", "macros"), (b"PK\x03\x04broken", "unknown"), (b"\0\x01\x02\x03", "unknown"), (b"\xff\xfe\xff", "unknown"),
    ],
)  # fmt: skip
def test_what_could_run_or_hide_something_is_refused(content: bytes, why: str) -> None:
    assert find_kind(content).refusal == why and not find_kind(content).content_type
