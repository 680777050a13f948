"""Pages of a list by key, so that the millionth row costs what the first does."""

from __future__ import annotations

from rest_framework.pagination import CursorPagination


class KeyPagination(CursorPagination):
    """A cursor over the primary key; `page_size` up to 500."""

    ordering = "pk"
    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 500
