"""A segment that nobody needs is put away and taken back; one that something needs is not, and it is said what needs it."""

from __future__ import annotations

import datetime as dt

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.test import Client

from campaigns.approval.make_right import start_make_right
from campaigns.models import Campaign, CampaignStatus
from customers.models import AuditEntry, Customer, Segment, SegmentChange, SegmentCount, SegmentMember
from customers.segments.archiving import SegmentInUse, SegmentIsArchived, archive_segment, list_uses, restore_segment
from customers.segments.editing import save_segment
from customers.segments.membership import measure_overlaps
from customers.segments.rules import RuleError, parse_rule
from customers.segments.sweep import sweep_segments
from tests.at_once import do_at_once
from tests.campaigns.arrange import make_campaign

from .arrange import NOW, make_person, make_segment

pytestmark = pytest.mark.django_db
MINUTE = dt.timedelta(minutes=1)
NORWAY = {"match": "all", "rules": [{"field": "country", "op": "is", "value": "Norway"}]}


@pytest.fixture
def client(marketer: User) -> Client:
    client = Client()
    client.force_login(marketer)
    return client


def _is_archived(segment: Segment) -> bool:
    return Segment.objects.get(pk=segment.pk).is_archived


def test_a_segment_is_put_away_and_taken_back_on_its_page(client: Client) -> None:
    north = make_segment("north", NORWAY)
    page = client.post(f"/segments/{north.pk}/archival/", follow=True).content.decode()
    assert _is_archived(north) and "This segment is archived." in page
    assert 'name="action" value="save"' not in page, "it is looked at only"
    assert "north" not in client.get("/segments/").content.decode().split("<main")[1].split("</table>")[0]
    archived = client.get("/segments/", {"archived": "1"}).content.decode()
    assert "north" in archived and f"/segments/{north.pk}/restoration/" in archived
    client.post(f"/segments/{north.pk}/archival/")
    client.post(f"/segments/{north.pk}/restoration/")
    client.post(f"/segments/{north.pk}/restoration/")
    assert not _is_archived(north)
    told = AuditEntry.objects.filter(object_kind="segment", object_id=str(north.pk)).order_by("pk")
    assert [entry.action for entry in told] == ["segment_archived", "segment_restored"], "a second time is none"


def test_it_is_offered_nowhere(client: Client) -> None:
    north = make_segment("north", NORWAY)
    Segment.objects.filter(pk=north.pk).update(is_archived=True)
    row = {"r:match": "all", "r.0:what": "segment", "r.0:name": ""}
    for page in (
        client.get("/customers/"),
        client.get("/campaigns/new/"),
        client.get("/search/", {"q": "north"}),
        client.post("/segments/rows/", {**row, "action": "refresh"}),
    ):
        assert page.status_code == 200
        assert f'value="{north.pk}">north' not in page.content.decode()
        assert f"/segments/{north.pk}/" not in page.content.decode()
    assert client.get("/customers/", {"segment": north.pk}).status_code == 422


def test_a_row_that_names_an_archived_one_keeps_its_choice(client: Client) -> None:
    """Archived by an older version, or before this rule was taken back: opening and saving changes nothing unsaid."""
    north = make_segment("north", NORWAY)
    other = make_segment("other", {"match": "all", "rules": [{"segment": north.pk, "is_member": False}]})
    Segment.objects.filter(pk=north.pk).update(is_archived=True)
    page = client.get(f"/segments/{other.pk}/").content.decode()
    assert f'<option value="{north.pk}" selected>north (archived)' in page
    assert "The segment “north” is archived." in page


def test_what_needs_it_is_named_and_it_stays(client: Client) -> None:
    north = make_segment("north", NORWAY)
    other = make_segment("Abroad", {"match": "all", "rules": [{"segment": north.pk, "is_member": False}]})
    page = client.post(f"/segments/{north.pk}/archival/", follow=True).content.decode()
    assert "It is still used: the segment “Abroad”. Take it out there first." in page
    assert not _is_archived(north)
    client.post(f"/segments/{other.pk}/archival/")
    client.post(f"/segments/{north.pk}/archival/")
    assert _is_archived(north), "an archived one needs nothing"


