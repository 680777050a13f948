"""A saved segment told whatever became of its rule: its sentence, its size, or why it has none."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from .compiler import CompiledQuery, compile_rule
from .faults import RuleError
from .names import Names, read_names
from .preview import count_query
from .rules import Reading, read_gently
from .wording import describe_error, describe_rule


@dataclass(frozen=True)
class Told:
    """`size` is None where nobody was counted; `faults` says in words why nobody can be, and `query` is None then."""

    sentence: str
    size: int | None
    faults: tuple[str, ...]
    query: CompiledQuery | None = None


def tell_rule(tree: Any, *, as_of: dt.datetime, counts: bool = True) -> Told:
    """A rule's JSON in a sentence, with who is meant at `as_of`. Never raises for what stands in the tree.

    Without `counts` nobody is counted (`size` is None), which spares a page the time; faults are found all the same.
    """
    return tell_reading(read_gently(tree), as_of=as_of, counts=counts)


def tell_reading(reading: Reading, *, as_of: dt.datetime, names: Names | None = None, counts: bool = True) -> Told:
    """The same of a tree that was read already; for a page with many, `names` of all are asked for once."""
    names = names if names is not None else read_names(reading.rule)
    sentence = describe_rule(reading.rule, names)
    faults: tuple[RuleError, ...] = reading.faults
    query = None
    if not faults:
        try:
            query = compile_rule(reading.rule, as_of=as_of)
        except RuleError as error:  # a segment that it names is gone, or its rule is broken
            faults = (error,)
    size = count_query(query) if query is not None and counts else None
    return Told(sentence, size, tuple(dict.fromkeys(describe_error(fault) for fault in faults)), query)
