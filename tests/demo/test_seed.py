"""The demo shop in the database: what stands after a seeding, and that a second one changes nothing."""

from __future__ import annotations

import datetime as dt
import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test import Client, override_settings
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from campaigns.content.rendering import load_source, render_message
from campaigns.delivery.mime import hash_body
from campaigns.delivery.past import NOT_SENT
from campaigns.delivery.progress import HANDED_OVER
from campaigns.models import (
    Arm,
    AudienceMember,
    Campaign,
    CampaignResult,
    CampaignStatus,
    CampaignTransition,
    Entry,
    Message,
    MessageStatus,
    Variant,
)
from campaigns.outcomes.funnel import read_funnel
from campaigns.outcomes.reports.ledger import read_ledger
from campaigns.outcomes.reports.truth import read_truth_report
from campaigns.outcomes.responses import add_up, count_responses
from customers.models import CustomerEvent, EventKind, ImportRun, ModelVersion, Order, Replay, ScoreHistory
from customers.scoring.groups import read_sensitive
from retention_site.demo.people import DEMO_PASSWORD, PEOPLE, Person, find_open_logins
from retention_site.demo.seed import MARK, finish_demo, seed_demo
from retention_site.demo.seeding.plans import (
    DRAFTED,
    FREE_DELIVERY,
    IDEA,
    PAST,
    PAUSED,
    REMINDER,
    SEQUENCE,
    WE_MISS_YOU,
)
from retention_site.embedded.mail_catcher import MailCatcher, count_caught

from .walker import walk

CUSTOMERS = 500
#: How many pages each role comes across at least, so that a walk that sees nothing is noticed.
FEWEST_PAGES = {"marketer": 60, "approver": 50, "analyst": 60, "support": 25, "admin": 300}
PAST_NAMES = [past.campaign.name for past in PAST]
EMPTY_TABLES = (
    "customers_customer",
    "customers_customerevent",
    "campaigns_campaign",
    "auth_user",
    "customers_importrun",
)


@dataclass(frozen=True)
class Seeded:
    """A shop that was seeded at `now`, what was said meanwhile, and where its mail went."""

    now: dt.datetime
    lines: list[str]
    mail: Path


@pytest.fixture(scope="module")
def seeded(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Seeded]:
    """One shop for the whole module: committed, because the real sender works in sessions of its own."""
    base = tmp_path_factory.mktemp("catcher")
    catcher = MailCatcher(base, folder=base / "mail")
    catcher.start()
    host, port = catcher.environment["MAIL_CATCHER_HOST"], int(catcher.environment["MAIL_CATCHER_PORT"])
    shop = Seeded(timezone.now(), [], catcher.folder)
    quick = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # as all tests have it
    mail = {"EMAIL_HOST": host, "EMAIL_PORT": port, "USES_MAIL_CATCHER": True}
    with django_db_blocker.unblock(), override_settings(PASSWORD_HASHERS=quick, **mail):
        try:
            assert seed_demo(now=shop.now, customers=CUSTOMERS, write=shop.lines.append)
            yield shop
        finally:
            catcher.close()
            call_command("flush", interactive=False, verbosity=0)


