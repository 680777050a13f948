"""A client of the API with a key of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from customers.api.authentication import issue_api_key
from tests.customers.outgoing.receiver import Receiver


def client_of(user: User) -> APIClient:
    _row, key = issue_api_key(user, "test")
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {key}")
    return client


@pytest.fixture
def api(site_admin: User) -> APIClient:
    return client_of(site_admin)


@pytest.fixture
def marketing(marketer: User) -> APIClient:
    return client_of(marketer)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        yield server
