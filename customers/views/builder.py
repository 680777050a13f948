"""What the template of a rule's rows needs: each row and group with its place, its choices and its words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from customers.forms.rule_drafts import Block, name_path, row_of, walk_draft
from customers.forms.rule_properties import list_properties, write_properties
from customers.forms.rule_rows import Row
from customers.forms.rule_values import read_mode
from customers.models import Segment
from customers.segments.checking import Finding
from customers.segments.labels import (
    BEHAVIOUR_LABELS,
    CHANNEL_LABELS,
    FAMILY_LABELS,
    FIELD_LABELS,
    FOLLOWED_LABELS,
    MEASURE_LABELS,
    MESSAGE_LABELS,
    NOT_FOLLOWED_LABELS,
    OPERATOR_LABELS,
    PERIOD_LABELS,
    TYPE_LABELS,
)
from customers.segments.vocabulary import FIELDS, MESSAGES

MOST_SUGGESTED = 200
#: Fields whose values are chosen from a list that the template offers under this name.
SUGGESTED = {
    "country": "country", "interest": "category", "interested_in": "category", "likes_brand": "brand",
    "main_reason": "reason", "any_reason": "reason", "language": "language", "price_level": "price",
    "writes_about": "topic", "score_status": "status", "tag": "tag",
    "reaction_to_offers": "reaction", "reaction_to_messages": "reaction",
}  # fmt: skip


def lay_out(block: Block, warnings: Sequence[Finding] = ()) -> dict[str, Any]:
    """The whole tree for the template, with what is to be said of its rows."""
    return _lay_out_block(block, (), (0, 1), _place(warnings))


def list_said(block: Block, warnings: Sequence[Finding]) -> list[dict[str, Any]]:
    """For each row and group its mark, with what is to be said there while it is being written: of a row in which nothing
    was typed yet, nothing."""
    told = _place(warnings)
    return [
        {"mark": _mark(path), "warning": told.get(path, ""), "error": "" if _is_blank(node) else node.error}
        for path, node in walk_draft(block)
    ]


def _place(warnings: Sequence[Finding]) -> dict[tuple[int, ...], str]:
    placed: dict[tuple[int, ...], str] = {}
    for finding in warnings:
        path = row_of(finding.path)
        placed[path] = f"{placed[path]} {finding.sentence}" if path in placed else finding.sentence
    return placed


def _mark(path: tuple[int, ...]) -> str:
    """The place as an id of the page may be written: "r-0-1"."""
    return name_path(path).replace(".", "-")


def _is_blank(node: Block | Row) -> bool:
    """Whether a row waits for its value; what was done needs none."""
    if not isinstance(node, Row) or (node.family in ("did", "message") and node.tail != "custom"):
        return False
    return not any(node.typed.get(key, "").strip() for key in ("value", "name"))


def list_questions() -> list[tuple[str, list[tuple[str, str]]]]:
    """The choices of a row, families first."""
    families: dict[str, list[tuple[str, str]]] = {}
    families[_("Behaviour")] = [
        (f"did:{key}", str(label)) for key, label in BEHAVIOUR_LABELS.items() if key != "custom"
    ]
    families[_("Behaviour")].append(("did:custom", _("did something of the shop’s own")))
    for field in FIELDS.values():
        families.setdefault(str(FAMILY_LABELS[field.family]), []).append((field.key, str(FIELD_LABELS[field.key])))
    orders = families[str(FAMILY_LABELS["orders"])]
    orders += [(f"orders:{key}", _("%(what)s in a time") % {"what": MEASURE_LABELS["bought"][key]}) for key in
               ("count", "sum", "average", "largest", "first", "last")]  # fmt: skip
    families[_("Messages")] = [(f"message:{key}", str(MESSAGE_LABELS[key])) for key in MESSAGES]
    families[_("Consent and reach")] = [
        ("channel:reachable", _("can be reached by")),
        ("channel:consented", _("agreed to")),
        ("channel:suppressed", _("is suppressed for")),
        ("channel:has_address", _("has an address for")),
    ]
    families[_("More")] = [
        ("segment", _("segment")),
        ("attribute", _("attribute of the shop’s own")),
        ("bucket", _("random share")),
    ]
    return list(families.items())


def list_choices(block: Block, *, own: int | None = None) -> dict[str, Any]:
    """Everything that rows choose from, asked for once for all of them. `own` is the segment that is written, which cannot name
    itself."""
    return {
        "questions": list_questions(),
        "channels": list(CHANNEL_LABELS.items()),
        "types": list(TYPE_LABELS.items()),
        "day_modes": [
            ("ago", _("days ago")),
            ("on", _("as a date")),
            ("today", _("today")),
            ("ahead", _("days from today")),
        ],
        "times": [
            ("days", _("in the last")),
            ("ago", _("between")),
            ("dates", _("from … to")),
            ("ever", _("at any time")),
            *PERIOD_LABELS.items(),
        ],
        "followers": [
            *((f"{key}:no", label) for key, label in NOT_FOLLOWED_LABELS.items()),
            *((f"{key}:yes", label) for key, label in FOLLOWED_LABELS.items()),
        ],
        "other_segments": _list_segments(block, own),
    }


def _list_segments(block: Block, own: int | None) -> list[tuple[int, str]]:
    """Those in use, and those that a row names though they are archived: it would lose its choice unsaid."""
    named = [node.name for _path, node in walk_draft(block) if isinstance(node, Row) and node.family == "segment"]
    numbers = [int(name) for name in named if name.isdecimal() and len(name) < 10]
    found = Segment.objects.filter(Q(is_archived=False) | Q(pk__in=numbers))
    if own is not None:
        found = found.exclude(pk=own)
    archived = _("%(name)s (archived)")
    return [
        (pk, archived % {"name": name} if is_archived else name)
        for pk, name, is_archived in found.values_list("pk", "name", "is_archived")
    ]


def _lay_out_block(
    block: Block, path: tuple[int, ...], place: tuple[int, int], told: Mapping[tuple[int, ...], str]
) -> dict[str, Any]:
    """`place` is which of how many siblings it is."""
    children = [
        _lay_out_block(child, (*path, i), (i, len(block.children)), told)
        if isinstance(child, Block)
        else _lay_out_row(child, (*path, i), (i, len(block.children))) | {"warning": told.get((*path, i), "")}
        for i, child in enumerate(block.children)
    ]
    return _lay_out_place(path, place) | {
        "is_block": True,
        "match": block.match,
        "children": children,
        "end": name_path((*path, len(children))),
        "error": block.error,
        "warning": told.get(path, ""),
        "joiner": _("OR") if block.match == "any" else _("AND") if block.match == "all" else _("NOR"),
    }


def _lay_out_row(row: Row, path: tuple[int, ...], place: tuple[int, int]) -> dict[str, Any]:
    return _lay_out_place(path, place) | {
        "is_block": False,
        "row": row,
        "error": row.error,
        "family": row.family,
        "kind": row.value_kind,
        "operators": [(op, OPERATOR_LABELS[op]) for op in row.operators],
        "list": SUGGESTED.get(row.what, ""),
        "needs_value": row.op not in ("known", "unknown"),
        "has_two": row.op in ("between", "anniversary"),
        "days": _lay_out_days(f"{name_path(path)}:", row.typed, row.op) if row.value_kind == "date" else [],
        "properties": _lay_out_properties(row, name_path(path)) if row.has_properties else [],
        "is_narrowed": _is_narrowed(row),
    }


def _lay_out_place(path: tuple[int, ...], place: tuple[int, int]) -> dict[str, Any]:
    return {
        "path": name_path(path),
        "mark": _mark(path),
        "is_first": place[0] == 0,
        "is_last": place[0] == place[1] - 1,
        "level": len(path),
    }


def _lay_out_properties(row: Row, path: str) -> list[dict[str, Any]]:
    return [
        one | {"operators": [(op, OPERATOR_LABELS[op]) for op in one["operators"]],
               "needs_value": one["op"] not in ("known", "unknown"), "has_two": one["op"] == "between",
               "days": _lay_out_days(f"{path}:{one['key']}_", one, one["op"]) if one["type"] == "date" else []}
        for one in list_properties(row.typed)
    ]  # fmt: skip


def _lay_out_days(prefix: str, typed: Mapping[str, Any], op: str) -> list[dict[str, str]]:
    """The fields of one day or two: what was typed, where it fits the way in which the day is told."""
    if op in ("anniversary", "known", "unknown"):
        return []
    days = []
    for end in ("", "2") if op == "between" else ("",):
        value = str(typed.get(f"value{end}", "")).strip()
        mode = read_mode(value, str(typed.get(f"day{end}", "")))
        shown = value.lstrip("+-") if mode in ("ago", "ahead") else value
        days.append({"name": f"{prefix}value{end}", "mode_name": f"{prefix}day{end}", "mode": mode, "value": shown})
    return days


def _is_narrowed(row: Row) -> bool:
    """Whether something stands in the fields that are usually folded away."""
    asked = row.has_product and any((row.brand, row.product))
    if row.family == "did":
        return asked or any((row.then, row.each, row.has_properties and write_properties(row.typed)))
    return asked or (row.family == "orders" and any((row.discount, row.code, row.kind != "bought")))
