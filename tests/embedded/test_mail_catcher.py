"""The mail catcher over real SMTP: it keeps test mail, refuses real addresses, and shows doubles."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from retention_site.embedded.mail_catcher import (
    MailCatcher,
    count_caught,
    find_caught,
    find_copies,
    is_reserved,
    list_caught,
    read_caught,
    store_message,
)


@pytest.fixture
def catcher(tmp_path: Path) -> Iterator[MailCatcher]:
    catcher = MailCatcher(tmp_path, folder=tmp_path / "mail")
    catcher.start()
    yield catcher
    catcher.close()


def make_mail(message_id: str = "<one@shop.test>", to: str = "ada@customers.test") -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "shop@shop.test", to, "We miss you, 李雷"
    mail["Message-ID"] = message_id
    mail.set_content("Plain words\n")
    mail.add_alternative("<p>Rich words</p>", subtype="html")
    return mail


def send(catcher: MailCatcher, mail: EmailMessage, to: list[str]) -> None:
    with smtplib.SMTP("127.0.0.1", int(catcher.environment["MAIL_CATCHER_PORT"]), timeout=10) as smtp:
        smtp.send_message(mail, to_addrs=to)


def test_mail_is_stored_with_its_envelope(catcher: MailCatcher) -> None:
    send(catcher, make_mail(), ["ada@customers.test", "Bo@Customers.Test"])
    caught = find_caught(catcher.folder, "one@shop.test")
    assert caught is not None
    assert caught.recipients == ("ada@customers.test", "Bo@Customers.Test")
    assert (caught.subject, caught.text, caught.html) == (
        "We miss you, 李雷",
        "Plain words\n",
        "<p>Rich words</p>\n",
    )
    assert [mail.key for mail in list_caught(catcher.folder)] == [caught.key]
    assert read_caught(catcher.folder, caught.key) == caught


def test_real_addresses_are_refused_and_nothing_is_stored(catcher: MailCatcher) -> None:
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refusal:
        send(catcher, make_mail(), ["ada@gmail.com"])
    assert refusal.value.recipients["ada@gmail.com"][0] == 550
    assert count_caught(catcher.folder) == 0


def test_second_arrival_of_a_message_is_kept_beside_the_first(catcher: MailCatcher) -> None:
    for _ in range(2):
        send(catcher, make_mail(), ["ada@customers.test"])
    assert len(find_copies(catcher.folder, "<one@shop.test>")) == 2
    assert count_caught(catcher.folder) == 2


def test_port_stays_the_same_over_a_restart(catcher: MailCatcher) -> None:
    catcher.stop()
    catcher.start()
    send(catcher, make_mail(), ["ada@customers.test"])
    assert count_caught(catcher.folder) == 1


def test_too_large_a_message_is_refused(catcher: MailCatcher) -> None:
    mail = make_mail()
    mail.add_attachment(b"x" * 11_000_000, maintype="application", subtype="octet-stream")
    with pytest.raises(smtplib.SMTPException):
        send(catcher, mail, ["ada@customers.test"])
    assert count_caught(catcher.folder) == 0


@pytest.mark.parametrize("address", ["a@b.test", "a@example.com", "a@localhost", "a@x.invalid.", "李@店.example"])
def test_reserved_domains_are_known(address: str) -> None:
    assert is_reserved(address)


@pytest.mark.parametrize("address", ["a@test.com", "a@example.com.cn", "a@[127.0.0.1]", "", "a@", "root"])
def test_other_domains_are_real(address: str) -> None:
    assert not is_reserved(address)


def test_broken_files_are_shown_and_break_nothing(tmp_path: Path) -> None:
    key = store_message(tmp_path, "a\r\nX-Evil: 1", ["b@c.test"], b"\xff\xfe\x00 nonsense")
    store_message(tmp_path, "", [], b"")
    store_message(
        tmp_path, "a@b.test", ["b@c.test"], b"Content-Type: text/plain; charset=nonsense\r\nSubject: =?x?q?\r\n\r\n\xff"
    )
    (tmp_path / "not-ours.eml").write_text("x")
    assert len(list_caught(tmp_path)) == 3
    for mail in list_caught(tmp_path):
        assert read_caught(tmp_path, mail.key) is not None
    evil = read_caught(tmp_path, key)
    assert evil is not None
    assert "X-Evil" not in dict(evil.headers)


@pytest.mark.parametrize("key", ["../../etc/passwd", "", "x" * 32, "0" * 31])
def test_keys_are_not_paths(tmp_path: Path, key: str) -> None:
    assert read_caught(tmp_path, key) is None


def test_missing_folder_is_an_empty_one(tmp_path: Path) -> None:
    assert list_caught(tmp_path / "none") == []
