"""The Review page and what hangs on it: comments, outlook, terms, the switch, and the notifications of a person."""

from __future__ import annotations

import datetime as dt

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from campaigns.approval import comments, workflow
from campaigns.approval.outlook import count_capped, estimate_offer_cost, list_overlaps, read_redemption
from campaigns.models import (
    Campaign,
    CampaignStatus,
    FourEyesSwitch,
    Message,
    Notification,
    NotificationChoice,
    ReviewComment,
    Variant,
)
from customers.models import ApiKey, Customer, Order
from tests.campaigns import arrange
from tests.campaigns.arrange import NOW, Cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign(cast: Cast) -> Campaign:
    soon = timezone.now() + dt.timedelta(days=2)
    return arrange.submit(arrange.make_campaign(cast.marketer, send_at=soon), cast, now=timezone.now())


@pytest.fixture
def text(campaign: Campaign) -> Variant:
    return Variant.objects.select_related("archetype").get(archetype__campaign=campaign)


@pytest.fixture
def ava(client: Client, cast: Cast) -> Client:
    client.force_login(cast.approver)
    return client


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("step", ["review", "messages"])
def test_a_comment_stands_beside_its_text(
    ava: Client, campaign: Campaign, text: Variant, step: str, language: str
) -> None:
    ava.cookies["django_language"] = language
    page = f"/campaigns/{campaign.pk}/{step}/"
    asked = {"variant": text.pk, "field": "opening", "quote": "The wind is back", "body": "Too gloomy.", "back": page}
    answer = ava.post(f"/campaigns/{campaign.pk}/comments/", asked)
    assert (answer.status_code, answer["Location"]) == (302, page)
    shown = ava.get(page).content.decode()
    assert "<blockquote>The wind is back</blockquote>" in shown and "Too gloomy." in shown
    assert ("Comment on this text" if language == "en" else "为这条文案添加批注") in shown
    assert "Too gloomy." in ava.get(f"/variants/{text.pk}/").content.decode()


def test_a_form_leads_back_to_no_other_site(ava: Client, campaign: Campaign) -> None:
    for back in ("https://evil.test/", "//evil.test/", "/\\evil.test"):
        answer = ava.post(f"/campaigns/{campaign.pk}/comments/", {"body": "Hm.", "back": back})
        assert answer["Location"] == f"/campaigns/{campaign.pk}/review/"


def test_answer_resolve_and_open_again_by_page(ava: Client, campaign: Campaign, cast: Cast) -> None:
    thread = comments.start_thread(cast.approver, campaign, body="Why now?", now=NOW)
    ava.post(f"/comments/{thread.pk}/replies/", {"body": "Because of the snow."})
    ava.post(f"/comments/{thread.pk}/resolution/")
    assert ava.post(f"/comments/{thread.pk}/resolution/").status_code == 409
    shown = ava.get(f"/campaigns/{campaign.pk}/review/").content.decode()
    assert "Because of the snow." in shown and "Resolved by ava" in shown
    ava.post(f"/comments/{thread.pk}/resolution/removal/")
    thread.refresh_from_db()
    assert thread.is_open
    assert ava.post("/comments/999999/replies/", {"body": "x"}).status_code == 404


def test_the_number_of_questions_does_not_grow_with_the_comments(
    ava: Client, campaign: Campaign, text: Variant
) -> None:
    author = User.objects.get(username="ava")
    counts = []
    for number in (2, 20):
        for _row in range(number):
            thread = comments.start_thread(author, campaign, variant=text, body="Hm.", now=NOW)
            comments.reply(author, thread, body="Hm!", now=NOW)
        for page in ("review", "messages"):
            cache.clear()
            with CaptureQueriesContext(connection) as asked:
                assert ava.get(f"/campaigns/{campaign.pk}/{page}/").status_code == 200
            counts.append(len(asked))
    assert counts[:2] == counts[2:]


def test_the_api_does_the_same(campaign: Campaign, text: Variant, client: Client, cast: Cast, outsider: User) -> None:
    client.force_login(cast.approver)
    begun = client.post(
        f"/api/v1/campaigns/{campaign.pk}/comments/",
        {"variant": text.pk, "field": "subject", "quote": "jacket", "body": "Which one?"}, "application/json",
    )  # fmt: skip
    assert begun.status_code == 201 and begun.json()["quote"] == "jacket"
    path = f"/api/v1/review-comments/{begun.json()['id']}/"
    assert client.post(f"{path}replies/", {"body": "The red one."}, "application/json").status_code == 201
    assert client.post(f"{path}resolution/").json()["resolved_by"] == "ava"
    assert client.post(f"{path}resolution/").status_code == 409
    assert client.post(f"{path}resolution/removal/").json()["resolved_at"] is None
    listed = client.get(f"/api/v1/review-comments/?campaign={campaign.pk}").json()["results"]
    assert [(row["body"], len(row["replies"])) for row in listed] == [("Which one?", 1)]
    wrong = client.post(f"/api/v1/campaigns/{campaign.pk}/comments/", {"body": " "}, "application/json")
    assert wrong.status_code == 400
    assert client.post(f"/api/v1/campaigns/{campaign.pk}/changes/", {}, "application/json").status_code == 200
    client.force_login(outsider)
    for answer in (client.get(path), client.post(f"{path}resolution/")):
        assert answer.status_code == 403
    assert not ApiKey.objects.exists()


