"""What changed between two revisions of a segment: in sentences, and in people."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import connection

from .compiler import compile_rule
from .faults import RuleError
from .labels import GROUP_HEADS
from .names import Names
from .nodes import Group, Rule
from .wording import describe_rule


@dataclass(frozen=True)
class Line:
    """A condition in a sentence, as deep as it is nested; `state` is same, added or removed."""

    sentence: str
    depth: int
    state: str


@dataclass(frozen=True)
class Moved:
    """How many people the later rule lets in and puts out, of those meant now; and how many it keeps."""

    entered: int
    left: int
    kept: int


def compare_sentences(before: Rule, after: Rule, names: Names) -> tuple[list[Line], list[Line]]:
    """Both rules line by line; a line that only one of them has is marked."""
    old, new = (list(_list_lines(rule, names, 0)) for rule in (before, after))
    return _mark(old, new, "removed"), _mark(new, old, "added")


def count_moved(before: Rule, after: Rule, *, as_of: dt.datetime) -> Moved | None:
    """In one statement over everybody; None where one of the rules cannot be used any more."""
    try:
        old, new = (compile_rule(rule, as_of=as_of) for rule in (before, after))
    except RuleError:
        return None
    renamed = new.sql.replace("%(segment_", "%(later_")
    params = old.params | {name.replace("segment_", "later_", 1): value for name, value in new.params.items()}
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FILTER (WHERE o.customer_id IS NULL), count(*) FILTER (WHERE n.customer_id IS NULL),"
            f" count(*) FILTER (WHERE n.customer_id = o.customer_id)"
            f" FROM ({old.sql}) o FULL JOIN ({renamed}) n ON n.customer_id = o.customer_id",
            params,
        )
        entered, left, kept = cursor.fetchone()
    return Moved(int(entered), int(left), int(kept))


def _list_lines(rule: Rule, names: Names, depth: int) -> list[tuple[str, int]]:
    if not isinstance(rule, Group):
        return [(describe_rule(rule, names), depth)]
    inner = [line for child in rule.rules for line in _list_lines(child, names, depth + 1)]
    return [(str(GROUP_HEADS[rule.match]), depth), *inner] if len(rule.rules) > 1 or rule.match == "none" else inner


def _mark(lines: list[tuple[str, int]], others: list[tuple[str, int]], state: str) -> list[Line]:
    left = list(others)
    marked = []
    for line in lines:
        is_same = line in left
        if is_same:
            left.remove(line)
        marked.append(Line(line[0], line[1], "same" if is_same else state))
    return marked
