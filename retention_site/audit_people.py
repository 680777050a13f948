"""Writes down log-ins and what changes of people and roles, wherever it is changed: the admin, a page, a command.

Django's own signals are the only place that all of these pass; who acted is the person of the request, if there is one.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from django.contrib.auth.models import Group, User
from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.core.cache import cache
from django.db import connection
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_save
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from customers.models import AuditAction, record_audit

#: A flood of wrong passwords must not fill the disk; what is more in a minute is counted by the web server's log.
FAILED_LOGINS_A_MINUTE = 60
_current: ContextVar[HttpRequest | None] = ContextVar("audited_request", default=None)
_UNTOLD = frozenset({"id", "last_login"})


class ActorMiddleware:
    """Remembers the request, so that a changed row can be put to the person who asked."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        token = _current.set(request)
        try:
            return self.get_response(request)
        finally:
            _current.reset(token)


def connect_signals() -> None:
    """Called once, when Django is ready."""
    user_logged_in.connect(_note_login, dispatch_uid="audit.login")
    user_login_failed.connect(_note_failed_login, dispatch_uid="audit.failed_login")
    pre_save.connect(_compare_user, sender=User, dispatch_uid="audit.user_compare")
    post_save.connect(_note_user, sender=User, dispatch_uid="audit.user")
    post_delete.connect(_note_deleted_user, sender=User, dispatch_uid="audit.user_deleted")
    m2m_changed.connect(_note_roles, sender=User.groups.through, dispatch_uid="audit.roles")
    m2m_changed.connect(_note_rights, sender=User.user_permissions.through, dispatch_uid="audit.user_rights")
    m2m_changed.connect(_note_rights, sender=Group.permissions.through, dispatch_uid="audit.role_rights")


def find_actor() -> int | None:
    """The person of the current request; None for the system, and for strangers."""
    request = _current.get()
    user = getattr(request, "user", None)
    return user.pk if user is not None and user.is_authenticated else None


def _note_login(sender: Any, user: User, **kwargs: Any) -> None:
    record_audit(AuditAction.LOGGED_IN, actor=user)


def _note_failed_login(sender: Any, credentials: dict[str, Any], **kwargs: Any) -> None:
    """Whose log-in was tried, where there is such a person; never the name that was typed, which may be a password."""
    minute = f"audit-failed-logins-{timezone.now():%Y%m%d%H%M}"
    cache.add(minute, 0, 120)
    if cache.incr(minute) > FAILED_LOGINS_A_MINUTE:
        return
    tried = (
        User.objects.filter(username=str(credentials.get("username", ""))[:150]).values_list("pk", flat=True).first()
    )
    record_audit(AuditAction.LOGIN_FAILED, actor=None, about=("user", tried) if tried else ("", ""))


def _compare_user(sender: Any, instance: User, update_fields: Any = None, raw: bool = False, **kwargs: Any) -> None:
    """Note on the instance which fields differ from the row; their values stay where they are."""
    instance._audited_fields = []  # type: ignore[attr-defined]
    if raw or instance.pk is None or (update_fields is not None and set(update_fields) <= _UNTOLD):
        return
    names = [field.name for field in User._meta.concrete_fields if field.name not in _UNTOLD]
    if kept := User.objects.filter(pk=instance.pk).values(*names).first():
        instance._audited_fields = sorted(  # type: ignore[attr-defined]
            name for name in names if kept[name] != getattr(instance, name)
        )


def _note_user(sender: Any, instance: User, created: bool, raw: bool = False, **kwargs: Any) -> None:
    about, fields = ("user", instance.pk), getattr(instance, "_audited_fields", [])
    if created:
        record_audit(AuditAction.USER_CREATED, actor=find_actor(), about=about, is_superuser=instance.is_superuser)
    elif fields:
        record_audit(AuditAction.USER_CHANGED, actor=find_actor(), about=about, fields=fields)


def _note_deleted_user(sender: Any, instance: User, **kwargs: Any) -> None:
    record_audit(AuditAction.USER_DELETED, actor=find_actor(), about=("user", instance.pk))


def _note_roles(
    sender: Any, instance: User | Group, action: str, reverse: bool, pk_set: set[int] | None, **kwargs: Any
) -> None:
    """A person's groups, from either side: `group.user_set.add(person)` changes the person too."""
    if not action.startswith("post_"):
        return
    change, others = action.removeprefix("post_"), sorted(pk_set or ())
    people = others if reverse else [instance.pk]
    groups = [instance.pk] if reverse else others
    for person in people or [0]:
        record_audit(
            AuditAction.ROLES_CHANGED, actor=find_actor(), about=("user", person), change=change, groups=groups
        )


def _note_rights(
    sender: Any, instance: User | Group, action: str, reverse: bool, pk_set: set[int] | None, **kwargs: Any
) -> None:
    """Rights of a role, or of one person; not while the tables are still being made."""
    if not action.startswith("post_") or not _is_ready():
        return
    kind = "user" if isinstance(instance, User) else "role"
    about = ("", "") if reverse else (kind, instance.pk)
    change, rights = action.removeprefix("post_"), len(pk_set or ())
    record_audit(AuditAction.ROLE_RIGHTS_CHANGED, actor=find_actor(), about=about, change=change, rights=rights)


def _is_ready() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('customers_auditentry') IS NOT NULL")
        return bool(cursor.fetchone()[0])
