"""The audit log: sealed at the commit by whoever writes, refuses every change, and the verifier finds what a superuser forged."""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from customers.insights.audit_chain import Head, Row, hash_row, read_head, verify_audit, verify_chain
from customers.insights.audit_witness import BadWitness, read_witnesses, sign_head, witness_audit
from customers.models import AuditAction, AuditEntry, record_audit
from customers.models.audit import seal_audit

NOW = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
TABLE = "customers_auditentry"


@contextmanager
def as_forger() -> Iterator[None]:
    """What only a superuser of the database can: no trigger runs."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        yield


def forge(sql: str) -> None:
    with as_forger(), connection.cursor() as cursor:
        cursor.execute(sql)


@pytest.fixture
def log(db: None) -> int:
    """Five sealed entries; where they begin."""
    seal_audit()
    first = read_head().number + 1
    for number in range(5):
        record_audit(AuditAction.EXPORTED, actor=number or None, about=("figure", number), fields=["a", "ß", "“"])
        seal_audit()
    return first


def broken_at() -> int | None:
    verdict = verify_audit()
    return verdict.broken.number if verdict.broken else None


def test_entries_are_sealed_to_each_other(log: int) -> None:
    verdict = verify_audit()
    assert verdict.broken is None and verdict.head == read_head()
    rows = list(AuditEntry.objects.order_by("number").filter(number__gte=log))
    assert [row.number for row in rows] == list(range(log, log + 5))
    assert [row.previous_hash for row in rows[1:]] == [row.hash for row in rows[:-1]]
    assert rows[0].actor_id is None and rows[1].actor_id == 1


@pytest.mark.django_db
def test_a_writer_cannot_choose_number_hash_or_time() -> None:
    entry = AuditEntry.objects.create(
        action=AuditAction.EXPORTED, number=900, hash="f" * 64, previous_hash="e" * 64, happened_at=NOW
    )
    seal_audit()
    entry.refresh_from_db()
    assert entry.number != 900 and entry.hash != "f" * 64 and entry.happened_at > NOW
    assert broken_at() is None


@pytest.mark.django_db(transaction=True)
def test_writers_at_once_make_one_chain() -> None:
    def write() -> None:
        for number in range(20):
            with transaction.atomic():
                record_audit(AuditAction.EXPORTED, actor=None, about=("figure", number))
        connection.close()

    writers = [threading.Thread(target=write) for _writer in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    verdict = verify_audit()
    assert verdict.broken is None and verdict.rows >= 80


@pytest.mark.django_db(transaction=True)
def test_an_unfinished_transaction_holds_up_nobody_and_leaves_no_gap() -> None:
    done = threading.Event()

    def write_meanwhile() -> None:
        record_audit(AuditAction.EXPORTED, actor=None, about=("figure", "meanwhile"))
        done.set()
        connection.close()

    with transaction.atomic():
        record_audit(AuditAction.EXPORTED, actor=None, about=("figure", "slow"))
        threading.Thread(target=write_meanwhile).start()
        assert done.wait(30)
        transaction.set_rollback(True)
    with transaction.atomic():
        record_audit(AuditAction.EXPORTED, actor=None, about=("figure", "later"))
    assert broken_at() is None
    assert set(AuditEntry.objects.exclude(number=None).values_list("object_id", flat=True)) >= {"meanwhile", "later"}


@pytest.mark.parametrize(
    "sql",
    [
        f"UPDATE {TABLE} SET actor_id = 7",
        f"UPDATE {TABLE} SET hash = repeat('0', 64)",
        f"UPDATE {TABLE} SET number = NULL",
        f"DELETE FROM {TABLE}",
    ],
)
def test_postgresql_refuses_every_change(log: int, sql: str) -> None:
    with (
        pytest.raises(DatabaseError, match="never changed or emptied"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(sql)
    assert broken_at() is None


def test_postgresql_refuses_to_empty_it(log: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {TABLE} ENABLE TRIGGER customers_audit_refuse_emptying")
        with pytest.raises(DatabaseError, match="never changed or emptied"), transaction.atomic():
            cursor.execute(f"TRUNCATE {TABLE}")


def test_a_login_that_is_no_superuser_lacks_the_right_itself(log: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT relacl::text FROM pg_class WHERE oid = %s::regclass", [TABLE])
        owner = next(part for part in cursor.fetchone()[0].strip("{}").split(",") if not part.startswith("="))
    rights = owner.partition("=")[2].partition("/")[0]
    assert "a" in rights and "r" in rights  # INSERT, SELECT
    assert not set(rights) & {"w", "d"}  # UPDATE, DELETE; TRUNCATE is given back to the tests alone


@pytest.mark.parametrize(
    "column", ["happened_at = now()", "actor_id = 9", "action = 'key_made'", "object_kind = 'x'", "object_id = '99'",
               "details = '{}'", "hash = repeat('0', 64)", "previous_hash = repeat('0', 64)"],
)  # fmt: skip
def test_an_edit_is_found_at_its_row(log: int, column: str) -> None:
    forge(f"UPDATE {TABLE} SET {column} WHERE number = {log + 2}")
    assert broken_at() == log + 2


def test_an_edit_with_a_hash_made_to_fit_is_found_at_the_next_row(log: int) -> None:
    row = AuditEntry.objects.get(number=log + 2)
    fitting = hash_row(
        Row(log + 2, row.happened_at, 9, row.action, row.object_kind, row.object_id, _details(log + 2), "", ""),
        row.previous_hash,
    )
    forge(f"UPDATE {TABLE} SET actor_id = 9, hash = '{fitting}' WHERE number = {log + 2}")
    assert broken_at() == log + 3


def test_a_deleted_row_is_named(log: int) -> None:
    forge(f"DELETE FROM {TABLE} WHERE number = {log + 1}")
    verdict = verify_audit()
    assert verdict.broken is not None and verdict.broken.number == log + 1
    assert "deleted" in verdict.broken.sentence


def test_a_deleted_row_whose_followers_moved_up_is_found(log: int) -> None:
    forge(f"DELETE FROM {TABLE} WHERE number = {log + 1}; UPDATE {TABLE} SET number = -number WHERE number > {log};"
          f" UPDATE {TABLE} SET number = -number - 1 WHERE number < 0")  # fmt: skip
    assert broken_at() == log + 1


def test_two_rows_that_changed_places_are_found(log: int) -> None:
    forge(f"UPDATE {TABLE} SET number = -1 WHERE number = {log + 1}; UPDATE {TABLE} SET number = {log + 1} WHERE number"
          f" = {log + 3}; UPDATE {TABLE} SET number = {log + 3} WHERE number = -1")  # fmt: skip
    assert broken_at() == log + 1


def test_an_added_row_is_found(log: int) -> None:
    forge(f"INSERT INTO {TABLE} (number, action, hash, previous_hash) VALUES ({log + 5}, 'key_made', 'x', 'y')")
    assert broken_at() == log + 5


def test_a_row_that_was_never_sealed_is_found(log: int) -> None:
    forge(f"INSERT INTO {TABLE} (action) VALUES ('key_made')")
    assert broken_at() == log + 5


def test_a_cut_off_end_needs_a_witness(log: int) -> None:
    head = read_head()
    forge(f"DELETE FROM {TABLE} WHERE number > {log + 2}")
    assert broken_at() is None  # nothing inside the database can tell
    verdict = verify_audit({head.number: head.hash})
    assert verdict.broken is not None and verdict.broken.number == log + 3 and "cut off" in verdict.broken.sentence


def test_a_log_that_was_rewritten_as_a_whole_needs_a_witness(log: int) -> None:
    head = read_head()
    _rewrite(log + 1)
    assert broken_at() is None
    verdict = verify_audit({head.number: head.hash})
    assert verdict.broken is not None and verdict.broken.number == head.number
    assert "rewritten" in verdict.broken.sentence


def test_the_witness_is_kept_once_signed_and_outside(log: int, settings: Settings, tmp_path: Path) -> None:
    settings.AUDIT_WITNESS_FILE = str(tmp_path / "heads" / "audit.jsonl")
    assert witness_audit(NOW) is True
    assert witness_audit(NOW) is False
    head = read_head()
    assert read_witnesses(Path(settings.AUDIT_WITNESS_FILE)) == {head.number: head.hash}
    assert not oct(Path(settings.AUDIT_WITNESS_FILE).stat().st_mode).endswith("7")


def test_an_altered_witness_is_no_witness(log: int, tmp_path: Path) -> None:
    file, head = tmp_path / "audit.jsonl", read_head()
    file.write_text(json.dumps({"number": head.number, "hash": "0" * 64, "signature": sign_head(head)}))
    with pytest.raises(BadWitness, match="Line 1"):
        read_witnesses(file)


def test_the_command_says_whole_or_names_the_row(log: int, settings: Settings, tmp_path: Path) -> None:
    settings.AUDIT_WITNESS_FILE = str(tmp_path / "audit.jsonl")
    said, head = StringIO(), read_head()
    call_command("verify_audit", stdout=said, witness=tmp_path / "none", head=[f"{head.number}:{head.hash}"])
    assert said.getvalue().startswith("whole:") and f"{head.number}:{head.hash}" in said.getvalue()

    forge(f"DELETE FROM {TABLE} WHERE number = {log + 4}")
    with pytest.raises(CommandError, match=f"broken at entry {log + 4}"):
        call_command("verify_audit", witness=tmp_path / "none", head=[f"{head.number}:{head.hash}"])


_TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)


@given(st.lists(st.tuples(_TEXTS, _TEXTS), min_size=2, max_size=6), st.data())
def test_no_two_rows_can_be_told_in_the_same_words(things: list[tuple[str, str]], data: st.DataObject) -> None:
    rows, previous = [], ""
    for number, (kind, key) in enumerate(things, 1):
        row = Row(number, NOW, None, "exported", kind, key, "{}", previous, "")
        previous = hash_row(row, previous)
        rows.append(Row(number, NOW, None, "exported", kind, key, "{}", row.previous_hash, previous))
    assert verify_chain(rows).head == Head(len(rows), previous)
    moved = data.draw(st.permutations(rows))
    assert (verify_chain(moved).broken is None) == (moved == rows)


@given(_TEXTS, _TEXTS)
@pytest.mark.django_db
def test_python_and_postgresql_write_the_same_json(kind: str, value: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT jsonb_build_array(%s::text, jsonb_build_object('a', %s::text))::text", [kind, value])
        told = cursor.fetchone()[0]
        cursor.execute("SELECT jsonb_build_object('a', %s::text)::text", [value])
        details = cursor.fetchone()[0]
    assert told == f"[{json.dumps(kind, ensure_ascii=False)}, {details}]"


def _details(number: int) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT details::text FROM {TABLE} WHERE number = %s", [number])
        return str(cursor.fetchone()[0])


def _rewrite(first: int) -> None:
    """A patient forger: changes one row and seals it and all that follow anew."""
    rows = list(AuditEntry.objects.filter(number__gte=first).order_by("number"))
    previous = rows[0].previous_hash
    for row in rows:
        actor = 9 if row.number == first else row.actor_id
        told = Row(row.number or 0, row.happened_at, actor, row.action, row.object_kind, row.object_id,
                   _details(row.number or 0), previous, "")  # fmt: skip
        sealed = hash_row(told, previous)
        actor_sql = "NULL" if actor is None else actor
        forge(f"UPDATE {TABLE} SET actor_id = {actor_sql}, previous_hash = '{previous}', hash = '{sealed}'"
              f" WHERE number = {row.number}")  # fmt: skip
        previous = sealed
