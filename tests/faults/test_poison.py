"""Rows that cannot be sent as they are, behind every check of the doors: each parks itself with its reason, the rest is sent."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.db import DataError, connection, transaction
from django.utils import timezone
from pytest_django import Settings

from campaigns.approval.hashing import hash_messages
from campaigns.content.rendering import load_source, source_hash
from campaigns.delivery.channels.smtp import SmtpChannel, SmtpServer
from campaigns.delivery.copies import Unsendable, make_copy, prepare_batch
from campaigns.delivery.outbox import claim_batch
from campaigns.delivery.sender import send_waiting_messages
from campaigns.models import Approval, Archetype, AudienceMember, Campaign, CampaignStatus, Message, Variant
from customers.models import Customer
from tests.campaigns import arrange
from tests.campaigns.arrange import Cast
from tests.smtp_server import ScriptedSmtpServer

#: Written past every form and importer, as only a fault of ours or of whoever has the database could. "": it may be sent
#: where nothing of it stands in the way (a time zone matters only to a campaign that asks for it), else parked.
POISON: dict[str, tuple[str, Any, set[str]]] = {
    "a line end that would be a header": ("email", "c@shopper.test\r\nBcc: victim@shopper.test", {"no_address"}),
    "a label that no mail server takes": ("email", "c@" + "x" * 70 + ".test", {"no_address"}),
    "two words": ("email", "two words@shopper.test", {"no_address"}),
    "nothing": ("email", "", {"no_address"}),
    "an address that is none": ("email", "@", {"no_address"}),
    "a zone that is nowhere": ("time_zone", "Mars/Olympus", {"", "bad_time_zone", "unrenderable"}),
    "a zone that leads out of its folder": ("time_zone", "../../etc/passwd", {"", "bad_time_zone", "unrenderable"}),
    "a language that is none": ("language", "\u202e\x1b[31m", {""}),
    "a name with a template in it": ("first_name", "{{ 7 | times: 7 }}{% raw %}", {""}),
    "a name of line ends": ("first_name", "\r\n\r\n.\r\nMAIL FROM:<x@x.test>\r\n", {""}),
    "attributes of a megabyte": ("attributes", json.dumps({"a": "x" * 1_000_000}), {""}),
    "attributes of many floors": ("attributes", '{"a":' * 900 + "1" + "}" * 900, {""}),
}


@pytest.fixture
def cast(db: None) -> Cast:
    return arrange.make_cast()


@pytest.fixture
def now() -> dt.datetime:
    return timezone.now()


@pytest.fixture
def sweep() -> Callable[[ScriptedSmtpServer], None]:
    def run(server: ScriptedSmtpServer) -> None:
        target = SmtpServer("127.0.0.1", server.port, 10)
        send_waiting_messages(seconds=60, connections=1, open_channel=lambda: SmtpChannel(target))

    return run


def test_each_poison_row_is_parked_alone_and_the_rest_is_sent(
    cast: Cast, now: dt.datetime, sweep: Callable[[ScriptedSmtpServer], None]
) -> None:
    people = arrange.make_customers(3 * len(POISON), now=now)
    poisoned = dict(zip(POISON, people[1::3], strict=True))
    campaign = arrange.start(arrange.make_campaign(cast.marketer, people, send_at=now, now=now), cast, now=now)
    for name, (column, value, _reasons) in POISON.items():
        with connection.cursor() as cursor:
            cursor.execute(f"UPDATE customers_customer SET {column} = %s WHERE id = %s", [value, poisoned[name].pk])

    with ScriptedSmtpServer() as server:
        sweep(server)

    rows = {row.customer_id: row for row in Message.objects.filter(campaign=campaign)}
    for name, (_column, _value, reasons) in POISON.items():
        row = rows[poisoned[name].pk]
        assert row.skip_reason in reasons and row.status == ("skipped" if row.skip_reason else "accepted"), name
    ill = {customer.pk for customer in poisoned.values()}
    assert {row.status for row in rows.values() if row.customer_id not in ill} == {"accepted"}
    taken = [row for row in rows.values() if row.status == "accepted"]
    assert len(server.taken) == len(set(server.message_ids())) == len(taken)
    assert not any("victim" in who for who in server.recipients)
    assert not any(b"victim" in content or b"\r\n.\r\n" in content for content in server.taken)
    campaign.refresh_from_db()
    assert campaign.status == CampaignStatus.SENDING, "poison is the row's own fault and pauses nothing"


def test_an_unknown_merge_tag_parks_those_who_would_get_it_and_nobody_else(
    cast: Cast, now: dt.datetime, sweep: Callable[[ScriptedSmtpServer], None]
) -> None:
    """It cannot be approved; here it is smuggled past the approval, for the text of one group."""
    people = arrange.make_customers(7, now=now)
    draft = arrange.make_campaign(cast.marketer, people, send_at=now, now=now)
    group = Archetype.objects.create(campaign=draft, cell="lapsed|tents|en", language="en", size=1)
    text = arrange.make_variant(group, cast.marketer, now=now)
    AudienceMember.objects.filter(campaign=draft, customer=people[3]).update(archetype=group)
    Archetype.objects.filter(campaign=draft).exclude(pk=group.pk).update(size=6)
    campaign = arrange.start(draft, cast, now=now)
    broken = replace(load_source(text), text="{{ nosuchtag }} {{ unsubscribe_url }}")
    Variant.objects.filter(pk=text.pk).update(
        source=text.source | {"text": broken.text}, content_hash=source_hash(broken)
    )
    Approval.objects.filter(part="messages").update(part_hash=hash_messages(campaign))

    with ScriptedSmtpServer() as server:
        sweep(server)

    parked = Message.objects.get(campaign=campaign, status="skipped")
    assert (parked.customer_id, parked.skip_reason) == (people[3].pk, "unrenderable") and "nosuchtag" in parked.response
    assert Message.objects.filter(campaign=campaign, status="accepted").count() == len(server.taken) == 6


@pytest.mark.parametrize("slots", [{}, {"first_name": "Kim"}, [], "text", {"unsubscribe_url": {"deep": [1]}}])
def test_slots_of_an_earlier_try_that_are_broken_make_that_copy_unsendable(
    cast: Cast, now: dt.datetime, slots: Any
) -> None:
    people = arrange.make_customers(1, now=now)
    campaign = arrange.start(arrange.make_campaign(cast.marketer, people, send_at=now, now=now), cast, now=now)
    (message,) = claim_batch("w", campaign_id=campaign.pk, size=1)
    batch = prepare_batch(campaign, [message], now=now)
    with pytest.raises(Unsendable) as caught:
        make_copy(batch, replace(message, kept_slots=slots))
    assert caught.value.reason == "unrenderable"


def test_what_the_database_cannot_keep_of_a_copy_pauses_instead_of_ending_every_sweep(
    transactional_db: None,
    cast: Cast,
    now: dt.datetime,
    settings: Settings,
    sweep: Callable[[ScriptedSmtpServer], None],
) -> None:
    """A copy that is made but not marked would be claimed again for ever, first of all rows."""
    campaign: Campaign = arrange.start(
        arrange.make_campaign(cast.marketer, arrange.make_customers(5, now=now), send_at=now, now=now), cast, now=now
    )
    settings.SITE_URL = "https://shop.test/\x00"

    with ScriptedSmtpServer() as server:
        sweep(server)

    campaign.refresh_from_db()
    assert server.taken == [] and campaign.status == CampaignStatus.PAUSED
    assert "could not be made" in campaign.status_reason


@pytest.mark.parametrize("value", ["x" * 1_000_000, "a\x00b", "\ud800"])
def test_what_would_be_worse_never_reaches_a_row(db: None, value: str) -> None:
    """A name of a megabyte, NUL, half a surrogate pair: the database itself refuses them, whoever writes."""
    customer = arrange.make_customers(1)[0]
    with pytest.raises((DataError, ValueError)), transaction.atomic():
        Customer.objects.filter(pk=customer.pk).update(first_name=value)
    customer.refresh_from_db()
    assert customer.first_name == "Kim"
