"""Pages of a list by key, so that the millionth row costs what the first does."""

from __future__ import annotations

import datetime as dt
from typing import Any

from rest_framework.exceptions import NotFound
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request

MAX_KEY = 2**63 - 1


class KeyPagination(CursorPagination):
    """A cursor over the primary key; `page_size` up to 500."""

    ordering: str | tuple[str, ...] = "pk"
    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 500

    def decode_cursor(self, request: Request) -> Any:
        """As DRF's, but a position that no row can have is an unknown page instead of a database error."""
        cursor = super().decode_cursor(request)
        if cursor is not None and cursor.position is not None and not self.is_position(str(cursor.position)):
            raise NotFound(self.invalid_cursor_message)
        return cursor

    def is_position(self, text: str) -> bool:
        return text.isascii() and text.isdecimal() and len(text) < 20 and int(text) <= MAX_KEY


class NewestFirst(KeyPagination):
    """The newest row first."""

    ordering = "-pk"


class TimePagination(KeyPagination):
    """A cursor over the time of events, the newest first."""

    ordering = ("-occurred_at", "-external_id")

    def is_position(self, text: str) -> bool:
        try:
            return dt.datetime.fromisoformat(text).tzinfo is not None
        except ValueError:
            return False