@pytest.mark.django_db
class TestSeededShop:
    @pytest.fixture(autouse=True)
    def _in(self, seeded: Seeded) -> None:
        self.seeded = seeded

    def test_there_is_a_campaign_in_every_state(self) -> None:
        states = Counter(Campaign.objects.values_list("status", flat=True))
        assert set(states) == set(CampaignStatus.values)
        live = Campaign.objects.get(status=CampaignStatus.SENDING, kind="triggered")
        arms = Counter(live.entries.values_list("arm", flat=True))
        assert live.is_live and arms["treatment"] > arms["holdout"] > 0
        assert states[CampaignStatus.SENT] == len(PAST)
        assert not Variant.objects.filter(archetype__campaign__name=IDEA.name).exists()
        assert Variant.objects.filter(archetype__campaign__name=DRAFTED.name).exists()

    def test_analyst_has_marked_groups_and_asked_for_a_day_that_is_over(self) -> None:
        assert read_sensitive() == ["country", "language"]
        replay = Replay.objects.get()
        assert replay.status == Replay.Status.WAITING
        assert replay.requested_by == User.objects.get(username="ana")
        assert replay.on + dt.timedelta(days=replay.horizon_days) < self.seeded.now.date()

    def test_every_role_has_a_log_in_with_its_rights(self) -> None:
        assert [person.username for person in find_open_logins()] == [person.username for person in PEOPLE]
        assert User.objects.get(username="mara").has_perm("campaigns.submit_campaign")
        assert not User.objects.get(username="mara").has_perm("campaigns.approve_campaign")
        assert User.objects.get(username="ava").has_perm("campaigns.approve_campaign")
        assert User.objects.get(username="ada").is_staff
        assert not User.objects.filter(is_superuser=True).exists()

    def test_show_logins_leaves_out_whoever_changed_the_password(self) -> None:
        ava = User.objects.get(username="ava")
        ava.set_password("something of her own")
        ava.save()
        out = io.StringIO()
        call_command("show_logins", stdout=out)
        assert DEMO_PASSWORD in out.getvalue()
        assert "mara" in out.getvalue()
        assert "ava" not in out.getvalue()

    def test_progress_names_what_is_being_done(self) -> None:
        assert any("orders" in line for line in self.seeded.lines)
        assert "simulating" in self.seeded.lines[0]

    def test_nobody_approved_their_own_campaign(self) -> None:
        approvals = Campaign.objects.filter(approvals__isnull=False).values_list("author", "approvals__approved_by")
        assert approvals
        assert all(author != approver for author, approver in approvals)

    def test_the_past_was_walked_on_its_own_days(self) -> None:
        for past in PAST:
            campaign = Campaign.objects.get(name=past.campaign.name)
            started = campaign.sending_started_at
            assert started is not None
            assert 0 <= (self.seeded.now.date() - started.date()).days - past.days_ago <= 1
            moves = CampaignTransition.objects.filter(campaign=campaign)
            assert all(abs(move.happened_at - started) < dt.timedelta(hours=6) for move in moves)
            assert [move.to_status for move in moves] == ["in_review", "approved", "scheduled", "sending", "sent"]
            assert ScoreHistory.objects.filter(as_of__date=(started - dt.timedelta(hours=3)).date()).exists()

    def test_past_messages_say_that_nothing_went_out_and_can_be_replayed(self) -> None:
        messages = Message.objects.filter(campaign__name__in=PAST_NAMES).select_related("variant", "campaign")
        assert set(messages.values_list("status", "response")) <= {
            ("delivered", NOT_SENT),
            ("bounced", NOT_SENT),
            ("skipped", ""),
        }
        for message in messages.filter(status=MessageStatus.DELIVERED).order_by("body_hash")[:20]:
            rendered = render_message(load_source(message.variant), message.slots)
            assert hash_body(rendered) == message.body_hash
            assert message.sending_at is not None
            assert message.campaign.sending_started_at is not None
            assert message.sending_at - message.campaign.sending_started_at < dt.timedelta(hours=1)

    def test_every_message_that_went_out_is_an_event_of_its_customer(self) -> None:
        sent = Message.objects.filter(status__in=HANDED_OVER)
        events = CustomerEvent.objects.filter(source="rekindle", kind=EventKind.EMAIL_SENT)
        assert set(events.values_list("customer", "occurred_at")) == set(sent.values_list("customer", "sending_at"))

    def test_what_people_did_with_past_messages_is_noted_beside_them(self) -> None:
        past = Campaign.objects.filter(name__in=PAST_NAMES)
        found = add_up(responses for campaign in past for responses in count_responses(campaign).values())
        assert found.delivered > 0.9 * found.handed_over
        assert 0 < found.opened <= found.followed < found.handed_over, "opens only of those who agreed"
        assert 0 < found.clicked < found.handed_over
        unseen = Message.objects.filter(opened_at__isnull=False).exclude(slots__has_key="open_pixel")
        assert not unseen.exists()

    def test_held_out_people_got_nothing(self) -> None:
        held_out = AudienceMember.objects.filter(arm=Arm.HOLDOUT)
        assert held_out.exists()
        pairs = set(Message.objects.values_list("campaign", "customer"))
        assert not pairs & set(held_out.values_list("campaign", "customer"))

    def test_the_paused_campaign_really_went_to_the_mail_catcher_in_part(self) -> None:
        campaign = Campaign.objects.get(name=PAUSED.name)
        states = Counter(Message.objects.filter(campaign=campaign).values_list("status", flat=True))
        assert campaign.status == CampaignStatus.PAUSED
        assert states[MessageStatus.QUEUED] > 0
        assert states[MessageStatus.ACCEPTED] == count_caught(self.seeded.mail) > 0

    def test_the_truth_by_kind_of_person_adds_up_to_that_of_the_campaign(self) -> None:
        told = read_truth_report()
        assert told.lines
        for line in told.lines:
            assert sum(kind.treated for kind in line.kinds) == line.whole.treated
            assert sum(kind.holdout for kind in line.kinds) == line.whole.holdout
            whole = sum(kind.treated * kind.truth for kind in line.kinds) / line.whole.treated
            assert whole == pytest.approx(line.whole.truth, abs=0.02)
            truths = {kind.kind: kind.truth for kind in line.kinds}
            assert truths.get("persuadable", 1) >= 0 >= truths.get("sleeping_dog", 0)
            assert truths.get("lost_cause", 0) == truths.get("sure_thing", 0) == 0
        assert told.intervals == sum(line.whole.is_settled for line in told.lines)

    def test_the_shop_knows_what_things_cost(self) -> None:
        ledger = read_ledger()
        assert ledger.lines
        assert ledger.rates.number == 1
        assert all(line.costs is not None and line.costs.missing == [] for line in ledger.lines)

    def test_results_stand_week_by_week_beside_the_truth(self) -> None:
        for name in PAST_NAMES:
            results = list(CampaignResult.objects.filter(campaign__name=name))
            assert len(results) >= 5
            assert len({result.true_effect_points for result in results}) == 1
            assert results[-1].true_effect_points is not None
            assert 0 < results[-1].true_effect_points < 20
            assert all(result.figures["retention"]["verdict"] == "too_early" for result in results[:-1])

    def test_the_open_window_says_too_early_and_the_strong_one_does_not(self) -> None:
        retention = {
            result.campaign.name: (result.figures["is_complete"], result.figures["retention"]["verdict"])
            for result in CampaignResult.objects.order_by("campaign_id", "-day").distinct("campaign_id")
        }
        assert set(retention) == {*PAST_NAMES, SEQUENCE.name}
        assert retention[FREE_DELIVERY.name] == (False, "too_early")
        assert retention[WE_MISS_YOU.name] in {(True, "positive"), (True, "no_effect")}
        assert retention[REMINDER.name][0]

    def test_a_sequence_is_under_way_with_its_last_step_to_come(self) -> None:
        campaign = Campaign.objects.get(name=SEQUENCE.name)
        assert campaign.status == CampaignStatus.SENDING
        funnel = read_funnel(campaign)
        assert funnel is not None
        first, second, third = funnel.steps
        assert first.sent > 0
        assert 0 < second.treated.reached <= first.treated.reached
        assert second.sent + second.skipped <= second.treated.reached
        assert third.treated.waiting == second.treated.reached
        assert funnel.next_at is not None
        assert funnel.next_at > self.seeded.now
        ordered = Entry.objects.filter(campaign=campaign, exit_reason="ordered")
        for entry in ordered:
            assert Order.objects.filter(customer=entry.customer_id, ordered_at__gte=entry.entered_at).exists()

    def test_the_figures_are_those_of_the_orders(self) -> None:
        result = CampaignResult.objects.filter(campaign__name=PAST_NAMES[1]).order_by("-day").first()
        assert result is not None
        start, end = result.campaign.sending_started_at, result.campaign.measured_until
        treated = AudienceMember.objects.filter(campaign=result.campaign, arm=Arm.TREATMENT).values("customer")
        ordered = Order.objects.filter(ordered_at__gte=start, ordered_at__lt=end, is_return=False)
        kept = ordered.filter(customer__in=treated).values("customer").distinct().count()
        assert (result.figures["retention"]["treated"], result.figures["retention"]["treated_kept"]) == (
            len(treated),
            kept,
        )

    def test_texts_are_template_texts_in_both_languages_and_one_was_edited(self) -> None:
        assert set(Variant.objects.values_list("archetype__language", flat=True)) == {"en", "zh"}
        assert not Variant.objects.filter(origin=Variant.Origin.MODEL).exists()
        assert Variant.objects.filter(archetype__campaign__name=DRAFTED.name, edited_by__username="mara").exists()

    def test_the_model_was_trained_then_and_now(self) -> None:
        assert list(ModelVersion.objects.order_by("version").values_list("status", flat=True)) == [
            "retired",
            "champion",
        ]

    @pytest.mark.parametrize("person", PEOPLE[1:], ids=lambda person: person.username)
    def test_every_link_leads_somewhere(self, person: Person, client: Client) -> None:
        """No page of the whole shop leads a person to an error, or to what their role may not see."""
        client.force_login(User.objects.get(username=person.username))
        found = walk(client, alike=2 if person.role == "admin" else 1)
        assert found.refused == []
        assert found.left_open == []
        assert len(found.seen) > FEWEST_PAGES[person.role]

    def test_a_second_seeding_changes_nothing(self) -> None:
        before = _count_all_rows()
        assert not seed_demo(now=timezone.now(), customers=CUSTOMERS, write=lambda line: None)
        for options in ({}, {"if_empty": True}, {"with_people_only": True}):
            call_command("seed_demo", **options, stdout=io.StringIO())
        assert _count_all_rows() == before

    def test_shop_is_empty_answers_by_its_exit_code(self) -> None:
        with pytest.raises(SystemExit):
            call_command("shop_is_empty", stdout=io.StringIO())

    def test_an_interruption_in_mid_send_is_made_up_for(self) -> None:
        """As after a kill between two messages: the campaign is sending, and the mark says that something is open."""
        Campaign.objects.filter(name=PAUSED.name).update(status=CampaignStatus.SENDING)
        mark = ImportRun.objects.get(file_hash=MARK)
        ImportRun.objects.filter(pk=mark.pk).update(report={**mark.report, "is_finished": False})
        caught = count_caught(self.seeded.mail)
        finish_demo(write=lambda line: None)
        assert Campaign.objects.get(name=PAUSED.name).status == CampaignStatus.PAUSED
        assert count_caught(self.seeded.mail) == caught
        assert ImportRun.objects.get(file_hash=MARK).report["is_finished"]


def _count_all_rows() -> dict[str, int]:
    counts = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT count(*) FROM "{table}"')
            counts[table] = cursor.fetchone()[0]
    return counts
