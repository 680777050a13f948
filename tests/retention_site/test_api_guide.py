"""What docs/api.md shows is there, and works as it is written."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.urls import resolve
from rest_framework.test import APIClient

from customers.api.authentication import issue_api_key

GUIDE = (Path(settings.BASE_DIR) / "docs" / "api.md").read_text(encoding="utf-8")
CALL = re.compile(
    r"curl (?:-X (?P<method>\w+) )?\"\$REKINDLE(?P<path>[^\"]*)\"(?P<rest>.*?)(?=\ncurl|\n```)", re.DOTALL
)


def test_every_address_of_the_guide_exists() -> None:
    text = re.sub(r"\{[^}]*\}", "1", GUIDE.replace("{base}", "/api/v1/campaigns/1"))
    found = {path for path in re.findall(r"/api/v1/[a-z0-9/-]+", text) if path.endswith("/") or path.endswith("batch")}
    assert len(found) > 20
    for path in found:
        resolve(path)


@pytest.mark.django_db
def test_the_rule_of_the_guide_is_one(site_admin: User) -> None:
    found = re.search(r"^rule = (\{.*\})$", GUIDE, re.MULTILINE)
    assert found is not None
    _row, key = issue_api_key(site_admin, "guide")
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {key}")
    assert client.post("/api/v1/segments/count/", {"rule": json.loads(found[1])}).json()["count"] == 0


@pytest.mark.django_db
def test_the_calls_with_curl_work_in_their_order(site_admin: User) -> None:
    _row, key = issue_api_key(site_admin, "guide")
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {key}")
    calls = list(CALL.finditer(GUIDE))
    assert len(calls) >= 9
    for call in calls:
        body = re.search(r"-d '(.*)'", call["rest"], re.DOTALL)
        send = getattr(client, (call["method"] or "GET").lower())
        answer = send(call["path"], json.loads(body[1])) if body else send(call["path"])
        assert answer.status_code in {200, 201}, (call["path"], answer.content)
        if call["path"] == "/api/v1/batch":
            assert answer.json()["created"] == 5
