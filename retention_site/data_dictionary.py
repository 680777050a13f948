"""docs/data-dictionary.md, from the models: what each table holds, its columns, keys, and what becomes of it in an erasure."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from django.apps import apps
from django.conf import settings
from django.db import models
from django.utils.translation import override

from customers.privacy.tables import list_personal_tables

PATH: Final = Path(settings.BASE_DIR) / "docs" / "data-dictionary.md"
APPS: Final = ("customers", "campaigns", "support", "llm")
HEAD: Final = """# Data dictionary

Every table of ours, in the models' own words. `./rekindle manage data_dictionary` makes it and a test holds it, so it cannot go
stale: change the docstring, the verbose name or the help text of a model, and make it again. Times are UTC; money is exact, with
its currency beside it.
"""


def write_dictionary() -> str:
    """The whole page, in English whatever the language of whoever asks."""
    with override("en"):
        erasure = {table.model: _tell_erasure(table.kept) for table in list_personal_tables()}
        parts = [HEAD]
        for label in APPS:
            if not apps.is_installed(label):
                continue
            parts.append(f"\n## {label}\n")
            for model in sorted(apps.get_app_config(label).get_models(), key=lambda found: found.__name__):
                if model._meta.managed and not model._meta.proxy:
                    parts.append(_tell_model(model, erasure.get(model, "")))
    return "\n".join(parts)


def _tell_model(model: type[models.Model], erasure: str) -> str:
    lines = [f"### {model.__name__}\n", f"`{model._meta.db_table}`. {_tell_docstring(model)}\n"]
    keys = list(_tell_keys(model))
    if keys:
        lines.append(f"Key: {'; '.join(keys)}.\n")
    if erasure:
        lines.append(f"When a person is erased: {erasure}.\n")
    lines += ["| column | type | what |", "|---|---|---|"]
    lines += [f"| `{field.column}` | {_tell_type(field)} | {_tell_field(field)} |" for field in model._meta.concrete_fields
              if field.column]  # fmt: skip
    return "\n".join(lines) + "\n"


def _tell_docstring(model: type[models.Model]) -> str:
    """Its own; Django gives a model without one the list of its fields, which says nothing."""
    text = inspect.cleandoc(model.__doc__ or "")
    return "" if text.startswith(f"{model.__name__}(") else _escape(" ".join(text.split()))


def _tell_keys(model: type[models.Model]) -> Iterator[str]:
    for field in model._meta.concrete_fields:
        if field.unique and not field.primary_key:
            yield f"`{field.column}`"
    for constraint in model._meta.constraints:
        if isinstance(constraint, models.UniqueConstraint):
            names = ", ".join(constraint.fields) or constraint.name
            yield f"({names})" + (" where it applies" if constraint.condition else "")


def _tell_type(field: models.Field[Any, Any]) -> str:
    kind = field.get_internal_type().removesuffix("Field")
    names = {"Char": "text", "Text": "text", "Slug": "text", "URL": "address", "Email": "e-mail", "JSON": "JSON",
             "DateTime": "time", "Date": "day", "Boolean": "yes or no", "Decimal": "exact number", "Float": "number",
             "ForeignKey": "reference", "OneToOne": "reference", "Binary": "bytes", "UUID": "UUID"}  # fmt: skip
    told = names.get(kind, "whole number" if "Integer" in kind or "Auto" in kind else kind.lower())
    if field.is_relation and field.related_model is not None:
        told = f"reference to {field.related_model.__name__}"
    elif getattr(field, "max_length", None) and told in {"text", "address", "e-mail"}:
        told += f", up to {field.max_length}"
    return told + (", or nothing" if field.null else "")


def _tell_field(field: models.Field[Any, Any]) -> str:
    words = str(field.help_text or field.verbose_name)
    choices = [str(value) for value, _label in field.flatchoices if value != ""]
    if choices and len(choices) <= 30:
        words += ": " + ", ".join(f"`{choice}`" for choice in choices)
    return _escape(words)


def _tell_erasure(kept: Any) -> str:
    if kept is None:
        return "its rows go"
    blanked = ", ".join(f"`{name}`" for name in kept.blanked)
    return f"its rows stay without {blanked}" if blanked else "its rows stay; nothing in them tells of the person"


def _escape(text: str) -> str:
    return text.replace("|", "\\|")
