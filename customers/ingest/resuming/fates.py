"""What became of each line of a file: a letter a line, so that a million take a megabyte at most and mostly some kilobytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from customers.ingest.copying import Cursor, UpsertCounts
from customers.models import ImportFates, ImportRejection, ImportRun

CREATED, UPDATED, UNCHANGED = "c", "u", "s"
WORDS: Final = {CREATED: "created", UPDATED: "updated", UNCHANGED: "unchanged"}
LEFT_OUT: Final = "left_out"
#: Lines in a block: one row of the table.
BLOCK_LINES: Final = 65_536


def note_all(cursor: Cursor, fates: str, lines: str, fate: str) -> None:
    """All lines of a table came to the same."""
    cursor.execute(f"INSERT INTO {fates} SELECT line, %s FROM {lines}", [fate])


def note_by_key(cursor: Cursor, fates: str, lines: str, written: str, key: Sequence[str], counts: UpsertCounts) -> None:
    """Note the fate of each row of `lines` (line and the key) by `written`, as `merge_stage` filled it."""
    if not counts.updated and not counts.unchanged:
        return note_all(cursor, fates, lines, CREATED)
    names = ", ".join(f'"{name}"' for name in key)
    cursor.execute(
        f"INSERT INTO {fates} SELECT l.line, CASE w.created WHEN true THEN '{CREATED}' WHEN false THEN '{UPDATED}'"
        f" ELSE '{UNCHANGED}' END FROM {lines} l LEFT JOIN {written} w USING ({names})"
    )
    return None


def gather_fates(cursor: Cursor, fates: str) -> list[tuple[int, str]]:
    """The staged fates as blocks: the number of the first line, and a letter (or a blank) for each line from there."""
    cursor.execute(_GATHER.format(fates=fates, size=BLOCK_LINES))
    return [(int(first), str(text)) for first, text in cursor.fetchall()]


def keep_fates(run: ImportRun, blocks: Sequence[tuple[int, str]]) -> None:
    """Keep them with the run, in place of those of an earlier try."""
    ImportFates.objects.filter(run=run).delete()
    ImportFates.objects.bulk_create([ImportFates(run=run, first_line=first, fates=text) for first, text in blocks], 100)


def read_fates(run: ImportRun) -> Iterator[tuple[int, str, str, str]]:
    """Every line of the file with what became of it: line, outcome, reason and content, the two for those left out.

    In the order of the file, in bounded memory.
    """
    left_out = read_left_out(run)
    following = next(left_out, None)
    for first, text in (
        ImportFates.objects.filter(run=run).order_by("first_line").values_list("first_line", "fates").iterator(4)
    ):
        for line, letter in enumerate(text, first):
            while following is not None and following[0] < line:
                yield following
                following = next(left_out, None)
            if letter != " ":
                yield line, WORDS[letter], "", ""
    while following is not None:
        yield following
        following = next(left_out, None)


def read_left_out(run: ImportRun) -> Iterator[tuple[int, str, str, str]]:
    """The lines that were left out alone, as `read_fates` gives them."""
    rows: Any = ImportRejection.objects.filter(run=run).order_by("line_number")
    for line, reason, content in rows.values_list("line_number", "reason", "content").iterator(chunk_size=2000):
        yield line, LEFT_OUT, reason, content


# The blanks before a letter are the lines that were left out or passed over.
_GATHER: Final = """
SELECT block * {size}, string_agg(repeat(' ', (line - before - 1)::int) || fate, '' ORDER BY line) FROM (
    SELECT line, fate::text AS fate, line / {size} AS block,
           coalesce(lag(line) OVER (PARTITION BY line / {size} ORDER BY line), line / {size} * {size} - 1) AS before
    FROM {fates}) placed
GROUP BY block ORDER BY block
"""
