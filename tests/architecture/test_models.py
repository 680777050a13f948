"""Foreign keys point down the house, never up: a string foreign key is no import, so import-linter cannot see it."""

from __future__ import annotations

from django.apps import apps

FLOORS = {"campaigns": 3, "support": 3, "customers": 2, "llm": 1}


def test_no_foreign_key_points_up_the_house() -> None:
    wrong = [
        f"{model._meta.label}.{field.name} → {field.related_model._meta.label}"
        for model in apps.get_models()
        if model._meta.app_label in FLOORS
        for field in model._meta.get_fields()
        if field.is_relation and not field.auto_created and field.related_model is not None
        if not _may_point(model._meta.app_label, field.related_model._meta.app_label)
    ]
    assert wrong == []


def test_the_wiring_owns_no_tables() -> None:
    assert list(apps.get_app_config("retention_site").get_models()) == []


def _may_point(source: str, target: str) -> bool:
    if target not in FLOORS:
        return True
    return source == target or FLOORS[target] < FLOORS[source]
