"""Rights of the API: Django's model rights, reading included. No right, no answer."""

from __future__ import annotations

from rest_framework.permissions import DjangoModelPermissions


class HasModelRight(DjangoModelPermissions):
    """As DjangoModelPermissions, but reading needs the view right too."""

    perms_map = {
        "GET": ["%(app_label)s.view_%(model_name)s"],
        "HEAD": ["%(app_label)s.view_%(model_name)s"],
        "OPTIONS": [],
        "POST": ["%(app_label)s.add_%(model_name)s"],
        "PUT": ["%(app_label)s.change_%(model_name)s"],
        "PATCH": ["%(app_label)s.change_%(model_name)s"],
        "DELETE": ["%(app_label)s.delete_%(model_name)s"],
    }


class MayUpsert(HasModelRight):
    """Writing by key creates or changes, so it needs both rights."""

    perms_map = HasModelRight.perms_map | {
        method: ["%(app_label)s.add_%(model_name)s", "%(app_label)s.change_%(model_name)s"]
        for method in ("POST", "PUT", "PATCH")
    }


class MayRead(HasModelRight):
    """For questions that are POSTed because they are long."""

    perms_map = HasModelRight.perms_map | {"POST": ["%(app_label)s.view_%(model_name)s"]}


class MayChange(HasModelRight):
    """For a change of state that is POSTed to what it changes."""

    perms_map = HasModelRight.perms_map | {"POST": ["%(app_label)s.change_%(model_name)s"]}


class MayReadSegments(HasModelRight):
    """For what belongs to a segment: whoever may read segments and customers may read who is in them."""

    perms_map = HasModelRight.perms_map | {
        method: ["customers.view_segment", "customers.view_customer"] for method in ("GET", "HEAD")
    }
