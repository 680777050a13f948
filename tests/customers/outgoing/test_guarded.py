"""Requests stay out of our own network, however the way into it is written."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from customers.outgoing.addresses import AddressFault, find_fault, is_open
from customers.outgoing.guarded import post

from .receiver import Receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        yield server


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.9.9.9", "0.0.0.0", "10.0.0.7", "172.16.5.4", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "224.0.0.1", "255.255.255.255", "240.0.0.1", "192.0.2.1",
        "::1", "::", "fe80::1%eth0", "fd00:ec2::254", "fc00::1", "ff02::1", "2001:db8::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.7", "2002:7f00:0001::", "2002:0a00:0007::1", "64:ff9b::7f00:1", "64:ff9b::a00:7",
    ],
)  # fmt: skip
def test_machines_inside_the_house_are_not_open(address: str) -> None:
    assert not is_open(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "64:ff9b::5db8:d822"])
def test_machines_of_the_open_net_are(address: str) -> None:
    assert is_open(address)


def test_loopback_is_open_only_where_it_may_be() -> None:
    for address in ("127.0.0.1", "::1", "::ffff:127.0.0.1"):
        assert is_open(address, may_be_loopback=True)
    assert not is_open("10.0.0.7", may_be_loopback=True)


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("https://hooks.shop.example/in?a=1", None),
        ("http://hooks.shop.example/in", AddressFault.NOT_TLS),
        ("ftp://hooks.shop.example/in", AddressFault.NOT_TLS),
        ("javascript:alert(1)", AddressFault.NO_ADDRESS),
        ("https://user:key@hooks.shop.example/in", AddressFault.NO_ADDRESS),
        ("https://hooks.shop.example/#a", AddressFault.NO_ADDRESS),
        ("https://hooks.shop.example:99999/", AddressFault.NO_ADDRESS),
        ("https://hooks.shop.example/ a", AddressFault.NO_ADDRESS),
        ("https://[::1/", AddressFault.NO_ADDRESS),
        ("https://127.0.0.1/in", AddressFault.LOOPBACK),
        ("https://localhost./in", AddressFault.LOOPBACK),
        ("https://10.1.2.3/in", AddressFault.INTERNAL),
        ("https://2130706433/in", AddressFault.INTERNAL),
        ("https://0x7f000001/in", AddressFault.INTERNAL),
        ("https://0177.0.0.1/in", AddressFault.INTERNAL),
        ("https://[::ffff:10.0.0.1]/in", AddressFault.INTERNAL),
        ("https://gateway/in", AddressFault.INTERNAL),
        ("https://db.internal/in", AddressFault.INTERNAL),
    ],
)
def test_an_address_is_judged_as_it_is_written(url: str, fault: AddressFault | None) -> None:
    assert find_fault(url, may_be_loopback=False) is fault


def test_a_name_that_leads_inside_is_not_connected_to(receiver: Receiver) -> None:
    answer = post(
        f"https://hooks.shop.example:{receiver.port}/",
        b"{}",
        {},
        timeout_s=5,
        resolve=lambda _host, _port: ["127.0.0.1"],
    )
    assert (answer.code, receiver.requests) == (None, [])
    assert "internal network" in answer.error


def test_one_inner_address_among_outer_ones_is_a_trap() -> None:
    answer = post(
        "https://a.example/", b"", {}, timeout_s=5, resolve=lambda _host, _port: ["93.184.216.34", "10.0.0.1"]
    )
    assert "internal network" in answer.error


def test_a_name_is_resolved_once_and_what_was_looked_at_is_connected_to(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: the second answer would lead inside, and is never asked for."""
    answers, connected = [["93.184.216.34"], ["10.0.0.1"]], []

    def connect(address: tuple[str, int], timeout: float) -> socket.socket:
        connected.append(address[0])
        raise ConnectionRefusedError("refused")

    monkeypatch.setattr("customers.outgoing.guarded.socket.create_connection", connect)
    answer = post("https://a.example/", b"", {}, timeout_s=5, resolve=lambda _host, _port: answers.pop(0))
    assert connected == ["93.184.216.34"]
    assert answers == [["10.0.0.1"]]
    assert "refused" in answer.error


def test_an_answer_is_read_only_in_part_and_a_silent_machine_is_left(receiver: Receiver) -> None:
    receiver.text = b"x" * 100_000
    answer = post(receiver.url, b"{}", {}, timeout_s=5, may_be_loopback=True)
    assert (answer.code, len(answer.text)) == (204, 0) or len(answer.text) == 1_000
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        assert post(url, b"{}", {}, timeout_s=0.2, may_be_loopback=True).code is None


def test_what_is_no_http_is_no_answer() -> None:
    import threading

    with socket.create_server(("127.0.0.1", 0)) as server:

        def babble() -> None:
            connection, _address = server.accept()
            connection.recv(1_000)
            connection.sendall(b"\x00\xff\r\n\r\n")
            connection.close()

        threading.Thread(target=babble, daemon=True).start()
        answer = post(f"http://127.0.0.1:{server.getsockname()[1]}/", b"{}", {}, timeout_s=5, may_be_loopback=True)
    assert answer.code is None
    assert answer.error
