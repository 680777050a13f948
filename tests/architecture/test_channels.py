"""The list "to add a channel, touch these files" of docs/sending.md is true: every channel that is sent has its part in each."""

from __future__ import annotations

import re

import pytest
from django.conf import settings

from campaigns.audience.channels import address_sql, read_address
from campaigns.audience.connected import sent_channels
from campaigns.content.channels import find_writer
from campaigns.delivery import packing
from campaigns.delivery.breaker_words import words_for
from campaigns.delivery.channels.choice import current_route, open_channel
from campaigns.views.channels import _tell
from customers.models import Channel, Customer
from retention_site.embedded.state import ROOT
from tests.campaigns.delivery.test_http_channels import DOORS

SENT = ("email", "sms", "webhook")
SOMEBODY = Customer(external_id="c1", email="kim@shopper.test", phone="+447700900123")


def test_while_everything_is_caught_these_are_sent() -> None:
    assert sent_channels() == set(SENT)


@pytest.mark.parametrize("channel", SENT)
def test_a_channel_that_is_sent_has_all_its_parts(channel: str) -> None:
    assert channel in Channel.values
    assert "{" not in address_sql(channel) and read_address(channel, SOMEBODY)
    assert find_writer(channel).key == channel
    route = current_route(channel)
    assert route is not None
    opened = open_channel(channel)
    assert opened.route == route
    for method in ("ensure_open", "deliver", "close"):
        assert callable(getattr(opened, method))
    assert packing.read_recipient(channel, SOMEBODY)
    assert channel == "email" or channel in packing._PACKERS
    words, mail = words_for(channel), words_for("email")
    assert channel == "email" or words != mail
    assert f"{channel.upper()}_URL" in words.login
    told = _tell(Channel(channel))
    assert told["is_connected"] and told["facts"] and told["setting"] == f"{channel.upper()}_URL"
    assert hasattr(settings, told["setting"])
    assert f"#{told['setting']}=" in (ROOT / ".env.example").read_text(encoding="utf-8")
    assert channel == "email" or channel in {door.channel for door in DOORS.values()}, "put it through the faults"


def test_the_list_names_files_that_are_there() -> None:
    page = (ROOT / "docs/sending.md").read_text(encoding="utf-8")
    listed = page.partition("### To add a channel, touch these files")[2].partition("To add a provider")[0]
    files = re.findall(r"`((?:campaigns|customers|retention_site|tests)/[\w/]+(?:\.py|/))`", listed)
    assert len(files) >= 8
    assert [name for name in files if not (ROOT / name).exists()] == []
