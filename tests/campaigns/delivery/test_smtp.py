"""One delivery against a server that misbehaves: what the channel concludes, phase by phase."""

from __future__ import annotations

import select
import socket

import pytest

from campaigns.delivery.channels import ChannelUnavailable, Envelope, Outcome, Phase
from campaigns.delivery.channels.smtp import SmtpChannel, SmtpServer, quote_content
from campaigns.delivery.channels.smtp_wire import SmtpWire
from tests.smtp_server import At, Fault, ScriptedSmtpServer

CONTENT = b"Message-ID: <1@fernweh.test>\r\nSubject: hello\r\n\r\n.starts with a dot\r\nbye\r\n"
#: Larger than all buffers between the two ends, so that a fault in mid-body is met while still writing.
LARGE_CONTENT = CONTENT + b"x" * 70 + b"\r\n" + (b"y" * 70 + b"\r\n") * 250_000


def open_channel(server: ScriptedSmtpServer, *, password: str = "", timeout_s: float = 0.5) -> SmtpChannel:
    return SmtpChannel(SmtpServer("127.0.0.1", server.port, timeout_s, "shop" if password else "", password))


def envelope(content: bytes = CONTENT) -> Envelope:
    return Envelope("hello@fernweh.test", "kim@shopper.test", content)


def test_a_taken_message_arrives_unchanged_and_the_connection_is_kept() -> None:
    with ScriptedSmtpServer() as server:
        channel = open_channel(server)
        for _number in range(3):
            channel.ensure_open()
            reply = channel.deliver(envelope())
            assert reply.outcome is Outcome.ACCEPTED and reply.code == 250
        channel.close()
    assert server.taken == [CONTENT] * 3
    assert server.recipients == ["kim@shopper.test"] * 3
    assert server.connections == 1


def wait_for_hang_up(channel: SmtpChannel) -> None:
    """The server closes right after its answer, and that takes a moment to arrive."""
    assert channel._smtp is not None and channel._smtp.sock is not None
    select.select([channel._smtp.sock], [], [], 10)


def expected_outcomes(phase: At, fault: Fault) -> set[Outcome]:
    if phase is At.DOT:
        return {
            Fault.TEMPORARY: {Outcome.RETRY},
            Fault.PERMANENT: {Outcome.FAILED},
            Fault.CLOSE_AFTER: {Outcome.ACCEPTED},
        }.get(fault, {Outcome.UNKNOWN})
    if phase is At.BODY:
        return {Outcome.UNKNOWN} if fault is Fault.CLOSE_AFTER else {Outcome.RETRY}
    if phase is At.DATA and fault is Fault.CLOSE_AFTER:
        return {Outcome.RETRY, Outcome.UNKNOWN}  # depends on whether the hang-up is seen before the dot goes out
    return {Outcome.FAILED} if fault is Fault.PERMANENT else {Outcome.RETRY}


@pytest.mark.parametrize("fault", list(Fault))
@pytest.mark.parametrize(
    ("phase", "pipelines"),
    [(at, False) for at in (At.MAIL, At.RCPT, At.DATA, At.BODY, At.DOT)]
    + [(at, True) for at in (At.MAIL, At.RCPT, At.DATA)],
)
def test_each_fault_of_a_delivery_has_its_outcome(phase: At, fault: Fault, pipelines: bool) -> None:
    with ScriptedSmtpServer(phase, fault, offers_pipelining=pipelines) as server:
        channel = open_channel(server)
        channel.ensure_open()
        reply = channel.deliver(
            envelope(LARGE_CONTENT if phase is At.BODY and fault is not Fault.CLOSE_AFTER else CONTENT)
        )

        assert reply.outcome in expected_outcomes(phase, fault), reply
        if reply.outcome in {Outcome.RETRY, Outcome.FAILED}:
            assert server.taken == [], "a refusal or retry must mean that the server took nothing"
        if (phase, fault) == (At.DOT, Fault.CLOSE_AFTER):
            wait_for_hang_up(channel)

        channel.ensure_open()
        assert channel.deliver(envelope()).outcome is Outcome.ACCEPTED, "the next message goes out"
        channel.close()


