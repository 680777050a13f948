"""What a model wrote can only become a draft, and it is PostgreSQL that says so."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from django.contrib.auth.models import User
from django.core.checks import run_checks
from django.db import IntegrityError, connection, transaction
from django.db.utils import ProgrammingError
from django.utils import timezone

from campaigns import tasks
from campaigns.content.drafting import request_drafts
from campaigns.models import Archetype, Campaign, CampaignStatus, DraftStatus, Variant
from llm import drafting_role
from llm.drafting_role import ROLE, acting_as_drafter
from llm.models import LlmCall
from retention_site.drafting_rights import grant_drafting_rights, read_role_state
from retention_site.embedded.postgres import Postgres
from retention_site.embedded.state import ROOT
from tests.campaigns.arrange import make_campaign
from tests.model_server import ModelServer, answer_for

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign(marketer: User) -> Campaign:
    return make_campaign(marketer)


def current_role() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        return str(cursor.fetchone()[0])


def refuses(sql: str, *values: object) -> bool:
    """Whether PostgreSQL refuses the statement for want of a right."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql, values)
    except ProgrammingError as error:
        assert "permission denied" in str(error)
        return True
    return False


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO campaigns_approval (campaign_id, part, part_hash, approved_by_id, approved_at, void_reason)"
        " SELECT id, 'messages', content_hash, author_id, now(), '' FROM campaigns_campaign",
        "UPDATE campaigns_approval SET voided_at = NULL",
        "DELETE FROM campaigns_approval",
        "INSERT INTO campaigns_message SELECT * FROM campaigns_message",
        "UPDATE campaigns_message SET status = 'queued'",
        "UPDATE campaigns_campaign SET status = 'approved'",
        "UPDATE campaigns_campaign SET content_hash = '', holdout_share = 0.01",
        "DELETE FROM campaigns_campaign",
        "INSERT INTO campaigns_campaigntransition SELECT * FROM campaigns_campaigntransition",
        "UPDATE campaigns_offer SET value = 90",
        "UPDATE campaigns_audiencemember SET arm = 'treatment'",
        "UPDATE campaigns_archetype SET size = 0",
        "DELETE FROM campaigns_variant",
        "UPDATE customers_customer SET email = 'x@example.test'",
        "INSERT INTO customers_consentrecord SELECT * FROM customers_consentrecord",
        "DELETE FROM customers_suppression",
        "UPDATE customers_product SET price = 1",
        "DELETE FROM llm_llmcall",
        "SELECT password FROM auth_user",
        "UPDATE auth_user SET is_superuser = true",
        "SELECT * FROM django_session",
        "SELECT * FROM customers_apikey",
        "CREATE TABLE elsewhere (id int)",
        "TRUNCATE campaigns_message",
    ],
)
def test_the_role_may_not(campaign: Campaign, sql: str) -> None:
    with acting_as_drafter() as is_held:
        assert is_held
        assert refuses(sql), f"{ROLE} could do: {sql}"


@pytest.mark.parametrize("status", sorted(set(CampaignStatus.values) - {CampaignStatus.DRAFT}))
def test_the_role_writes_texts_of_drafts_alone(campaign: Campaign, status: str) -> None:
    """Also what no hash covers: `stands_on`, by which a message is held back."""
    Campaign.objects.update(status=CampaignStatus.DRAFT)
    with acting_as_drafter():
        assert Variant.objects.update(stands_on={}) == 1
    Campaign.objects.update(status=status)
    text = Variant.objects.get()
    for write in (
        lambda: Variant.objects.update(stands_on={}),
        lambda: Variant.objects.update(subject="Written over"),
        lambda: Variant.objects.update(retired_at=timezone.now()),
        lambda: Variant.objects.create(archetype=text.archetype, label="B", origin="model"),
    ):
        with pytest.raises(IntegrityError, match="no draft"), transaction.atomic(), acting_as_drafter():
            write()
    assert Variant.objects.get().subject == text.subject
    assert Variant.objects.update(stands_on={}) == 1, "others than the role are not asked"


