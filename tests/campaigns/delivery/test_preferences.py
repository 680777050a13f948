"""The preference centre: signed, public, GET shows and POST acts; what was chosen holds at the freeze and at the send."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation
from pytest_django import Settings

from campaigns.audience.eligibility import exclusion_case_sql, exclusion_params
from campaigns.audience.freeze import freeze_audience
from campaigns.content.merge_tags import Traits, read_traits
from campaigns.delivery.preferences import Choices, read_standing, save_choices
from campaigns.delivery.unsubscribe import make_token, preferences_url, unsubscribe
from campaigns.delivery.why import describe_gently, explain_message
from campaigns.models import Archetype, AudienceMember, Campaign, Message
from customers.ingest.consent import suppress_address
from customers.ingest.customers import upsert_customers
from customers.ingest.preferences import save_preference
from customers.ingest.tracking import allows_tracking
from customers.merging.merge import merge_customers
from customers.models import (
    ConsentRecord,
    Customer,
    InterestProfile,
    ModelVersion,
    Preference,
    PreferenceChange,
    Score,
    ScoreHistory,
    Segment,
    Suppression,
    TrackingConsent,
)
from customers.segments.rules import parse_rule
from tests.campaigns import arrange
from tests.campaigns.arrange import Cast, ledger_open
from tests.campaigns.delivery.conftest import Sweep, states
from tests.smtp_server import ScriptedSmtpServer

pytestmark = pytest.mark.django_db
ALL = {"channel": ["email"], "topic": ["promotions", "news", "advice"], "may_profile": "1", "most_per_month": ""}


@pytest.fixture
def row(running: Campaign) -> Message:
    return Message.objects.select_related("customer").earliest("pk")


@pytest.fixture
def token(row: Message) -> str:
    return make_token(row.pk, row.customer_id)


@pytest.fixture
def page(token: str) -> str:
    return reverse("campaigns:preferences", args=[token])


@pytest.fixture
def scots(running: Campaign) -> Segment:
    """The segment of `running`, with a rule that can be read."""
    Segment.objects.update(rule={"match": "all", "rules": [{"field": "country", "op": "in", "value": ["Scotland"]}]})
    return Segment.objects.get()


def count_rows() -> list[int]:
    return [model.objects.count() for model in (ConsentRecord, Suppression, Preference, PreferenceChange)]  # type: ignore[attr-defined]


def reason_for(customer: Customer, campaign: Campaign, now: dt.datetime) -> str:
    sql = f"SELECT {exclusion_case_sql('c')} FROM customers_customer c WHERE c.id = {customer.pk}"
    with connection.cursor() as cursor:
        cursor.execute(sql, exclusion_params(campaign, now=now))
        return str(cursor.fetchone()[0])


def give_score(customer: Customer) -> None:
    model = ModelVersion.objects.create(
        version=1, estimator="x", horizon_days=90, trained_at=arrange.NOW, data_from=arrange.NOW, data_until=arrange.NOW,
        artifact=b"", status="champion",
    )  # fmt: skip
    told: dict[str, Any] = {
        "model": model,
        "as_of": arrange.NOW,
        "churn_probability": 0.7,
        "interest": "Jackets",
        "main_reason": "rhythm",
    }
    Score.objects.create(customer=customer, **told)
    ScoreHistory.objects.create(customer=customer, **told)
    InterestProfile.objects.create(customer=customer, as_of=arrange.NOW)


def test_a_thousand_looks_change_nothing(client: Client, page: str) -> None:
    before = count_rows()
    for _scanner in range(1_000):
        assert client.get(page).status_code == 200
    assert client.head(page).status_code == 200
    assert client.get(f"{page}why/").status_code == 200
    assert count_rows() == before


def test_the_link_in_the_mail_is_the_page(row: Message, page: str, settings: Settings) -> None:
    assert preferences_url(row.pk, row.customer_id) == settings.SITE_URL + page


def test_a_form_from_elsewhere_is_refused(page: str) -> None:
    client, before = Client(enforce_csrf_checks=True), count_rows()
    assert client.post(page, ALL).status_code == 403
    assert count_rows() == before


def test_the_form_as_it_is_shown_changes_nothing_but_nothing(client: Client, row: Message, page: str) -> None:
    before = count_rows()
    assert client.post(page, ALL, follow=True).status_code == 200
    assert count_rows() == before


def test_every_choice_is_kept_with_proof_and_shown_again(client: Client, row: Message, page: str) -> None:
    chosen = {"channel": ["email"], "topic": ["news"], "most_per_month": "1", "pause": "60", "allows_tracking": "1"}
    for _twice in range(2):
        shown = client.post(page, {**chosen, "may_profile": "1"}, follow=True).content.decode()
    kept = Preference.objects.get(customer=row.customer)
    assert kept.topics_off == ["promotions", "advice"]
    assert kept.most_per_month == 1 and kept.objects_to_profiling_at is None
    assert kept.paused_until is not None
    assert 59 <= (kept.paused_until - timezone.now()).days <= 60
    assert TrackingConsent.objects.get().proof["message"] == row.pk and allows_tracking(row.customer)
    proof = PreferenceChange.objects.earliest("pk")
    assert proof.message_id == row.pk and "topics_off" in proof.changes
    assert "Nothing before" in shown and "Saved." in shown


def test_numbers_that_the_page_does_not_offer_are_no_choice(client: Client, row: Message, page: str) -> None:
    client.post(
        page, {**ALL, "most_per_month": "999", "pause": "99999999", "topic": ["x"], "channel": ["email", "fax"]}
    )
    kept = Preference.objects.get(customer=row.customer)
    assert kept.most_per_month is None and kept.paused_until is None


def test_email_off_is_an_unsubscription_and_on_again_lifts_it(client: Client, row: Message, page: str) -> None:
    client.post(page, {**ALL, "channel": []})
    assert Suppression.objects.get().reason == Suppression.Reason.UNSUBSCRIBED
    client.post(page, ALL)
    newest = row.customer.consents.latest("pk")
    assert newest.status == ConsentRecord.Status.GIVEN and newest.source == "preferences"
    assert newest.proof == {"message": row.pk, "by": "preferences"}
    assert not Suppression.objects.exists()


def test_what_a_complaint_suppressed_stays_so(client: Client, row: Message, page: str) -> None:
    suppress_address(row.customer.email, reason=Suppression.Reason.COMPLAINED)
    client.post(page, {**ALL, "channel": []})
    client.post(page, ALL)
    assert Suppression.objects.get().reason == Suppression.Reason.COMPLAINED


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"paused_until": arrange.NOW + dt.timedelta(days=3)}, "paused"),
        ({"paused_until": arrange.NOW - dt.timedelta(days=3)}, ""),
        ({"topics_off": ["promotions"]}, "topic_off"),
        ({"topics_off": ["news"]}, ""),
        ({"objects_to_profiling_at": arrange.NOW + dt.timedelta(minutes=1)}, "objected"),
        ({"objects_to_profiling_at": arrange.NOW - dt.timedelta(days=1)}, ""),
        ({"most_per_month": 1}, ""),
    ],
)
def test_a_choice_holds_wherever_eligibility_is_asked(cast: Cast, values: dict[str, Any], reason: str) -> None:
    campaign = arrange.make_campaign(cast.marketer)
    customer = Customer.objects.earliest("pk")
    save_preference(customer, values, source="test", now=arrange.NOW)
    assert reason_for(customer, campaign, arrange.NOW + dt.timedelta(minutes=2)) == reason


def test_at_most_one_a_month_counts_thirty_days(cast: Cast, running: Campaign, now: dt.datetime) -> None:
    customer = Customer.objects.earliest("pk")
    save_preference(customer, {"most_per_month": 1}, source="test", now=now)
    Message.objects.filter(customer=customer).update(status="accepted", sending_at=now - dt.timedelta(days=29))
    assert reason_for(customer, running, now) == "capped"
    Message.objects.filter(customer=customer).update(sending_at=now - dt.timedelta(days=31))
    assert reason_for(customer, running, now) == ""


def test_a_pause_that_was_asked_for_after_the_approval_holds_at_the_send(
    running: Campaign, row: Message, page: str, client: Client, sweep: Sweep
) -> None:
    client.post(page, {**ALL, "pause": "30"})
    with ScriptedSmtpServer() as server:
        sweep(server)
    assert states(running) == {"accepted": 2, "skipped": 1}
    row.refresh_from_db()
    assert row.skip_reason == "paused"


def test_an_objection_takes_score_history_and_interests_away_at_once(row: Message, page: str, client: Client) -> None:
    give_score(row.customer)
    client.post(page, {key: value for key, value in ALL.items() if key != "may_profile"})
    score = Score.objects.get(customer=row.customer)
    assert (score.status, score.churn_probability, score.interest, score.main_reason) == ("objected", None, "", "")
    assert not ScoreHistory.objects.exists() and not InterestProfile.objects.exists()
    assert read_traits([row.customer_id], {"favourite_category", "last_order_month"}).get(
        row.customer_id, Traits()
    ) == Traits()  # fmt: skip


def test_who_objects_is_written_to_as_everybody_and_by_no_reason(cast: Cast) -> None:
    people = arrange.make_customers(30)
    campaign = arrange.make_campaign(cast.marketer, people)
    Segment.objects.update(rule={"field": "country", "op": "in", "value": ["Scotland"]})
    campaign.segment.refresh_from_db()
    give_score(people[0])
    save_preference(people[0], {"objects_to_profiling_at": arrange.NOW}, source="test", now=arrange.NOW)
    Campaign.objects.filter(pk=campaign.pk).update(holdout_share=0.01)
    freeze_audience(campaign, now=arrange.NOW + dt.timedelta(hours=1), actor=None)
    member = AudienceMember.objects.get(campaign=campaign, customer=people[0])
    assert member.exclusion_reason == "" and member.churn_probability is None
    archetype = Archetype.objects.get(pk=member.archetype_id)
    assert (archetype.reason, archetype.interest, archetype.value_band) == ("", "", "")
    others = AudienceMember.objects.filter(campaign=campaign).exclude(customer=people[0])
    assert set(others.values_list("exclusion_reason", flat=True)) == {"too_new"}


def test_why_tells_what_is_stored_and_never_a_score(client: Client, scots: Segment, row: Message, token: str) -> None:
    archetype = row.variant.archetype
    Archetype.objects.filter(pk=archetype.pk).update(reason="rhythm", interest="Jackets")
    text = client.get(reverse("campaigns:why", args=[token])).content.decode()
    assert "it has been a while since your last order" in text
    assert "Jackets" in text and "Scotland" in text and "you agreed to hear from" in text
    assert "%" not in text.partition("<main")[2] and "probability" not in text.lower() and "churn" not in text.lower()


def test_why_tells_it_of_a_message_to_an_id_that_was_merged_since(
    client: Client, scots: Segment, row: Message, token: str
) -> None:
    survivor = Customer.objects.exclude(pk=row.customer_id).earliest("pk")
    merge_customers(row.customer_id, survivor.pk, reason="staff", actor=None, now=timezone.now())
    text = client.get(reverse("campaigns:why", args=[token])).content.decode()
    assert "Scotland" in text and "you agreed to hear from" in text


def test_predictions_in_a_rule_are_told_once_and_without_figures() -> None:
    rule = parse_rule(
        {
            "match": "all",
            "rules": [
                {"field": "churn_probability", "op": "gte", "value": 0.6},
                {"field": "expected_value", "op": "gte", "value": 100},
                {"field": "recency_days", "op": "gte", "value": 45},
            ],
        }
    )
    told = describe_gently(rule)
    assert told.count("welcome") == 1 and "60" not in told and "100" not in told
    assert "your last order was at least 45 days ago" in told


def test_why_names_countries_in_the_readers_language() -> None:
    rule = parse_rule({"field": "country", "op": "in", "value": ["Norway", "Ireland"]})
    assert describe_gently(rule) == "you live in Norway or Ireland"
    with translation.override("zh-hans"):
        assert describe_gently(rule) == "您住在 挪威或爱尔兰"


def test_why_tells_the_rule_as_it_was_when_the_audience_was_frozen(scots: Segment, token: str) -> None:
    scots.revisions.create(number=1, rule=scots.rule, saved_at=arrange.NOW - dt.timedelta(days=400))
    later = timezone.now() + dt.timedelta(days=1)
    scots.revisions.create(
        number=2, rule={"field": "country", "op": "in", "value": ["Wales"]}, saved_at=later
    )  # fmt: skip
    assert "Scotland" in explain_message(token, now=timezone.now()).group


@pytest.mark.parametrize(("language", "html", "words"), [("zh-CN", "zh-hans", "您"), ("de", "en", "you")])
def test_pages_speak_the_customers_language(
    client: Client, row: Message, page: str, language: str, html: str, words: str
) -> None:
    Customer.objects.filter(pk=row.customer_id).update(language=language)
    for address in (page, f"{page}why/"):
        text = client.get(address).content.decode()
        assert f'<html lang="{html}"' in text and words in text


@pytest.mark.parametrize("altered", ["x", "1-1", "1-1.signature", "1-2." + "A" * 43])
def test_altered_links_are_refused(client: Client, running: Campaign, altered: str) -> None:
    for name in ("campaigns:preferences", "campaigns:why"):
        page = reverse(name, args=[altered])
        assert client.get(page).status_code == 404
        assert client.post(page, ALL).status_code in (404, 405)


def test_who_was_erased_meanwhile_is_told_so(client: Client, row: Message, page: str, token: str) -> None:
    Message.objects.filter(customer=row.customer_id).delete()
    with ledger_open():
        Customer.objects.filter(pk=row.customer_id).delete()
    assert "keeps nothing about you" in client.get(page).content.decode()
    assert client.post(page, ALL).status_code == 200
    assert client.get(f"{page}why/").status_code == 200
    assert read_standing(token).customer is None


def test_an_unsubscribed_person_sees_email_switched_off(row: Message, token: str) -> None:
    unsubscribe(token, now=timezone.now())
    assert read_standing(token).channels == {"email": False}


def test_a_topic_that_the_page_does_not_show_stays_as_it_was(row: Message, token: str, settings: Settings) -> None:
    save_preference(row.customer, {"topics_off": ["events"]}, source="test", now=timezone.now())
    settings.MESSAGE_TOPICS = ["promotions", "news"]
    choices = Choices({"email"}, {"promotions"}, None, None, True, False)
    save_choices(token, choices, now=timezone.now())
    assert Preference.objects.get().topics_off == ["news", "events"]


def test_an_edit_of_the_topic_discards_the_audience(cast: Cast) -> None:
    from campaigns.approval.editing import edit_campaign

    campaign = arrange.approve(arrange.make_campaign(cast.marketer), cast)
    edit_campaign(cast.marketer, campaign, {"topic": "news"}, now=arrange.NOW)
    assert campaign.status == "draft" and campaign.audience_frozen_at is None


def test_a_language_is_chosen_with_proof_and_no_file_takes_it_back(client: Client, row: Message, page: str) -> None:
    before = client.get(page).content.decode()
    assert "简体中文" in before and "What you agreed to" in before
    for _twice in range(2):
        shown = client.post(page, {**ALL, "language": "zh"}, follow=True).content.decode()
    assert "您从我们这里收到什么" in shown and "What you get from us" in before
    assert Customer.objects.get(pk=row.customer_id).language == "zh"
    change = PreferenceChange.objects.get()
    assert (change.changes, change.source, change.message_id) == ({"language": "zh"}, "preferences", row.pk)

    upsert_customers(pl.DataFrame({"external_id": [row.customer.external_id], "language": ["de"]}))
    other = Customer.objects.exclude(pk=row.customer_id).earliest("pk")
    upsert_customers(pl.DataFrame({"external_id": [other.external_id], "language": ["de"]}))
    assert Customer.objects.get(pk=row.customer_id).language == "zh"
    assert Customer.objects.get(pk=other.pk).language == "de"
    Customer.objects.filter(pk=row.customer_id).empty("erased", "x")
    assert Customer.objects.get(pk=row.customer_id).language == ""


@pytest.mark.parametrize("language", ["", "fr", "xx", "zh-hans' --"])
def test_a_language_that_the_page_does_not_offer_changes_nothing(
    client: Client, row: Message, page: str, language: str
) -> None:
    client.post(page, {**ALL, "language": language})
    assert Customer.objects.get(pk=row.customer_id).language == "en"
    assert not PreferenceChange.objects.exists()


def test_another_language_of_theirs_is_shown_and_stays(client: Client, row: Message, page: str) -> None:
    Customer.objects.filter(pk=row.customer_id).update(language="fr")
    assert "Français" in client.get(page).content.decode()
    client.post(page, {**ALL, "language": ""})
    assert Customer.objects.get(pk=row.customer_id).language == "fr"


def test_what_was_agreed_to_is_shown_as_it_is_kept(client: Client, row: Message, page: str, now: dt.datetime) -> None:
    ConsentRecord.objects.create(
        customer=row.customer, status="given", legal_basis="consent", source="shop floor, till 3",
        proof={"wording": "Yes, <b>write</b> to me."}, recorded_at=now,
    )  # fmt: skip
    client.post(page, {**ALL, "channel": []})
    shown = client.get(page).content.decode()
    for words in (
        "You agreed",
        "shop floor, till 3",
        "Yes, &lt;b&gt;write&lt;/b&gt; to me.",
        "You took it back",
        "on this page",
    ):
        assert words in shown, words


def test_the_page_needs_no_script(client: Client, page: str) -> None:
    shown = client.get(page).content.decode()
    assert "hx-" not in shown and "onclick" not in shown