@pytest.mark.parametrize("fault", list(Fault))
@pytest.mark.parametrize("phase", [At.CONNECT, At.HELO, At.AUTH])
def test_each_fault_before_a_delivery_says_that_nothing_was_sent(phase: At, fault: Fault) -> None:
    with ScriptedSmtpServer(phase, fault, offers_auth=True) as server:
        channel = open_channel(server, password="secret")
        if fault is Fault.CLOSE_AFTER and phase is At.AUTH:
            channel.ensure_open()  # the hang-up shows at the first command
            assert channel.deliver(envelope()).outcome is Outcome.RETRY
        else:
            with pytest.raises(ChannelUnavailable) as unavailable:
                channel.ensure_open()
            assert unavailable.value.is_final == (phase is At.AUTH and fault is Fault.PERMANENT)
        assert server.taken == []
        channel.ensure_open()
        assert channel.deliver(envelope()).outcome is Outcome.ACCEPTED


def test_a_connection_that_the_server_closed_meanwhile_is_opened_anew() -> None:
    with ScriptedSmtpServer(At.DOT, Fault.CLOSE_AFTER) as server:
        channel = open_channel(server)
        channel.ensure_open()
        assert channel.deliver(envelope()).outcome is Outcome.ACCEPTED
        wait_for_hang_up(channel)
        channel.ensure_open()
        assert channel.deliver(envelope()).outcome is Outcome.ACCEPTED
    assert server.connections == 2


def test_nobody_listens() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))  # held but not listening: nobody else can take the port meanwhile
        with pytest.raises(ChannelUnavailable) as unavailable:
            SmtpChannel(SmtpServer("127.0.0.1", holder.getsockname()[1], 0.5)).ensure_open()
    assert unavailable.value.phase is Phase.CONNECT


def test_answers_are_kept_without_addresses() -> None:
    with ScriptedSmtpServer(At.RCPT, Fault.PERMANENT) as server:
        channel = open_channel(server)
        channel.ensure_open()
        reply = channel.deliver(envelope())
    assert reply.summary == "rcpt: 554 5.0.0 never"


@pytest.mark.parametrize(
    ("content", "wire"),
    [
        (b"a\nb", b"a\r\nb\r\n"),
        (b".\r\n..\r\n", b"..\r\n...\r\n"),
        (b"a\r\n.\r\nQUIT\r\n", b"a\r\n..\r\nQUIT\r\n"),
        (b"a\r.\rb", b"a\r\n..\r\nb\r\n"),
    ],
)
def test_content_cannot_end_itself(content: bytes, wire: bytes) -> None:
    assert quote_content(content) == wire


def open_wire() -> tuple[SmtpWire, socket.socket]:
    ours, theirs = socket.socketpair()
    ours.settimeout(5)
    return SmtpWire(ours), theirs


def test_commands_that_go_together_are_one_packet_and_their_answers_are_told_apart() -> None:
    wire, server = open_wire()
    wire.command("MAIL FROM:<a@b.test>", "RCPT TO:<c@d.test>", "DATA")
    assert server.recv(1000) == b"MAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\nDATA\r\n"
    server.sendall(b"250-first\r\n250 line\r\n550 no\r\n354 go on\r\n")
    assert wire.read_answers(3) == [(250, b"first\nline"), (550, b"no"), (354, b"go on")]


def test_an_answer_that_came_too_early_is_seen_before_the_dot() -> None:
    """It is read ahead with the one before; taken for the answer to the dot, it would say what it does not mean."""
    wire, server = open_wire()
    server.sendall(b"354 go on\r\n250 too early\r\n")
    assert wire.read_answer() == (354, b"go on")
    assert wire.has_spoken()


def test_a_command_cannot_bring_another() -> None:
    wire, _server = open_wire()
    with pytest.raises(ValueError, match="line end"):
        wire.command("MAIL FROM:<a@b.test>\r\nDATA")


@pytest.mark.parametrize("said", [b"hello there\r\n", b"25x\r\n", b"\r\n"])
def test_what_is_no_answer_has_no_code(said: bytes) -> None:
    wire, server = open_wire()
    server.sendall(said)
    assert wire.read_answer()[0] == -1