@pytest.mark.parametrize(
    ("role", "codes"),
    [("marketer", 302), ("approver", 302), ("analyst", 403), ("support_agent", 403), ("outsider", 403)],
)
def test_who_may_comment_by_page(
    role: str, codes: int, campaign: Campaign, client: Client, request: pytest.FixtureRequest
) -> None:
    client.force_login(request.getfixturevalue(role))
    assert client.post(f"/campaigns/{campaign.pk}/comments/", {"body": "Hm."}).status_code == codes
    assert ReviewComment.objects.count() == (codes == 302)


def test_overlap_and_cap_are_told(ava: Client, campaign: Campaign, cast: Cast) -> None:
    people = list(Customer.objects.all())
    hour = campaign.scheduled_for
    assert hour is not None
    for number, back in enumerate((1, 2)):
        other = arrange.make_campaign(
            cast.marketer, people[: 3 - number], name=f"Other {number}", send_at=hour - dt.timedelta(hours=back)
        )
        arrange.schedule(other, cast, now=timezone.now())
    far = arrange.make_campaign(cast.marketer, people, name="Far", send_at=hour + dt.timedelta(days=20))
    arrange.submit(far, cast, now=timezone.now())

    assert [(row.name, row.people) for row in list_overlaps(campaign)] == [("Other 0", 3), ("Other 1", 2)]
    assert count_capped(campaign) == 2, "two of three get two other messages within the seven days before"
    shown = ava.get(f"/campaigns/{campaign.pk}/review/").content.decode()
    assert "Other 0" in shown and "<b>2</b> people will have had enough" in shown


def test_what_was_sent_counts_against_the_cap_once(campaign: Campaign, cast: Cast, text: Variant) -> None:
    people, hour = list(Customer.objects.all()), campaign.scheduled_for
    assert hour is not None
    other = arrange.make_campaign(cast.marketer, people, name="Other", send_at=hour - dt.timedelta(hours=30))
    Campaign.objects.filter(pk=other.pk).update(status=CampaignStatus.SENDING)
    Message.objects.bulk_create(
        Message(campaign=other, customer=person, variant=text, status="accepted",
                sending_at=hour - dt.timedelta(hours=29))
        for person in people
    )  # fmt: skip
    assert count_capped(campaign) == 0, "one message, sent; not one sent and one planned"


def test_what_the_offer_may_cost(campaign: Campaign, cast: Cast) -> None:
    people = list(Customer.objects.all())
    Order.objects.bulk_create(
        Order(external_id=f"o{person.pk}", customer=person, ordered_at=NOW - dt.timedelta(days=3), currency="EUR",
              total=100 * (number + 1))
        for number, person in enumerate(people[:2])
    )  # fmt: skip
    cost = estimate_offer_cost(campaign, now=NOW)
    assert cost is not None
    # A tenth of 100, of 200, and of their mean for the third, of whom no basket is known.
    assert (cost.people, cost.most, cost.redemption, cost.expected) == (3, pytest.approx(45.0), None, None)


def test_redemption_so_far(campaign: Campaign, cast: Cast) -> None:
    people = arrange.make_customers(200, prefix="r")
    past = arrange.make_campaign(cast.marketer, people, name="Past")
    start = NOW - dt.timedelta(days=90)
    Campaign.objects.filter(pk=past.pk).update(status=CampaignStatus.SENT, sending_started_at=start)
    text = Variant.objects.get(archetype__campaign=past)
    Message.objects.bulk_create(
        Message(campaign=past, customer=person, variant=text, status="accepted", sending_at=start) for person in people
    )
    Order.objects.bulk_create(
        Order(external_id=f"r{person.pk}", customer=person, ordered_at=start + dt.timedelta(days=1 if number < 10 else 61),
              currency="EUR", total=50, discount=5, discount_code="back10")
        for number, person in enumerate(people[:20])
    )  # fmt: skip
    found = read_redemption(campaign, now=NOW)
    assert found is not None
    assert (found.people, found.used, found.rate) == (200, 10, 0.05), "after the attribution window it does not count"
    assert found.low < 0.05 < found.high


def test_the_terms_are_set_on_the_page_and_void_what_was_approved(
    campaign: Campaign, client: Client, cast: Cast
) -> None:
    client.force_login(cast.marketer)
    assert client.post(f"/campaigns/{campaign.pk}/terms/", {"approval_valid_days": 30}).status_code == 409, "in review"
    workflow.approve_campaign(cast.approver, campaign, now=timezone.now())
    client.post(f"/campaigns/{campaign.pk}/terms/", {"approval_valid_days": 30, "allowed_drift": "2.5"})
    campaign.refresh_from_db()
    assert (campaign.approval_valid_days, campaign.allowed_drift_share, campaign.status) == (30, 0.025, "draft")
    client.post(f"/campaigns/{campaign.pk}/terms/", {"approval_valid_days": 0, "allowed_drift": "200"})
    campaign.refresh_from_db()
    assert campaign.approval_valid_days == 30


