"""A rule while it is being written: groups and rows as they travel in a form, and what the buttons do to them.

Everything is a plain field whose name says where it stands ("r.0.1:what" is the question of the second row in the first
block), so that the page works without JavaScript; a button sends what it wants as `action`, such as "or-r.0".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from customers.segments.faults import RuleError
from customers.segments.nodes import Group, Match, Rule
from customers.segments.resolve import resolve_memberships
from customers.segments.rules import MAX_CONDITIONS, MAX_DEPTH, read_gently
from customers.segments.wording import describe_error

from .rule_rows import LONGEST, LONGEST_JSON, TYPED, Row, lay_out_row

ROOT: Final = "r"
MATCHES: Final[tuple[Match, ...]] = ("all", "any", "none")
Path = tuple[int, ...]


@dataclass(frozen=True)
class Block:
    """A group as it is being written."""

    match: Match
    children: tuple[Block | Row, ...]
    error: str = ""


def new_block() -> Block:
    """Where a segment begins: one row to be filled in."""
    return Block("all", (Row({"what": "recency_days", "op": "gte", "value": "60"}),))


def read_block(data: Mapping[str, Any]) -> Block:
    """The tree of a posted page; nonsense gives a page to begin with. At most MAX_CONDITIONS rows are read."""
    places = {}
    for name in data:
        place, _, key = name.partition(":")
        if key in ("match", "what") and (path := _read_path(place)) is not None:
            places[path] = key == "match"
    kept = sorted(places)[: MAX_CONDITIONS * 3]
    block = _gather(data, (), {path: places[path] for path in kept})
    return block if block.children else new_block()


def lay_out_block(rule: Rule) -> Block:
    """The draft of a rule."""
    group = rule if isinstance(rule, Group) else Group("all", (rule,))
    children = tuple(lay_out_block(child) if isinstance(child, Group) else lay_out_row(child) for child in group.rules)
    return Block(group.match, children)


def to_tree(block: Block | Row) -> Any:
    """The JSON of a draft."""
    if isinstance(block, Row):
        return block.to_tree()
    return {"match": block.match, "rules": [to_tree(child) for child in block.children]}


def check_block(block: Block, *, own: int | None = None) -> tuple[Group | None, Block]:
    """The rule, or None and each wrong row with its error. `own` is the segment that it is to be saved for."""
    reading = read_gently(to_tree(block))
    faults: tuple[RuleError, ...] = reading.faults
    if not faults:
        try:
            resolve_memberships(reading.rule, own=own)
        except RuleError as error:
            faults = (error,)
    for fault in faults:
        block = _mark(block, _row_of(fault.path), describe_error(fault))
    return (None, block) if faults else (reading.rule, block)


def act(block: Block, action: str) -> Block:
    """What a button asks for: a verb and a place such as "remove-r.0.1", or "move-r.0>r.2". Nonsense changes nothing."""
    verb, _, where = action.partition("-")
    if verb == "move":
        start, _, end = where.partition(">")
        return _move(block, _read_path(start), _read_path(end))
    path = _read_path(where)
    if path is None or _find(block, path) is None:
        return block
    done = _ACTIONS[verb](block, path) if verb in _ACTIONS else block
    return _tidy(done, is_root=True) if _depth(done) < MAX_DEPTH and _size(done) <= MAX_CONDITIONS else block


def _add(block: Block, path: Path) -> Block:
    """A row at the end of a group."""
    if not isinstance(_find(block, path), Block):
        return block
    return _change(block, path, lambda node: replace(node, children=(*node.children, Row())))


def _or(block: Block, path: Path) -> Block:
    """An alternative to a row or a block: beside it where alternatives stand already, else both in a block of their own."""
    node = _find(block, path)
    if isinstance(node, Block) and node.match == "any":
        return _add(block, path)
    parent = _find(block, path[:-1]) if path else None
    if isinstance(parent, Block) and parent.match == "any":
        return _add(block, path[:-1])
    return _put(block, path, Block("any", (node, Row()))) if path and node is not None else block


def _add_group(block: Block, path: Path) -> Block:
    """A group at the end of a group, of the other kind than it."""
    group = _find(block, path)
    if not isinstance(group, Block):
        return block
    other: Match = "all" if group.match == "any" else "any"
    return _change(block, path, lambda node: replace(node, children=(*node.children, Block(other, (Row(), Row())))))


def _duplicate(block: Block, path: Path) -> Block:
    node = _find(block, path)
    return _insert(block, (*path[:-1], path[-1] + 1), node) if path and node is not None else block


def _remove(block: Block, path: Path) -> Block:
    return _cut(block, path) if path else new_block()


def _up(block: Block, path: Path) -> Block:
    return _swap(block, path, -1)


def _down(block: Block, path: Path) -> Block:
    return _swap(block, path, +1)


def _nest(block: Block, path: Path) -> Block:
    """A row into a group of its own, so that more can stand beside it inside."""
    node, parent = _find(block, path), _find(block, path[:-1])
    if not path or node is None or not isinstance(parent, Block):
        return block
    return _put(block, path, Block("all" if parent.match == "any" else "any", (node, Row())))


def _lift(block: Block, path: Path) -> Block:
    """Out of its group, to stand behind it."""
    node = _find(block, path)
    if len(path) < 2 or node is None:
        return block
    return _insert(_cut(block, path), (*path[:-2], path[-2] + 1), node)


_ACTIONS: Final = {
    "add": _add, "or": _or, "group": _add_group, "duplicate": _duplicate, "remove": _remove, "up": _up, "down": _down,
    "nest": _nest, "lift": _lift,
}  # fmt: skip


def _move(block: Block, start: Path | None, end: Path | None) -> Block:
    """Take a node from one place and put it before another."""
    node = _find(block, start) if start else None
    if node is None or not start or not end or end[: len(start)] == start or _find(block, end[:-1]) is None:
        return block
    if not isinstance(_find(block, end[:-1]), Block):
        return block
    marked = Row({"what": "moved"})
    moved = _insert(_put(block, start, marked), end, node)
    place = next((path for path, found in _walk(moved, ()) if found is marked), None)
    done = _tidy(_cut(moved, place) if place else moved, is_root=True)
    return done if _depth(done) < MAX_DEPTH else block


def _walk(node: Block | Row, path: Path) -> Iterator[tuple[Path, Block | Row]]:
    yield path, node
    for i, child in enumerate(node.children if isinstance(node, Block) else ()):
        yield from _walk(child, (*path, i))


def _gather(data: Mapping[str, Any], path: Path, places: Mapping[Path, bool]) -> Block:
    match = str(data.get(f"{name_path(path)}:match", "all"))
    children: list[Block | Row] = []
    for place in sorted(place for place in places if place[:-1] == path and place):
        children.append(_gather(data, place, places) if places[place] else _read_row(data, place))
    known: Match = next((one for one in MATCHES if one == match), "all")
    return Block(known, tuple(children))


def _read_row(data: Mapping[str, Any], path: Path) -> Row:
    typed = {key: str(data[name]) for key in TYPED if (name := f"{name_path(path)}:{key}") in data}
    typed["was"] = str(data.get(f"{name_path(path)}:was", ""))
    longest = LONGEST_JSON if typed.get("what") == "json" else LONGEST
    row = Row({key: text[:longest] for key, text in typed.items()}).fitted()
    return Row({key: text for key, text in row.typed.items() if key != "was"})


def name_path(path: Path) -> str:
    """How a place is called in the names of fields: "r.0.1"."""
    return ".".join((ROOT, *map(str, path)))


def _read_path(text: str) -> Path | None:
    head, *numbers = text.split(".")
    if (
        head != ROOT
        or len(numbers) > MAX_DEPTH
        or any(not n.isascii() or not n.isdecimal() or len(n) > 3 for n in numbers)
    ):
        return None
    return tuple(map(int, numbers))


def _row_of(fault: str) -> Path:
    """The row or group that a fault is about: "rules.0.rules.1.value" stands at (0, 1)."""
    parts, path = fault.split("."), []
    while len(parts) >= 2 and parts[0] == "rules" and parts[1].isdecimal():
        path.append(int(parts[1]))
        parts = parts[2:]
    return tuple(path)


def _mark(block: Block, path: Path, error: str) -> Block:
    while _find(block, path) is None:
        path = path[:-1]
    return _change(block, path, lambda node: replace(node, error=node.error or error))


def _find(block: Block | Row, path: Path) -> Block | Row | None:
    for number in path:
        if not isinstance(block, Block) or number >= len(block.children):
            return None
        block = block.children[number]
    return block


def _change(block: Block, path: Path, change: Callable[[Any], Block | Row]) -> Block:
    """The same with what stands at `path` changed; a root that were to become a row stays as it is."""
    changed = _change_at(block, path, change)
    return changed if isinstance(changed, Block) else block


def _change_at(node: Any, path: Path, change: Callable[[Any], Block | Row]) -> Block | Row:
    if not path:
        return change(node)
    children = list(node.children)
    children[path[0]] = _change_at(children[path[0]], path[1:], change)
    changed: Block = replace(node, children=tuple(children))
    return changed


def _put(block: Block, path: Path, node: Block | Row) -> Block:
    return _change(block, path, lambda _old: node)


def _insert(block: Block, path: Path, node: Block | Row) -> Block:
    def put_in(group: Block) -> Block:
        return replace(group, children=(*group.children[: path[-1]], node, *group.children[path[-1] :]))

    return _change(block, path[:-1], put_in)


def _cut(block: Block, path: Path) -> Block:
    def take_out(group: Block) -> Block:
        return replace(group, children=tuple(c for i, c in enumerate(group.children) if i != path[-1]))

    return _change(block, path[:-1], take_out)


def _swap(block: Block, path: Path, by: int) -> Block:
    parent = _find(block, path[:-1]) if path else None
    if not isinstance(parent, Block) or not 0 <= path[-1] + by < len(parent.children):
        return block
    children = list(parent.children)
    children[path[-1]], children[path[-1] + by] = children[path[-1] + by], children[path[-1]]
    return _put(block, path[:-1], replace(parent, children=tuple(children)))


def _tidy(block: Block, *, is_root: bool) -> Block:
    """No empty groups, and no group around a single row that it says nothing about."""
    children: list[Block | Row] = []
    for child in block.children:
        if isinstance(child, Block):
            tidied = _tidy(child, is_root=False)
            if len(tidied.children) == 1 and tidied.match != "none":
                children.append(tidied.children[0])
            elif tidied.children:
                children.append(tidied)
        else:
            children.append(child)
    return replace(block, children=tuple(children) or ((Row(),) if is_root else ()))


def _depth(node: Block | Row) -> int:
    return 1 + max(map(_depth, node.children), default=0) if isinstance(node, Block) else 0


def _size(node: Block | Row) -> int:
    return sum(map(_size, node.children)) if isinstance(node, Block) else 1
