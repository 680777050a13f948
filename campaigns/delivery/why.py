"""Why somebody got a message, told to them in plain words and from stored data alone: never a score, never a guess."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from django.conf import settings
from django.db.models import Count
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from campaigns.audience.global_holdout import is_held_out, read_round
from campaigns.models import Campaign, Message
from customers.ingest.country_names import name_country
from customers.models import ConsentRecord, Customer, CustomerEvent, EventKind, Segment, SegmentRevision
from customers.segments.nodes import Bucket
from customers.segments.resolve import resolve_memberships
from customers.segments.rules import Condition, Group, Rule, RuleError, parse_rule
from customers.segments.wording import describe_rule

from .preferences import read_standing
from .unsubscribe import read_token

#: The theme of a reason as one says it to the person whom it is about.
GENTLE_REASONS: Final[dict[str, Promise]] = {
    "rhythm": gettext_lazy("it has been a while since your last order"),
    "frequency": gettext_lazy("you order now and then"),
    "value": gettext_lazy("of what you usually spend with us"),
    "newness": gettext_lazy("of how long you have been a customer"),
    "basket": gettext_lazy("of the kind of things you bought"),
    "returns": gettext_lazy("something did not suit you and came back"),
    "discounts": gettext_lazy("you like a good offer"),
    "browsing": gettext_lazy("you looked around in the shop"),
    "email": gettext_lazy("of how you use our e-mails"),
    "support": gettext_lazy("you had a question or a complaint"),
    "season": gettext_lazy("of the time of the year"),
}
_EVENT_DATA: Final[tuple[tuple[Promise, frozenset[str]], ...]] = (
    (
        gettext_lazy("what you looked at, searched for and put into the cart"),
        frozenset({EventKind.PRODUCT_VIEWED, EventKind.SEARCH_PERFORMED, EventKind.CART_UPDATED}),
    ),
    (
        gettext_lazy("whether you opened or clicked our mail"),
        frozenset({EventKind.EMAIL_OPENED, EventKind.EMAIL_CLICKED}),
    ),
    (
        gettext_lazy("questions, complaints and reviews"),
        frozenset({EventKind.TICKET_OPENED, EventKind.COMPLAINT_OPENED, EventKind.REVIEW_WRITTEN}),
    ),
)


@dataclass(frozen=True)
class Why:
    """Sentences for one person: what makes us allowed to write, whom we wrote to, why this text, and from which data."""

    interface_language: str
    allowed: str = ""
    group: str = ""
    text: list[str] = field(default_factory=list)
    data: list[str] = field(default_factory=list)
    holdout: str = ""
    is_profiled: bool = True


def explain_message(token: str, *, now: dt.datetime) -> Why:
    """All of it for the message of a link, in the active language. Raises BadToken; parts that are gone are left out."""
    link, standing = read_token(token), read_standing(token)
    customer = standing.customer
    if customer is None:
        return Why(standing.interface_language)
    is_profiled = standing.preference is None or standing.preference.objects_to_profiling_at is None
    message = (
        Message.objects.filter(pk=link.message_id, customer=link.customer_id)  # who may have been merged since
        .select_related("campaign__segment", "variant__archetype")
        .first()
    )
    return Why(
        interface_language=standing.interface_language,
        allowed=_tell_consent(customer, message),
        group=_tell_group(message.campaign) if message else "",
        text=_tell_text(message) if message else [],
        data=_tell_data(customer, is_profiled=is_profiled),
        holdout=_tell_holdout(customer, message, now=now),
        is_profiled=is_profiled,
    )


def describe_gently(rule: Rule) -> str:
    """A segment's rule for the people in it. What it asks of predictions is told as what it is for, once, without a figure."""
    parts = dict.fromkeys(_tell_parts(rule))  # in their order, each once
    return _("; ").join(parts)


def _tell_parts(rule: Rule) -> list[str]:
    if isinstance(rule, Group) and rule.match == "all":
        return [part for child in rule.rules for part in _tell_parts(child)]
    if isinstance(rule, Group) and rule.match == "any":
        return [_(" or ").join(dict.fromkeys(describe_gently(child) for child in rule.rules))]
    if isinstance(rule, Group):
        told = [part for child in rule.rules for part in _tell_parts(child)]
        if _tell_prediction() in told:
            return [_tell_prediction()]
        return [_("not: %(what)s") % {"what": _(" or ").join(dict.fromkeys(told))}]
    if isinstance(rule, Bucket):
        return [_("you were drawn at random")]
    if isinstance(rule, Condition) and rule.field.family == "prediction":
        return [_tell_prediction()]
    return [_say_condition(rule) if isinstance(rule, Condition) else describe_rule(rule)]


def _tell_prediction() -> str:
    return _("a word from us may be welcome to you now, going by your earlier orders and visits")


