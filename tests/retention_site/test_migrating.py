"""Migrations that make fewer classes on their way leave the tables that the models ask for."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.db import connection, migrations, models
from django.db.migrations.state import ProjectState
from django.db.models import Model

from retention_site.migrating import NearState

COLUMNS = """
    SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute
    WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped
"""
REFERENCES = """
    SELECT attname, confrelid::regclass::text FROM pg_constraint
    JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1]
    WHERE contype = 'f' AND conrelid = %s::regclass AND conparentid = 0
"""


@pytest.mark.django_db
@pytest.mark.parametrize("model", apps.get_models(), ids=lambda model: model._meta.label)
def test_each_migrated_column_has_the_type_and_each_reference_the_table_that_the_model_says(model: type[Model]) -> None:
    if not model._meta.managed:
        pytest.skip("it has no table of its own")
    fields = [field for field in model._meta.concrete_fields if field.db_type(connection)]
    with connection.cursor() as cursor:
        asked = ", ".join(f'"{field.column}" {field.db_type(connection)}' for field in fields)
        cursor.execute(f"CREATE TEMPORARY TABLE asked ({asked}) ON COMMIT DROP")
        cursor.execute(COLUMNS, ["asked"])
        types = dict(cursor.fetchall())
        cursor.execute(COLUMNS, [model._meta.db_table])
        assert dict(cursor.fetchall()) == types

        cursor.execute(REFERENCES, [model._meta.db_table])
        references = {
            field.column: field.related_model._meta.db_table
            for field in fields
            if isinstance(field, models.ForeignKey) and field.db_constraint
        }
        assert dict(cursor.fetchall()) == references


@pytest.fixture
def state() -> ProjectState:
    """Three tables, each of which refers to the one before; what is made of them stands."""
    made: ProjectState = NearState()
    assert made.apps is not None
    for name, before in (("Shelf", None), ("Book", "Shelf"), ("Loan", "Book")):
        fields: list[tuple[str, models.Field[object, object]]] = [("id", models.AutoField(primary_key=True))]
        if before:
            fields.append(("of", models.ForeignKey(f"books.{before}", models.CASCADE)))
        migrations.CreateModel(name, fields).state_forwards("books", made)
    return made


def test_who_refers_to_a_table_refers_to_it_as_it_is_after_a_change_of_its_references(state: ProjectState) -> None:
    of = models.ForeignKey("books.Shelf", models.CASCADE, related_name="+", null=True)
    migrations.AddField("Book", "lies_on", of).state_forwards("books", state)

    book, loan = state.apps.get_model("books", "Book"), state.apps.get_model("books", "Loan")
    assert book._meta.get_field("lies_on").related_model is state.apps.get_model("books", "Shelf")
    assert loan._meta.get_field("of").related_model is book


def test_all_who_are_tied_to_a_changed_column_that_is_referred_to_take_its_type(state: ProjectState) -> None:
    migrations.AlterField("Shelf", "id", models.UUIDField(primary_key=True)).state_forwards("books", state)

    assert state.apps.get_model("books", "Book")._meta.get_field("of").db_type(connection) == "uuid"
    loan = state.apps.get_model("books", "Loan")
    assert loan._meta.get_field("of").related_model is state.apps.get_model("books", "Book")


@pytest.mark.django_db
def test_a_function_in_a_migration_sees_all_tables_as_they_are_by_then(state: ProjectState) -> None:
    migrations.AddField("Book", "title", models.TextField(default="")).state_forwards("books", state)
    seen = []

    def look(registry: ProjectState, editor: object) -> None:
        loan = registry.get_model("books", "Loan")  # type: ignore[attr-defined]
        seen.append(loan._meta.get_field("of").related_model._meta.get_field("title"))

    before = state.clone()
    with connection.schema_editor(collect_sql=True) as editor:
        migrations.RunPython(look).database_forwards("books", editor, before, state)
    assert isinstance(seen[0], models.TextField)
