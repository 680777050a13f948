"""Migrates forwards with fewer classes made on the way.

Each step of a migration changes one table, and after it Django makes the classes of all tables anew that are tied to that one by
any chain of references: nearly all of ours are, by way of customer and campaign, which made some 12,700 classes of 130 tables
and was nine tenths of the time. To change a table takes its own class; the others are asked only for the type of the column
that is referred to. So a change to which nobody refers makes one class anew, a new table or reference also those that refer to
the table, and only a changed column that is referred to all, as with Django. Functions in migrations see all classes made anew
from the whole state, as they do where Django itself has put that off (`is_delayed`).

What is overridden is private to Django 5.2, to which we are pinned; `tests/retention_site/test_migrating.py` compares the
tables with the models, whatever Django does.
"""

from __future__ import annotations

from typing import Any, Self

from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.migration import Migration
from django.db.migrations.state import ProjectState
from django.db.migrations.utils import field_is_referenced
from django.db.models import Field

ModelKey = tuple[str, str]


class NearState(ProjectState):
    """The tables as they stand between two steps."""

    @classmethod
    def take_over(cls, state: ProjectState) -> Self:
        """The same tables; what was made of them stays."""
        taken = cls(models=state.models, real_apps=state.real_apps)
        if "apps" in state.__dict__:
            taken.apps = state.apps
        taken.is_delayed = state.is_delayed
        return taken

    def clone(self) -> Self:
        return self.take_over(super().clone())

    def alter_field(
        self, app_label: str, model_name: str, name: str, field: Field[Any, Any], preserve_default: bool
    ) -> None:
        super().alter_field(app_label, model_name, name, field, preserve_default)
        key = app_label, model_name
        if "apps" in self.__dict__ and field_is_referenced(self, key, (name, field)):
            self._reload(super()._find_reload_model(*key))  # type: ignore[attr-defined, misc]

    def _find_reload_model(self, app_label: str, model_name: str, delay: bool = False) -> set[ModelKey]:
        """`delay` is Django's word for a change to which nobody else refers."""
        self.is_delayed = True
        key = app_label, model_name
        return {key} if delay else {key, *self.relations[key]}


class NearExecutor(MigrationExecutor):
    """Django's, which asks `NearState` on the way forwards."""

    def _migrate_all_forwards(
        self,
        state: ProjectState,
        plan: list[tuple[Migration, bool]],
        full_plan: list[tuple[Migration, bool]],
        fake: bool,
        fake_initial: bool,
    ) -> ProjectState:
        near = NearState.take_over(state)
        done: ProjectState = super()._migrate_all_forwards(near, plan, full_plan, fake, fake_initial)  # type: ignore[misc]
        return done
