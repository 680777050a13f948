"""A marketer merges archetypes, takes a part out, chooses another number; a new freeze undoes none of it."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from pytest_django import Settings

from campaigns.approval.editing import edit_campaign, forget_shapes, merge_archetypes, refreeze_audience, take_out_part
from campaigns.audience.cards import build_cards
from campaigns.models import (
    Approval,
    Archetype,
    AudienceCell,
    AudienceMember,
    Campaign,
    CampaignStatus,
    TransitionConflict,
    Variant,
)

from .conftest import NOW, MakeCustomer

pytestmark = pytest.mark.django_db
INTERESTS = {"Jackets": 40, "Boots": 30, "Tents": 14, "Cookware": 12, "Maps": 4}


@pytest.fixture
def frozen(campaign: Campaign, make_customer: MakeCustomer, marketer: User) -> Campaign:
    for interest, people in INTERESTS.items():
        for number in range(people):
            make_customer(f"{interest}{number}", score={"interest": interest})
    edit_campaign(marketer, campaign, {"max_archetypes": 3}, now=NOW)
    refreeze_audience(marketer, campaign, now=NOW)
    return campaign


def archetype_of(campaign: Campaign, interest: str) -> Archetype:
    return AudienceCell.objects.get(campaign=campaign, interest=interest).archetype  # type: ignore[return-value]


def partition(campaign: Campaign) -> set[frozenset[str]]:
    homes: dict[int, set[str]] = {}
    for cell in AudienceCell.objects.filter(campaign=campaign):
        homes.setdefault(cell.archetype_id or 0, set()).add(cell.interest)
    return {frozenset(interests) for interests in homes.values()}


def check_books(campaign: Campaign) -> None:
    """Every member is in the archetype of their cell, and the sizes add up."""
    members = AudienceMember.objects.filter(campaign=campaign).exclude(arm="excluded")
    for archetype in Archetype.objects.filter(campaign=campaign):
        assert members.filter(archetype=archetype).count() == archetype.size
        assert sum(cell.size for cell in archetype.cells.all()) == archetype.size
        assert len(archetype.samples) == min(3, archetype.size)
    assert not members.filter(archetype=None).exists()


def test_small_cells_are_put_with_others_and_the_card_says_which(frozen: Campaign) -> None:
    check_books(frozen)
    assert Archetype.objects.filter(campaign=frozen).count() == 3
    maps = archetype_of(frozen, "Maps")
    card = build_cards(frozen)[maps.pk]
    put_with = {part.label: (part.side, part.size, part.may_stand_alone) for part in card.parts}
    assert put_with["Maps"] == ("interest", 4, False)
    assert sum(size for _side, size, _alone in put_with.values()) == card.size


def test_two_archetypes_become_one_and_stay_one_after_a_new_freeze(frozen: Campaign, marketer: User) -> None:
    jackets, boots = archetype_of(frozen, "Jackets"), archetype_of(frozen, "Boots")
    assert jackets != boots
    Variant.objects.create(archetype=boots, origin="person", subject="Boots")
    merged = merge_archetypes(marketer, frozen, jackets, boots, now=NOW)
    assert merged == boots == archetype_of(frozen, "Jackets")  # the one that has a text goes on
    assert (merged.is_shaped, merged.interest) == (True, "")
    check_books(frozen)
    after = partition(frozen)
    refreeze_audience(marketer, frozen, now=NOW)
    assert partition(frozen) == after
    assert Variant.objects.get().archetype == archetype_of(frozen, "Jackets")
    check_books(frozen)


def test_a_part_that_was_put_with_others_is_taken_out_and_stays_out(frozen: Campaign, marketer: User) -> None:
    holder = archetype_of(frozen, "Cookware")
    assert holder.cells.count() > 1
    before = partition(frozen)
    taken = take_out_part(marketer, frozen, holder, "interest", "Cookware", now=NOW)
    assert (taken.size, taken.interest, taken.is_shaped) == (12, "Cookware", True)
    assert partition(frozen) - before == {
        frozenset({"Cookware"}), next(group for group in before if "Cookware" in group) - {"Cookware"}
    }  # fmt: skip
    assert frozen.max_archetypes == 4
    after = partition(frozen)
    refreeze_audience(marketer, frozen, now=NOW)
    assert partition(frozen) == after
    check_books(frozen)


def test_who_is_too_few_cannot_stand_alone(frozen: Campaign, marketer: User) -> None:
    with pytest.raises(ValidationError, match="Fewer than 10 people"):
        take_out_part(marketer, frozen, archetype_of(frozen, "Maps"), "interest", "Maps", now=NOW)


@pytest.mark.parametrize(("side", "value"), [("interest", "Sledges"), ("reason", "rhythm"), ("language", "en")])
def test_only_a_part_of_an_archetype_is_taken_out(frozen: Campaign, marketer: User, side: str, value: str) -> None:
    with pytest.raises(ValidationError, match="Choose a part"):
        take_out_part(marketer, frozen, archetype_of(frozen, "Cookware"), side, value, now=NOW)


def test_there_are_never_more_than_the_settings_allow(frozen: Campaign, marketer: User, settings: Settings) -> None:
    settings.MOST_ARCHETYPES = 3
    with pytest.raises(ValidationError, match="3 archetypes already"):
        take_out_part(marketer, frozen, archetype_of(frozen, "Cookware"), "interest", "Cookware", now=NOW)
    with pytest.raises(ValidationError, match="From 1 to 3"):
        edit_campaign(marketer, frozen, {"max_archetypes": 4}, now=NOW)


def test_another_number_splits_again_and_keeps_what_a_person_shaped(frozen: Campaign, marketer: User) -> None:
    merge_archetypes(marketer, frozen, archetype_of(frozen, "Jackets"), archetype_of(frozen, "Boots"), now=NOW)
    edit_campaign(marketer, frozen, {"max_archetypes": 12}, now=NOW)
    assert archetype_of(frozen, "Jackets") == archetype_of(frozen, "Boots")
    assert archetype_of(frozen, "Tents") != archetype_of(frozen, "Cookware")
    edit_campaign(marketer, frozen, {"max_archetypes": 1}, now=NOW)
    assert Archetype.objects.filter(campaign=frozen).count() == 1
    check_books(frozen)


def test_what_was_shaped_can_be_forgotten(frozen: Campaign, marketer: User) -> None:
    before = partition(frozen)
    merge_archetypes(marketer, frozen, archetype_of(frozen, "Jackets"), archetype_of(frozen, "Boots"), now=NOW)
    assert forget_shapes(marketer, frozen, now=NOW) == 3
    assert partition(frozen) == before
    assert not Archetype.objects.filter(is_shaped=True).exists()


def test_languages_are_not_put_together(frozen: Campaign, make_customer: MakeCustomer, marketer: User) -> None:
    make_customer("zh", language="zh-CN", score={"interest": "Boots"})
    refreeze_audience(marketer, frozen, now=NOW)
    chinese = Archetype.objects.get(language="zh")
    with pytest.raises(ValidationError, match="two languages"):
        merge_archetypes(marketer, frozen, chinese, archetype_of(frozen, "Jackets"), now=NOW)


@pytest.mark.parametrize("status", [CampaignStatus.IN_REVIEW, CampaignStatus.SENT, CampaignStatus.CANCELLED])
def test_archetypes_are_not_shaped_in_a_state_that_is_locked(frozen: Campaign, marketer: User, status: str) -> None:
    jackets, boots = archetype_of(frozen, "Jackets"), archetype_of(frozen, "Boots")
    Campaign.objects.update(status=status)
    with pytest.raises(TransitionConflict):
        merge_archetypes(marketer, frozen, jackets, boots, now=NOW)
    assert jackets == archetype_of(frozen, "Jackets")


def test_shaping_voids_what_was_approved(frozen: Campaign, marketer: User, approver: User) -> None:
    Campaign.objects.update(status=CampaignStatus.APPROVED)
    Approval.objects.create(campaign=frozen, part="audience", part_hash="x", approved_by=approver, approved_at=NOW)
    merge_archetypes(marketer, frozen, archetype_of(frozen, "Jackets"), archetype_of(frozen, "Boots"), now=NOW)
    frozen.refresh_from_db()
    assert frozen.status == CampaignStatus.DRAFT
    assert Approval.objects.get().voided_at == NOW
    assert frozen.transitions.get().reason == "The archetypes were changed."


def test_an_outsider_shapes_nothing(frozen: Campaign, outsider: User) -> None:
    with pytest.raises(PermissionDenied):
        merge_archetypes(outsider, frozen, archetype_of(frozen, "Jackets"), archetype_of(frozen, "Boots"), now=NOW)
