"""The ledger in the Django admin: to be read, by those who may."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from llm.models import LlmCall
from llm.prompts import Prompt
from llm.records import record_template_call
from tests.llm.conftest import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture
def call(invitation: Prompt) -> LlmCall:
    facts = {"shop": "Fernweh", "customer": "en"}
    done = record_template_call(invitation, facts, {"subject": "Hi", "opening": "Hello"}, purpose="draft", now=NOON)
    return LlmCall.objects.get(request_id=done.call_id)


def test_admin_reads_the_ledger(client: Client, site_admin: User, call: LlmCall) -> None:
    client.force_login(site_admin)

    listed = client.get(reverse("admin:llm_llmcall_changelist"))
    shown = client.get(reverse("admin:llm_llmcall_change", args=[call.pk]))

    assert listed.status_code == shown.status_code == 200
    assert "tests.invitation" in shown.content.decode()


@pytest.mark.parametrize("page", ["add", "delete"])
def test_nobody_writes_to_the_ledger(client: Client, site_admin: User, call: LlmCall, page: str) -> None:
    client.force_login(site_admin)
    args = [] if page == "add" else [call.pk]

    assert client.post(reverse(f"admin:llm_llmcall_{page}", args=args), {"post": "yes"}).status_code == 403
    assert LlmCall.objects.count() == 1
