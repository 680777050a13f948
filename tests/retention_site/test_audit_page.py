"""The page Audit, its file and the API; what people, roles, log-ins and campaigns leave behind in the log."""

from __future__ import annotations

import ast
import csv
import io
from pathlib import Path

import pytest
from django.conf import settings as of_the_site
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings

from campaigns.approval import workflow
from campaigns.approval.editing import edit_campaign
from campaigns.delivery.control import pause_campaign, resume_campaign
from campaigns.models import BrandVoice, ShopPolicies
from customers.models import ApiKey, AuditAction, AuditEntry, record_audit
from retention_site import audit_people
from retention_site.audit_settings import note_settings
from retention_site.audit_words import DETAILS, KINDS, UNSHOWN
from tests.campaigns import arrange
from tests.campaigns.arrange import NOW, Cast
from tests.conftest import MakeUser

pytestmark = pytest.mark.django_db


def actions(kind: str = "", key: object = "") -> list[str]:
    found = AuditEntry.objects.order_by("id")
    found = found.filter(object_kind=kind, object_id=str(key)) if kind else found
    return list(found.values_list("action", flat=True))


@pytest.fixture
def cast() -> Cast:
    return arrange.make_cast()


def test_a_campaign_leaves_every_decision_behind(cast: Cast) -> None:
    campaign = arrange.start(arrange.make_campaign(cast.marketer), cast)
    pause_campaign(cast.approver, campaign, reason="x", now=NOW)
    resume_campaign(cast.approver, campaign, now=NOW)
    workflow.cancel_campaign(cast.marketer, campaign, now=NOW)
    assert actions("campaign", campaign.pk) == [
        "campaign_in_review", *["part_approved"] * 4, "campaign_approved", "campaign_scheduled", "campaign_sending",
        "campaign_paused", "campaign_resumed", "campaign_cancelled",
    ]  # fmt: skip
    approvals = AuditEntry.objects.filter(action="part_approved")
    assert {entry.actor_id for entry in approvals} == {cast.approver.pk}
    assert {entry.details["part"] for entry in approvals} == {"messages", "audience", "timing", "measurement"}


def test_an_edit_names_its_fields_and_the_voids_name_the_person(cast: Cast) -> None:
    campaign = arrange.approve(arrange.make_campaign(cast.marketer), cast)
    edit_campaign(cast.marketer, campaign, {"goal": "secret words"}, {"value": 15}, now=NOW)
    edited = AuditEntry.objects.get(action=AuditAction.CAMPAIGN_EDITED)
    assert edited.details == {"fields": ["goal"], "offer": ["value"]}
    voids = AuditEntry.objects.filter(action=AuditAction.APPROVAL_VOIDED)
    assert [entry.actor_id for entry in voids] == [cast.marketer.pk] * 4
    assert not AuditEntry.objects.filter(details__icontains="secret").exists()


def test_an_approval_that_is_written_past_our_code_is_written_down_too(cast: Cast) -> None:
    campaign = arrange.make_campaign(cast.marketer)
    campaign.approvals.create(part="timing", part_hash="0" * 64, approved_by=cast.approver, approved_at=NOW)
    campaign.approvals.update(voided_at=NOW)
    assert actions("campaign", campaign.pk) == ["part_approved", "approval_voided"]


def test_voice_and_policies_are_written_down_by_the_database(cast: Cast) -> None:
    for model, action in ((BrandVoice, "voice_saved"), (ShopPolicies, "policies_saved")):
        model.objects.create(number=1, saved_by=cast.marketer, saved_at=NOW)
        entry = AuditEntry.objects.get(action=action)
        assert entry.actor_id == cast.marketer.pk and entry.object_id == "1"


def test_log_ins_are_written_down_and_never_what_was_typed(client: Client, marketer: User) -> None:
    client.post(reverse("login"), {"username": "mara", "password": "wrong"})
    client.post(reverse("login"), {"username": "my password by mistake", "password": "x"})
    client.post(reverse("login"), {"username": "mara", "password": "correct horse battery"})
    entries = list(AuditEntry.objects.filter(action__in=["logged_in", "login_failed"]).order_by("id"))
    assert [(entry.action, entry.actor_id, entry.object_id) for entry in entries] == [
        ("login_failed", None, str(marketer.pk)),
        ("login_failed", None, ""),
        ("logged_in", marketer.pk, ""),
    ]
    assert not AuditEntry.objects.filter(details__icontains="mistake").exists()


def test_a_flood_of_wrong_passwords_does_not_fill_the_log(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_people, "FAILED_LOGINS_A_MINUTE", 0)
    client.post(reverse("login"), {"username": "x", "password": "y"})
    assert "login_failed" not in actions()


def test_people_and_roles_are_written_down_with_who_changed_them(client: Client, site_admin: User) -> None:
    site_admin.is_superuser = True
    site_admin.save()
    client.force_login(site_admin)
    otto = User.objects.create_user("otto", "otto@tarnside.test")
    role = Group.objects.get(name="approver")
    page = reverse("admin:auth_user_change", args=[otto.pk])
    answer = client.post(page, {
        "username": "otto", "email": "new@tarnside.test", "groups": [role.pk], "is_active": "on",
        "date_joined_0": "2026-01-01", "date_joined_1": "00:00:00",
    })  # fmt: skip
    assert answer.status_code == 302
    changed = AuditEntry.objects.get(action=AuditAction.USER_CHANGED, object_id=str(otto.pk))
    assert changed.actor_id == site_admin.pk and "email" in changed.details["fields"]
    given = AuditEntry.objects.get(action=AuditAction.ROLES_CHANGED, object_id=str(otto.pk))
    assert given.actor_id == site_admin.pk and given.details == {"change": "add", "groups": [role.pk]}
    assert not AuditEntry.objects.filter(details__icontains="@").exists()


