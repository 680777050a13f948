"""Templates that only say text, slots and yes-or-no on slots, as forms that are filled without the Liquid engine.

All that `composing` writes and most of what authors write is of this kind, and the engine takes ten times as long for it. A
form gives what the engine would give to the byte, or nothing: whatever is the least unusual (another node, a value that is
no plain text, a slot that is missing, a line end that the engine would change, a very long copy) is left to the engine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from liquid.ast import BlockNode, ConditionalBlockNode, Node
from liquid.builtin.content import ContentNode
from liquid.builtin.expressions import (
    BooleanExpression,
    Filter,
    FilteredExpression,
    Path,
    PositionalArgument,
    StringLiteral,
)
from liquid.builtin.expressions.logical import EqExpression, NeExpression
from liquid.builtin.output import OutputNode
from liquid.builtin.tags.if_tag import IfNode
from liquid.expression import Expression

#: In characters, of one part of a message. The engine's limit is in bytes, and at most four of them are a character.
LONGEST_COPY: Final = 50_000

Slots = Mapping[str, str]
Escape = Callable[[str], str]
Piece = Callable[[Slots, Escape], str]


class _Unusual(Exception):
    """Not for a form; the engine knows what to do."""


class Form:
    """One template, ready to be filled."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self._pieces = pieces

    def fill(self, slots: Slots, escape: Escape) -> str | None:
        """The filled template; None where that is the engine's to do."""
        try:
            copy = _join(self._pieces, slots, escape)
        except (KeyError, _Unusual):
            return None
        return copy if len(copy) <= LONGEST_COPY else None


def make_form(nodes: Sequence[Node]) -> Form | None:
    """The form of a parsed template, None where there is none."""
    try:
        return Form(_read_nodes(nodes))
    except _Unusual:
        return None


def _join(pieces: Sequence[Piece], slots: Slots, escape: Escape) -> str:
    return "".join([piece(slots, escape) for piece in pieces])


def _read_nodes(nodes: Sequence[Node]) -> list[Piece]:
    return [_read_node(node) for node in nodes]


def _read_node(node: Node) -> Piece:
    if type(node) is ContentNode:
        return _say(node.text)
    if type(node) is OutputNode:
        return _read_output(node.expression)
    if type(node) is IfNode:
        return _read_choice(node)
    raise _Unusual


def _read_output(expression: Expression) -> Piece:
    """`{{ slot }}`, `{{ slot | default: "words" }}` or `{{ "words" }}`. Words of the template itself are not escaped."""
    if type(expression) is not FilteredExpression:
        raise _Unusual
    filters = expression.filters or []
    if type(expression.left) is StringLiteral and not filters:
        return _say(expression.left.value)
    name = _read_name(expression.left)
    if not filters:
        return lambda slots, escape: escape(_value(slots, name))
    if len(filters) > 1:
        raise _Unusual
    words = _read_default(filters[0])
    return lambda slots, escape: escape(_value(slots, name)) or words


def _read_default(found: Filter) -> str:
    if found.name != "default" or len(found.args) != 1 or type(found.args[0]) is not PositionalArgument:
        raise _Unusual
    words = found.args[0].value
    if type(words) is not StringLiteral:
        raise _Unusual
    return _plain(words.value)


def _read_choice(node: IfNode) -> Piece:
    """`{% if slot != "" %}` and the like; a block of nothing but spaces is left to the engine."""
    branches = [(_read_condition(node.condition), _read_block(node.consequence))]
    for alternative in node.alternatives:
        if type(alternative) is not ConditionalBlockNode:
            raise _Unusual
        branches.append((_read_condition(alternative.expression), _read_block(alternative.block)))
    otherwise = _read_block(node.default) if node.default else []

    def choose(slots: Slots, escape: Escape) -> str:
        for (name, words, wants_equal), pieces in branches:
            if (_value(slots, name) == words) is wants_equal:
                return _join(pieces, slots, escape)
        return _join(otherwise, slots, escape)

    return choose


def _read_block(block: BlockNode) -> list[Piece]:
    if block.blank:
        raise _Unusual
    return _read_nodes(block.nodes)


def _read_condition(condition: Expression) -> tuple[str, str, bool]:
    """Slot, words, and whether they have to be equal."""
    asked = condition.expression if type(condition) is BooleanExpression else condition
    if not isinstance(asked, EqExpression | NeExpression) or type(asked.right) is not StringLiteral:
        raise _Unusual
    return _read_name(asked.left), asked.right.value, isinstance(asked, EqExpression)


def _read_name(expression: Expression) -> str:
    if type(expression) is not Path or len(expression.path) != 1 or type(expression.path[0]) is not str:
        raise _Unusual
    return expression.path[0]


def _value(slots: Slots, name: str) -> str:
    return _plain(slots[name])


def _plain(text: str) -> str:
    """The engine writes all line ends as one sign, and lets text that calls itself safe through unescaped."""
    if type(text) is not str or "\r" in text:
        raise _Unusual
    return text


def _say(text: str) -> Piece:
    words = _plain(text)
    return lambda _slots, _escape: words
