"""After a restored backup whoever left since has left again, and nobody else; what was taken back stays so."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from io import StringIO
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import transaction
from pytest_django import Settings

from customers.ingest.consent import (
    find_newest_consent,
    hash_address,
    is_suppressed,
    lift_unsubscription,
    record_consent,
    record_consents,
    suppress_address,
    suppress_addresses,
    withdraw_consent,
    withdraw_consents,
)
from customers.ingest.outside import append_lines, read_lines
from customers.ingest.preferences import choose_language, save_preference
from customers.ingest.suppression_list import add_entries, lift_domain, lift_suppression, read_entry
from customers.ingest.tracking import allows_tracking, record_tracking_consent
from customers.merging.merge import merge_customers
from customers.models import (
    Customer,
    ErasedPerson,
    Preference,
    PrivacyRequest,
    SuppressedDomain,
    Suppression,
    WishMark,
)
from customers.privacy.erasure import erase_customer
from customers.privacy.own import run_due_erasures, schedule_erasure, take_back_erasure
from customers.privacy.requests import ask, refuse
from customers.privacy.restoring import repeat_lost
from customers.privacy.wishes import SOURCE, LostWishes, repeat_wishes

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
UNSUBSCRIBED = Suppression.Reason.UNSUBSCRIBED
NOTHING = LostWishes()
Restored = Callable[[], AbstractContextManager[None]]


@pytest.fixture
def restored(django_capture_on_commit_callbacks: Any) -> Restored:
    """What happens inside is committed, and gone from the database afterwards, as by a backup that is put back. Before that the
    database knows all of it: the sweep has nothing to do."""

    @contextmanager
    def undo() -> Iterator[None]:
        backup = transaction.savepoint()
        with django_capture_on_commit_callbacks(execute=True):
            yield
        assert repeat_lost(NOW + dt.timedelta(hours=3)).total == 0
        transaction.savepoint_rollback(backup)

    return undo


@pytest.fixture
def ana(django_capture_on_commit_callbacks: Any) -> Customer:
    with django_capture_on_commit_callbacks(execute=True):
        ana = Customer.objects.create(external_id="ana-0001", email="ana@shop.test", phone="+447700900123")
        for channel in ("email", "sms"):
            record_consent(ana, source="form", now=NOW, channel=channel)
    repeat_wishes(NOW)
    return ana


def status(customer: Customer, channel: str = "email") -> str:
    newest = find_newest_consent(customer.pk, channel)
    return newest.status if newest else ""


def test_who_left_since_the_backup_has_left_again(ana: Customer, restored: Restored, settings: Settings) -> None:
    ben = Customer.objects.create(external_id="ben-0001", email="ben@shop.test")
    record_consent(ben, source="form", now=NOW)
    with restored():
        withdraw_consent(ana, source="unsubscribe", now=NOW + HOUR)
        suppress_address("ana@shop.test", reason=UNSUBSCRIBED, source="unsubscribe")
    assert (status(ana), is_suppressed("ana@shop.test")) == ("given", False)
    assert repeat_wishes(NOW, is_dry=True) == LostWishes(1, 1) == repeat_wishes(NOW, is_dry=True)
    assert status(ana) == "given", "only counted"

    assert repeat_wishes(NOW + 2 * HOUR) == LostWishes(1, 1)

    newest = find_newest_consent(ana.pk)
    assert newest is not None and (newest.status, newest.source, newest.recorded_at) == (
        "withdrawn",
        SOURCE,
        NOW + HOUR,
    )
    assert (status(ana, "sms"), status(ben)) == ("given", "given")
    assert Suppression.objects.get().reason == UNSUBSCRIBED
    assert repeat_wishes(NOW + 2 * HOUR) == NOTHING
    kept = Path(settings.WISHES_FILE).read_text()
    assert "ana" not in kept and "7700" not in kept and "ben" not in kept


def test_every_way_out_is_noted(ana: Customer, restored: Restored, marketer: User) -> None:
    people = [Customer.objects.create(external_id=f"k-{number}", email=f"k{number}@shop.test") for number in range(3)]
    for one in people:
        record_consent(one, source="form", now=NOW)
    record_tracking_consent(ana, is_given=True, source="page", now=NOW)
    with restored():
        withdraw_consents([people[0].pk], source="provider")
        suppress_addresses(["k1@shop.test", "k2@shop.test"], reason=Suppression.Reason.COMPLAINED, source="came back")
        add_entries([read_entry("+44 7700 900123"), read_entry("staff@shop.test")], actor=marketer, note="asked")
        told = {"customer": ["k-1"], "status": ["withdrawn"], "legal_basis": ["consent"], "recorded_at": [NOW + HOUR]}
        record_consents(pl.DataFrame(told))
        record_tracking_consent(ana, is_given=False, source="page", now=NOW + HOUR)
    assert repeat_wishes(NOW + HOUR) == LostWishes(4, 3)
    assert [status(one) for one in people] == ["withdrawn", "withdrawn", "given"]
    assert not allows_tracking(ana)
    reasons = set(Suppression.objects.values_list("channel", "reason"))
    assert reasons == {("email", "complained"), ("email", "staff"), ("sms", "staff")}


def test_what_was_taken_back_is_not_noted_again(ana: Customer, restored: Restored, marketer: User) -> None:
    with restored():
        withdraw_consent(ana, source="unsubscribe", now=NOW + HOUR)
        suppress_address("ana@shop.test", reason=UNSUBSCRIBED)
        suppress_address("ben@shop.test", reason=Suppression.Reason.BOUNCED)
        record_consent(ana, source="page", now=NOW + 2 * HOUR)
        lift_unsubscription("ana@shop.test")
        lift_suppression(Suppression.objects.get().pk, actor=marketer, why="mailbox")
    assert repeat_wishes(NOW + 3 * HOUR) == NOTHING
    assert status(ana) == "given" and not Suppression.objects.exists()


def test_whole_domains_are_suppressed_again(
    ana: Customer, restored: Restored, marketer: User, settings: Settings
) -> None:
    def add(*entries: str) -> None:
        add_entries([read_entry(entry) for entry in entries], actor=marketer, note="they asked by telephone")

    add("old.example")
    with restored():
        add("shop.example", "*.shop.example", "gone.example", "old.example")
        lift_domain(SuppressedDomain.objects.get(domain="gone.example").pk, actor=marketer, why="mistake")
    assert repeat_wishes(NOW, is_dry=True) == LostWishes(domains=2) == repeat_wishes(NOW)
    assert {str(row): row.note for row in SuppressedDomain.objects.all()} == {
        "old.example": "they asked by telephone", "shop.example": SOURCE, "*.shop.example": SOURCE,
    }  # fmt: skip
    assert (
        is_suppressed("x@shop.example") and is_suppressed("x@mail.shop.example") and not is_suppressed("x@gone.example")
    )
    assert repeat_wishes(NOW) == NOTHING
    assert "telephone" not in Path(settings.WISHES_FILE).read_text()


def test_a_domain_that_came_back_by_this_goes_when_it_was_lifted(
    ana: Customer, restored: Restored, marketer: User
) -> None:
    with restored():
        add_entries([read_entry("shop.example")], actor=marketer, note="")
    assert repeat_wishes(NOW).domains == 1
    with restored():
        lift_domain(SuppressedDomain.objects.get().pk, actor=marketer, why="mistake")
    assert repeat_wishes(NOW) == NOTHING and not SuppressedDomain.objects.exists()


def test_what_people_chose_holds_again(ana: Customer, restored: Restored, settings: Settings) -> None:
    until = NOW + dt.timedelta(days=30)
    save_preference(ana, {"topics_off": ["surveys"], "most_per_month": 4}, source="page", now=NOW - HOUR)
    with restored():
        save_preference(ana, {"topics_off": ["promotions", "news"]}, source="page", now=NOW + HOUR)
        save_preference(ana, {"paused_until": until, "most_per_month": None}, source="page", now=NOW + HOUR)
        save_preference(ana, {"topics_off": ["news"]}, source="page", now=NOW + 2 * HOUR)
        choose_language(ana, "zh", source="page", now=NOW + 2 * HOUR)
    assert repeat_wishes(NOW, is_dry=True) == LostWishes(choices=1)
    assert Preference.objects.get(customer=ana).topics_off == ["surveys"], "only counted"

    assert repeat_wishes(NOW + 3 * HOUR) == LostWishes(choices=1)

    chosen = Preference.objects.get(customer=ana)
    assert (chosen.topics_off, chosen.most_per_month, chosen.paused_until) == (["news"], None, until)
    ana.refresh_from_db()
    assert ana.language == "zh"
    assert set(ana.preference_changes.filter(recorded_at__gte=NOW + 3 * HOUR).values_list("source", flat=True)) == {
        SOURCE
    }
    assert repeat_wishes(NOW + 3 * HOUR) == NOTHING
    assert "ana" not in Path(settings.WISHES_FILE).read_text()


def test_a_newer_choice_that_only_the_database_knows_counts(ana: Customer, restored: Restored) -> None:
    with restored():
        save_preference(ana, {"topics_off": ["news"], "most_per_month": 1}, source="page", now=NOW + HOUR)
    save_preference(ana, {"topics_off": ["surveys"]}, source="page", now=NOW + 2 * HOUR)
    assert repeat_wishes(NOW + 3 * HOUR) == LostWishes(choices=1)
    chosen = Preference.objects.get(customer=ana)
    assert (chosen.topics_off, chosen.most_per_month) == (["surveys"], 1)


def test_the_choice_of_a_number_that_is_anothers_now_is_nobodys(ana: Customer, restored: Restored) -> None:
    with restored():
        late = Customer.objects.create(external_id="late-01", email="late@shop.test")
        save_preference(late, {"topics_off": ["news"]}, source="page", now=NOW + HOUR)
    Customer.objects.create(pk=late.pk, external_id="other-1", email="other@shop.test")
    assert repeat_wishes(NOW + HOUR) == NOTHING and not Preference.objects.exists()


def test_a_newer_word_that_only_the_database_knows_counts(ana: Customer, restored: Restored) -> None:
    """Somebody comes back after the restore, before the sweep."""
    with restored():
        withdraw_consent(ana, source="unsubscribe", now=NOW + HOUR)
    record_consent(ana, source="page", now=NOW + 2 * HOUR)
    assert repeat_wishes(NOW + 3 * HOUR) == NOTHING
    assert status(ana) == "given"


def test_a_number_that_is_anothers_now_strikes_nobody(ana: Customer, restored: Restored) -> None:
    with restored():
        late = Customer.objects.create(external_id="late-01", email="late@shop.test")
        withdraw_consent(late, source="unsubscribe", now=NOW + HOUR)
    other = Customer.objects.create(pk=late.pk, external_id="other-1", email="other@shop.test")
    record_consent(other, source="form", now=NOW)
    assert repeat_wishes(NOW + HOUR) == NOTHING
    assert status(other) == "given"


def test_whoever_was_merged_or_erased_since(ana: Customer, restored: Restored) -> None:
    old = Customer.objects.create(source="till", external_id="t-00001", email="old@shop.test")
    record_consent(old, source="form", now=NOW)
    gone = Customer.objects.create(external_id="gone-001", email="gone@shop.test")
    with restored():
        withdraw_consent(old, source="unsubscribe", now=NOW + HOUR)
        merge_customers(old.pk, ana.pk, reason="staff", actor=None, now=NOW + HOUR)
        withdraw_consent(gone, source="unsubscribe", now=NOW + HOUR)
        erase_customer(gone, actor=None, reason="asked", now=NOW + HOUR)
    lost = repeat_lost(NOW + HOUR)
    assert (lost.erasures, status(old), status(ana)) == (1, "withdrawn", "given")
    assert repeat_lost(NOW + HOUR).total == 0


def test_what_is_rolled_back_is_not_noted(
    ana: Customer, settings: Settings, django_capture_on_commit_callbacks: Any
) -> None:
    before = Path(settings.WISHES_FILE).stat().st_size
    with django_capture_on_commit_callbacks(execute=True), suppress(ZeroDivisionError), transaction.atomic():
        withdraw_consent(ana, source="unsubscribe", now=NOW)
        raise ZeroDivisionError
    assert Path(settings.WISHES_FILE).stat().st_size == before


def test_lines_that_a_crash_cut_off_take_no_other_with_them(ana: Customer, settings: Settings) -> None:
    path = Path(settings.WISHES_FILE)
    with path.open("a") as file:
        file.write('{"suppressed": [["email", "ab')
    assert repeat_wishes(NOW) == NOTHING
    append_lines([{"suppressed": [["email", hash_address("x@shop.test")]], "reason": "staff"}], to=str(path))
    for strange in (
        {"suppressed": [["email", "f" * 64]], "reason": "nobody knows"},
        {"answers": [[1]]},
        [],
        {"what": 1},
    ):
        append_lines([strange], to=str(path))  # type: ignore[arg-type]
    assert repeat_wishes(NOW) == LostWishes(1, 0)
    assert is_suppressed("x@shop.test") and WishMark.objects.get().position == path.stat().st_size
    path.unlink()
    assert repeat_wishes(NOW) == NOTHING, "a file that is gone begins anew"
    append_lines([{"suppressed": [["email", hash_address("y@shop.test")]], "reason": "staff"}], to=str(path))
    assert repeat_wishes(NOW) == LostWishes(1, 0)


def test_a_file_that_cannot_be_written_keeps_nobody_from_leaving(
    ana: Customer, settings: Settings, tmp_path: Path, django_capture_on_commit_callbacks: Any
) -> None:
    settings.WISHES_FILE = str(tmp_path)
    with django_capture_on_commit_callbacks(execute=True):
        withdraw_consent(ana, source="unsubscribe", now=NOW)
    assert status(ana) == "withdrawn"


# --- Erasures with a cooling time ------------------------------------------------------------------------------------------


@pytest.fixture
def confirmed(ana: Customer, settings: Settings, django_capture_on_commit_callbacks: Any) -> PrivacyRequest:
    """Ana has confirmed that she wants to be erased, in five days."""
    settings.ERASURE_COOLING_DAYS = 5
    request = ask(ana, "erasure", source="own link", now=NOW, confirms=True)
    with django_capture_on_commit_callbacks(execute=True):
        assert schedule_erasure(request, ana, now=NOW)
    request.refresh_from_db()
    return request


@pytest.mark.parametrize("by_staff", [False, True])
def test_a_backup_of_before_a_taking_back_does_not_erase(
    ana: Customer, confirmed: PrivacyRequest, restored: Restored, marketer: User, by_staff: bool
) -> None:
    with restored():
        if by_staff:
            assert refuse(confirmed.pk, actor=marketer, reason="a dispute", now=NOW + HOUR)
        else:
            assert take_back_erasure(confirmed, ana, now=NOW + HOUR)
    confirmed.refresh_from_db()
    assert confirmed.status == "scheduled", "as the backup has it"
    assert run_due_erasures(NOW + dt.timedelta(days=6)) == 0
    confirmed.refresh_from_db()
    assert confirmed.status == ("refused" if by_staff else "taken_back")
    assert Customer.objects.known().filter(pk=ana.pk).exists()
    assert Preference.objects.get(customer=ana).paused_until is None


def test_and_the_sweep_says_so_before_its_day(ana: Customer, confirmed: PrivacyRequest, restored: Restored) -> None:
    with restored():
        take_back_erasure(confirmed, ana, now=NOW + HOUR)
    assert repeat_lost(NOW, is_dry=True).spared == 1
    assert repeat_lost(NOW).spared == 1 and repeat_lost(NOW).total == 0
    confirmed.refresh_from_db()
    assert confirmed.status == "taken_back"


def test_what_the_shop_has_to_do_by_law_goes_back_to_staff(
    ana: Customer, confirmed: PrivacyRequest, restored: Restored
) -> None:
    PrivacyRequest.objects.update(source="shop:woo")
    confirmed.refresh_from_db()
    with restored():
        take_back_erasure(confirmed, ana, now=NOW + HOUR)
    assert run_due_erasures(NOW + dt.timedelta(days=6)) == 0
    confirmed.refresh_from_db()
    assert (confirmed.status, confirmed.runs_at) == ("open", None)


def test_who_confirms_anew_after_a_taking_back_is_erased(
    ana: Customer, confirmed: PrivacyRequest, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        take_back_erasure(confirmed, ana, now=NOW + HOUR)
        again = ask(ana, "erasure", source="own link", now=NOW + 2 * HOUR, confirms=True)
        schedule_erasure(again, ana, now=NOW + 2 * HOUR)
    assert run_due_erasures(NOW + dt.timedelta(days=6)) == 1


def test_an_erasure_that_was_confirmed_after_the_backup_runs_on_its_day(
    ana: Customer, restored: Restored, settings: Settings, django_capture_on_commit_callbacks: Any
) -> None:
    settings.ERASURE_COOLING_DAYS = 5
    with restored():
        request = ask(ana, "erasure", source="own link", now=NOW, confirms=True)
        schedule_erasure(request, ana, now=NOW)
    assert not PrivacyRequest.objects.exists()
    assert repeat_lost(NOW + HOUR, is_dry=True).scheduled == 1
    with django_capture_on_commit_callbacks(execute=True):
        assert repeat_lost(NOW + HOUR).scheduled == 1
        assert repeat_lost(NOW + HOUR).total == 0
    found = PrivacyRequest.objects.get()
    assert (found.status, found.runs_at) == ("scheduled", NOW + dt.timedelta(days=5))
    with django_capture_on_commit_callbacks(execute=True):
        assert run_due_erasures(NOW + dt.timedelta(days=6)) == 1
    assert ErasedPerson.objects.count() == 1 and repeat_lost(NOW + dt.timedelta(days=6)).total == 0
    assert len(list(read_lines("scheduled"))) == 2


def test_the_command_counts_first(ana: Customer, restored: Restored) -> None:
    with restored():
        withdraw_consent(ana, source="unsubscribe", now=NOW + HOUR)
    out = StringIO()
    call_command("repeat_wishes", stdout=out)
    assert "1  consents withdrawn" in out.getvalue() and "--yes" in out.getvalue()
    assert status(ana) == "given"
    call_command("repeat_wishes", "--yes", stdout=out)
    assert status(ana) == "withdrawn"
    out = StringIO()
    call_command("repeat_wishes", stdout=out)
    assert "the database knows all" in out.getvalue()
