"""The log-in page names the demo's people, in a demo shop only; passwords can be changed and reset."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from retention_site.demo.people import DEMO_PASSWORD, make_people

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _forget_logins() -> None:
    cache.delete("demo-logins")


def test_a_demo_shop_offers_its_people(client: Client) -> None:
    make_people()
    page = client.get(reverse("login")).content.decode()
    assert "Go in as Mara" in page
    assert DEMO_PASSWORD in page


def test_a_real_shop_offers_nobody_even_with_the_same_names(client: Client, settings: Settings) -> None:
    make_people()
    settings.USES_MAIL_CATCHER = False
    assert DEMO_PASSWORD not in client.get(reverse("login")).content.decode()


def test_a_changed_password_is_not_offered(client: Client) -> None:
    for user in make_people().values():
        user.set_password("something else entirely")
        user.save()
    assert "Go in" not in client.get(reverse("login")).content.decode()


def test_pages_about_passwords_open(client: Client) -> None:
    make_people()
    assert client.get(reverse("password_reset")).status_code == 200
    assert client.get(reverse("password_reset_done")).status_code == 200
    assert client.get(reverse("password_change")).status_code == 302
    assert client.login(username="mara", password=DEMO_PASSWORD)
    assert client.get(reverse("password_change")).status_code == 200


def test_a_reset_link_comes_by_mail_and_opens(client: Client, mailoutbox: list[object]) -> None:
    make_people()
    client.post(reverse("password_reset"), {"email": "mara@tarnside.test"})
    (mail,) = mailoutbox
    link = next(line for line in mail.body.splitlines() if "/password/reset/" in line)  # type: ignore[attr-defined]
    page = client.get(link.strip().replace("http://testserver", ""), follow=True)
    assert page.status_code == 200
    assert "new_password1" in page.content.decode()
