"""What the database role of the drafting work may do: read what drafts are made of, write drafts and the ledger.

The rights are given anew after every migration, from this list; nobody gives them by hand. Where the login may not make
roles, `SQL_FOR_ADMINISTRATORS` is what somebody who may has to run once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog
from django.apps import AppConfig, apps
from django.core import checks
from django.db import connections, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import Error as DatabaseError
from django.utils.translation import gettext as _

from llm.drafting_role import ROLE, may_act_as_drafter

#: What drafts are made of. Not: passwords, sessions, keys.
READ_APPS: Final = ("customers", "campaigns", "llm")
NEVER_READ: Final = frozenset({"customers.ApiKey", "customers.AuditEntry"})
#: Rights to write, by model; a column in brackets is all of it that may be changed.
WRITES: Final[dict[str, tuple[str, ...]]] = {
    "campaigns.Variant": ("INSERT", "UPDATE"),
    "campaigns.Archetype": ("UPDATE (draft_*)",),
    # Enough to lock the row while a draft is stored, and no more.
    "campaigns.Campaign": ("UPDATE (updated_at)",),
    "customers.TextReading": ("INSERT", "UPDATE"),
    "llm.*": ("INSERT", "UPDATE"),
}
#: The tables that it must never write, by which a server is judged.
PROTECTED: Final = ("campaigns.Approval", "campaigns.Message", "campaigns.CampaignTransition", "campaigns.Offer")
SQL_FOR_ADMINISTRATORS: Final = f'CREATE ROLE {ROLE} NOLOGIN; GRANT {ROLE} TO "{{login}}";'

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class RoleState:
    """Whether drafts are written under the role, in words for staff, and what an administrator has to run if not."""

    is_held: bool
    words: str
    sql: str = ""


def grant_drafting_rights(using: str = "default", **_kwargs: Any) -> bool:
    """Make the role where it may be made and give it exactly the rights of the list; whether it has them now.

    Called after every migration. Running it again changes nothing.
    """
    connection = connections[using]
    if connection.vendor != "postgresql" or not _make_role(connection):
        return False
    try:
        with transaction.atomic(using=using), connection.cursor() as cursor:
            # Two databases of one server may be migrated at once; roles belong to the server.
            for statement in _list_grants(connection):
                cursor.execute(statement)
    except DatabaseError as error:
        log.warning("drafting_rights_not_granted", role=ROLE, error=str(error).partition("\n")[0])
        return False
    return True


def read_role_state(using: str = "default") -> RoleState:
    """As it is on this server now."""
    connection = connections[using]
    login = connection.settings_dict.get("USER") or "rekindle"
    sql = SQL_FOR_ADMINISTRATORS.format(login=login)
    if not may_act_as_drafter():
        return RoleState(
            False,
            _(
                "The database has no role for drafting that this login may take, so the database does not hold drafting back"
                " from approvals and messages. Have an administrator of the database run the line below, then start again."
            ),
            sql,
        )
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT bool_or(has_table_privilege(%s, name, 'INSERT, UPDATE, DELETE')),"
            " bool_and(has_table_privilege(%s, %s, 'INSERT')) FROM unnest(%s::text[]) AS name",
            [ROLE, ROLE, _table("campaigns.Variant"), [_table(label) for label in PROTECTED]],
        )
        may_too_much, may_draft = cursor.fetchone()
    if may_too_much or not may_draft:
        return RoleState(
            False,
            _(
                "The database role for drafting has not the rights that it should have. Run the line below to set them right."
            ),
            "./rekindle manage drafting_role",
        )
    return RoleState(
        True,
        _("Drafts are written under the database role %(role)s, which cannot write approvals or messages.")
        % {"role": ROLE},
    )


def check_drafting_role(
    *, app_configs: Sequence[AppConfig] | None = None, databases: Sequence[str] | None = None, **_kwargs: Any
) -> list[checks.CheckMessage]:
    """Django's check of a database, as `manage.py check --database default` and `migrate` run it."""
    if not databases or "default" not in databases:
        return []
    try:
        if _will_be_made_by_migrating(connections["default"]):
            return []
        state = read_role_state()
    except DatabaseError:
        return []  # not migrated yet: migrating grants the rights
    return [] if state.is_held else [checks.Warning(state.words, hint=state.sql, id="rekindle.W001")]


def _will_be_made_by_migrating(connection: BaseDatabaseWrapper) -> bool:
    """Whether this database has no tables yet, and the login may make the role once it has."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT to_regclass(%s) IS NULL AND (rolsuper OR rolcreaterole) FROM pg_roles WHERE rolname = current_user",
            [_table(PROTECTED[0])],
        )
        row = cursor.fetchone()
    return bool(row and row[0])


def _make_role(connection: BaseDatabaseWrapper) -> bool:
    """Whether the role is there and this login may take it; makes it and joins it where that is allowed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = %s)", [ROLE])
        if not cursor.fetchone()[0] and not _try(connection, f"CREATE ROLE {ROLE} NOLOGIN"):
            # Another database of this server may have made it at the same moment.
            cursor.execute("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = %s)", [ROLE])
            if not cursor.fetchone()[0]:
                log.warning("drafting_role_not_made", role=ROLE)
                return False
    return may_act_as_drafter() or _try(connection, f"GRANT {ROLE} TO CURRENT_USER")


def _try(connection: BaseDatabaseWrapper, statement: str) -> bool:
    try:
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            cursor.execute(statement)
    except DatabaseError:
        return False
    return True


def _list_grants(connection: BaseDatabaseWrapper) -> Iterator[str]:
    """All is taken away first, so that what leaves the list leaves the database."""
    quote = connection.ops.quote_name
    present = set(connection.introspection.table_names())
    everything = [model for model in apps.get_models() if model._meta.managed and model._meta.db_table in present]
    read = [model for model in everything if model._meta.app_label in READ_APPS and model._meta.label not in NEVER_READ]
    yield f"REVOKE ALL ON {', '.join(quote(model._meta.db_table) for model in everything)} FROM {ROLE}"
    yield f"GRANT SELECT ON {', '.join(quote(model._meta.db_table) for model in read)} TO {ROLE}"
    for model in read:
        rights = WRITES.get(model._meta.label) or WRITES.get(f"{model._meta.app_label}.*") or ()
        for right in rights:
            yield f"GRANT {_name_columns(model, right, connection)} ON {quote(model._meta.db_table)} TO {ROLE}"


def _name_columns(model: type[models.Model], right: str, connection: BaseDatabaseWrapper) -> str:
    """`UPDATE (draft_*)` with the columns that there are."""
    verb, bracket, wanted = right.partition(" (")
    if not bracket:
        return verb
    start = wanted.rstrip(")")
    columns = [
        connection.ops.quote_name(column)
        for column in (str(field.column) for field in model._meta.concrete_fields)
        if column == start or (start.endswith("*") and column.startswith(start[:-1]))
    ]
    return f"{verb} ({', '.join(columns)})"


def _table(label: str) -> str:
    return str(apps.get_model(label)._meta.db_table)
