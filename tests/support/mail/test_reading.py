"""Mails as they are written in the world: charsets, broken headers, HTML, deep nesting. Read, never refused, never run."""

from __future__ import annotations

import base64
import datetime as dt
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.mail.automatic import Automatic
from support.mail.charsets import decode_bytes
from support.mail.html_text import make_text
from support.mail.reading import ReadMail, parse_bytes, read_mail
from tests.support.conftest import NOW

from .letters import write_mail


def read(raw: bytes, **options: object) -> ReadMail:
    return read_mail(parse_bytes(raw), received_at=NOW, our_addresses={"help@tarnside.test"}, **options)  # type: ignore[arg-type]


def plain(body: bytes, charset: str, *, encoding: str = "8bit") -> bytes:
    kind = f"Content-Type: text/plain; charset={charset}\nContent-Transfer-Encoding: {encoding}"
    return f"From: a@b.test\nMessage-ID: <x@b.test>\n{kind}\n\n".encode() + body


@pytest.mark.parametrize(
    ("said", "declared", "written"),
    [
        ("帐篷坏了，质量太差", "gb2312", "gb18030"),
        ("帐篷坏了，镕囍", "gbk", "gb18030"),
        ("帐篷坏了", "utf-8", "gb18030"),
        ("帐篷坏了", "us-ascii", "utf-8"),
        ("帐篷坏了", "x-unknown-charset", "gb18030"),
        ("テントが壊れた", "iso-2022-jp", "iso2022_jp"),
        ("텐트가 고장", "iso-2022-kr", "iso2022_kr"),
        ("텐트가 고장", "ks_c_5601-1987", "cp949"),
        ("Größe “M” – 5 €", "iso-8859-1", "cp1252"),
        ("Größe", "utf-16", "utf-16"),
        ("帳篷壞了", "big5", "big5"),
    ],
)
def test_text_is_read_whatever_its_charset_says(said: str, declared: str, written: str) -> None:
    assert read(plain(base64.encodebytes(said.encode(written)), declared, encoding="base64")).said == said


def test_what_no_charset_fits_loses_only_what_it_cannot_read() -> None:
    text = read(plain(b"Hello \xff\xff\xff world", "utf-8")).said
    assert text.startswith("Hello") and text.endswith("world")


@settings(max_examples=150, deadline=None)
@given(
    st.binary(max_size=200),
    st.sampled_from(["utf-7", "utf-8", "gb2312", "unicode_escape", "idna", "iso-2022-jp", "nonsense", ""]),
)
def test_any_bytes_become_text_that_can_be_stored(raw: bytes, charset: str) -> None:
    decode_bytes(raw, charset).encode("utf-8")


@settings(max_examples=120, deadline=None)
@given(st.binary(max_size=400))
def test_no_bytes_make_the_reading_raise(raw: bytes) -> None:
    mail = read(b"From: a@b.test\n" + raw)
    for text in (mail.said, mail.whole, mail.subject, mail.headers, mail.message_id, mail.sender.address):
        assert "\x00" not in text and text.encode("utf-8") is not None


def test_headers_in_every_way_of_writing() -> None:
    head = (
        b"From: =?gb2312?B?" + base64.b64encode("金丝".encode("gb18030")) + b"?= <KIM@Shopper.test>\n"
        b"Subject: =?utf-8?Q?Gr=C3=B6=C3=9Fe?= =?utf-8?Q?_M?=\n =?x-unknown?B?8J+Ykw==?=\nMessage-ID: <a@b>\n"
        b"References: <one@b>\n\t<two@b> garbage <three@b>\nIn-Reply-To: <three@b>\n\nhi"
    )
    mail = read(head)
    assert (mail.sender.name, mail.sender.address) == ("金丝", "kim@shopper.test")
    assert mail.subject.startswith("Größe M")
    assert mail.references == ("three@b", "two@b", "one@b"), "the nearest first"
    raw = read("From: Zoë <zoe@b.test>\nSubject: 退货\n\nhi".encode())
    assert (raw.sender.name, raw.subject) == ("Zoë", "退货"), "bytes that nobody encoded"


def test_headers_that_turn_text_around_or_break_lines_are_made_plain() -> None:
    mail = read("From: =?utf-8?Q?Kim=0D=0ABcc=3A_x=E2=80=AEtest?= <k@b.test>\nSubject: a\u202etxt.exe\n\nhi".encode())
    assert mail.sender.name == "Kim Bcc: x test" and mail.subject == "a txt.exe"
    hidden = read("From: k@b.test\nSubject: re\u200ffund \u2067now\u2069\ufeff\n\nhi".encode())
    assert hidden.subject == "re fund now", "nothing that nobody sees is kept"


def test_a_date_that_cannot_be_is_the_time_of_receiving() -> None:
    for date in ("Mon, 01 Jan 1990 00:00:00 +0000", "nonsense", "Fri, 31 Dec 2099 00:00:00 +0000", ""):
        assert read(f"From: a@b.test\nDate: {date}\n\nhi".encode()).written_at == NOW
    an_hour_ago = "Mon, 23 Nov 2026 11:00:00 +0000"
    assert read(f"From: a@b.test\nDate: {an_hour_ago}\n\nhi".encode()).written_at == NOW - dt.timedelta(hours=1)


