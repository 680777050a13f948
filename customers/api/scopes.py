"""What a key may do of all that its person may: named parts, each a set of Django rights."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any, Final

from django.contrib.auth.models import User
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

_DATA: Final = ("customer", "order", "orderline", "product", "customerevent", "consentrecord")
_RIGHTS_OF_PEOPLE: Final = {
    "customers.export_customer",
    "customers.erase_customer",
    "customers.view_customer",
    "customers.change_preference",
    "customers.view_privacyrequest",
    "customers.add_privacyrequest",
    "customers.drop_events",
}
#: Scope, words, and the test of a right such as customers.view_order.
SCOPES: Final[dict[str, tuple[Promise, Callable[[str], bool]]]] = {
    "read": (_("read everything that is shown"), lambda right: ".view_" in right),
    "write": (
        _("bring in customers, orders, products, events and consents"),
        lambda right: right.startswith(("customers.add_", "customers.change_")) and right.partition("_")[2] in _DATA,
    ),
    "segments": (
        _("read, make and change segments"),
        lambda right: right.startswith("customers.") and right.endswith("_segment"),
    ),
    "campaigns": (_("read, write and decide on campaigns"), lambda right: right.startswith("campaigns.")),
    "web_hooks": (
        _("make, change and read web hooks"),
        lambda right: right.startswith("customers.") and right.endswith("_outgoingendpoint"),
    ),
    "privacy": (
        _("export and erase people, note their objections, and drop old events"),
        lambda right: right in _RIGHTS_OF_PEOPLE,
    ),
}


def describe_scopes(scopes: Collection[str]) -> list[str]:
    """In words; none is everything."""
    return [str(SCOPES[name][0]) for name in SCOPES if name in scopes]


def narrow(user: User, scopes: Collection[str]) -> User:
    """The same person, who in this request may do no more than the scopes allow. None at all changes nothing.

    What is unknown, because a later version made it, allows nothing.
    """
    if not scopes:
        return user
    tests = [SCOPES[name][1] for name in scopes if name in SCOPES]
    whole: Callable[..., bool] = user.has_perm

    def has_perm(right: str, obj: Any = None) -> bool:
        return any(test(right) for test in tests) and whole(right, obj)

    def has_perms(rights: Iterable[str], obj: Any = None) -> bool:
        return all(has_perm(right, obj) for right in rights)

    for name, narrowed in (("has_perm", has_perm), ("has_perms", has_perms)):
        setattr(user, name, narrowed)  # of this object, which lives as long as the request
    return user
