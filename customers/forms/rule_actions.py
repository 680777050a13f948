"""What the buttons of the builder do to a draft, and where the keyboard goes on afterwards."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from customers.segments.faults import RuleError
from customers.segments.nodes import Match
from customers.segments.rules import MAX_CONDITIONS, MAX_DEPTH
from customers.segments.wording import describe_error

from .rule_drafts import Block, Path, change_node, find_node, name_path, new_block, read_path, walk_draft
from .rule_rows import Row


def act(block: Block, action: str) -> Block:
    """What a button asks for: a verb and a place such as "remove-r.0.1", or "move-r.0>r.2". Nonsense changes nothing."""
    verb, _, where = action.partition("-")
    if verb == "move":
        start, _, end = where.partition(">")
        return _move(block, read_path(start), read_path(end))
    path = read_path(where)
    if path is None or find_node(block, path) is None:
        return block
    done = _ACTIONS[verb](block, path) if verb in _ACTIONS else block
    if _size(done) > max(MAX_CONDITIONS, _size(block)):
        return _refuse(block, "too_many_conditions", MAX_CONDITIONS)
    return _tidy(done, is_root=True) if _depth(done) < MAX_DEPTH else _refuse(block, "too_deep", MAX_DEPTH)


def _refuse(block: Block, code: str, most: int) -> Block:
    """As it was, and why."""
    return replace(block, error=describe_error(RuleError("", code, str(most))))


def find_focus(before: Block, after: Block, action: str) -> str:
    """The place in `after` = act(before, action) where whoever pressed the button goes on: what was moved, the row that is new,
    or what took the place of the one that is gone. "" where nothing was pressed."""
    verb, _, where = action.partition("-")
    path = read_path(where.partition(">")[0])
    if path is None or verb not in (*_ACTIONS, "move"):
        return ""
    if verb in ("up", "down", "lift", "move"):
        path = _follow(before, after, path)
    elif verb == "duplicate" and path:
        path = (*path[:-1], path[-1] + 1)
    elif verb != "remove":
        known = {id(node) for _path, node in walk_draft(before)}
        new = (found for found, node in walk_draft(after) if isinstance(node, Row) and id(node) not in known)
        path = next(new, path)
    return name_path(_nearest(after, path))


def _follow(before: Block, after: Block, path: Path) -> Path:
    """Where in `after` the node at `path` stands. A block is known by its first row: tidying makes blocks anew."""
    node: Block | Row | None = find_node(before, path)
    inner: Path = ()
    while isinstance(node, Block) and node.children:
        node, inner = node.children[0], (*inner, 0)
    found = next((at for at, one in walk_draft(after) if one is node), path)
    return found[: len(found) - len(inner)] or found


def _nearest(block: Block, path: Path) -> Path:
    """This place if something stands there, else the one before it, else that of the group around."""
    while path and find_node(block, path) is None:
        path = (*path[:-1], path[-1] - 1) if path[-1] else path[:-1]
    return path


def _add(block: Block, path: Path) -> Block:
    """A row at the end of a group."""
    if not isinstance(find_node(block, path), Block):
        return block
    return change_node(block, path, lambda node: replace(node, children=(*node.children, Row())))


def _or(block: Block, path: Path) -> Block:
    """An alternative to a row or a block: beside it where alternatives stand already, else both in a block of their own."""
    node = find_node(block, path)
    if isinstance(node, Block) and node.match == "any":
        return _add(block, path)
    parent = find_node(block, path[:-1]) if path else None
    if isinstance(parent, Block) and parent.match == "any":
        return _add(block, path[:-1])
    return _put(block, path, Block("any", (node, Row()))) if path and node is not None else block


def _add_group(block: Block, path: Path) -> Block:
    """A group at the end of a group, of the other kind than it."""
    group = find_node(block, path)
    if not isinstance(group, Block):
        return block
    other: Match = "all" if group.match == "any" else "any"
    return change_node(block, path, lambda node: replace(node, children=(*node.children, Block(other, (Row(), Row())))))


def _duplicate(block: Block, path: Path) -> Block:
    node = find_node(block, path)
    return _insert(block, (*path[:-1], path[-1] + 1), node) if path and node is not None else block


def _remove(block: Block, path: Path) -> Block:
    return _cut(block, path) if path else new_block()


def _up(block: Block, path: Path) -> Block:
    return _swap(block, path, -1)


def _down(block: Block, path: Path) -> Block:
    return _swap(block, path, +1)


def _nest(block: Block, path: Path) -> Block:
    """A row into a group of its own, so that more can stand beside it inside."""
    node, parent = find_node(block, path), find_node(block, path[:-1])
    if not path or node is None or not isinstance(parent, Block):
        return block
    return _put(block, path, Block("all" if parent.match == "any" else "any", (node, Row())))


def _lift(block: Block, path: Path) -> Block:
    """Out of its group, to stand behind it."""
    node = find_node(block, path)
    if len(path) < 2 or node is None:
        return block
    return _insert(_cut(block, path), (*path[:-2], path[-2] + 1), node)


_ACTIONS: Final = {
    "add": _add, "or": _or, "group": _add_group, "duplicate": _duplicate, "remove": _remove, "up": _up, "down": _down,
    "nest": _nest, "lift": _lift,
}  # fmt: skip


def _move(block: Block, start: Path | None, end: Path | None) -> Block:
    """Take a node from one place and put it before another."""
    node = find_node(block, start) if start else None
    if node is None or not start or not end or end[: len(start)] == start or find_node(block, end[:-1]) is None:
        return block
    if not isinstance(find_node(block, end[:-1]), Block):
        return block
    marked = Row({"what": "moved"})
    moved = _insert(_put(block, start, marked), end, node)
    place = next((path for path, found in walk_draft(moved) if found is marked), None)
    done = _tidy(_cut(moved, place) if place else moved, is_root=True)
    return done if _depth(done) < MAX_DEPTH else _refuse(block, "too_deep", MAX_DEPTH)


def _put(block: Block, path: Path, node: Block | Row) -> Block:
    return change_node(block, path, lambda _old: node)


def _insert(block: Block, path: Path, node: Block | Row) -> Block:
    def put_in(group: Block) -> Block:
        return replace(group, children=(*group.children[: path[-1]], node, *group.children[path[-1] :]))

    return change_node(block, path[:-1], put_in)


def _cut(block: Block, path: Path) -> Block:
    def take_out(group: Block) -> Block:
        return replace(group, children=tuple(c for i, c in enumerate(group.children) if i != path[-1]))

    return change_node(block, path[:-1], take_out)


def _swap(block: Block, path: Path, by: int) -> Block:
    parent = find_node(block, path[:-1]) if path else None
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