def test_a_role_that_gets_a_right_is_written_down(site_admin: User) -> None:
    role = Group.objects.get(name="support")
    before = len(actions("role", role.pk))
    role.permissions.clear()
    assert actions("role", role.pk)[before:] == ["role_rights_changed"]
    role.user_set.add(site_admin)
    assert "roles_changed" in actions("user", site_admin.pk)


def test_keys_are_written_down_once(client: Client, site_admin: User) -> None:
    client.force_login(site_admin)
    client.post(reverse("key-new"), {"name": "shop", "whole": "1"})
    key = ApiKey.objects.get()
    for _twice in range(2):
        client.post(reverse("key-end", args=[key.pk]))
    assert actions("api_key", key.pk) == ["key_made", "key_revoked"]


def test_settings_that_changed_with_a_restart_are_noticed_once(settings: Settings) -> None:
    assert "FREQUENCY_CAP_MESSAGES" in note_settings()
    assert note_settings() == []
    settings.FREQUENCY_CAP_MESSAGES = 99
    settings.SHOP_FROM_EMAIL = "somebody@else.test"
    assert note_settings() == ["FREQUENCY_CAP_MESSAGES", "SHOP_FROM_EMAIL"]
    assert not AuditEntry.objects.filter(details__icontains="somebody").exists()


def test_filters_find_by_person_deed_thing_and_day(client: Client, analyst: User, cast: Cast) -> None:
    campaign = arrange.approve(arrange.make_campaign(cast.marketer), cast)
    client.force_login(analyst)
    page = reverse("audit")

    def found(**query: object) -> int:
        answer = client.get(page, query)
        assert answer.status_code == 200
        return int(answer.context["page"].paginator.count)

    assert found(kind="campaign", object=campaign.pk) == 6
    assert found(kind="campaign", object=campaign.pk, who=cast.marketer.pk) == 1
    assert found(what="part_approved") == 4
    assert found(since="2999-01-01") == 0
    assert found(what="nonsense", who="x", since="never", page="9999") >= 0
    text = client.get(page, {"kind": "campaign"}).content.decode()
    assert campaign.name in text and "ava" in text


def test_the_file_has_what_verifies_and_no_live_formula(client: Client, analyst: User) -> None:
    record_audit(AuditAction.EXPORTED, actor=analyst, about=("=cmd|x", "+1"))
    client.force_login(analyst)
    answer = client.get(reverse("audit-file"))
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))  # type: ignore[attr-defined]
    assert {"number", "hash", "previous_hash"} <= set(rows[0])
    assert all(not value.startswith(("=", "+", "-", "@")) for row in rows for value in row.values())
    assert "exported" in actions("audit")


def test_the_page_costs_the_same_for_three_and_for_thirty(
    client: Client, analyst: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    client.force_login(analyst)
    for number in range(30):
        record_audit(AuditAction.CAMPAIGN_EDITED, actor=analyst, about=("campaign", number), fields=["goal"])
    client.get(reverse("audit"))
    with django_assert_max_num_queries(14) as first:
        client.get(reverse("audit"), {"object": "3"})
    with django_assert_max_num_queries(len(first)):
        client.get(reverse("audit"), {"what": "campaign_edited"})


@pytest.mark.parametrize(("role", "status"), [("analyst", 200), ("admin", 200), ("marketer", 403), ("approver", 403)])
def test_the_api_is_read_only_and_for_those_who_may(
    client: Client, make_user: MakeUser, role: str, status: int
) -> None:
    client.force_login(make_user("somebody", role))
    assert client.get("/api/v1/audit/", {"what": "user_created"}).status_code == status
    for method in (client.post, client.put, client.patch, client.delete):
        assert method("/api/v1/audit/").status_code in (403, 405)


def test_the_page_speaks_chinese(client: Client, analyst: User) -> None:
    client.force_login(analyst)
    answer = client.get(reverse("audit"), headers={"accept-language": "zh-hans"})
    assert '<html lang="zh-hans"' in answer.content.decode()


def test_review_links_to_the_audit_of_its_campaign(client: Client, analyst: User, cast: Cast) -> None:
    campaign = arrange.submit(arrange.make_campaign(cast.marketer), cast)
    client.force_login(analyst)
    page = client.get(reverse("campaigns:review-campaign", args=[campaign.pk])).content.decode()
    assert f"kind=campaign&amp;object={campaign.pk}" in page


def test_whatever_the_code_writes_down_has_words_on_the_page() -> None:
    """Kinds and details that stand in calls of `record_audit` as they are."""
    kinds, details = set(), set()
    for call in _find_records():
        for given in call.keywords:
            if (
                given.arg == "about"
                and isinstance(given.value, ast.Tuple)
                and isinstance(given.value.elts[0], ast.Constant)
            ):
                kinds.add(given.value.elts[0].value)
            elif given.arg and given.arg not in {"about", "actor"}:
                details.add(given.arg)
    assert len(kinds) > 20 and len(details) > 40
    assert kinds <= set(KINDS) and details <= set(DETAILS) | UNSHOWN


def _find_records() -> list[ast.Call]:
    trees = [
        ast.parse(path.read_text(encoding="utf-8"))
        for app in ("campaigns", "customers", "support", "retention_site")
        for path in (Path(of_the_site.BASE_DIR) / app).rglob("*.py")
    ]
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "record_audit"]