def _say_condition(condition: Condition) -> str:
    """What a condition says of the reader; in the words of the segment's page where there are none of our own."""
    key, op, value = condition.field.key, condition.op, condition.value
    values = [str(each) for each in value] if isinstance(value, tuple) else [str(value)]
    if key == "country" and op in ("is", "in"):
        return _("you live in %(where)s") % {"where": _join(map(name_country, values))}
    if key in ("interest", "interested_in", "likes_brand") and op in ("is", "in"):
        return _("you like %(what)s") % {"what": _join(values)}
    if op not in ("gte", "lte") or not isinstance(value, int | float) or isinstance(value, bool):
        return describe_rule(condition)
    number = int(value)
    if key == "orders_count" and op == "gte":
        return ngettext("you ordered at least %(n)d time", "you ordered at least %(n)d times", number) % {"n": number}
    if key == "recency_days" and op == "gte":
        return ngettext(
            "your last order was at least %(n)d day ago", "your last order was at least %(n)d days ago", number
        ) % {"n": number}
    if key == "recency_days":
        return ngettext(
            "your last order was at most %(n)d day ago", "your last order was at most %(n)d days ago", number
        ) % {"n": number}
    return describe_rule(condition)


def _join(names: Iterable[str]) -> str:
    return pgettext("between names", " or ").join(names)


def _tell_consent(customer: Customer, message: Message | None) -> str:
    until = (message.sending_at if message else None) or dt.datetime.max.replace(tzinfo=dt.UTC)
    given = customer.consents.filter(status=ConsentRecord.Status.GIVEN, recorded_at__lte=until)
    consent = given.filter(channel=message.channel if message else "email").order_by("-recorded_at", "-id").first()
    if consent is None:
        return ""
    told = {"shop": settings.SHOP_NAME, "day": date_format(consent.recorded_at, "DATE_FORMAT")}
    if consent.legal_basis == ConsentRecord.LegalBasis.EXISTING_CUSTOMER:
        return _("You bought from %(shop)s, and did not object to hearing from us (noted on %(day)s).") % told
    return _("On %(day)s you agreed to hear from %(shop)s.") % told


def _tell_group(campaign: Campaign) -> str:
    try:
        words = describe_gently(resolve_memberships(parse_rule(_rule_then(campaign))))  # no name of a segment is told
    except RuleError:
        return ""
    return _("This mail went to the customers of whom this was true on that day: %(rule)s.") % {"rule": words}


def _tell_holdout(customer: Customer, message: Message | None, *, now: dt.datetime) -> str:
    """Whom chance leaves alone for a while, said of the reader: now, and where that has changed since the message."""
    today = read_round(now)
    if is_held_out(today, customer.pk):
        return _(
            "By chance you are one of those whom we send no offers for a while, so that we learn whether they are any use."
        )
    then = read_round(message.sending_at) if message and message.sending_at else None
    if then is None or not then.is_on or is_held_out(then, customer.pk):
        return ""
    return _(
        "Of all customers, chance left %(share).0f%% without offers then, so that we learn whether they are any use. You were not"
        " one of them."
    ) % {"share": 100 * then.share}


def _rule_then(campaign: Campaign) -> object:
    """The rule as it was when the audience was frozen."""
    segment: Segment = campaign.segment
    saved = SegmentRevision.objects.filter(segment=segment)
    if campaign.audience_frozen_at is not None:
        saved = saved.filter(saved_at__lte=campaign.audience_frozen_at)
    newest = saved.order_by("-number").values_list("rule", flat=True).first()
    return newest if newest is not None else segment.rule


def _tell_text(message: Message) -> list[str]:
    archetype, said = message.variant.archetype, []
    if reason := GENTLE_REASONS.get(archetype.reason):
        said.append(_("You got this text because %(reason)s.") % {"reason": reason})
    if archetype.interest:
        said.append(_("It speaks of “%(what)s” because that is what you bought or looked at most.") % {
            "what": archetype.interest})  # fmt: skip
    said.append(
        _(
            "The words were written once, for a whole group, and approved by a person. Only a few of them, such as your"
            " name, were filled in for you."
        )
    )
    return said


def _tell_data(customer: Customer, *, is_profiled: bool) -> list[str]:
    told = [_("your name, address and language")]
    if not is_profiled:
        return told
    orders = customer.orders.filter(is_return=False).count()
    if orders:
        told.append(ngettext("your %(n)d order", "your %(n)d orders", orders) % {"n": orders})
    kinds = set(
        CustomerEvent.objects.filter(customer=customer)
        .values("kind")
        .annotate(n=Count("kind"))
        .values_list("kind", flat=True)
    )
    return told + [str(words) for words, needed in _EVENT_DATA if kinds & needed]
