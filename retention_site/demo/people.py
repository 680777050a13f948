"""The cast of the demo shop, one log-in for each role. The tests have the same people (tests/conftest.py)."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.models import Group, User
from django.db import transaction

from retention_site.roles import ADMIN_ROLE, sync_roles

from .fence import refuse_outside_demo

#: Known to everybody who has read this file, which is why `fence` keeps it out of real shops.
DEMO_PASSWORD = "tarnside demo"  # noqa: S105


@dataclass(frozen=True)
class Person:
    """Somebody who works at the demo shop."""

    username: str
    first_name: str
    last_name: str
    role: str


MARKETER = Person("mara", "Mara", "Lindqvist", "marketer")
SECOND_MARKETER = Person("mika", "Mika", "Okafor", "marketer")
APPROVER = Person("ava", "Ava", "Byrne", "approver")
ANALYST = Person("ana", "Ana", "Weber", "analyst")
SUPPORT_AGENT = Person("sam", "Sam", "Patel", "support")
SITE_ADMIN = Person("ada", "Ada", "Chen", ADMIN_ROLE)
PEOPLE: tuple[Person, ...] = (MARKETER, SECOND_MARKETER, APPROVER, ANALYST, SUPPORT_AGENT, SITE_ADMIN)


@transaction.atomic
def make_people() -> dict[Person, User]:
    """The users of the cast by person, made where they are missing. Raises NoDemoHere.

    Somebody who is there already, with whatever password and roles they have by now, is left alone.
    """
    refuse_outside_demo()
    sync_roles()
    present = {user.username: user for user in User.objects.filter(username__in=[one.username for one in PEOPLE])}
    missing = [person for person in PEOPLE if person.username not in present]
    encoded = make_password(DEMO_PASSWORD) if missing else ""  # slow on purpose, so once for all of them
    made = {person.username: _make_user(person, encoded) for person in missing}
    return {person: (present | made)[person.username] for person in PEOPLE}


def find_open_logins() -> list[Person]:
    """The people whose log-in still has the demo password, in the order of the cast."""
    users = User.objects.filter(username__in=[person.username for person in PEOPLE], is_active=True)
    encoded = dict(users.values_list("username", "password"))
    # One slow hash for all who were made together; only who has changed the password since costs another.
    is_open = {kept: check_password(DEMO_PASSWORD, kept) for kept in set(encoded.values())}
    return [person for person in PEOPLE if is_open.get(encoded.get(person.username, ""), False)]


def _make_user(person: Person, encoded: str) -> User:
    user = User.objects.create(
        username=person.username,
        first_name=person.first_name,
        last_name=person.last_name,
        email=f"{person.username}@tarnside.test",
        password=encoded,
        is_staff=person.role == ADMIN_ROLE,
    )
    user.groups.add(Group.objects.get(name=person.role))
    return user
