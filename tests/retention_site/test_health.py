"""Probes: whether the process lives, and whether it can work."""

from __future__ import annotations

import pytest
from django.test import Client
from pytest_django import Settings


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes_answer_by_address_whatever_names_the_site_has(client: Client, settings: Settings, path: str) -> None:
    settings.ALLOWED_HOSTS = ["rekindle.shop.example"]
    settings.SECURE_SSL_REDIRECT = True
    answer = client.get(path, headers={"host": "10.0.0.7:8000"})
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json"


@pytest.mark.django_db
def test_pages_do_not(client: Client, settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["rekindle.shop.example"]
    assert client.get("/login/", headers={"host": "10.0.0.7:8000"}).status_code == 400


@pytest.mark.django_db
def test_readiness_names_what_does_not_answer(client: Client, settings: Settings) -> None:
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "unix:///nonexistent?db=1"}
    }
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["checks"]) == (503, {"database": True, "cache": False})
