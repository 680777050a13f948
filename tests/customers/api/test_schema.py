"""The description of the API is complete."""

from __future__ import annotations

from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from rest_framework.test import APIClient


def test_the_schema_has_no_warnings(capsys: pytest.CaptureFixture[str]) -> None:
    out = StringIO()
    call_command("spectacular", "--fail-on-warn", "--validate", stdout=out)
    for path in ("/customers/", "/orders/bulk/", "/events/", "/segments/count/"):
        assert f"/api/v1{path}" in out.getvalue()


@pytest.mark.django_db
def test_the_schema_needs_a_log_in(marketer: User) -> None:
    client = APIClient()
    assert client.get("/api/v1/schema/").status_code == 401
    client.force_login(marketer)
    assert client.get("/api/v1/schema/").status_code == 200
