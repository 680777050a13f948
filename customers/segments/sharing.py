"""Which sets of people in a rule are made of the same rows, so that these are read once for all of them.

Three cases: measures that have to hold together, sets of which one is enough (or none is wanted) by rows of the same time, and
questions in several alternatives of an OR.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

from .sql import Among, Builder, Joined, Node, People, Plain
from .tallies import Tally, pool


def find_shared(node: Node) -> set[str]:
    """The wide sources that at least two alternatives of an OR ask, one of them by counting or adding up: all rows are read
    for that one anyway. Where one row is enough for all of them, or rows are few, looking them up each time is quicker."""
    if not isinstance(node, Joined):
        return set()
    found = set().union(*(find_shared(part) for part in node.parts))
    if node.joiner == "OR":
        asking: Counter[str] = Counter()
        measured: set[str] = set()
        for part in node.parts:
            tallies = [tally for tally in _list_tallies(part) if tally.is_wide]
            asking.update({tally.source for tally in tallies})
            measured |= {tally.source for tally in tallies if tally.holds is not None}
        found |= {source for source, times in asking.items() if times > 1 and source in measured}
    return found


def has_shared(node: Node, sources: set[str]) -> bool:
    """Whether a part is asked of one of the shared sources, and is no set of its own therefore."""
    return bool(sources) and any(tally.source in sources for tally in _list_tallies(node))


def has_column(node: Node) -> bool:
    """Whether something is asked of a column of the customers."""
    return any(has_column(part) for part in node.parts) if isinstance(node, Joined) else isinstance(node, Plain)


def merge_any(node: Node, builder: Builder) -> Node:
    """One set in place of several of which one row is enough: people with a row of the one kind or the other, or with neither."""
    if not isinstance(node, Joined):
        return node
    is_in = node.joiner == "OR"
    alike: dict[tuple[object, ...], list[Tally]] = defaultdict(list)
    for part in node.parts:
        if tally := _one_row_tally(part, is_in=is_in):
            alike[tally.source, tally.after, tally.upto].append(tally)
    parts: list[Node] = []
    for part in node.parts:
        tally = _one_row_tally(part, is_in=is_in)
        others = alike[tally.source, tally.after, tally.upto] if tally else []
        if len(others) < 2:
            parts.append(part)
        elif others[0] is tally:
            parts.append(Among(builder.count_people(_either(others)), is_in))
    return parts[0] if len(parts) == 1 else Joined(node.joiner, tuple(parts))


def merge_measured(parts: Sequence[Node], builder: Builder) -> list[Node]:
    """Measures of the same rows that all have to hold become one set, with what is asked of single rows of the same time. One
    of them has to be a set to be in: whoever has no rows at all is in none."""
    tallies = [_unshared_tally(part, builder) for part in parts]
    read = {(tally.source, tally.after, tally.upto) for tally in tallies if tally and tally.holds is not None}
    alike: dict[str, list[Among]] = defaultdict(list)
    for part, tally in zip(parts, tallies, strict=True):
        if isinstance(part, Among) and tally and (tally.holds or (tally.source, tally.after, tally.upto) in read):
            alike[tally.source].append(part)
    taken = {id(part): group for group in alike.values() if _can_be_one(group) for part in group}
    merged: list[Node] = []
    for part in parts:
        group = taken.get(id(part), [])
        if not group:
            merged.append(part)
        elif group[0] is part:
            merged.append(Among(_all_of(group, builder), True))
    return merged


def _can_be_one(group: Sequence[Among]) -> bool:
    return len(group) > 1 and any(part.is_in for part in group)


def _all_of(group: Sequence[Among], builder: Builder) -> People:
    asked = [(part.people.tally, part.is_in) for part in group if part.people.tally]
    tallies = [tally for tally, _is_in in asked]
    rows = pool(tallies)
    having = " AND ".join(
        f"({rows.holds(tally, builder.within)}) IS {'' if is_in else 'NOT '}TRUE" for tally, is_in in asked
    )
    return People(rows.select(tallies, builder.within), having)


def _either(tallies: Sequence[Tally]) -> Tally:
    """People with a row that meets one of them."""
    rows = pool(tallies)
    rest = [" AND ".join(sql for sql in tally.asked if sql not in rows.asked) for tally in tallies]
    some = (f"({' OR '.join(f'({sql})' for sql in rest)})",) if all(rest) else ()
    return replace(tallies[0], asked=(*rows.asked, *some))


def _one_row_tally(node: Node, *, is_in: bool) -> Tally | None:
    if isinstance(node, Among) and node.is_in == is_in and node.people.tally and node.people.tally.holds is None:
        return node.people.tally
    return None


def _unshared_tally(node: Node, builder: Builder) -> Tally | None:
    """The question of a set that is not answered by the shared table."""
    tally = node.people.tally if isinstance(node, Among) else None
    return None if tally is None or tally.source in builder.shared else tally


def _list_tallies(node: Node) -> Iterator[Tally]:
    if isinstance(node, Among) and node.people.tally is not None:
        yield node.people.tally
    elif isinstance(node, Joined):
        for part in node.parts:
            yield from _list_tallies(part)