@pytest.mark.parametrize("status", CampaignStatus.values)
def test_a_campaign_that_is_not_over_needs_its_segment(marketer: User, status: str) -> None:
    campaign = make_campaign(marketer)
    Campaign.objects.filter(pk=campaign.pk).update(status=status)
    if status in (CampaignStatus.SENT, CampaignStatus.CANCELLED):
        assert archive_segment(marketer, campaign.segment).is_archived
        return
    with pytest.raises(SegmentInUse, match=campaign.name):
        archive_segment(marketer, campaign.segment)
    assert not _is_archived(campaign.segment)


def test_so_does_one_whose_result_is_looked_at_by_it(client: Client, marketer: User) -> None:
    campaign, north = make_campaign(marketer), make_segment("north", NORWAY)
    assert list_uses(north) == []
    Campaign.objects.filter(pk=campaign.pk).update(looked_at=[north.pk])
    assert [(use.kind, use.pk) for use in list_uses(north)] == [("campaign", campaign.pk)]
    assert "result looked at by it" in client.get(f"/segments/{north.pk}/").content.decode()


def test_no_new_campaign_takes_an_archived_one(client: Client, marketer: User) -> None:
    north = archive_segment(marketer, make_segment("north", NORWAY))
    made = client.post("/api/v1/campaigns/", {"name": "Spring", "segment": north.pk}, "application/json")
    assert made.status_code == 400 and made.json()["errors"][0]["path"] == "segment"
    assert client.get("/campaigns/new/", {"segment": north.pk}).status_code == 200
    first = start_make_right(marketer, now=NOW)
    Campaign.objects.filter(pk=first.pk).update(status=CampaignStatus.CANCELLED)
    archive_segment(marketer, first.segment)
    again = start_make_right(marketer, now=NOW)
    assert again.segment == first.segment and not _is_archived(first.segment), "the one that it needs is taken back"


def test_many_uses_are_named_in_part(marketer: User) -> None:
    north = make_segment("north", NORWAY)
    for number in range(8):
        make_segment(f"other {number}", {"segment": north.pk})
    with pytest.raises(SegmentInUse, match="other 4” and 3 more"):
        archive_segment(marketer, north)


def test_rights_are_asked(marketer: User, approver: User) -> None:
    north = make_segment("north", NORWAY)
    client = Client()
    client.force_login(approver)
    for noun in ("archival", "restoration"):
        assert client.post(f"/segments/{north.pk}/{noun}/").status_code == 403
        assert client.post(f"/api/v1/segments/{north.pk}/{noun}/").status_code == 403
        assert client.get(f"/segments/{north.pk}/{noun}/").status_code == 405
    with pytest.raises(PermissionDenied):
        archive_segment(approver, north)
    assert "Archive" not in client.get(f"/segments/{north.pk}/").content.decode().split("<main")[1]


def test_the_api_puts_away_and_takes_back(client: Client) -> None:
    north = make_segment("north", NORWAY)
    make_segment("Abroad", {"segment": north.pk})
    refused = client.post(f"/api/v1/segments/{north.pk}/archival/")
    assert refused.status_code == 409 and "Abroad" in refused.json()["detail"]
    Segment.objects.filter(name="Abroad").delete()
    assert client.post(f"/api/v1/segments/{north.pk}/archival/").json()["is_archived"] is True
    listed = client.get("/api/v1/segments/", {"is_archived": "true"}).json()["results"]
    assert [row["name"] for row in listed] == ["north"]
    changed = client.patch(f"/api/v1/segments/{north.pk}/", {"name": "south"}, "application/json")
    assert changed.status_code == 409
    assert client.post(f"/api/v1/segments/{north.pk}/restoration/").json()["is_archived"] is False
    assert client.patch(f"/api/v1/segments/{north.pk}/", {"name": "south"}, "application/json").status_code == 200


def test_its_rule_is_not_changed_while_it_is_archived(client: Client, marketer: User) -> None:
    north = save_segment(marketer, name="north", rule=NORWAY, now=NOW)
    archive_segment(marketer, north)
    with pytest.raises(SegmentIsArchived):
        save_segment(
            marketer, name="south", rule={"field": "country", "op": "is", "value": "Chile"}, now=NOW, segment=north
        )
    sent = {
        "r:match": "all",
        "r.0:what": "country",
        "r.0:op": "is",
        "r.0:value": "Chile",
        "action": "save",
        "name": "south",
    }
    page = client.post(f"/segments/{north.pk}/", sent)
    assert page.status_code == 422 and "Take it back before you change it" in page.content.decode()
    assert Segment.objects.get().name == "north"