def test_only_an_admin_sees_and_turns_the_switch(client: Client, cast: Cast, site_admin: User) -> None:
    client.force_login(cast.marketer)
    assert 'action="/settings/four-eyes/"' not in client.get("/settings/").content.decode()
    assert client.post("/settings/four-eyes/", {"is_required": "0", "reason": "Alone."}).status_code == 403
    client.force_login(site_admin)
    client.post("/settings/four-eyes/", {"is_required": "0", "reason": " "})
    assert not FourEyesSwitch.objects.exists()
    client.post("/settings/four-eyes/", {"is_required": "0", "reason": "Alone here."})
    shown = client.get("/settings/").content.decode()
    assert "Alone here." in shown and "Switch it on again" in shown


def test_an_own_approval_is_marked_where_it_is_read(client: Client, site_admin: User, text: Variant) -> None:
    FourEyesSwitch.objects.create(is_required=False, reason="Alone.", changed_by=site_admin, changed_at=NOW)
    campaign = text.archetype.campaign
    Campaign.objects.filter(pk=campaign.pk).update(author=site_admin)
    client.force_login(site_admin)
    client.post(f"/campaigns/{campaign.pk}/approval/")
    for path in (f"/campaigns/{campaign.pk}/review/", f"/variants/{text.pk}/decision/"):
        assert "own approval" in client.get(path).content.decode()


def test_news_is_counted_in_the_menu_read_and_chosen(campaign: Campaign, ava: Client, cast: Cast) -> None:
    assert '<span class="count">1</span>' in ava.get("/notifications/").content.decode()
    row = Notification.objects.get(user=cast.approver)
    assert ava.post(f"/notifications/{row.pk}/")["Location"] == f"/campaigns/{campaign.pk}/review/"
    row.refresh_from_db()
    assert row.read_at is not None
    ava.post("/notifications/choice/", {"kinds": ["approved"], "language": "zh-hans"})
    choice = NotificationChoice.objects.get(user=cast.approver)
    assert "review_asked" in choice.silenced and "approved" not in choice.silenced
    assert (choice.wants_mail, choice.language) == (False, "zh-hans")
    assert ava.post("/notifications/choice/", {"kinds": ["nonsense"], "language": "xx"}).status_code == 422


def test_nobody_reads_the_news_of_another(campaign: Campaign, client: Client, cast: Cast) -> None:
    row = Notification.objects.get(user=cast.approver)
    client.force_login(cast.marketer)
    assert client.post(f"/notifications/{row.pk}/").status_code == 404
    client.post("/notifications/read/")
    row.refresh_from_db()
    assert row.read_at is None
    assert "asks for your approval of" not in client.get("/notifications/").content.decode()


def test_a_list_of_news_asks_no_more_for_more(campaign: Campaign, ava: Client, cast: Cast) -> None:
    counts = []
    for number in (1, 12):
        for _row in range(number):
            workflow.request_changes(cast.approver, campaign, comment="Again.", now=timezone.now())
            workflow.submit_campaign(cast.marketer, campaign, now=timezone.now())
        with CaptureQueriesContext(connection) as asked:
            assert ava.get("/notifications/").status_code == 200
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_the_api_tells_what_an_approver_has_to_know(campaign: Campaign, ava: Client, outsider: User) -> None:
    told = ava.get(f"/api/v1/campaigns/{campaign.pk}/outlook/").json()
    assert (told["drift"]["frozen"], told["allowed_share"], told["overlaps"], told["capped"]) == (3, 0.1, [], 0)
    assert told["offer_cost"]["people"] == 3 and told["offer_cost"]["expected"] is None
    assert (told["fairness"], told["needs_reason"], told["needs_second_person"]) == ([], False, True)
    ava.force_login(outsider)
    assert ava.get(f"/api/v1/campaigns/{campaign.pk}/outlook/").status_code == 403


def test_a_part_that_is_approved_is_told_with_what_still_waits(ava: Client, campaign: Campaign) -> None:
    address = f"/campaigns/{campaign.pk}/approval/"
    told = ava.post(address, {"named": "1", "part": ["messages", "audience"]}, follow=True).content.decode()
    assert "Approved: messages, audience. Still to be approved: timing, measurement." in told
    told = ava.post(address, {"named": "1", "part": ["timing", "measurement"]}, follow=True).content.decode()
    assert "Approved." in told and "Still to be approved" not in told


def test_what_should_be_changed_has_to_be_said_unless_a_comment_says_it(
    ava: Client, campaign: Campaign, cast: Cast
) -> None:
    assert ava.get(f"/campaigns/{campaign.pk}/review/").context["comment_form"].fields["comment"].required
    ava.post(f"/campaigns/{campaign.pk}/comments/", {"place": "campaign", "body": "Too gloomy."})
    page = ava.get(f"/campaigns/{campaign.pk}/review/")
    assert page.context["open_threads"] and not page.context["comment_form"].fields["comment"].required
