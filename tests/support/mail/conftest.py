"""What the tests of mail share: a file store of their own, the shop's addresses, and taking a mail in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from support.mail.reading import parse_bytes
from support.mail.taking import take_in_mail
from support.models import MailOutcome, MailWay
from tests.support.conftest import NOW

Take = Callable[..., MailOutcome | None]


@pytest.fixture(autouse=True)
def shop(settings: Settings, tmp_path: Path) -> None:
    settings.ATTACHMENT_DIR = tmp_path / "attachments"
    settings.SUPPORT_ADDRESS = settings.SHOP_FROM_EMAIL = "help@tarnside.test"
    settings.SUPPORT_AUTH_SERVER = "mx.tarnside.test"


@pytest.fixture
def take(db: None) -> Take:
    """Take a mail in as it came from a mailbox."""

    def run(raw: bytes, *, at: dt.datetime = NOW, **options: Any) -> MailOutcome | None:
        return take_in_mail(parse_bytes(raw), way=MailWay.IMAP, received_at=at, now=at, **options)

    return run