def test_its_name_is_taken_and_that_is_said(client: Client, marketer: User) -> None:
    archive_segment(marketer, make_segment("north", NORWAY))
    sent = {
        "r:match": "all",
        "r.0:what": "country",
        "r.0:op": "is",
        "r.0:value": "Norway",
        "action": "save",
        "name": "north",
    }
    page = client.post("/segments/new/", sent)
    assert page.status_code == 422 and "An archived segment has this name" in page.content.decode()


def test_nobody_looks_at_it_any_more_and_it_begins_anew_when_it_is_back(marketer: User) -> None:
    anna = make_person(external_id="anna", country="Norway")
    north, all_of_them = (
        make_segment("north", NORWAY),
        make_segment("all", {"not": {"field": "country", "op": "is", "value": "x"}}),
    )
    sweep_segments(NOW)
    Customer.objects.filter(pk=anna.pk).update(country="China")
    sweep_segments(NOW + MINUTE)
    Customer.objects.filter(pk=anna.pk).update(country="Norway")
    sweep_segments(NOW + 2 * MINUTE)
    assert SegmentChange.objects.count() == 2
    archive_segment(marketer, north)
    assert [o.segment for o in measure_overlaps(parse_rule(NORWAY), as_of=NOW)] == [all_of_them]
    assert sweep_segments(NOW + 3 * MINUTE).segments == 1
    assert not SegmentMember.objects.filter(segment=north).exists()
    assert not SegmentCount.objects.filter(segment=north).exists()
    Customer.objects.filter(pk=anna.pk).update(country="China")
    bea = make_person(external_id="bea", country="Norway")
    sweep_segments(NOW + 4 * MINUTE)
    restore_segment(marketer, north)
    assert sweep_segments(NOW + 5 * MINUTE).recounted == 1
    members = SegmentMember.objects.filter(segment=north)
    assert [(member.customer_id, member.entered_at) for member in members] == [(bea.pk, None)], (
        "nobody knows since when"
    )
    assert SegmentChange.objects.filter(segment=north).count() == 2, (
        "who came meanwhile is no change, those before are kept"
    )
    assert north.sizes.count() == 1


def test_back_before_a_sweep_saw_it_loses_nobody(marketer: User) -> None:
    make_person(country="Norway")
    north = make_segment("north", NORWAY)
    sweep_segments(NOW)
    archive_segment(marketer, north)
    make_person(country="Norway")
    restore_segment(marketer, north)
    done = sweep_segments(NOW + MINUTE)
    assert (done.recounted, done.entered) == (0, 1)
    assert SegmentCount.objects.get().size == 2


@pytest.mark.django_db(transaction=True)
def test_two_that_are_to_name_each_other_at_once_make_no_circle(marketer: User) -> None:
    first, second = make_segment("first", NORWAY), make_segment("second", NORWAY)

    def name(one: Segment, other: Segment) -> Segment:
        return save_segment(marketer, name=one.name, rule={"segment": other.pk}, now=NOW, segment=one)

    done = do_at_once(lambda: name(first, second), lambda: name(second, first))
    failed = [error for error in done if isinstance(error, Exception)]
    assert [getattr(error, "code", error) for error in failed] == ["cycle"]
    assert isinstance(failed[0], RuleError)


@pytest.mark.django_db(transaction=True)
def test_one_that_is_archived_while_another_comes_to_name_it_is_not_lost(marketer: User) -> None:
    """Either the other was first and it stays, or it is archived and the other's row says so."""
    north, other = make_segment("north", NORWAY), make_segment("other", NORWAY)
    done = do_at_once(
        lambda: archive_segment(marketer, north),
        lambda: save_segment(marketer, name="other", rule={"segment": north.pk}, now=NOW, segment=other),
    )
    is_refused = isinstance(done[0], SegmentInUse)
    assert is_refused != _is_archived(north)
    assert not isinstance(done[1], Exception)
