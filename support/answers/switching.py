"""Who switched which category to answer by itself, who stopped all of it, and what people found when they checked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from customers.models import AuditAction, Customer, record_audit
from support.inbox.working import require_right
from support.models import AutomaticAnswer, AutomaticCategory, AutomaticStop, PeopleOnly, Topic

RIGHT: Final = "support.switch_automatic"
LEAST_NOTICE: Final = 40
#: What a shop starts from; the law of the customer's country may ask for more.
NOTICES: Final = {
    "en": (
        "This answer was written and sent by a computer program, from our help articles. No person has read it."
        " To reach a person, answer this mail or use the link below."
    ),
    "zh": "本回复由计算机程序根据我们的帮助文章自动撰写并发送，未经人工审阅。如需人工服务，请直接回复本邮件或使用下方链接。",
}
SETTINGS: Final = ("least_sureness", "sample_share", "most_per_hour", "most_per_day", "notice_en", "notice_zh")


def is_stopped() -> bool:
    """Somebody stopped all automatic answers, and nobody let them go since."""
    newest = AutomaticStop.objects.order_by("-pk").first()
    return newest is not None and newest.is_stopped


@transaction.atomic
def switch_on(
    user: User, topic: str, told: Mapping[str, Any], *, is_confirmed: bool, now: dt.datetime
) -> AutomaticCategory:
    """Let questions of one topic be answered without a person, with these settings.

    Raises PermissionDenied without the right, ValidationError where the notice was not confirmed or says too little, and
    for settings out of range.
    """
    _require_switching(user)
    if topic not in Topic.values:
        raise ValidationError(_("“%(value)s” is not a value of triage.") % {"value": topic})
    if not is_confirmed:
        raise ValidationError(_("Confirm that the notice says what the law of your customers asks for."))
    category = AutomaticCategory.objects.select_for_update().filter(topic=topic).first()
    category = category or AutomaticCategory(topic=topic)
    for name in SETTINGS:
        setattr(category, name, told[name])
    category.is_on, category.switched_by, category.switched_at = True, user, now
    if min(len(category.notice_en.strip()), len(category.notice_zh.strip()) * 2) < LEAST_NOTICE:
        raise ValidationError(
            _("The notice has to say, in both languages, that a program answered and how to reach a person.")
        )
    category.full_clean()
    category.save()
    kept = {name: told[name] for name in SETTINGS if not name.startswith("notice")}
    record_audit(AuditAction.AUTOMATIC_ON, actor=user, about=("automatic_category", topic), **kept)
    return category


@transaction.atomic
def switch_off(user: User, topic: str, *, now: dt.datetime) -> bool:
    """Have people answer this category again; False where they do already."""
    _require_switching(user)
    on = AutomaticCategory.objects.filter(topic=topic, is_on=True)
    if not on.update(is_on=False, switched_by=user, switched_at=now):
        return False
    record_audit(AuditAction.AUTOMATIC_OFF, actor=user, about=("automatic_category", topic))
    return True


@transaction.atomic
def stop_all(user: User, *, now: dt.datetime) -> bool:
    """Stop every automatic answer from now on: whoever may answer tickets may. False where they are stopped already."""
    require_right(user)
    if is_stopped():
        return False
    AutomaticStop.objects.create(is_stopped=True, changed_by=user, changed_at=now)
    record_audit(AuditAction.AUTOMATIC_STOPPED, actor=user, about=("automatic_category", "all"))
    return True


@transaction.atomic
def let_go(user: User, *, now: dt.datetime) -> bool:
    """Let the categories that are on answer again; an administrator alone."""
    _require_switching(user)
    if not is_stopped():
        return False
    AutomaticStop.objects.create(is_stopped=False, changed_by=user, changed_at=now)
    record_audit(AuditAction.AUTOMATIC_RESUMED, actor=user, about=("automatic_category", "all"))
    return True


@transaction.atomic
def check_answer_sent(user: User, automatic: AutomaticAnswer, verdict: str, remark: str, *, now: dt.datetime) -> None:
    """What a person found of an automatic answer. Raises ValidationError for a verdict that does not exist."""
    require_right(user)
    if verdict not in AutomaticAnswer.Verdict.values or not verdict:
        raise ValidationError(_("Say how the answer was."))
    AutomaticAnswer.objects.filter(pk=automatic.pk).update(
        verdict=verdict, remark=" ".join(remark.split())[:300], checked_by=user, checked_at=now
    )
    record_audit(AuditAction.AUTOMATIC_CHECKED, actor=user, about=("ticket", automatic.ticket_id), verdict=verdict)


@transaction.atomic
def want_people_only(customer: Customer, *, wanted: bool, user: User | None, now: dt.datetime) -> None:
    """Keep a customer's wish for no automated answers, or take it back. `user` None: the customer said so."""
    if user is not None:
        require_right(user)
    if not wanted:
        changed = bool(PeopleOnly.objects.filter(customer=customer).delete()[0])
    else:
        changed = PeopleOnly.objects.get_or_create(customer=customer, defaults={"asked_at": now, "noted_by": user})[1]
    if changed:
        record_audit(AuditAction.PEOPLE_ONLY, actor=user, about=("customer", customer.pk), wanted=wanted)


def _require_switching(user: User) -> None:
    if not user.has_perm(RIGHT):
        raise PermissionDenied(_("Your role does not allow this."))
