"""JSON bodies, packed or not, with every broken one answered in words."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

from .unpacking import unpack_body


class StrictJSONParser(JSONParser):
    """As DRF's, but gzip is unpacked, and nesting that no program can follow is a broken body too, not an error of ours."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        request = (parser_context or {}).get("request")
        if request is not None and (packed := request.headers.get("Content-Encoding", "")):
            stream = io.BytesIO(unpack_body(stream.read(), packed, most=settings.DATA_UPLOAD_MAX_MEMORY_SIZE))
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError as error:
            raise ParseError(_("The JSON is nested too deeply.")) from error
