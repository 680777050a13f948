"""A rule while it is being written: groups and rows as they travel in a form, and what the buttons do to them.

Everything is a plain field whose name says where it stands ("r.0.1:what" is the question of the second row in the first
block), so that the page works without JavaScript; a button sends what it wants as `action`, such as "or-r.0".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from django.utils.translation import gettext as _

from customers.segments.faults import RuleError
from customers.segments.nodes import Group, Match, Rule
from customers.segments.resolve import resolve_memberships
from customers.segments.rules import MAX_CONDITIONS, MAX_DEPTH, read_gently
from customers.segments.wording import describe_error

from .rule_rows import TYPED, Row, lay_out_row

ROOT: Final = "r"
MATCHES: Final[tuple[Match, ...]] = ("all", "any", "none")
Path = tuple[int, ...]
#: Rows that are read of a page, more than a rule may have: whoever sent more is told, at the rule they sent.
MOST_READ: Final = MAX_CONDITIONS * 3


@dataclass(frozen=True)
class Block:
    """A group as it is being written. `is_cut`: more rows were sent than are read, so that it cannot be saved."""

    match: Match
    children: tuple[Block | Row, ...]
    error: str = ""
    is_cut: bool = False


def new_block() -> Block:
    """Where a segment begins: one row to be filled in."""
    return Block("all", (Row({"what": "recency_days", "op": "gte", "value": "60"}),))


def read_block(data: Mapping[str, Any]) -> Block:
    """The tree of a posted page; nonsense gives a page to begin with. Of more rows than MOST_READ the first are read."""
    places = {}
    for name in data:
        place, _colon, key = name.partition(":")
        if key in ("match", "what") and (path := read_path(place)) is not None:
            places[path] = key == "match"
    rows = sorted(path for path, is_block in places.items() if not is_block)
    inside: dict[Path, list[Path]] = {}
    for path in sorted(places.keys() - set(rows[MOST_READ:]) - {()}):
        inside.setdefault(path[:-1], []).append(path)
    block = _gather(data, (), places, inside)
    return replace(block, is_cut=len(rows) > MOST_READ) if block.children else new_block()


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
    if block.is_cut:
        faults = (RuleError("", "too_many_conditions", str(MAX_CONDITIONS)),)
    if not faults:
        try:
            resolve_memberships(reading.rule, own=own)
        except RuleError as error:
            faults = (error,)
    for fault in faults:
        block = _mark(block, row_of(fault.path), _describe(fault))
    return (None, block) if faults else (reading.rule, block)


def _gather(
    data: Mapping[str, Any], path: Path, places: Mapping[Path, bool], inside: Mapping[Path, list[Path]]
) -> Block:
    match = str(data.get(f"{name_path(path)}:match", "all"))
    children = tuple(
        _gather(data, place, places, inside) if places[place] else _read_row(data, place)
        for place in inside.get(path, ())
    )
    known: Match = next((one for one in MATCHES if one == match), "all")
    return Block(known, children)


def _read_row(data: Mapping[str, Any], path: Path) -> Row:
    typed = {key: str(data[name]) for key in TYPED if (name := f"{name_path(path)}:{key}") in data}
    typed["was"] = str(data.get(f"{name_path(path)}:was", ""))
    row = Row(typed).fitted()
    return Row({key: text for key, text in row.typed.items() if key != "was"})


def name_path(path: Path) -> str:
    """How a place is called in the names of fields: "r.0.1"."""
    return ".".join((ROOT, *map(str, path)))


def read_path(text: str) -> Path | None:
    """The place of a name such as "r.0.1"; None for anything else."""
    head, *numbers = text.split(".")
    if (
        head != ROOT
        or len(numbers) > MAX_DEPTH
        or any(not n.isascii() or not n.isdecimal() or len(n) > 3 for n in numbers)
    ):
        return None
    return tuple(map(int, numbers))


def row_of(fault: str) -> Path:
    """The row or group that a fault is about: "rules.0.rules.1.value" stands at (0, 1)."""
    parts, path = fault.split("."), []
    while len(parts) >= 2 and parts[0] == "rules" and parts[1].isdecimal():
        path.append(int(parts[1]))
        parts = parts[2:]
    return tuple(path)


def _describe(fault: RuleError) -> str:
    """In words; a row asks for probabilities in per cent."""
    return _("Enter a percentage from 0 to 100.") if fault.code == "not_a_probability" else describe_error(fault)


def _mark(block: Block, path: Path, error: str) -> Block:
    while find_node(block, path) is None:
        path = path[:-1]
    return change_node(block, path, lambda node: replace(node, error=node.error or error))


def find_node(block: Block | Row, path: Path) -> Block | Row | None:
    """What stands at a place; None where nothing does."""
    for number in path:
        if not isinstance(block, Block) or number >= len(block.children):
            return None
        block = block.children[number]
    return block


def walk_draft(node: Block | Row, path: Path = ()) -> Iterator[tuple[Path, Block | Row]]:
    """Every row and group with its place, outermost first."""
    yield path, node
    for i, child in enumerate(node.children if isinstance(node, Block) else ()):
        yield from walk_draft(child, (*path, i))


def change_node(block: Block, path: Path, change: Callable[[Any], Block | Row]) -> Block:
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
