"""Eight phases of SMTP by seven faults, through the whole sender: the right state each time, and never twice."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest

from campaigns.delivery import reaper
from campaigns.delivery.channels import Envelope, Reply
from campaigns.delivery.channels.smtp import SmtpChannel, SmtpServer
from campaigns.delivery.sender import send_waiting_messages
from campaigns.models import Campaign, CampaignStatus, Message
from tests.smtp_server import At, Fault, ScriptedSmtpServer

from .conftest import states

BEFORE_A_MESSAGE = {At.CONNECT, At.HELO, At.AUTH}
LONG_AGO = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


class LargeMail(SmtpChannel):
    """Makes each message larger than all buffers between the two ends, so that a fault is met in mid-body."""

    def deliver(self, envelope: Envelope) -> Reply:
        padding = (b"x" * 70 + b"\r\n") * 250_000
        return super().deliver(dataclasses.replace(envelope, content=envelope.content + padding))


def expected_states(phase: At, fault: Fault) -> set[str]:
    """Of the one message that meets the fault."""
    if phase in BEFORE_A_MESSAGE:
        # Nothing is marked before there is a connection; a hang-up right after log-in shows only at MAIL.
        return {"retry_wait"} if (phase, fault) == (At.AUTH, Fault.CLOSE_AFTER) else {"queued"}
    if phase is At.DOT:
        answers = {Fault.TEMPORARY: "retry_wait", Fault.PERMANENT: "failed", Fault.CLOSE_AFTER: "accepted"}
        return {answers.get(fault, "unknown")}
    if phase is At.BODY:
        return {"unknown"} if fault is Fault.CLOSE_AFTER else {"retry_wait"}
    if phase is At.DATA and fault is Fault.CLOSE_AFTER:
        return {"retry_wait", "unknown"}  # by whether the hang-up is seen before the dot goes out
    return {"failed"} if fault is Fault.PERMANENT else {"retry_wait"}


@pytest.mark.parametrize("fault", list(Fault))
@pytest.mark.parametrize(
    ("phase", "pipelines"), [(at, False) for at in At] + [(at, True) for at in (At.MAIL, At.RCPT, At.DATA)]
)
def test_each_fault_leaves_the_right_state_and_nothing_is_doubled(
    running: Campaign, phase: At, fault: Fault, pipelines: bool
) -> None:
    Message.objects.filter(pk__gt=Message.objects.earliest("pk").pk).delete()
    times = _how_often(phase, fault)
    with ScriptedSmtpServer(phase, fault, times, offers_auth=True, offers_pipelining=pipelines) as server:
        target = SmtpServer("127.0.0.1", server.port, 0.4, "shop", "secret")
        kind = LargeMail if phase is At.BODY and fault is not Fault.CLOSE_AFTER else SmtpChannel

        send_waiting_messages(seconds=0.6, connections=1, open_channel=lambda: kind(target))

        message = Message.objects.get()
        assert message.status in expected_states(phase, fault), message.response
        running.refresh_from_db()
        if (phase, fault) == (At.AUTH, Fault.PERMANENT):
            assert running.status == CampaignStatus.PAUSED and "log-in" in running.status_reason
            return
        server.times = 0  # the server is well again
        _send_what_is_left(target)
        _check_history(server, running)


def _how_often(phase: At, fault: Fault) -> int | None:
    """Without a connection the sender tries again at once, so such faults must stay (None) to be seen."""
    if phase in {At.CONNECT, At.HELO}:
        return None
    return None if phase is At.AUTH and fault is not Fault.CLOSE_AFTER else 1


def _send_what_is_left(target: SmtpServer) -> None:
    """Every wait and lease is over, and sweep follows sweep."""
    for _round in range(2):
        Message.objects.update(not_before=None)
        Message.objects.filter(status="retry_wait").update(not_before=LONG_AGO)
        Message.objects.filter(lease_until__isnull=False).update(lease_until=LONG_AGO)
        reaper.reap_stuck_messages()
        send_waiting_messages(seconds=5, connections=1, open_channel=lambda: SmtpChannel(target))


def _check_history(server: ScriptedSmtpServer, campaign: Campaign) -> None:
    """What the server took against what the row says."""
    taken, (state,) = len(server.message_ids()), states(campaign)
    assert taken <= 1, "doubled"
    assert state != "accepted" or taken == 1, "said to be sent, but the server has it not"
    assert state not in {"failed"} or taken == 0
