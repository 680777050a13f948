"""The mailbox: each mail is one message exactly once, whatever breaks off; a dead server is a sentence on the page."""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from retention_site.engine_urls import read_imap_target
from support.mail.imap.polling import poll_mailbox
from support.mail.imap.session import MailboxSession
from support.mail.imap.target import BadImapUrl, ImapTarget, read_imap_url
from support.models import Attachment, MailboxState, SeenMail, TicketMessage

from .imap_server import PASSWORD, USER, BreakOff, ImapServer, make_certificate
from .letters import PDF, write_mail

pytestmark = pytest.mark.django_db
MOST_BYTES = 30_000
Poll = Callable[..., int]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("imap"))


@pytest.fixture
def server(certificate: Path) -> Iterator[ImapServer]:
    with ImapServer(certificate) as running:
        yield running


@pytest.fixture
def now() -> dt.datetime:
    return timezone.now().replace(microsecond=0)


def target_of(server: ImapServer, **changes: object) -> ImapTarget:
    fields = {
        "host": "127.0.0.1",
        "port": server.port,
        "user": USER,
        "password": PASSWORD,
        "ca_file": str(server.certificate),
    }
    return ImapTarget(**(fields | changes))  # type: ignore[arg-type]


@pytest.fixture
def poll(server: ImapServer, now: dt.datetime) -> Poll:
    """Look into the mailbox; the first look, at an empty one, is done."""

    def run(**changes: object) -> int:
        return poll_mailbox(target_of(server, **changes), now=now, most_bytes=MOST_BYTES, timeout_s=20)

    assert run() == 0
    return run


def fill(server: ImapServer, count: int, now: dt.datetime) -> None:
    for number in range(count):
        server.add(write_mail(f"Question {number}", message_id=f"<q{number}@shopper.test>"), at=now)


def texts() -> list[str]:
    return sorted(TicketMessage.objects.values_list("text", flat=True))


# --- Usual days ------------------------------------------------------------------------------------------------------


def test_new_mail_is_taken_in_and_marked(server: ImapServer, poll: Poll, now: dt.datetime) -> None:
    fill(server, 3, now)
    server.add(write_mail("away", message_id="<a@x.test>", Auto_Submitted="auto-replied"), at=now)
    assert (poll(), poll()) == (4, 0)
    assert texts() == ["Question 0", "Question 1", "Question 2"]
    assert [sorted(mail.flags) for mail in server.mails.values()] == [["seen"]] * 3 + [[]], (
        "what opened nothing stays unread"
    )
    state = MailboxState.objects.get()
    assert (state.last_uid, state.unmarked_uid, state.trouble, state.failing_since) == (4, 0, "", None)


def test_what_was_there_before_is_left_to_people(server: ImapServer, now: dt.datetime) -> None:
    fill(server, 3, now - dt.timedelta(days=9))
    target = target_of(server)
    assert poll_mailbox(target, now=now, most_bytes=MOST_BYTES) == 0 and not TicketMessage.objects.exists()
    server.add(write_mail("new", message_id="<new@x.test>"), at=now)
    assert poll_mailbox(target, now=now, most_bytes=MOST_BYTES) == 1 and texts() == ["new"]


def test_numbered_anew_nothing_is_lost_doubled_or_dug_up(server: ImapServer, now: dt.datetime) -> None:
    fill(server, 2, now - dt.timedelta(days=9))
    target = target_of(server)
    poll_mailbox(target, now=now, most_bytes=MOST_BYTES)
    server.add(write_mail("seen before", message_id="<one@x.test>"), at=now)
    poll_mailbox(target, now=now, most_bytes=MOST_BYTES)
    server.add(write_mail("came meanwhile", message_id="<two@x.test>"), at=now)
    server.renumber()
    poll_mailbox(target, now=now, most_bytes=MOST_BYTES)
    assert texts() == ["came meanwhile", "seen before"]
    assert [bool(mail.flags) for mail in server.mails.values()] == [False, False, True, True]


def test_mail_is_moved_where_a_folder_is_named_and_the_server_can(
    server: ImapServer, poll: Poll, now: dt.datetime
) -> None:
    fill(server, 2, now)
    assert poll(done_folder="Done") == 2 and not server.mails and len(server.archive) == 2
    server.offers_move = False
    server.add(write_mail("another", message_id="<x@x.test>"), at=now)
    assert poll(done_folder="Done") == 1 and len(server.mails) == 1


def test_of_a_mail_that_is_too_large_the_words_are_read(server: ImapServer, poll: Poll, now: dt.datetime) -> None:
    server.add(write_mail("See the film", files=[("film.pdf", PDF + b"x" * 200_000)]), at=now)
    assert poll() == 1 and server.fetched_bytes == MOST_BYTES
    row = Attachment.objects.get()
    assert texts() == ["See the film"] and (row.name, row.refusal, row.stored_as) == ("film.pdf", "mail_cut", "")


