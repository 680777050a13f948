"""The list of addresses and domains that are never written to, as staff keep it."""

from __future__ import annotations

import csv
import hashlib

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client

from customers.ingest.consent import (
    hash_address,
    is_domain_suppressed,
    is_suppressed,
    may_contact_sql,
    suppress_address,
)
from customers.ingest.suppression_list import (
    NotAnEntry,
    WhyLifted,
    add_entries,
    lift_domain,
    lift_suppression,
    read_entry,
    read_list,
    write_list,
)
from customers.models import AuditEntry, Channel, ConsentRecord, Customer, SuppressedDomain, Suppression
from customers.segments.compiler import compile_rule
from customers.segments.rules import parse_rule
from tests.campaigns import arrange

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("text", "channel", "domain", "address"),
    [
        (" Kim@Shop.Example ", "email", "", "kim@shop.example"),
        ("@Competitor.Example", "email", "competitor.example", ""),
        ("competitor.example.", "email", "competitor.example", ""),
        ("büro.example", "email", "xn--bro-hoa.example", ""),
        ("+44 7700 900 123", "sms", "", "+447700900123"),
        ("07700 900123", "sms", "", "+447700900123"),
    ],
)
def test_an_entry_is_what_it_looks_like(text: str, channel: str, domain: str, address: str) -> None:
    entry = read_entry(text)
    assert (entry.channel, entry.domain) == (channel, domain)
    assert entry.address_hash == (hash_address(address) if address else "")


@pytest.mark.parametrize(
    "text", ["", "kim", "kim@", "a b@shop.example", "a@b@shop.example", "123", "http://x", "-.example"]
)
def test_nonsense_is_no_entry(text: str) -> None:
    with pytest.raises(NotAnEntry):
        read_entry(text)


def test_a_domain_holds_everybody_at_it_and_nobody_below_it(site_admin: User) -> None:
    for address in (
        "a@Competitor.Example",
        "b@competitor.example ",
        "c@mail.competitor.example",
        "d@mycompetitor.example",
    ):
        customer = Customer.objects.create(external_id=address, email=address)
        ConsentRecord.objects.create(
            customer=customer, status="given", legal_basis="consent", source="t", recorded_at=arrange.NOW
        )
    add_entries(read_list(["@competitor.example"]), actor=site_admin, note="they read along")
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT external_id FROM customers_customer c WHERE {may_contact_sql('c')} ORDER BY 1")
        assert [row[0] for row in cursor.fetchall()] == ["c@mail.competitor.example", "d@mycompetitor.example"]
    assert is_suppressed("x@COMPETITOR.example") and not is_suppressed("x@competitor.example", Channel.PUSH)
    row = SuppressedDomain.objects.get()
    assert lift_domain(row.pk, actor=site_admin, why=WhyLifted.MISTAKE) and not is_suppressed("a@competitor.example")
    assert not lift_domain(row.pk, actor=site_admin, why=WhyLifted.MISTAKE)


def test_a_list_is_taken_in_once_and_line_by_line(site_admin: User) -> None:
    Customer.objects.create(external_id="k", email="Known@Shop.example")
    lines = ["\ufeffEmail,Name", "a@shop.example,=cmd()", "", "A@SHOP.example,again", '"b@shop.example"', "no address,x",
             "@whole.example"]  # fmt: skip
    counts = add_entries(read_list(lines), actor=site_admin, note="from the old shop")
    assert counts == {"added": 3, "unread": 1}
    assert add_entries(read_list(lines), actor=site_admin, note="again") == {"before": 3, "unread": 1}
    assert set(Suppression.objects.values_list("note", flat=True)) == {"from the old shop"}

    plain = [
        hashlib.sha256(address.encode()).hexdigest() for address in ("known@shop.example", "stranger@shop.example")
    ]
    assert add_entries(read_list(plain, plain_hashes=True), actor=site_admin, note="n") == {"added": 1, "nobody": 1}
    assert is_suppressed("known@shop.example")
    entries = AuditEntry.objects.filter(action="suppressed_by_staff")
    assert entries.count() == 3 and not any("shop.example" in str(entry.details) for entry in entries)


def test_what_is_taken_out_can_be_brought_in_again(site_admin: User) -> None:
    add_entries(read_list(["a@shop.example", "+447700900123", "@whole.example"]), actor=site_admin, note="=1+1")
    suppress_address("b@shop.example", reason=Suppression.Reason.BOUNCED)
    lines = list(write_list())
    rows = list(csv.DictReader(lines))
    assert {(row["channel"], row["kind"]) for row in rows} == {
        ("email", "domain"),
        ("email", "address"),
        ("sms", "address"),
    }
    assert {row["note"] for row in rows} == {"'=1+1", ""} and "shop.example" not in "".join(lines)
    kept = set(Suppression.objects.values_list("channel", "address_hash"))
    Suppression.objects.all().delete()
    SuppressedDomain.objects.all().delete()
    assert add_entries(read_list(lines), actor=site_admin, note="back") == {"added": 4}
    assert set(Suppression.objects.values_list("channel", "address_hash")) == kept


