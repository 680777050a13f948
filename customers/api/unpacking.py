"""Bodies as they were before compression, never larger than they may be."""

from __future__ import annotations

import zlib
from typing import Final

from django.http import HttpRequest
from django.utils.translation import gettext as _
from rest_framework.exceptions import APIException, ParseError, UnsupportedMediaType
from rest_framework.request import Request

MAX_BODY_BYTES: Final = 1024 * 1024


class BodyTooLarge(APIException):
    """More than a request may hold: 413."""

    status_code = 413

    def __init__(self, most: int = MAX_BODY_BYTES) -> None:
        megabytes = most // (1024 * 1024)
        super().__init__(_("A request may hold %(most)d MB. Send less at a time.") % {"most": megabytes})


def read_unpacked(request: HttpRequest | Request, *, most: int = MAX_BODY_BYTES) -> bytes:
    """The body of a request by its Content-Encoding, as `unpack_body`."""
    return unpack_body(request.body, request.headers.get("Content-Encoding", ""), most=most)


def unpack_body(body: bytes, encoding: str, *, most: int = MAX_BODY_BYTES) -> bytes:
    """The body without gzip. Raises BodyTooLarge beyond `most` bytes, UnsupportedMediaType, ParseError."""
    encoding = encoding.strip().lower()
    if encoding not in {"", "identity", "gzip"}:
        raise UnsupportedMediaType(encoding)
    if encoding == "gzip":
        unpacker = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
        try:
            body = unpacker.decompress(body, most + 1)
        except zlib.error as error:
            raise ParseError(_("The body is no gzip.")) from error
        if len(body) <= most and not unpacker.eof:
            raise ParseError(_("The body is no gzip."))
    if len(body) > most:
        raise BodyTooLarge(most)
    return body