def test_the_connection_is_private_before_the_password(server: ImapServer, certificate: Path, now: dt.datetime) -> None:
    server.starts_plain = True
    with MailboxSession(target_of(server, starts_plain=True), timeout_s=20) as session:
        assert session.uid_validity == 7
    server.offers_tls = False
    assert poll_mailbox(target_of(server, starts_plain=True), now=now, most_bytes=MOST_BYTES) == 0
    assert MailboxState.objects.get().trouble == "not_private" and server.commands.count("LOGIN") == 1


# --- Bad days --------------------------------------------------------------------------------------------------------


def test_each_trouble_has_its_name_and_none_its_password(
    server: ImapServer, certificate: Path, now: dt.datetime, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    with (
        ImapServer(make_certificate(tmp_path, name="other.test")) as stranger,
        ImapServer(certificate, is_mute=True) as mute,
    ):
        cases = {
            "login": target_of(server, password="wrong" + PASSWORD),
            "no_folder": target_of(server, folder="Nowhere"),
            "not_private": target_of(stranger),
            "unreachable": target_of(server, port=1),
        }
        for trouble, target in cases.items():
            assert poll_mailbox(target, now=now, most_bytes=MOST_BYTES, timeout_s=20) == 0
            assert MailboxState.objects.get(mailbox=target.name).trouble == trouble
        poll_mailbox(target_of(mute, folder="mute"), now=now, most_bytes=MOST_BYTES, timeout_s=0.3)
        assert MailboxState.objects.filter(trouble="unreachable", mailbox=target_of(mute, folder="mute").name).exists()
    told = caplog.text + repr(cases) + str(list(MailboxState.objects.values()))
    assert "never-logged" not in told and "mailbox_trouble" in caplog.text


def test_a_dead_server_is_said_on_the_page_until_it_answers(
    server: ImapServer, poll: Poll, now: dt.datetime, client: Client, support_agent: User, settings: Settings
) -> None:
    settings.SUPPORT_IMAP_TARGET = target_of(server)
    server.password = "changed"
    poll()
    client.force_login(support_agent)
    page = client.get("/settings/mailbox/").content.decode()
    assert "refused user and password" in page and "never-logged" not in page
    assert "Mail stays away" in client.get("/support/").content.decode()
    server.password = PASSWORD
    poll()
    assert "refused user and password" not in client.get("/settings/mailbox/").content.decode()
    assert "Mail stays away" not in client.get("/support/").content.decode()


@pytest.mark.parametrize("command", ["SELECT", "SEARCH", "FETCH", "STORE"])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_connection_that_breaks_costs_nothing(
    server: ImapServer, poll: Poll, now: dt.datetime, command: str, moment: str
) -> None:
    fill(server, 3, now)
    left = [2 if command in ("FETCH", "STORE") else 1]  # the second mail, or the first of what is done once

    def break_once(name: str, _uid: int) -> None:
        if name == command and left:
            left[0] -= 1
            if not left[0]:
                left.clear()
                raise BreakOff

    setattr(server, moment, break_once)
    poll()
    assert MailboxState.objects.get().trouble == "broke_off"
    poll()
    assert texts() == ["Question 0", "Question 1", "Question 2"]
    assert all(mail.flags == {"seen"} for mail in server.mails.values())
    assert MailboxState.objects.get().trouble == ""


def test_a_mail_that_nobody_can_read_holds_up_no_other(
    server: ImapServer, poll: Poll, now: dt.datetime, settings: Settings
) -> None:
    server.add(write_mail("one", message_id="<1@x.test>", In_Reply_To="<x@y.test>"), at=now)
    server.add(write_mail("two", message_id="<2@x.test>"), at=now)
    settings.SUPPORT_FIND_SENT = "retention_site.nothing.of_this_name"
    poll()
    assert texts() == ["two"]
    assert SeenMail.objects.get(outcome="unreadable").place == "7:1" and server.mails[1].flags == set()


def test_two_workers_read_each_mail_once(server: ImapServer, poll: Poll, now: dt.datetime) -> None:
    fill(server, 2, now)
    with psycopg.connect(**connection.get_connection_params() | {"cursor_factory": psycopg.ClientCursor}) as other:  # type: ignore[arg-type]
        other.execute("SELECT pg_advisory_lock(hashtext('support.mail.imap'))")
        assert poll() == 0
        other.execute("SELECT pg_advisory_unlock(hashtext('support.mail.imap'))")
    assert poll() == 2


# --- Killed ----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("phase", ["fetched", "in the transaction", "committed"])
def test_killed_in_the_middle_each_mail_is_one_message(
    server: ImapServer, now: dt.datetime, phase: str, tmp_path: Path
) -> None:
    target = target_of(server)
    poll_mailbox(target, now=now, most_bytes=MOST_BYTES)
    for number in range(3):
        files = [("a.pdf", PDF)]
        server.add(write_mail(f"Question {number}", message_id=f"<q{number}@shopper.test>", files=files), at=now)
    reached, go_on = threading.Event(), threading.Event()

    def wait_there(name: str, uid: int) -> None:
        if name == ("FETCH" if phase != "committed" else "STORE") and uid == 2:
            if phase == "in the transaction":  # before the poll goes on, so that it finds the row locked
                holder.execute("SELECT 1 FROM support_mailboxstate FOR UPDATE")
            reached.set()
            if phase != "in the transaction":
                go_on.wait(60)

    holder = psycopg.connect(**connection.get_connection_params() | {"cursor_factory": psycopg.ClientCursor})  # type: ignore[arg-type]
    server.before = wait_there
    process = _start_poll(target, tmp_path)
    try:
        assert reached.wait(60), "the poll has begun"
        if phase == "in the transaction":
            _wait_at_lock()
        assert TicketMessage.objects.count() == {"fetched": 1, "in the transaction": 1, "committed": 2}[phase]
        os.kill(process.pid, signal.SIGKILL)
        assert process.wait(60) == -signal.SIGKILL
    finally:
        holder.close()
        process.kill()
        go_on.set()
    server.before = lambda _name, _uid: None
    # PostgreSQL notices that its client is gone, and gives the lock back.
    deadline = threading.Event()
    for _round in range(600):
        poll_mailbox(target, now=now, most_bytes=MOST_BYTES)
        if MailboxState.objects.get().last_uid == 3:
            break
        deadline.wait(0.1)
    assert texts() == ["Question 0", "Question 1", "Question 2"]
    assert Attachment.objects.exclude(stored_as="").count() == 3
    assert all(mail.flags == {"seen"} for mail in server.mails.values())


def _start_poll(target: ImapTarget, folder: Path) -> subprocess.Popen[bytes]:
    url = f"imaps://{quote(USER, safe='')}:{quote(PASSWORD, safe='')}@127.0.0.1:{target.port}/INBOX?ca={target.ca_file}"
    known = connection.get_connection_params()
    place = f"host={quote(str(known['host']), safe='')}&port={known.get('port', '')}"
    database = f"postgresql://{quote(known['user'])}@/{known['dbname']}?{place}"
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "retention_site.settings",
        "DATABASE_URL": database,
        "SUPPORT_IMAP_URL": url,
        "ATTACHMENT_DIR": str(folder / "attachments"),
        "LOG_LEVEL": "ERROR",
    }
    return subprocess.Popen([sys.executable, "-m", "tests.support.mail.poll_once"], env=environment)


