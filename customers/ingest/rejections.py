"""What a run left out, as a table to download."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from customers.models import ImportRun

from .cleaning import REASONS

#: First characters that a spreadsheet takes for a formula (OWASP, CSV injection).
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def write_rejections(run: ImportRun) -> Iterator[str]:
    """The left-out lines of a run as CSV, row by row, for a streaming answer. No cell is a live formula."""
    yield _row("line", "reason", "explanation", "content")
    rows = run.rejections.order_by("line_number").values_list("line_number", "reason", "content")
    for line, reason, content in rows.iterator(chunk_size=5_000):
        yield _row(str(line), reason, str(REASONS.get(reason, "")), content)


def _row(*cells: str) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(
        "'" + cell if cell.startswith(FORMULA_STARTS) else cell for cell in cells
    )
    return text.getvalue()
