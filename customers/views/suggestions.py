"""Values that exist in this shop, for the text questions of the builder, with their words. Each costs the same in any shop."""

from __future__ import annotations

from typing import Final

from django.db import connection

from customers.features.catalogue import THEMES
from customers.features.interests.vocabulary import list_topics
from customers.ingest.country_names import name_country
from customers.ingest.known_values import list_countries, list_tags
from customers.ingest.language_names import name_language
from customers.models import Product, ReactionGroup, ScoreStatus
from customers.segments.labels import PRICE_LABELS
from customers.segments.names import list_campaigns
from customers.segments.vocabulary import BEHAVIOURS

MOST_SUGGESTED: Final = 200
#: So many of the newest customers, and events of each kind, are looked at for what the shop calls things.
LOOKED_AT: Final = 200
_ATTRIBUTES: Final = """
SELECT DISTINCT k FROM (SELECT attributes FROM customers_customer ORDER BY id DESC LIMIT %(looked_at)s) c
  CROSS JOIN LATERAL jsonb_object_keys(CASE jsonb_typeof(c.attributes) WHEN 'object' THEN c.attributes ELSE '{}' END) k
ORDER BY k LIMIT %(most)s"""
_EVENTS: Final = """
SELECT DISTINCT CASE WHEN e.kind = 'custom' THEN e.properties->>'name' ELSE '' END, k
FROM unnest(%(kinds)s::text[]) kinds(kind)
  CROSS JOIN LATERAL (SELECT e.kind, e.properties FROM customers_customerevent e WHERE e.kind = kinds.kind
    ORDER BY e.occurred_at DESC LIMIT %(looked_at)s) e
  CROSS JOIN LATERAL jsonb_object_keys(CASE jsonb_typeof(e.properties) WHEN 'object' THEN e.properties ELSE '{}' END) k
LIMIT 2000"""

Suggested = list[tuple[str, str]]


def list_suggestions() -> dict[str, Suggested]:
    """What is offered in the fields of rows, by the name of its list."""
    categories, brands = (
        list(Product.objects.exclude(**{column: ""}).order_by(column).values_list(column, flat=True).distinct()[:MOST_SUGGESTED])
        for column in ("category", "brand")
    )  # fmt: skip
    return {
        "country": [(name, _say_country(name)) for name in list_countries()],
        "category": [(name, "") for name in categories],
        "brand": [(name, "") for name in brands],
        "product": list(Product.objects.order_by("-pk").values_list("sku", "name")[:MOST_SUGGESTED]),
        "campaign": list(list_campaigns(MOST_SUGGESTED).items()),
        "attribute": _list_attributes(),
        **_list_of_events(),
        "language": [(code, name_language(code)) for code in ("en", "zh")],
        "reason": [(key, str(theme.label)) for key, theme in THEMES.items()],
        "price": [(key, str(label)) for key, label in PRICE_LABELS.items()],
        "topic": [(name, "") for name in list_topics(categories)],
        "status": [(value, str(label)) for value, label in ScoreStatus.choices],
        "reaction": [(value, str(label)) for value, label in ReactionGroup.choices],
        "tag": [(name, "") for name in list_tags()],
    }


def _say_country(name: str) -> str:
    said = name_country(name)
    return said if said != name else ""


def _list_attributes() -> Suggested:
    with connection.cursor() as cursor:
        cursor.execute(_ATTRIBUTES, {"looked_at": LOOKED_AT, "most": MOST_SUGGESTED})
        return [(name, "") for (name,) in cursor.fetchall()]


def _list_of_events() -> dict[str, Suggested]:
    """What events of the shop carry, and what it calls those of its own."""
    kinds = [kind for kind in BEHAVIOURS.values() if kind]
    with connection.cursor() as cursor:
        cursor.execute(_EVENTS, {"kinds": kinds, "looked_at": LOOKED_AT})
        found = cursor.fetchall()
    names, properties = {name for name, _key in found if name}, {key for _name, key in found}
    return {
        "event": [(name, "") for name in sorted(names)[:MOST_SUGGESTED]],
        "property": [(key, "") for key in sorted(properties)[:MOST_SUGGESTED]],
    }