def _wait_at_lock() -> None:
    """Until the poll waits, with its transaction open, for the row that it writes last."""
    pause = threading.Event()
    for _round in range(600):
        waiting = (
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        with connection.cursor() as cursor:
            cursor.execute(waiting)
            if cursor.fetchone()[0]:
                return
        pause.wait(0.1)
    raise AssertionError("the poll never waited")


# --- The setting -----------------------------------------------------------------------------------------------------


def test_the_address_of_a_mailbox_is_read() -> None:
    target = read_imap_url("imaps://help%40shop.example:p%40ss%2Fw@imap.shop.example/Support?done=Done")
    assert (target.host, target.port, target.user, target.password) == (
        "imap.shop.example",
        993,
        "help@shop.example",
        "p@ss/w",
    )
    assert (target.folder, target.done_folder, target.starts_plain) == ("Support", "Done", False)
    assert read_imap_url("imap://u:p@h.test").port == 143 and read_imap_url("imap://u:p@h.test").folder == "INBOX"
    assert "p@ss" not in repr(target)


@pytest.mark.parametrize(
    "url",
    [
        "imaps://h.test",
        "imaps://u@h.test",
        "pop://u:secret@h.test",
        "imaps://u:secret@",
        "imaps://u:secret@h:port/",
        "imaps://u:secret@h/?x=1",
    ],
)
def test_what_names_no_mailbox_is_said_without_the_password(url: str) -> None:
    with pytest.raises(BadImapUrl) as told:
        read_imap_url(url)
    assert "secret" not in str(told.value)
    with pytest.raises(Exception, match="SUPPORT_IMAP_URL"):
        read_imap_target(url)
