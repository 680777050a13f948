"""What the template of a rule's rows needs: each row and group with its place, its choices and its words."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from customers.features.catalogue import THEMES
from customers.features.interests.vocabulary import list_topics
from customers.forms.rule_drafts import Block, name_path
from customers.forms.rule_rows import Row
from customers.insights.browsing import list_countries
from customers.models import CustomerTag, Product, ReactionGroup, ScoreStatus, Segment
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
    PRICE_LABELS,
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


def lay_out(block: Block) -> dict[str, Any]:
    """The whole tree for the template."""
    return _lay_out_block(block, (), 0, 1)


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
        ("segment", _("is in a segment")),
        ("attribute", _("attribute of the shop’s own")),
        ("bucket", _("random share")),
    ]
    return list(families.items())


def list_choices() -> dict[str, Any]:
    """Everything that rows choose from, asked for once for all of them."""
    return {
        "questions": list_questions(),
        "channels": list(CHANNEL_LABELS.items()),
        "types": list(TYPE_LABELS.items()),
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
        "other_segments": list(Segment.objects.filter(is_archived=False).values_list("pk", "name")),
        "suggestions": list_suggestions(),
    }


def list_suggestions() -> dict[str, list[tuple[str, str]]]:
    """Values that exist in this shop, for the text questions, with their words."""
    categories, brands = (
        list(Product.objects.exclude(**{column: ""}).order_by(column).values_list(column, flat=True).distinct()[:MOST_SUGGESTED])
        for column in ("category", "brand")
    )  # fmt: skip
    tags = CustomerTag.objects.order_by("tag").values_list("tag", flat=True).distinct()
    return {
        "country": [(name, "") for name in list_countries()],
        "category": [(name, "") for name in categories],
        "brand": [(name, "") for name in brands],
        "language": [("en", ""), ("zh", "")],
        "reason": [(key, str(theme.label)) for key, theme in THEMES.items()],
        "price": [(key, str(label)) for key, label in PRICE_LABELS.items()],
        "topic": [(name, "") for name in list_topics(categories)],
        "status": [(value, str(label)) for value, label in ScoreStatus.choices],
        "reaction": [(value, str(label)) for value, label in ReactionGroup.choices],
        "tag": [(name, "") for name in tags[:MOST_SUGGESTED]],
    }


def _lay_out_block(block: Block, path: tuple[int, ...], place: int, siblings: int) -> dict[str, Any]:
    children = [
        _lay_out_block(child, (*path, i), i, len(block.children))
        if isinstance(child, Block)
        else _lay_out_row(child, (*path, i), i, len(block.children))
        for i, child in enumerate(block.children)
    ]
    return {
        "is_block": True,
        "path": name_path(path),
        "match": block.match,
        "children": children,
        "error": block.error,
        "joiner": _("OR") if block.match == "any" else _("AND") if block.match == "all" else _("NOR"),
        "is_first": place == 0,
        "is_last": place == siblings - 1,
        "level": len(path),
    }


def _lay_out_row(row: Row, path: tuple[int, ...], place: int, siblings: int) -> dict[str, Any]:
    return {
        "is_block": False,
        "path": name_path(path),
        "row": row,
        "error": row.error,
        "family": row.family,
        "kind": row.value_kind,
        "operators": [(op, OPERATOR_LABELS[op]) for op in row.operators],
        "list": SUGGESTED.get(row.what, ""),
        "needs_value": row.op not in ("known", "unknown"),
        "has_two": row.op in ("between", "anniversary"),
        "is_first": place == 0,
        "is_last": place == siblings - 1,
        "level": len(path),
    }