def test_the_plain_part_is_read_and_html_only_where_there_is_none() -> None:
    assert read(write_mail("plain words", html="<p>other words</p>")).said == "plain words"
    mail = EmailMessage()
    mail["From"], mail["Message-ID"] = "a@b.test", "<x@b>"
    mail.set_content(
        "<html><head><title>t</title><style>p{color:red}</style></head><body><p>Hello,&nbsp;the <b>zip</b> broke.</p>"
        "<script>alert(1)</script><ul><li>one<li>two</ul><a href='https://evil.test/x'>our shop</a>"
        "<img src=x onerror=alert(1)><blockquote><p>earlier words</p></blockquote></body></html>",
        subtype="html",
    )
    told = read(mail.as_bytes())
    assert told.said == "Hello, the zip broke.\n\n- one\n- two\nour shop (https://evil.test/x)"
    assert "alert" not in told.whole and "color" not in told.whole and "> earlier words" in told.whole


def test_broken_html_keeps_its_words() -> None:
    assert make_text("<head><title>x<body><p>one<div>two") == "one\ntwo"
    assert make_text("a < b && c > d <unknown>e") == "a < b && c > d e"
    assert make_text("<p>" * 5000 + "deep") == "deep"


def test_a_mail_nested_without_end_is_read_as_far_as_it_goes() -> None:
    raw = b"From: a@b.test\nMessage-ID: <deep@b>\nSubject: deep\n"
    for level in range(3000):
        raw += b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (level, level)
    mail = read(raw + b"\nhello")
    assert mail.subject == "deep" and mail.message_id == "deep@b"


def test_a_mail_within_the_mail_is_a_file_and_not_read_as_words() -> None:
    inner, outer = EmailMessage(), EmailMessage()
    inner["From"], inner["Subject"] = "x@y.test", "inner"
    inner.set_content("words of somebody else")
    outer["From"], outer["Message-ID"] = "a@b.test", "<o@b>"
    outer.set_content("see below")
    outer.add_attachment(inner)
    mail = read(outer.as_bytes())
    assert mail.said == "see below" and len(mail.files) == 1 and b"words of somebody else" in mail.files[0].content


def test_names_of_files_lose_folders_and_tricks() -> None:
    names = ["../../etc/passwd", "C:\\Users\\Kim\\photo.png", "in\u202egnp.exe", "", "a" * 400 + ".pdf"]
    mail = read(write_mail(files=[(name, b"x") for name in names]))
    assert [file.name for file in mail.files][:3] == ["passwd", "photo.png", "in gnp.exe"]
    assert all(len(file.name) <= 150 for file in mail.files)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"Auto_Submitted": "auto-replied"}, Automatic.REPLY),
        ({"Auto_Submitted": "auto-generated; owner-email=x"}, Automatic.REPLY),
        ({"X_Autoreply": "yes"}, Automatic.REPLY),
        ({"Precedence": "auto_reply"}, Automatic.REPLY),
        ({"Precedence": "bulk"}, Automatic.LIST),
        ({"List_Id": "<news.shop.test>"}, Automatic.LIST),
        ({"Return_Path": "<>"}, Automatic.BOUNCE),
        ({"sender": "MAILER-DAEMON@mx.test"}, Automatic.BOUNCE),
        ({"sender": "Help <HELP@tarnside.test>"}, Automatic.OURS),
        ({"Auto_Submitted": "no"}, Automatic.NO),
        ({}, Automatic.NO),
    ],
)
def test_what_no_person_wrote_is_known_for_it(fields: dict[str, str], why: Automatic) -> None:
    assert read(write_mail(**fields)).automatic == why  # type: ignore[arg-type]


def test_a_delivery_report_is_known_by_its_kind() -> None:
    raw = b"From: system@mx.test\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\nhi\n--b--\n"
    assert read(raw).automatic == Automatic.BOUNCE


def test_copies_have_one_key_and_others_have_others() -> None:
    first = read(write_mail("one"))
    assert read(write_mail("one", Received="by another way")).key == first.key
    assert read(write_mail("one", message_id="<m2@shopper.test>")).key != first.key
    bare = [read(write_mail(text, message_id="")).key for text in ("one", "one", "two")]
    assert bare[0] == bare[1] != bare[2]


@pytest.mark.parametrize(
    "raw",
    [
        b"\n" * 250_000, b"> \n" * 60_000, b"<" + b"a@" * 120_000, b" " * 250_000 + b"x", b"On " + b"a " * 100_000 + b"wrote:",
        b"From: x\n" * 30_000, b"-" * 250_000, b"On x\n" * 50_000,
    ],
)  # fmt: skip
def test_a_text_made_to_keep_us_busy_is_read_all_the_same(raw: bytes) -> None:
    """Each of these took hours, or would, where a search through it takes the square of its length."""
    assert read(plain(raw, "utf-8")).whole is not None


@pytest.mark.parametrize(
    "html",
    ["<a href='https://x.test/'>y</a>" * 20_000, "<blockquote>" * 40_000 + "x", "<script>" * 40_000, "<p" * 90_000,
     "<li>" * 50_000, "&" * 300_000, "<!--" * 70_000, "</a" * 90_000, "<?" * 90_000, "<![CDATA[" * 30_000],
)  # fmt: skip
def test_html_made_to_keep_us_busy_is_read_all_the_same(html: str) -> None:
    assert make_text(html) is not None


def test_a_head_without_end_is_read_as_far_as_people_would() -> None:
    raw = b"From: a@b.test\n" + b"".join(b"X-%d: =?utf-8?Q?%s?=\n" % (n, b"a" * 60) for n in range(20_000)) + b"\nhi"
    mail = read(raw)
    assert mail.sender.address == "a@b.test" and len(mail.headers) <= 20_000 and mail.said == "hi"