def test_what_a_person_said_is_lifted_only_by_that_person(site_admin: User) -> None:
    for number, reason in enumerate(Suppression.Reason):
        suppress_address(f"{number}@shop.example", reason=reason)
    lifted = {}
    for row in list(Suppression.objects.all()):
        for why in (WhyLifted.MAILBOX, WhyLifted.ASKED):
            try:
                if lift_suppression(row.pk, actor=site_admin, why=why):
                    lifted[row.reason] = str(why)
            except ValidationError:
                pass
    assert lifted == {"unsubscribed": "asked", "bounced": "mailbox", "complained": "asked", "staff": "mailbox"}
    assert Suppression.objects.get().reason == "erased"
    assert AuditEntry.objects.filter(action="suppression_lifted").count() == 4


def test_the_page_finds_adds_and_takes_off(client: Client, site_admin: User, marketer: User) -> None:
    client.force_login(marketer)
    form = {"entries": "kim@shop.example\n@whole.example", "note": "asked on the phone"}
    assert client.post("/suppressed/add/", form | {"note": " "}).status_code == 302
    assert not Suppression.objects.exists()
    client.post("/suppressed/add/", form)
    page = client.get("/suppressed/", {"q": "KIM@shop.example"}).content.decode()
    assert "asked on the phone" in page and "2 added" in page
    assert "whole.example" in client.get("/suppressed/", {"q": "x@whole.example"}).content.decode()
    assert "Not on the list" in client.get("/suppressed/", {"q": "kim2@shop.example"}).content.decode()
    assert client.get("/suppressed/", {"q": "%%'\x00"}).status_code == 200
    assert client.get("/suppressed/list.csv").getvalue().count(b"\r\n") == 3
    row = Suppression.objects.get()
    away = f"/suppressed/address/{row.pk}/removal/"
    assert client.post(away, {"why": "mistake"}).status_code == 403
    client.force_login(site_admin)
    client.post(away, {"why": "because"})
    assert Suppression.objects.exists()
    client.post(away, {"why": "mistake"})
    client.post(f"/suppressed/domain/{SuppressedDomain.objects.get().pk}/removal/", {"why": "mistake"})
    assert not Suppression.objects.exists() and not SuppressedDomain.objects.exists()


def test_the_page_asks_as_many_questions_for_thirty_rows_as_for_three(
    client: Client, site_admin: User, django_assert_max_num_queries: object
) -> None:
    from django.test.utils import CaptureQueriesContext

    client.force_login(site_admin)
    counts = []
    for first, last in ((0, 3), (3, 30)):
        names = [f"{n}@shop.example" for n in range(first, last)] + [f"d{n}.example" for n in range(first, last)]
        add_entries(read_list(names), actor=site_admin, note="n")
        with CaptureQueriesContext(connection) as queries:
            client.get("/suppressed/")
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_a_segment_knows_of_suppressed_domains_too(site_admin: User) -> None:
    for address in ("a@whole.example", "b@shop.example"):
        Customer.objects.create(external_id=address[0], email=address)
    add_entries(read_list(["@whole.example"]), actor=site_admin, note="n")
    rule = parse_rule({"match": "all", "rules": [{"channel": "email", "is": "suppressed", "value": True}]})
    query = compile_rule(rule, as_of=arrange.NOW)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT external_id FROM customers_customer WHERE id IN ({query.sql})", query.params)
        assert cursor.fetchall() == [("a",)]


@pytest.mark.parametrize(
    ("listed", "address", "is_held"),
    [
        ("*.example.org", "a@mail.example.org", True),
        ("*.example.org", "a@deep.mail.EXAMPLE.org", True),
        ("@*.example.org", "a@mail.example.org", True),
        ("*.example.org", "a@example.org", False),
        ("*.example.org", "a@myexample.org", False),
        ("*.example.org", "a@example.org.evil.test", False),
        ("example.org", "a@mail.example.org", False),
    ],
)
def test_a_star_stands_for_all_names_below(site_admin: User, listed: str, address: str, is_held: bool) -> None:
    add_entries([read_entry(listed)], actor=site_admin, note="n")
    assert is_suppressed(address) is is_held
    assert is_domain_suppressed(address) is is_held
    assert not is_suppressed("no address")


@pytest.mark.parametrize("slip", ["*.org", "*", "*.*.example.org", "a@*.example.org", "mail.*.example.org"])
def test_a_star_stands_before_a_domain_alone(slip: str) -> None:
    with pytest.raises(NotAnEntry):
        read_entry(slip)


def test_a_domain_and_the_names_below_are_two_entries_that_go_out_and_come_in(site_admin: User, client: Client) -> None:
    assert add_entries(read_list(["*.whole.example", "@whole.example"]), actor=site_admin, note="n") == {"added": 2}
    lines = list(write_list())
    assert any("*.whole.example" in line for line in lines)
    client.force_login(site_admin)
    page = client.get("/suppressed/").content.decode()
    assert "@*.whole.example" in page and "@whole.example" in page
    SuppressedDomain.objects.all().delete()
    assert add_entries(read_list(lines), actor=site_admin, note="back") == {"added": 2}
    assert set(map(str, SuppressedDomain.objects.all())) == {"whole.example", "*.whole.example"}
    assert is_suppressed("a@b.whole.example") and is_suppressed("a@whole.example")
