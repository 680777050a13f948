"""The bytes of a message, read back with the standard library's parser."""

from __future__ import annotations

import binascii
import datetime as dt
import re
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.content.rendering import RenderedMessage
from campaigns.delivery.mime import BadAddress, Sender, build_content, hash_body, normalise_address

LINK = "https://shop.test/u/12-34.signature/"
SENT_AT = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)


def build(
    subject: str = "Your jacket", text: str = "Hello Kim\n", html: str = "<p>Hello</p>", name: str = "Fell"
) -> EmailMessage:
    content = build_content(
        RenderedMessage(subject, "", html, text),
        sender=Sender(name, "hello@fernweh.test"),
        recipient="kim@shopper.test",
        message_id="<1.1.2.abc@fernweh.test>",
        unsubscribe_url=LINK,
        sent_at=SENT_AT,
    )
    lines = content.split(b"\r\n")
    assert all(len(line) <= 998 for line in lines) and b"\n" not in b"".join(lines)
    assert content.isascii()
    found = message_from_bytes(content, policy=policy.default)
    assert not found.defects
    return found  # type: ignore[return-value]


def part(message: EmailMessage, kind: str) -> str:
    body = message.get_body((kind,))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")  # CRLF is the wire's


def test_headers_of_bulk_mail() -> None:
    message = build()

    assert message["List-Unsubscribe"] == f"<{LINK}>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["From"] == "Fell <hello@fernweh.test>"
    assert message["Reply-To"] == "hello@fernweh.test" and message["To"] == "kim@shopper.test"
    assert message["Message-ID"] == "<1.1.2.abc@fernweh.test>"
    assert message["Date"].datetime == SENT_AT
    assert message.get_content_type() == "multipart/alternative"


@pytest.mark.parametrize(
    ("subject", "name"),
    [
        ("Plain words", "Fernweh & Fell"),
        ("您的夹克在等您，这个冬天请一定要来看看我们为您准备的新品和优惠活动，数量有限先到先得", "远方与山丘"),
        ('Quotes "and" commas, <angles>', "Fell, Sons & Daughters <x@y.test>"),
        ("=?utf-8?q?not_encoded?=", "Zoë's"),
        ("word " * 60, "Fell"),
    ],
)
def test_subject_and_name_come_back_as_they_were(subject: str, name: str) -> None:
    message = build(subject, name=name)
    assert message["Subject"] == subject.strip()
    assert message["From"].addresses[0].display_name == name
    assert message["From"].addresses[0].addr_spec == "hello@fernweh.test"


def test_a_line_end_in_a_value_starts_no_header() -> None:
    message = build("Hello\r\nBcc: all@shopper.test", name="Fell\nX-Evil: 1")
    assert message["Bcc"] is None and message["X-Evil"] is None
    assert message["Subject"] == "Hello Bcc: all@shopper.test"


@pytest.mark.parametrize(
    "text",
    [
        "Hello Kim\n",
        "您好，Kim\n新的夹克到了。\n" * 40,
        ".\n..\nFrom here\n",
        "x" * 3000 + "\n",
        "trailing space \n=\n",
        "50 % & é\n",
    ],
)
def test_bodies_come_back_as_they_were(text: str) -> None:
    message = build(text=text, html=f"<p>{text}</p>")
    assert part(message, "plain") == text
    assert part(message, "html").rstrip("\n") == f"<p>{text}</p>".rstrip("\n")


@pytest.mark.parametrize(
    ("address", "wire"), [("kim@shopper.test", "kim@shopper.test"), (" kim+x@bücher.test ", "kim+x@xn--bcher-kva.test")]
)
def test_addresses_go_as_ascii(address: str, wire: str) -> None:
    assert normalise_address(address) == wire


@pytest.mark.parametrize(
    "address",
    ["", "kim", "kim@", "@x.test", "kim@x.test>\r\nRCPT TO:<all@x.test", "a b@x.test", "kím@x.test", "a..b@x.test",
     "kim@x.test,all@x.test", "kim@" + "x" * 300 + ".test", ".kim@x.test", "kim@x..test"],
)  # fmt: skip
def test_addresses_that_smuggle_or_cannot_be_are_refused(address: str) -> None:
    with pytest.raises(BadAddress):
        normalise_address(address)


def test_body_hash_covers_every_part() -> None:
    base = ("a", "b", "c", "d")
    hashes = {hash_body(RenderedMessage(*base[:n], "x", *base[n + 1 :])) for n in range(4)}
    assert len(hashes | {hash_body(RenderedMessage(*base))}) == 5


@given(st.lists(st.text(alphabet="ab =.\té雨", max_size=90), max_size=6).map("\n".join))
def test_lines_are_quoted_one_by_one_as_the_whole_text_is(text: str) -> None:
    """Each part of a message is made of lines that were quoted before: the standard library quotes the whole."""
    content = build_content(
        RenderedMessage("", "", "", text), sender=Sender("", "hello@fernweh.test"), recipient="kim@shopper.test",
        message_id="<1.1.2.abc@fernweh.test>", unsubscribe_url=LINK, sent_at=SENT_AT,
    )  # fmt: skip
    data = text.replace("\n", "\r\n").encode()
    wanted = re.sub(rb"\r?\n", b"\r\n", binascii.b2a_qp(data, istext=True))
    assert len(data.translate(None, bytes(range(128)))) > 300 or b"\r\n\r\n" + wanted + b"\r\n--" in content
