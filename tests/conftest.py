"""The cast of all tests, by role (the demo shop uses the same names), and the scripted model server."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import hypothesis
import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import Group, User
from django.core.cache import cache
from django.db import connection
from django.test import override_settings
from django.utils import translation
from pytest_django import DjangoDbBlocker, Settings

from tests.campaigns.arrange import forget_quiet_hours
from tests.dead_rows import sweeping
from tests.emptying import emptying_quickly
from tests.model_server import ModelServer, use_model_server
from tests.tables_once import tables_once

MakeUser = Callable[[str, str], User]
#: A busy machine is slow at anything, and what passes in one run has to pass in the next.
hypothesis.settings.register_profile(
    "ours", deadline=None, derandomize=True, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("ours")
#: Else each new client of a test reads all 250 static files before it asks for its first page.
django_settings.WHITENOISE_AUTOREFRESH = True
#: The real hasher takes a second per person on a busy machine, on purpose.
django_settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
AS_IN_EVERY_PROCESS = gc.get_threshold()  # retention_site has set it
#: While tests are collected nothing is let go of: to look for it, over and over, took most of that time.
gc.set_threshold(1_000_000, 100, 100)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where several share the work (`--dist loadfile --no-loadscope-reorder`), the files that take long come first, so that in
    the end nobody waits for one of them."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        slow = {item.path for item in items if item.get_closest_marker("slow")}
        items.sort(key=lambda item: item.path not in slow)


def pytest_collection_finish(session: pytest.Session) -> None:
    """What is there by now stays to the end of the run: it need not be looked through, thousands of times, for what nobody
    holds any more, and what tests leave behind may wait a little."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*AS_IN_EVERY_PROCESS)


@pytest.fixture(scope="session")
def django_db_setup(request: pytest.FixtureRequest, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Tests that commit are cleared up by TRUNCATE where `emptying_quickly` cannot, which the audit log refuses everywhere
    else. Tests run at any hour, so nobody has quiet hours but where a test gives them."""
    with django_db_blocker.unblock(), tables_once():
        request.getfixturevalue("django_db_setup")  # that of pytest-django
    with ExitStack() as whole_run:
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute("ALTER TABLE customers_auditentry DISABLE TRIGGER customers_audit_refuse_emptying")
            cursor.execute("GRANT TRUNCATE ON customers_auditentry TO CURRENT_USER")
            forget_quiet_hours()
            whole_run.enter_context(emptying_quickly())
        whole_run.enter_context(sweeping(request.config.pluginmanager, django_db_blocker))
        yield


@pytest.fixture(autouse=True)
def empty_cache() -> None:
    """What one test's shop left there (its currency, counts, limits) would be believed of the next one's."""
    cache.clear()


@pytest.fixture(autouse=True)
def back_to_english() -> Iterator[None]:
    """A page that was asked for in Chinese leaves its language to the thread, and so to the next test."""
    yield
    translation.deactivate()


@pytest.fixture(scope="session")
def epochs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all tests: to make one for each of thousands, `mktemp` reads the names of all before it."""
    return tmp_path_factory.mktemp("epochs")


@pytest.fixture(autouse=True)
def epoch_of_its_own(epochs: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The database is emptied after each test, and what is kept outside it would take the next one for a restored backup."""
    name = uuid4().hex
    kept = {
        "EPOCH_FILE": str(epochs / f"{name}.epoch.json"),
        "EPOCH_KEY": f"epoch:{name}",
        "WISHES_FILE": str(epochs / f"{name}.wishes.jsonl"),
    }
    for setting, value in kept.items():
        monkeypatch.setenv(setting, value)
    # All at once: each time on its own tells every library, and adds a layer through which all settings are then asked.
    with override_settings(**kept, ERASURE_FILE=str(epochs / f"{name}.erasures.jsonl")):  # of objections too
        yield


@pytest.fixture
def make_user(db: None) -> MakeUser:
    def make(username: str, role: str) -> User:
        user = User.objects.create_user(username, f"{username}@tarnside.test", "correct horse battery")
        if role:
            user.groups.add(Group.objects.get(name=role))
        if role == "admin":
            user.is_staff = True
            user.save()
        return user

    return make


@pytest.fixture
def marketer(make_user: MakeUser) -> User:
    return make_user("mara", "marketer")


@pytest.fixture
def second_marketer(make_user: MakeUser) -> User:
    return make_user("mika", "marketer")


@pytest.fixture
def approver(make_user: MakeUser) -> User:
    return make_user("ava", "approver")


@pytest.fixture
def analyst(make_user: MakeUser) -> User:
    return make_user("ana", "analyst")


@pytest.fixture
def support_agent(make_user: MakeUser) -> User:
    return make_user("sam", "support")


@pytest.fixture
def site_admin(make_user: MakeUser) -> User:
    return make_user("ada", "admin")


@pytest.fixture
def outsider(make_user: MakeUser) -> User:
    return make_user("otto", "")


@pytest.fixture
def model_server(settings: Settings) -> Iterator[ModelServer]:
    """A scripted model server, set up as the model of the site."""
    with ModelServer() as server:
        use_model_server(settings, server)
        yield server
