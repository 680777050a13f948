"""The pages and the API of a change to a campaign that runs."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from campaigns.approval.staging import deciding, preparing
from campaigns.models import Campaign, FollowUp, Offer, StagedChange, Variant
from tests.campaigns import arrange
from tests.campaigns.arrange import Cast

pytestmark = pytest.mark.django_db

#: Long enough to be told from the words that stand.
OPENING = "They came on the morning boat, and they keep the wind out."


@pytest.fixture
def running(cast: Cast) -> Campaign:
    now = timezone.now()
    return arrange.start(arrange.make_campaign(cast.marketer, send_at=now, now=now), cast, now=now)


@pytest.fixture
def text(running: Campaign) -> Variant:
    return Variant.objects.get(archetype__campaign=running)


@pytest.fixture
def mara(cast: Cast) -> Client:
    client = Client()
    client.force_login(cast.marketer)
    return client


@pytest.fixture
def ava(cast: Cast) -> Client:
    client = Client()
    client.force_login(cast.approver)
    return client


def words(text: Variant, **changes: str) -> dict[str, str]:
    kept = {
        name: getattr(text, name) for name in ("subject", "preheader", "opening", "story", "invitation", "button_label")
    }
    return kept | changes


def test_from_the_live_page_to_a_text_that_everybody_gets_from_now_on(
    mara: Client, ava: Client, running: Campaign, text: Variant
) -> None:
    base = f"/campaigns/{running.pk}/staged/"
    assert "Change this campaign" in mara.get(f"/campaigns/{running.pk}/live/").content.decode()
    assert mara.post(base).headers["Location"] == f"{base}1/"
    page = mara.get(f"{base}1/").content.decode()
    assert "Your jacket misses you" in page and "Nothing is different yet" in page and "one group" in page

    answer = mara.post(f"{base}1/texts/{text.pk}/", words(text, opening=OPENING))
    assert answer.headers["Location"] == f"{base}1/"
    fields = {"reason": "New stock.", "code": "NEW10", "send_window_hours": 48, "url": "https://fernweh.test/jackets"}
    assert mara.post(f"{base}1/fields/", fields).status_code == 302
    page = mara.get(f"{base}1/").content.decode()
    assert "<ins>NEW10</ins>" in page and "morning boat" in page and "New stock." in page
    assert "touched by this change" in page and "stays as approved" in page
    assert OPENING in mara.get(f"{base}1/texts/{text.pk}/preview/").content.decode()

    assert mara.post(f"{base}1/submission/").status_code == 302
    assert "Approve, in force at once" not in mara.get(f"{base}1/").content.decode(), "who wrote it does not approve it"
    page = ava.get(f"{base}1/").content.decode()
    assert "<strong>3 people</strong> who still wait" in page and "Approve, in force at once" in page
    assert "change 1, while it runs" in ava.get("/review/").content.decode()
    told = "A change of “Autumn” waits for your approval"
    assert told in ava.get("/").content.decode() and told not in mara.get("/").content.decode()
    seen = StagedChange.objects.get().change_hash
    assert ava.post(f"{base}1/approval/", {"seen": seen}).status_code == 302

    assert Variant.objects.get().opening == OPENING and Offer.objects.get().code == "NEW10"
    assert "approved and in force" in ava.get(base).content.decode()
    running.refresh_from_db()
    assert running.send_window_hours == 48 and running.status == "sending"


def test_the_old_text_keeps_its_page_and_nobody_edits_it(
    mara: Client, running: Campaign, text: Variant, cast: Cast
) -> None:
    now = timezone.now()
    change = preparing.open_change(cast.marketer, running, now=now)
    preparing.stage_text(cast.marketer, change, text, {"opening": OPENING}, now=now)
    deciding.submit_change(cast.marketer, change, now=now)
    deciding.approve_change(cast.approver, change, now=now)

    assert text.opening in mara.get(f"/variants/{text.pk}/").content.decode()
    assert mara.post(f"/variants/{text.pk}/", words(text, opening="Else")).status_code == 409
    answer = mara.post(f"/campaigns/{running.pk}/staged/")
    assert mara.post(f"{answer.headers['Location']}texts/{text.pk}/", words(text, opening="Else")).status_code == 409


def test_what_was_typed_is_kept_where_it_cannot_be(mara: Client, running: Campaign, text: Variant, cast: Cast) -> None:
    preparing.open_change(cast.marketer, running, now=timezone.now())
    base = f"/campaigns/{running.pk}/staged/1/"

    answer = mara.post(f"{base}fields/", {"send_window_hours": 48, "valid_until": "2020-01-01", "code": "TYPED"})
    assert (
        answer.status_code == 422 and "TYPED" in answer.content.decode() and "over already" in answer.content.decode()
    )
    answer = mara.post(f"{base}texts/{text.pk}/", words(text, subject="", opening="Typed with care"))
    assert answer.status_code == 422 and "Typed with care" in answer.content.decode()
    stale = words(text, opening="Typed with care") | {"seen": "f" * 64}
    answer = mara.post(f"{base}texts/{text.pk}/", stale)
    assert answer.status_code == 422 and "Somebody else changed this text" in answer.content.decode()
    again = stale | {"seen": preparing.hash_staged(StagedChange.objects.get(), text)}
    assert again["seen"] in answer.content.decode(), "saving again is knowing"
    assert mara.post(f"{base}texts/{text.pk}/", again).status_code == 302


def test_a_finding_stands_at_its_field(mara: Client, running: Campaign, text: Variant, cast: Cast) -> None:
    preparing.open_change(cast.marketer, running, now=timezone.now())
    base = f"/campaigns/{running.pk}/staged/1/"
    mara.post(f"{base}texts/{text.pk}/", words(text, opening="Everything is 70% off."))
    for page in (base, f"{base}texts/{text.pk}/"):
        assert "blocked" in mara.get(page).content.decode()
    assert "blocks it" in mara.post(f"{base}submission/", follow=True).content.decode()


def test_refuse_take_up_again_withdraw(mara: Client, ava: Client, running: Campaign, text: Variant) -> None:
    base = f"/campaigns/{running.pk}/staged/"
    mara.post(base)
    mara.post(f"{base}1/texts/{text.pk}/", words(text, opening=OPENING))
    mara.post(f"{base}1/submission/")
    ava.post(f"{base}1/refusal/", {"comment": "It was the evening boat."})
    assert "evening boat" in mara.get(f"{base}1/").content.decode()
    assert mara.post(base, {"like": "1"}).headers["Location"] == f"{base}2/"
    assert "morning boat" in mara.get(f"{base}2/").content.decode()
    mara.post(f"{base}2/withdrawal/")
    assert [change.status for change in StagedChange.objects.order_by("number")] == ["refused", "withdrawn"]
    assert Variant.everything.count() == 1


def test_a_sequence_shows_its_steps(mara: Client, running: Campaign) -> None:
    Campaign.objects.filter(pk=running.pk).update(kind="triggered")
    FollowUp.objects.create(campaign=running, number=2, wait_hours=72)
    base = f"/campaigns/{running.pk}/staged/"
    mara.post(base)
    page = mara.get(f"{base}1/fields/").content.decode()
    assert "Step 2: hours after the step before it" in page and "People enter until" in page
    until = (timezone.now() + dt.timedelta(days=40)).date().isoformat()
    sent = {"send_window_hours": 24, "code": "BACK10", "url": "https://fernweh.test/jackets", "live_until": until, "step_2": 24,
            "exit_on": ["ordered"], "valid_until": Offer.objects.get().valid_until.isoformat()}  # fmt: skip
    assert mara.post(f"{base}1/fields/", sent).status_code == 302
    kept = StagedChange.objects.get().changes
    assert kept["follow_ups"] == {"2": 24} and kept["campaign"]["exit_on"] == ["ordered"] and kept["offer"] == {}
    assert mara.post(f"{base}1/fields/", sent).status_code == 302
    assert StagedChange.objects.get().changes == kept, "saving the same again changes nothing"
    assert "Under way through the steps" in mara.get(f"{base}1/").content.decode()


@pytest.mark.parametrize("role", ["analyst", "outsider"])
def test_who_may_only_read_changes_nothing(
    running: Campaign, cast: Cast, request: pytest.FixtureRequest, role: str
) -> None:
    preparing.open_change(cast.marketer, running, now=timezone.now())
    client, base = Client(), f"/campaigns/{running.pk}/staged/"
    client.force_login(request.getfixturevalue(role))
    assert client.get(f"{base}1/").status_code == (200 if role == "analyst" else 403)
    for noun in ("submission", "approval", "refusal", "withdrawal", "base"):
        assert client.post(f"{base}1/{noun}/").status_code == 403
    assert client.post(base).status_code == 403
    assert StagedChange.objects.get().status == "open"


def test_the_list_costs_the_same_for_three_and_for_thirty(mara: Client, running: Campaign, cast: Cast) -> None:
    def count(more: int) -> int:
        for _number in range(more):
            change = preparing.open_change(cast.marketer, running, now=timezone.now())
            preparing.withdraw_change(cast.marketer, change, now=timezone.now())
        with CaptureQueriesContext(
            connection,
        ) as found:
            mara.get(f"/campaigns/{running.pk}/staged/")
        return len(found)

    assert count(3) == count(9)


def test_the_same_over_the_api(running: Campaign, text: Variant, cast: Cast, mara: Client, ava: Client) -> None:
    made = mara.post("/api/v1/staged-changes/", {"campaign": running.pk, "reason": "New stock."}, "application/json")
    assert made.status_code == 201
    path = f"/api/v1/staged-changes/{made.json()['id']}/"
    assert mara.post("/api/v1/staged-changes/", {"campaign": running.pk}, "application/json").status_code == 409
    wanted = {
        "texts": [{"variant": text.pk, "opening": OPENING}],
        "offer": {"code": "NEW10"},
        "fields": {"send_window_hours": 48},
    }
    kept = mara.patch(path, wanted, "application/json")
    assert kept.status_code == 200 and kept.json()["outcome"]["touched"] == ["messages", "timing"]
    assert mara.patch(path, {"fields": {"live_until": None}}, "application/json").status_code == 400
    submitted = mara.post(f"{path}submission/").json()
    assert submitted["status"] == "in_review" and submitted["affected"]["people"] == 3
    seen = {"seen": submitted["change_hash"]}
    assert mara.post(f"{path}approval/", seen, "application/json").status_code == 403
    assert ava.post(f"{path}approval/", {"seen": "f" * 64}, "application/json").status_code == 409
    assert ava.post(f"{path}approval/", seen, "application/json").json()["status"] == "applied"
    assert Variant.objects.get().opening == OPENING and Offer.objects.get().code == "NEW10"
    assert [row["id"] for row in ava.get(f"/api/v1/staged-changes/?campaign={running.pk}").json()["results"]] == [
        made.json()["id"]
    ]