#: All that the role may do besides reading, of everything that the catalogue of PostgreSQL knows. Written out, so that a
#: right that is added to `retention_site.drafting_rights` has to be added here too, where somebody reads it.
MAY_WRITE = {
    "campaigns_archetype": {
        f"UPDATE ({column})"
        for column in (
            "draft_attempts", "draft_error", "draft_instruction", "draft_lease_until", "draft_not_before", "draft_plan",
            "draft_status",
        )
    },
    "campaigns_campaign": {"UPDATE (updated_at)"},
    "campaigns_variant": {"INSERT", "UPDATE"},
    "customers_textreading": {"INSERT", "UPDATE"},
    **{
        f"llm_{table}": {"INSERT", "UPDATE"}
        for table in ("llmbatch", "llmcall", "llmpastspend", "llmserverhealth", "llmservermode")
    },
}  # fmt: skip


def read_rights(sql: str) -> set[tuple[str, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, [ROLE])
        return set(cursor.fetchall())


def test_the_role_may_write_this_and_nothing_else(campaign: Campaign) -> None:
    """Every table, view, partition and sequence of every schema, by every privilege that there is."""
    found: dict[str, set[str]] = {}
    for table, right in read_rights(
        "SELECT c.relname, p.name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace,"
        " unnest(ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) AS p(name)"
        " WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema')"
        " AND n.nspname !~ '^pg_toast' AND has_table_privilege(%s, c.oid, p.name)"
    ):
        found.setdefault(table, set()).add(right)
    for table, column, right in read_rights(
        "SELECT c.relname, a.attname, p.name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped,"
        " unnest(ARRAY['INSERT', 'UPDATE', 'REFERENCES']) AS p(name), (SELECT %s::name AS name) AS r"
        " WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema')"
        " AND n.nspname !~ '^pg_toast' AND has_column_privilege(r.name, c.oid, a.attnum, p.name)"
        " AND NOT has_table_privilege(r.name, c.oid, p.name)"
    ):
        found.setdefault(table, set()).add(f"{right} ({column})")
    assert found == MAY_WRITE


def test_the_role_may_make_nothing_and_be_nobody_else(campaign: Campaign) -> None:
    assert read_rights(
        "SELECT n.nspname, p.name FROM pg_namespace n, unnest(ARRAY['CREATE']) AS p(name), (SELECT %s::name AS name) AS r"
        " WHERE has_schema_privilege(r.name, n.oid, p.name)"
    ) == set()  # fmt: skip
    assert not read_rights(
        "SELECT d.datname FROM pg_database d WHERE d.datname = current_database()"
        " AND has_database_privilege(%s, d.oid, 'CREATE')"
    )
    assert read_rights(
        "SELECT rolsuper::text, rolcreaterole::text, rolcreatedb::text, rolcanlogin::text, rolbypassrls::text FROM pg_roles"
        " WHERE rolname = %s"
    ) == {("false",) * 5}
    assert not read_rights(
        "SELECT r.rolname FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.roleid JOIN pg_roles w ON w.oid = m.member"
        " WHERE w.rolname = %s"
    )
    assert not read_rights(
        "SELECT p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.prosecdef"
        " AND n.nspname = 'public' AND has_function_privilege(%s, p.oid, 'EXECUTE')"
    )


def test_the_role_reads_what_drafts_are_made_of_and_no_secrets(campaign: Campaign) -> None:
    secret = {"auth_user", "django_session", "customers_apikey", "auth_permission", "django_admin_log"}
    can_read = {
        table
        for (table,) in read_rights(
            "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname = 'public'"
            " AND has_any_column_privilege(%s, c.oid, 'SELECT')"
        )
    }
    assert not can_read & secret
    assert {table.split("_")[0] for table in can_read} == {"campaigns", "customers", "llm"}


def test_the_role_is_given_back_also_after_an_error_and_may_be_nested(campaign: Campaign) -> None:
    login = current_role()
    with acting_as_drafter(), acting_as_drafter():
        assert current_role() == ROLE
        assert Variant.objects.count() == 1
    assert current_role() == login
    with pytest.raises(RuntimeError), acting_as_drafter():
        raise RuntimeError("the draft failed")
    assert current_role() == login
    with pytest.raises(ProgrammingError), transaction.atomic(), acting_as_drafter():
        Campaign.objects.update(status=CampaignStatus.APPROVED)
    assert current_role() == login
    Campaign.objects.update(goal="written again")


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_is_opened_anew_takes_the_role_first(campaign: Campaign) -> None:
    login = current_role()
    with acting_as_drafter():
        connection.close()
        assert current_role() == ROLE
        assert refuses("UPDATE campaigns_campaign SET status = 'approved'")
    assert current_role() == login


@pytest.mark.django_db(transaction=True)
def test_the_whole_drafting_task_works_under_the_role(
    campaign: Campaign, marketer: User, model_server: ModelServer
) -> None:
    model_server.answer_with(lambda request: answer_for(request, "Good to see you out there again"))
    request_drafts(campaign, user=marketer, also_edited=True, now=timezone.now())
    tasks.draft_archetype(Archetype.objects.get().pk)

    archetype = Archetype.objects.get()
    assert (archetype.draft_status, archetype.draft_error) == (DraftStatus.DRAFTED, "")
    assert Variant.objects.filter(origin=Variant.Origin.MODEL).exists()
    assert LlmCall.objects.filter(outcome=LlmCall.Outcome.OK).exists()


def test_without_the_role_drafting_goes_on_and_staff_are_told(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drafting_role, "ROLE", "rekindle_no_such_role")
    with acting_as_drafter() as is_held:
        assert not is_held
        assert Variant.objects.count() == 1
    state = read_role_state()
    assert not state.is_held
    assert "CREATE ROLE rekindle_drafting NOLOGIN; GRANT rekindle_drafting TO" in state.sql
    assert [message.id for message in run_checks(databases=["default"], tags=["database"])] == ["rekindle.W001"]


def test_a_role_with_too_many_rights_is_told_and_set_right(campaign: Campaign) -> None:
    assert read_role_state().is_held
    assert not run_checks(databases=["default"], tags=["database"])
    with connection.cursor() as cursor:
        cursor.execute(f"GRANT UPDATE ON campaigns_message TO {ROLE}")
    assert not read_role_state().is_held
    assert grant_drafting_rights()
    assert grant_drafting_rights()
    assert read_role_state().is_held


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_on_a_server_of_the_users_own_one_line_of_an_administrator_is_enough_and_a_dump_comes_back(
    tmp_path: Path,
) -> None:
    """The login owns its database and may make no roles; the dump goes to a server that has never seen the role."""
    own, other = Postgres(tmp_path / "own", durable=False), Postgres(tmp_path / "other", durable=False)
    own.start()
    other.start()
    try:
        run_sql(own, "CREATE ROLE shop LOGIN", "CREATE DATABASE shop OWNER shop")
        shop = own.url.replace("postgres@/rekindle", "shop@/shop")
        assert "rekindle.W001" in manage(shop, "migrate", "--verbosity", "0")
        assert "rekindle.W001" not in manage(other.url, "check", "--database", "default"), "its login makes the role"
        told = manage(shop, "drafting_role")
        line = next(line for line in told.splitlines() if line.startswith("CREATE ROLE"))
        assert line == 'CREATE ROLE rekindle_drafting NOLOGIN; GRANT rekindle_drafting TO "shop";'

        run_sql(own, *line.rstrip(";").split("; "))
        assert "cannot write approvals or messages" in manage(shop, "drafting_role")

        dump = subprocess.run([own.programs / "pg_dump", shop], check=True, capture_output=True, text=True)
        restored = [other.programs / "psql", "--quiet", "--set=ON_ERROR_STOP=0", other.url]
        subprocess.run(restored, input=dump.stdout, check=True, capture_output=True, text=True)
        assert "cannot write approvals or messages" in manage(other.url, "drafting_role")
    finally:
        own.discard()
        other.discard()


def run_sql(server: Postgres, *statements: str) -> None:
    with psycopg.connect(server.url, autocommit=True) as administrator:
        for statement in statements:
            administrator.execute(statement)


def manage(database_url: str, *arguments: str) -> str:
    """What `manage.py` printed, both streams, in a process with this login."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=ROOT, env=os.environ | {"DATABASE_URL": database_url},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr
