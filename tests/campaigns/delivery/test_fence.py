"""Restored backups do not send: what the database says has to match what is kept outside it, until a person confirms."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.management import call_command
from django.db import transaction
from django.db.models.functions import Now
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from campaigns.approval.policy import NotReady
from campaigns.delivery import scheduler
from campaigns.delivery.channels import Envelope, Reply
from campaigns.delivery.channels.smtp import SmtpChannel, SmtpServer
from campaigns.delivery.fence import gate
from campaigns.delivery.fence.confirming import confirm_sending
from campaigns.delivery.fence.judge import Inside, judge
from campaigns.delivery.fence.risk import assess_risks
from campaigns.delivery.fence.witness import FileKeeper, StoreKeeper, Witness, open_keepers
from campaigns.delivery.sender import send_waiting_messages
from campaigns.models import Campaign, Message, SendingEpoch, TransitionConflict
from customers.ingest.consent import hash_address
from customers.ingest.erased import hash_identity
from customers.ingest.outside import append_lines
from customers.models import AuditEntry, Customer, Suppression
from tests.at_once import do_at_once
from tests.campaigns import arrange
from tests.campaigns.arrange import Cast
from tests.smtp_server import ScriptedSmtpServer

from .conftest import Sweep, states

WHY = "Looked at the mail server's log."
INSIDE = Inside("e2", 7, "cluster/1", frozenset({"e1"}))


@contextmanager
def restored_afterwards() -> Iterator[None]:
    """What happens inside is undone in the database, as by putting back a backup that was taken before; not outside it."""
    backup = transaction.savepoint()
    yield
    transaction.savepoint_rollback(backup)


@pytest.fixture
def smtp() -> Iterator[ScriptedSmtpServer]:
    with ScriptedSmtpServer() as server:
        yield server


@pytest.mark.parametrize(
    ("witnesses", "cause"),
    [
        ([Witness("e2", 7), Witness("e2", 7)], ""),
        ([Witness("e2", 6)], ""),  # the worker was killed before it could tell
        ([Witness("e2", 8)], "behind"),
        ([Witness("e2", 7), Witness("e2", 8)], "behind"),
        ([Witness("e1", 900), Witness("e2", 7)], ""),  # a machine that has not heard of the confirmation yet
        ([Witness("e1", 900)], ""),
        ([Witness("e3", 1)], "stranger"),
        ([Witness("e2", 7), Witness("e3", 1)], "stranger"),
        ([replace(Witness("e2", 7), is_copy=True)], "copied"),
        ([replace(Witness("e1", 7), is_copy=True), Witness("e2", 7)], ""),
        ([], "no_witness"),
    ],
)
def test_the_two_halves_are_compared(witnesses: list[Witness], cause: str) -> None:
    assert judge(INSIDE, "cluster/1", witnesses, all_read=True).cause == cause


def test_another_cluster_or_database_is_told_by_its_name() -> None:
    assert judge(INSIDE, "cluster/2", [Witness("e2", 7)], all_read=True).cause == "moved"


def test_a_message_that_the_database_does_not_know_to_have_sent_proves_that_it_went_back() -> None:
    assert judge(INSIDE, "cluster/1", [Witness("e2", 7)], all_read=True, unknown_newest=[5]).cause == "behind"


def test_without_an_answer_nobody_is_accused_and_nothing_is_sent() -> None:
    finding = judge(INSIDE, "cluster/1", [], all_read=False)
    assert finding.waits and not finding.matches


def test_an_epoch_in_which_nothing_was_sent_may_begin_anywhere() -> None:
    assert judge(replace(INSIDE, moved=0), "cluster/1", [], all_read=True).matches


def test_a_new_shop_sends_and_a_restart_sends_on(running: Campaign, smtp: ScriptedSmtpServer, sweep: Sweep) -> None:
    Message.objects.filter(pk=Message.objects.earliest("pk").pk).update(status="retry_wait", not_before=None)
    sweep(smtp)
    Message.objects.filter(status="retry_wait").update(status="queued")
    sweep(smtp)

    assert states(running) == {"accepted": 3}
    (epoch,) = SendingEpoch.objects.all()
    assert (epoch.moved, epoch.fenced_at) == (2, None)
    highest = Message.objects.latest("pk").pk
    for keeper in open_keepers():
        held = keeper.read()
        assert held == Witness(epoch.epoch, 2, {running.pk: highest})


@pytest.mark.parametrize("lost", ["file", "store"])
def test_one_keeper_may_be_lost(running: Campaign, smtp: ScriptedSmtpServer, sweep: Sweep, lost: str) -> None:
    assert gate.ask_leave() is not None
    lose(lost)

    sweep(smtp)

    assert states(running) == {"accepted": 3}
    assert all(keeper.read() is not None for keeper in open_keepers())


def test_where_both_are_lost_a_person_decides(running: Campaign, smtp: ScriptedSmtpServer, sweep: Sweep) -> None:
    assert gate.ask_leave() is not None
    lose("file")
    lose("store")

    sweep(smtp)

    assert states(running) == {"queued": 3} and not smtp.taken
    fence = gate.read_fence()
    assert fence is not None and fence.cause == "no_witness"
    assert AuditEntry.objects.filter(action="sending_fenced", details__cause="no_witness").count() == 1


def test_while_the_shared_keeper_is_away_the_file_is_enough_and_without_it_nothing_is_sent(
    running: Campaign, settings: Settings, smtp: ScriptedSmtpServer, sweep: Sweep
) -> None:
    assert gate.ask_leave() is not None
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"
    assert gate.ask_leave() is not None

    lose("file")
    sweep(smtp)

    assert states(running) == {"queued": 3} and gate.read_fence() is None  # it is asked again, and not accused


def test_a_database_that_went_back_in_mid_campaign_sends_nothing(
    running: Campaign, smtp: ScriptedSmtpServer, sweep: Sweep
) -> None:
    assert gate.ask_leave() is not None
    with restored_afterwards():
        sweep(smtp)
        assert states(running) == {"accepted": 3}

    sweep(smtp)

    assert states(running) == {"queued": 3} and len(smtp.taken) == 3
    fence = gate.read_fence()
    assert fence is not None and fence.cause == "behind"


def test_even_within_one_sweep(running: Campaign, smtp: ScriptedSmtpServer) -> None:
    """The backup is of a moment at which the sweep had begun already: only the marked message gives it away."""
    leave = gate.ask_leave()
    assert leave is not None
    with restored_afterwards():
        first = Message.objects.earliest("pk")
        Message.objects.filter(pk=first.pk).update(status="sending", attempts=1)
        leave.note({running.pk: first.pk})
        assert gate.may_launch()

    assert not gate.may_launch()
    fence = gate.read_fence()
    assert fence is not None and fence.cause == "behind"


def test_a_dump_put_back_into_another_database_sends_nothing(
    running: Campaign, smtp: ScriptedSmtpServer, sweep: Sweep
) -> None:
    assert gate.ask_leave() is not None
    cluster, _slash, database = gate.read_place().partition("/")
    assert cluster.isdecimal()
    SendingEpoch.objects.update(place=f"{cluster}/{int(database) + 1}")  # as the dump of another database says

    sweep(smtp)

    fence = gate.read_fence()
    assert fence is not None and fence.cause == "moved" and states(running) == {"queued": 3}


def test_a_file_that_came_back_from_a_backup_together_with_the_database_is_known_by_its_inode(
    running: Campaign, settings: Settings
) -> None:
    assert gate.ask_leave() is not None
    lose("store")
    path = Path(settings.EPOCH_FILE)
    copy = path.with_suffix(".restored")
    copy.write_bytes(path.read_bytes())
    copy.replace(path)

    assert gate.ask_leave() is None
    fence = gate.read_fence()
    assert fence is not None and fence.cause == "copied"


class ClosesTheFence(SmtpChannel):
    """Another machine sees the restored backup while this one has a message in hand."""

    def deliver(self, envelope: Envelope) -> Reply:
        reply = super().deliver(envelope)
        SendingEpoch.objects.update(fenced_at=Now(), cause="behind")
        return reply


def test_a_sweep_under_way_stops_at_its_next_mark(running: Campaign, smtp: ScriptedSmtpServer) -> None:
    server = SmtpServer("127.0.0.1", smtp.port, 0.5)

    run = send_waiting_messages(seconds=20, connections=1, open_channel=lambda: ClosesTheFence(server))

    assert len(smtp.taken) == 1
    assert states(running) == {"accepted": 1, "queued": 2}
    assert run.has_more, "it ended, and did not claim and bid for nothing all its twenty seconds"


def test_a_backup_of_before_the_first_epoch_is_known_by_what_stands_outside(
    running: Campaign, smtp: ScriptedSmtpServer, sweep: Sweep
) -> None:
    with restored_afterwards():
        assert gate.ask_leave() is not None

    sweep(smtp)

    fence = gate.read_fence()
    assert fence is not None and fence.cause == "stranger" and states(running) == {"queued": 3}


def test_an_empty_database_begins_anew(db: None) -> None:
    for keeper in open_keepers():
        keeper.write(Witness("of-an-earlier-installation", 80))

    assert gate.ask_leave() is not None
    assert gate.ask_leave() is not None


def test_no_campaign_starts_behind_the_fence(cast: Cast, now: dt.datetime) -> None:
    campaign = arrange.schedule(arrange.make_campaign(cast.marketer, send_at=now, now=now), cast, now=now)
    with restored_afterwards():
        assert gate.ask_leave() is not None

    assert scheduler.start_due_campaigns(now).started == 0

    campaign.refresh_from_db()
    assert campaign.status == "scheduled" and gate.read_fence() is not None


@pytest.mark.django_db(transaction=True)
def test_workers_that_begin_at_once_accuse_nobody() -> None:
    def work() -> list[gate.Leave | None]:
        return [gate.ask_leave() for _number in range(10)]

    leaves = do_at_once(*[work] * 4)

    assert all(isinstance(each, list) and len(each) == 10 and None not in each for each in leaves), leaves
    (epoch,) = SendingEpoch.objects.all()
    assert (epoch.moved, epoch.fenced_at) == (40, None)
    assert [keeper.read() for keeper in open_keepers()] == [Witness(epoch.epoch, 40)] * 2


def test_the_keepers_never_go_back(settings: Settings) -> None:
    for keeper in open_keepers():
        keeper.write(Witness("e", 9, {1: 50, 2: 7}))
        keeper.write(Witness("e", 4, {1: 20, 3: 8}))
        held = keeper.read()
        assert held is not None and (held.moved, dict(held.newest)) == (9, {1: 50, 2: 7, 3: 8})
        keeper.write(Witness("next"))
        assert keeper.read() == Witness("next")


def test_a_torn_file_says_nothing(tmp_path: Path) -> None:
    path = tmp_path / "epoch.json"
    path.write_bytes(b'{"epoch": "e", "mov')
    assert FileKeeper(path).read() is None
    FileKeeper(path).write(Witness("e", 3))
    assert FileKeeper(path).read() == Witness("e", 3)


def lose(name: str) -> None:
    for keeper in open_keepers():
        if keeper.name == name == "file":
            assert isinstance(keeper, FileKeeper)
            keeper.path.unlink()
        elif keeper.name == name:
            assert isinstance(keeper, StoreKeeper)
            keeper.client.delete(keeper.key)


# --- What a person decides ------------------------------------------------------------------------------------------


def go_back_in_mid_campaign(campaign: Campaign, sent: int) -> SendingEpoch:
    """`sent` messages left after the backup was taken."""
    leave = gate.ask_leave()
    assert leave is not None
    with restored_afterwards():
        marked = Message.objects.filter(campaign=campaign).order_by("pk")[:sent]
        Message.objects.filter(pk__in=[row.pk for row in marked]).update(status="accepted", attempts=1)
        leave.note({campaign.pk: marked[sent - 1].pk})
        leave.close()
    assert gate.ask_leave() is None
    fence = gate.read_fence()
    assert fence is not None
    return fence


def test_only_messages_up_to_the_last_that_left_are_at_risk(running: Campaign, now: dt.datetime) -> None:
    fence = go_back_in_mid_campaign(running, sent=2)

    risks = assess_risks(fence, now=now)

    assert risks.is_exact and risks.missing == 0
    assert [(risk.campaign, risk.waiting, risk.at_risk) for risk in risks.rows] == [(running, 3, 2)]


def test_what_may_have_been_sent_is_written_off_and_exactly_the_rest_is_sent(
    running: Campaign, cast: Cast, now: dt.datetime, smtp: ScriptedSmtpServer, sweep: Sweep,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:  # fmt: skip
    go_back_in_mid_campaign(running, sent=2)
    last = Message.objects.latest("pk")

    with django_capture_on_commit_callbacks(execute=True):
        epoch = confirm_sending(cast.approver, note=WHY, choices={running.pk: "unknown"}, now=now)
    sweep(smtp)

    assert states(running) == {"unknown": 2, "accepted": 1}
    last.refresh_from_db()
    assert last.status == "accepted" and len(smtp.taken) == 1
    entry = AuditEntry.objects.get(action="sending_confirmed")
    assert (entry.actor_id, entry.details["messages"], epoch.confirmed_by) == (cast.approver.pk, 2, cast.approver)


def test_all_of_it_goes_on_where_a_person_knows_that_nothing_left(
    running: Campaign, cast: Cast, now: dt.datetime, smtp: ScriptedSmtpServer, sweep: Sweep
) -> None:
    go_back_in_mid_campaign(running, sent=1)

    confirm_sending(cast.approver, note=WHY, choices={running.pk: "continue"}, now=now)
    sweep(smtp)

    assert states(running) == {"accepted": 3}


def test_every_campaign_at_risk_needs_a_choice_and_every_confirmation_a_reason(
    running: Campaign, cast: Cast, now: dt.datetime
) -> None:
    go_back_in_mid_campaign(running, sent=1)

    with pytest.raises(NotReady):
        confirm_sending(cast.approver, note=WHY, choices={}, now=now)
    with pytest.raises(NotReady):
        confirm_sending(cast.approver, note="ok", choices={running.pk: "continue"}, now=now)
    assert gate.read_fence() is not None


def test_only_who_has_the_right_confirms_and_only_once(running: Campaign, cast: Cast, now: dt.datetime) -> None:
    go_back_in_mid_campaign(running, sent=1)
    with pytest.raises(PermissionDenied):
        confirm_sending(cast.marketer, note=WHY, choices={running.pk: "continue"}, now=now)

    confirm_sending(cast.approver, note=WHY, choices={running.pk: "continue"}, now=now)
    with pytest.raises(TransitionConflict):
        confirm_sending(cast.approver, note=WHY, choices={running.pk: "continue"}, now=now)


def test_a_machine_that_has_not_heard_of_the_confirmation_sends_on(
    running: Campaign, cast: Cast, now: dt.datetime, settings: Settings, tmp_path: Path
) -> None:
    go_back_in_mid_campaign(running, sent=1)
    old = Path(settings.EPOCH_FILE).read_bytes()
    confirm_sending(cast.approver, note=WHY, choices={running.pk: "continue"}, now=now)

    other = FileKeeper(tmp_path / "other_machine.json")
    other.path.write_bytes(old)  # as it stood there all the time
    assert gate.ask_leave([other]) is not None


def test_a_campaign_that_had_not_begun_in_the_backup_is_cancelled_where_it_may_have_gone_out(
    cast: Cast, now: dt.datetime
) -> None:
    campaign = arrange.schedule(arrange.make_campaign(cast.marketer, send_at=now, now=now), cast, now=now)
    leave = gate.ask_leave()
    assert leave is not None
    with restored_afterwards():
        scheduler.start_campaign(campaign, now=now)
        leave.note({campaign.pk: Message.objects.latest("pk").pk})
        leave.close()
    assert not gate.may_launch()
    fence = gate.read_fence()
    assert fence is not None
    (risk,) = assess_risks(fence, now=now).rows
    assert (risk.has_started, risk.waiting) == (False, 3)

    confirm_sending(cast.approver, note=WHY, choices={campaign.pk: "unknown"}, now=now)

    campaign.refresh_from_db()
    assert campaign.status == "cancelled"


def test_the_pages_say_why_and_let_an_approver_go_on(
    approver: User, marketer: User, running: Campaign, client: Client
) -> None:
    go_back_in_mid_campaign(running, sent=2)
    client.force_login(marketer)
    for address in (reverse("campaigns:outbox"), reverse("campaigns:live", args=[running.pk])):
        assert "Nothing is sent" in client.get(address).text
    page = client.get(reverse("campaigns:sending-epoch")).text
    assert "2 of 3 waiting messages may have been sent." in page and "Let sending go on" not in page
    assert client.post(reverse("campaigns:sending-confirmation"), {"note": WHY}).status_code == 403

    client.force_login(approver)
    refused = client.post(reverse("campaigns:sending-confirmation"), {"note": WHY})
    assert refused.status_code == 422 and "Decide for “Autumn” first." in refused.text
    form = {"note": WHY, f"campaign-{running.pk}": "unknown"}
    done = client.post(reverse("campaigns:sending-confirmation"), form, follow=True)

    assert "Sending is on" in done.text and WHY.replace("'", "&#x27;") in done.text
    assert "Nothing is sent" not in client.get(reverse("campaigns:outbox")).text


def test_the_api_does_the_same(approver: User, running: Campaign, client: Client) -> None:
    address = reverse("api-sending-epoch")
    client.force_login(approver)
    assert client.get(address).json()["held_since"] is None
    go_back_in_mid_campaign(running, sent=2)

    told = client.get(address).json()
    assert (told["cause"], told["is_exact"], told["at_risk"][0]["at_risk"]) == ("behind", True, 2)
    body = {"note": WHY, "choices": {"x": "unknown"}}
    assert client.post(address, body, content_type="application/json").status_code == 400
    body = {"note": WHY, "choices": {str(running.pk): "unknown"}}
    assert client.post(address, body, content_type="application/json").json()["held_since"] is None
    assert client.post(address, body, content_type="application/json").status_code == 409


def test_the_command_tells_and_confirms(approver: User, running: Campaign) -> None:
    out = StringIO()
    call_command("confirm_sending", stdout=out)
    assert out.getvalue() == "Sending is not held back.\n"
    go_back_in_mid_campaign(running, sent=2)

    call_command("confirm_sending", stdout=out)
    assert "3 waiting, 2 may have been sent already" in out.getvalue()
    options = {"by": "ava", "note": WHY, "unknown": [running.pk]}
    call_command("confirm_sending", stdout=out, **options)

    assert "Sending goes on: epoch 2." in out.getvalue() and states(running) == {"unknown": 2, "queued": 1}


def test_what_people_decided_since_is_counted_and_done_before_anything_is_sent(
    approver: User, running: Campaign, client: Client, now: dt.datetime, settings: Settings
) -> None:
    go_back_in_mid_campaign(running, sent=2)
    person = Message.objects.filter(campaign=running).order_by("pk")[2].customer
    line = [person.pk, hash_identity(person.source, person.external_id), "email", now.isoformat()]
    append_lines([{"answers": [line], "is_given": False}], to=settings.WISHES_FILE)
    append_lines([{"suppressed": [["sms", hash_address("+447700900123")]], "reason": "staff"}], to=settings.WISHES_FILE)

    client.force_login(approver)
    page = client.get(reverse("campaigns:sending-epoch")).text
    assert "What people decided since" in page and "Withdrew a consent" in page and "Erased" not in page
    lost = client.get(reverse("api-sending-epoch")).json()["lost"]
    assert (lost["withdrawals"], lost["addresses"], lost["erasures"]) == (1, 1, 0)
    out = StringIO()
    call_command("confirm_sending", stdout=out)
    assert "2 decisions of people are not known here" in out.getvalue()
    assert not person.consents.filter(status="withdrawn").exists(), "looking changes nothing"

    confirm_sending(approver, note=WHY, choices={running.pk: "continue"}, now=now)

    assert person.consents.order_by("recorded_at", "pk").values_list("status", flat=True).last() == "withdrawn"
    assert Suppression.objects.get().channel == "sms"
    assert client.get(reverse("api-sending-epoch")).json()["lost"] is None


def test_numbers_in_links_do_not_come_again_after_a_restore(running: Campaign) -> None:
    before = Customer.objects.create(external_id="before").pk
    go_back_in_mid_campaign(running, sent=2)
    after = Customer.objects.create(external_id="after").pk
    assert before + gate.LEAP < after < before + 2 * gate.LEAP
    gate.may_launch()
    assert Customer.objects.create(external_id="later").pk == after + 1, "once"
