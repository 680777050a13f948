"""The catcher of text messages and web hooks, over real HTTP: it keeps what is made up and refuses what may be real."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from retention_site.embedded.mail_catcher import MESSAGES, MailCatcher
from retention_site.embedded.message_catcher import list_messages


@pytest.fixture
def catcher(tmp_path: Path) -> Iterator[MailCatcher]:
    catcher = MailCatcher(tmp_path, folder=tmp_path / "mail")
    catcher.start()
    yield catcher
    catcher.close()


def talk(catcher: MailCatcher) -> HTTPConnection:
    environment = catcher.environment
    return HTTPConnection(environment["MESSAGE_CATCHER_HOST"], int(environment["MESSAGE_CATCHER_PORT"]), timeout=20)


def post(line: HTTPConnection, path: str, body: str, headers: dict[str, str] | None = None) -> tuple[int, Any]:
    line.request("POST", path, body.encode(), headers or {})
    answer = line.getresponse()
    return answer.status, json.loads(answer.read())


def text(to: str) -> str:
    return urlencode({"To": to, "From": "+447700900000", "Body": "Hello 李雷 & all"})


def test_a_text_message_is_kept_each_time_it_comes(catcher: MailCatcher) -> None:
    line = talk(catcher)
    for _time in range(2):
        status, said = post(line, "/2010-04-01/Accounts/AC1/Messages.json", text("+447700900123"))
        assert status == 201 and said["sid"].startswith("SM") and said["status"] == "queued"
    caught = list_messages(catcher.folder / MESSAGES)
    assert [(one["to"], one["text"]) for one in caught] == [("+447700900123", "Hello 李雷 & all")] * 2


@pytest.mark.parametrize("number", ["+447700911123", "+12025551234", "+8613800138000", "", "07700900123"])
def test_a_number_that_somebody_may_have_is_refused(catcher: MailCatcher, number: str) -> None:
    status, said = post(talk(catcher), "/2010-04-01/Accounts/AC1/Messages.json", text(number))
    assert (status, said["code"]) == (400, 21211) and "SMS_URL" in said["message"]
    assert list_messages(catcher.folder / MESSAGES) == []


def test_a_web_hook_is_taken_once_under_its_id(catcher: MailCatcher) -> None:
    line, name = talk(catcher), {"webhook-id": "1.1.2.abc"}
    assert [post(line, "/webhook", '{"a": 1}', name)[0] for _time in range(3)] == [202, 202, 202]
    assert post(line, "/webhook", '{"a": 2}', name)[0] == 409
    assert post(line, "/webhook", '{"a": 1}')[0] == 400
    (caught,) = list_messages(catcher.folder / MESSAGES)
    assert (caught["id"], caught["body"]) == ("1.1.2.abc", '{"a": 1}')


def test_nothing_else_is_there(catcher: MailCatcher) -> None:
    line = talk(catcher)
    line.request("GET", "/")
    assert line.getresponse().status == 404
    assert post(talk(catcher), "/elsewhere", "{}")[0] == 404
    assert list_messages(catcher.folder / MESSAGES) == []
